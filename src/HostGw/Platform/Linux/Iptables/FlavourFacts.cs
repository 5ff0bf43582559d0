using System.Runtime.Versioning;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>What tells which iptables a host uses.</summary>
internal sealed record FlavourFacts
{
    // kubelet (since 1.17) and kube-proxy make these with the flavour of the host, for others to see.
    public static readonly IReadOnlyList<string> Hints = ["KUBE-IPTABLES-HINT", "KUBE-KUBELET-CANARY"];

    public bool HasNfTables { get; init; }

    /// <summary>kubelet's mark among the rules of iptables-nft.</summary>
    public bool NftHint { get; init; }

    /// <summary>Whether iptables-nft has been used: it leaves built-in chains.</summary>
    public bool NftChains { get; init; }

    /// <summary>kubelet's mark among the rules of iptables-legacy.</summary>
    public bool LegacyHint { get; init; }

    /// <summary>Whether iptables-legacy has been used: its tables stay.</summary>
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

/// <summary>Looks for the facts without loading a module: a legacy table is read only if it is there.</summary>
[SupportedOSPlatform("linux")]
internal sealed class FlavourLook(IptablesPresence presence, IptablesPrograms legacy, Func<bool> hasNfTables)
{
    private static readonly (string Table, string Chain)[] BuiltIn = [("nat", "POSTROUTING"), ("filter", "FORWARD"), ("filter", "INPUT")];

    public FlavourFacts Read()
    {
        FlavourFacts facts = new()
        {
            HasNfTables = hasNfTables(),
            NftHint = FlavourFacts.Hints.Any(h => OfEither(v4 => presence.HasNftChain(v4, "mangle", h))),
            NftChains = BuiltIn.Any(c => OfEither(v4 => presence.HasNftChain(v4, c.Table, c.Chain))),
            LegacyTables = OfEither(v4 => IptablesPresence.LegacyTables(v4).Length > 0),
        };
        return facts.NftHint ? facts : facts with { LegacyHint = OfEither(HasLegacyHint) };
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
            return false; // without the rights for legacy rules (NET_RAW) they could not be used either
        }
    }

    private static bool OfEither(Func<bool, bool> test) => test(true) || test(false);
}
