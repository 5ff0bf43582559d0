using System.Runtime.Versioning;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>The two independent sets of iptables rules in a kernel.</summary>
internal enum IptablesFlavour
{
    /// <summary>Rules in nf_tables, written by iptables-nft.</summary>
    Nft,

    /// <summary>Rules in x_tables, written by iptables-legacy.</summary>
    Legacy,
}

/// <summary>The facts that decide which flavour a host uses.</summary>
internal sealed record FlavourFacts
{
    // kubelet (since 1.17) and kube-proxy create these chains with the host's flavour, as a hint for other programs.
    public static readonly IReadOnlyList<string> Hints = ["KUBE-IPTABLES-HINT", "KUBE-KUBELET-CANARY"];

    public bool HasNfTables { get; init; }

    /// <summary>A hint of kubelet's in iptables-nft.</summary>
    public bool NftHint { get; init; }

    /// <summary>iptables-nft has been used: it leaves built-in chains.</summary>
    public bool NftChains { get; init; }

    /// <summary>A hint of kubelet's in iptables-legacy.</summary>
    public bool LegacyHint { get; init; }

    /// <summary>iptables-legacy has been used: its tables remain.</summary>
    public bool LegacyTables { get; init; }

    /// <summary>The flavour, and why, in words.</summary>
    public (IptablesFlavour Flavour, string Why) Choose() => this switch
    {
        { HasNfTables: false } => (IptablesFlavour.Legacy, "the kernel has no nf_tables"),
        { NftHint: true } => (IptablesFlavour.Nft, "kubelet uses iptables-nft on this host"),
        { LegacyHint: true } => (IptablesFlavour.Legacy, "kubelet uses iptables-legacy on this host"),
        { NftChains: true } => (IptablesFlavour.Nft, "this host has rules of iptables-nft"),
        { LegacyTables: true } => (IptablesFlavour.Legacy, "this host has tables of iptables-legacy and none of iptables-nft"),
        _ => (IptablesFlavour.Nft, "this host uses neither flavour yet"),
    };
}

/// <summary>Reads these facts without loading a kernel module: a legacy table is read only if it exists.</summary>
[SupportedOSPlatform("linux")]
internal sealed class FlavourDetector(IptablesPresence presence, IptablesPrograms legacy, Func<bool> hasNfTables)
{
    private static readonly (string Table, string Chain)[] BuiltIn = [("nat", "POSTROUTING"), ("filter", "FORWARD"), ("filter", "INPUT")];

    public FlavourFacts Read()
    {
        FlavourFacts facts = new()
        {
            HasNfTables = hasNfTables(),
            NftHint = FlavourFacts.Hints.Any(h => EitherFamily(v4 => presence.HasNftChain(v4, "mangle", h))),
            NftChains = BuiltIn.Any(c => EitherFamily(v4 => presence.HasNftChain(v4, c.Table, c.Chain))),
            LegacyTables = EitherFamily(v4 => IptablesPresence.LegacyTables(v4).Length > 0),
        };
        return facts.NftHint ? facts : facts with { LegacyHint = EitherFamily(HasLegacyHint) };
    }

    private bool HasLegacyHint(bool ipv4)
    {
        if (!IptablesPresence.HasLegacyTable(ipv4, "mangle") || !legacy.AreInstalled(ipv4))
            return false;
        try
        {
            SavedTable mangle = legacy.Read(ipv4, "mangle", new("mangle", static (_, _) => false));
            return FlavourFacts.Hints.Any(mangle.Has);
        }
        catch (IptablesException)
        {
            return false; // without the capability for legacy rules (NET_RAW) they could not be used either
        }
    }

    private static bool EitherFamily(Func<bool, bool> test) => test(true) || test(false);
}

/// <summary>Tells which tables and chains of iptables exist, without running a program or loading a kernel module.</summary>
[SupportedOSPlatform("linux")]
internal sealed class IptablesPresence(Func<ForeignTables?> tables)
{
    // Of this thread: the process's own folder shows the network namespace of its first thread.
    private const string ProcNet = "/proc/thread-self/net";

    /// <summary>Whether x_tables has this table. A kernel or container without x_tables has no such file.</summary>
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

    /// <summary>Whether nf_tables has this chain of iptables-nft.</summary>
    public bool HasNftChain(bool ipv4, string table, string chain) =>
        tables() is { } found && found.HasChain(ForeignTables.FamilyOf(ipv4), table, chain);

    /// <summary>False: the chain does not exist. True: it may, and only a program can tell in legacy tables.</summary>
    public bool MayHave(IptablesFlavour flavour, bool ipv4, OwnChain chain) => flavour == IptablesFlavour.Nft
        ? HasNftChain(ipv4, chain.Table, chain.Name)
        : HasLegacyTable(ipv4, chain.Table);
}
