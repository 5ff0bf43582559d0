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
    private uint? _generation;
    private Deadline _unknownUntil;

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
            if (generation != _generation || (withIptables && !IsUnknownForNow))
                Take(changes, withIptables, generation);
            return changes.FindsLeftovers ? _found.Leftovers : null;
        }
        catch (HostNetworkException)
        {
            return null; // nf_tables cannot be read, which is already a failure of the masquerade rule
        }
    }

    // What could not be read a moment ago cannot be read now, and whoever tries waits for a program that hangs.
    private bool IsUnknownForNow => !_found.HasIptables && !_found.Unknown.IsEmpty && !_unknownUntil.IsPast;

    private void Take(HostChanges changes, bool withIptables, uint generation)
    {
        CensusResult found = _census.Take(changes.Plan, changes.Host, withIptables);
        _found = withIptables ? found : found with { Unknown = _found.Unknown };
        _unknownUntil = withIptables ? new(CensusPrograms.Pause) : _unknownUntil;
        _generation = generation; // after a census that failed the next one is not the same
    }
}
