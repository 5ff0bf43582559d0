using HostGw.Planning;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>What happened so far, for whoever asks. One writer (the loop), any number of readers.</summary>
/// <param name="clock">Null: the last pass is never too old.</param>
internal sealed class StatusBoard(PassClock? clock = null)
{
    private readonly Lock _lock = new();
    private StatusView _view = new(null, new(), PeerStates.None, [], null);

    /// <summary>All of it as of one moment.</summary>
    public StatusView View
    {
        get
        {
            lock (_lock)
                return _view.Last is { } last && clock?.Overdue is { } overdue ? _view with { Last = last with { Overdue = overdue } } : _view;
        }
    }

    /// <summary>Why the agent should be restarted; null: it works.</summary>
    public string? Stuck => clock?.Stuck;

    public PassReport? Last => View.Last;

    public StatusCounters Counters => View.Counters;

    /// <param name="sinceNews">From the first news that the pass ran for to its end; null where it ran without.</param>
    public void Record(PassReport report, TimeSpan? sinceNews = null)
    {
        lock (_lock)
        {
            bool isReadyAsBefore = _view.Last is not null && NotReady(_view.Last).Count == 0 == (NotReady(report).Count == 0);
            _view = new(
                // What was done is counted; of thousands of routes that came at once nobody asks again.
                report with { Routes = report.Routes.Standing() },
                _view.Counters.After(report, sinceNews),
                _view.Peers.After(report),
                PassNotes.After(_view.Notes, report),
                isReadyAsBefore ? _view.ReadySince : report.At);
        }
    }

    /// <summary>
    /// Why this host is not ready; empty: it is. The list is exhaustive: what concerns single peers is a problem that is
    /// reported, for one broken peer must not block a rolling update.
    /// </summary>
    public static IReadOnlyList<string> NotReady(PassReport? last) => last is null
        ? ["no complete list of nodes yet: waiting for the API server"]
        :
        [
            .. last.Failures.Select(f => $"{f.What}: {f.Error.Message}"), .. last.Plan?.Faults ?? [],
            .. ((string?[])[NoWayToPeers(last.Plan), last.Overdue]).OfType<string>(),
        ];

    // A fault of this node says it already. A peer on another segment is no fault of this host; peers that are left out or have no podCIDR yet say nothing.
    private static string? NoWayToPeers(Plan? plan)
    {
        if (plan is null || plan.Faults.Length > 0 || plan.Verdicts.Any(v => v.Kind is VerdictKind.Routed or VerdictKind.NotAdjacent))
            return null;
        Verdict waiting = plan.Verdicts.FirstOrDefault(v => v.Kind == VerdictKind.Waiting);
        return waiting.Kind == VerdictKind.Waiting ? $"no way to any peer: {waiting.Reason}" : null;
    }
}
