using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux;

/// <summary>
/// Accepts our pods' packets in chains FORWARD of iptables that drop them: no accept elsewhere could undo a drop. Other chains
/// that drop are found by the census.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxForward
{
    private readonly Func<ForeignTables?> _tables;
    private readonly ForwardChain[] _chains;
    private ImmutableArray<Prefix> _verified;

    public LinuxForward(Func<ForeignTables?> tables, IptablesPrograms nft, IptablesPrograms legacy)
    {
        _tables = tables;
        IptablesPresence presence = new(tables);
        _chains =
        [
            new(nft, presence, ipv4: true), new(legacy, presence, ipv4: true),
            new(nft, presence, ipv4: false), new(legacy, presence, ipv4: false),
        ];
    }

    /// <summary>Chains of which it is not known whether they drop pods' packets, each with the cure.</summary>
    public IReadOnlyList<string> Obstacles { get; private set; } = [];

    /// <summary>The necessary changes, each in words.</summary>
    /// <param name="accept">This node's podCIDRs; empty: no rule.</param>
    /// <param name="reread">False: a chain that was right before is taken to be right.</param>
    /// <param name="onFailure">Receives the failure of one chain; the others are compared.</param>
    /// <exception cref="HostNetworkException">nf_tables cannot be read.</exception>
    public IReadOnlyList<(string What, Action Apply)> Compare(
        ImmutableArray<Prefix> accept, bool reread, Action<HostNetworkException> onFailure)
    {
        if (!reread && !_verified.IsDefault && _verified.SequenceEqual(accept))
            return [];

        _verified = default;
        List<string> obstacles = [];
        bool failed = false;
        List<(string What, Action Apply)> changes = CompareChains(accept, obstacles, e =>
        {
            failed = true;
            onFailure(e);
        });
        Obstacles = obstacles;
        if (changes.Count == 0 && !failed)
            _verified = accept;
        return changes;
    }

    private List<(string What, Action Apply)> CompareChains(
        ImmutableArray<Prefix> accept, List<string> obstacles, Action<HostNetworkException> onFailure)
    {
        List<(string, Action)> changes = [];
        foreach (ForwardChain chain in _chains)
        {
            try
            {
                if (chain.Compare(accept, !accept.IsEmpty && MayDrop(chain)) is var (what, apply))
                    changes.Add(($"{chain.Name}: {what}", apply));
            }
            catch (IptablesException e) when (chain.Flavour == IptablesFlavour.Legacy)
            {
                // Legacy tables remain once a program has looked at them: a table that cannot be read is therefore no failure.
                obstacles.Add($"whether {chain.Name} drops pods' packets is unknown ({e.Message}); or set forwardAccept to false");
            }
            catch (IptablesException e)
            {
                onFailure(e);
            }
        }
        return changes;
    }

    private bool MayDrop(ForwardChain chain) => chain.Flavour == IptablesFlavour.Nft
        ? _tables()?.DropsEverything(ForeignTables.FamilyOf(chain.IsIPv4), OwnChain.Forward.Table, OwnChain.Forward.Parent) ?? false
        : IptablesPresence.HasLegacyTable(chain.IsIPv4, OwnChain.Forward.Table);
}

/// <summary>Chain FORWARD of one flavour and address family.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ForwardChain(IptablesPrograms programs, IptablesPresence presence, bool ipv4)
{
    private readonly ManagedChain _chain = new(programs, presence, OwnChain.Forward, ipv4);

    public string Name => _chain.Name;

    public IptablesFlavour Flavour => programs.Flavour;

    public bool IsIPv4 => ipv4;

    /// <param name="accept">This node's podCIDRs; empty: no rule.</param>
    /// <param name="mayDrop">False: the chain does not drop everything.</param>
    /// <returns>Null: nothing to do.</returns>
    /// <exception cref="IptablesException">The rules cannot be read.</exception>
    public (string What, Action Apply)? Compare(ImmutableArray<Prefix> accept, bool mayDrop)
    {
        ImmutableArray<string> rules =
            [.. accept.Where(p => p.IsIPv4 == ipv4).SelectMany(p => (string[])[$"-s {p} -j ACCEPT", $"-d {p} -j ACCEPT"])];
        if (rules.IsEmpty || !mayDrop)
            return _chain.Removal() is { } removal ? (removal.Reason, () => _chain.Restore(removal)) : null;

        SavedTable saved = _chain.Read();
        bool drops = Drops(saved);
        return _chain.Difference(drops ? rules : default, saved) is { } change ? (change.Reason, Apply) : null;

        void Apply()
        {
            _chain.Restore(change);
            if (drops)
                _chain.RememberPrinted(rules);
        }
    }

    private static bool Drops(SavedTable saved) =>
        saved.Policy(OwnChain.Forward.Parent) == "DROP" || saved.Rules(OwnChain.Forward.Parent).Any(saved.DropsEverything);
}
