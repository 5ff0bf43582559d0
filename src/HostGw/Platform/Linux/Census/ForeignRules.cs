using System.Runtime.Versioning;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux.Census;

/// <summary>Decides when a census is taken, and keeps what it found: rules may be many, and passes are frequent.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ForeignRules(Func<ForeignTables?> tables, IptablesPrograms[] iptables)
{
    private readonly RulesetCensus _census = new(tables, iptables);
    private CensusResult _found = CensusResult.Empty;
    private uint _generation;

    /// <summary>Foreign rules that drop pods' packets or send them elsewhere, each with the cure.</summary>
    public IEnumerable<string> Losses => _found.Losses.Select(l => l.Text);

    /// <returns>
    /// Foreign rules that give packets between pods another source address; null: not searched for, or rules cannot be read.
    /// </returns>
    public IReadOnlyList<Leftover>? Find(HostChanges changes)
    {
        bool again = changes is { ChangesForward: true, ReadsRulesAgain: true };
        if (!changes.FindsLeftovers && !again)
            return null;
        try
        {
            uint generation = tables()?.Generation() ?? 0;
            // Changes of iptables-legacy are announced by nobody: what was found there is looked for again.
            bool withIptables = changes.FindsLeftovers || _found.HasIptables;
            // Every transaction of any program changes the generation, and kube-proxy makes one with each change of a Service.
            if (!withIptables && generation == _generation)
                return null;
            _generation = generation;
            _found = _census.Take(changes.Plan, changes.Host, withIptables);
            return changes.FindsLeftovers ? [.. _found.Rewrites.Select(r => r.Rule)] : null;
        }
        catch (HostNetworkException)
        {
            return null; // nf_tables cannot be read, which is already a failure of the masquerade rule
        }
    }
}
