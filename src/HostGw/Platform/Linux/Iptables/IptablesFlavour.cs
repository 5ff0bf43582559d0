namespace HostGw.Platform.Linux.Iptables;

/// <summary>The two sets of iptables rules that a kernel can hold side by side.</summary>
internal enum IptablesFlavour
{
    /// <summary>Rules in nf_tables, written by iptables-nft.</summary>
    Nft,

    /// <summary>Rules in x_tables, written by iptables-legacy.</summary>
    Legacy,
}
