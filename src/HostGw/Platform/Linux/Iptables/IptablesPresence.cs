using System.Runtime.Versioning;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>Tells cheaply, without running a program or loading a module, which iptables tables and chains a host has.</summary>
[SupportedOSPlatform("linux")]
internal sealed class IptablesPresence(Func<NftCensus?> census)
{
    // Of this thread: the process's own folder shows the network namespace of its first thread.
    private const string ProcNet = "/proc/thread-self/net";

    /// <summary>Whether x_tables has this table. A kernel or container without has no such file.</summary>
    public static bool HasLegacyTable(bool ipv4, string table) => LegacyTables(ipv4).Contains(table);

    public static string[] LegacyTables(bool ipv4)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(ProcNet, ipv4 ? "ip_tables_names" : "ip6_tables_names"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Whether nf_tables has this chain, as iptables-nft names it.</summary>
    public bool HasNftChain(bool ipv4, string table, string chain) =>
        census() is { } found && found.HasChain(NftCensus.Of(ipv4), table, chain);

    public bool MayHave(IptablesFlavour flavour, bool ipv4, OwnChain chain) => flavour == IptablesFlavour.Nft
        ? HasNftChain(ipv4, chain.Table, chain.Name)
        : HasLegacyTable(ipv4, chain.Table);
}
