using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>What happened so far, for whoever asks. One writer (the loop), any number of readers.</summary>
internal sealed class StatusBoard
{
    private readonly Lock _lock = new();
    private StatusView _view = new(null, new(), Standings.None, [], null);

    /// <summary>All of it as of one moment.</summary>
    public StatusView View
    {
        get
        {
            lock (_lock)
                return _view;
        }
    }

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
                _view.Standings.After(report),
                PassNotes.After(_view.Notes, report),
                isReadyAsBefore ? _view.ReadySince : report.At);
        }
    }

    /// <summary>Why this host is not ready; empty: the last pass ended without a failed operation and our own node is in order.</summary>
    public static IReadOnlyList<string> NotReady(PassReport? last) => last switch
    {
        null => ["no complete list of nodes yet: waiting for the API server"],
        _ => [.. last.Failures.Select(f => $"{f.What}: {f.Error.Message}"), .. last.Plan?.Faults ?? []],
    };
}
