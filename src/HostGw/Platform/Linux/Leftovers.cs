namespace HostGw.Platform.Linux;

/// <summary>Rules that other network agents leave behind.</summary>
internal static class Leftovers
{
    /// <summary>Tables of nf_tables in which others masquerade: flannel's and kindnet's.</summary>
    public static bool IsTableOfOthers(string table) => table is "flannel-ipv4" or "flannel-ipv6" or "kindnet-ipmasq";
}
