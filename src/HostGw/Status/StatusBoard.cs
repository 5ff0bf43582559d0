using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>What happened so far, for whoever asks. One writer (the loop), any number of readers.</summary>
internal sealed class StatusBoard
{
    private readonly Lock _lock = new();
    private StatusCounters _counters = new();
    private PassReport? _last;

    public PassReport? Last
    {
        get
        {
            lock (_lock)
                return _last;
        }
    }

    public StatusCounters Counters
    {
        get
        {
            lock (_lock)
                return _counters;
        }
    }

    /// <param name="sinceNews">From the first news that the pass ran for to its end; null where it ran without.</param>
    public void Record(PassReport report, TimeSpan? sinceNews = null)
    {
        lock (_lock)
        {
            _counters = _counters.After(report, sinceNews);
            // What was done is counted; of thousands of routes that came at once nobody asks again.
            _last = report with { Routes = report.Routes.Standing() };
        }
    }

    /// <summary>Why this host is not ready; empty: the last pass ended without a failed operation and our own node is in order.</summary>
    public static IReadOnlyList<string> NotReady(PassReport? last) => last switch
    {
        null => ["no complete list of nodes yet: waiting for the API server"],
        _ => [.. last.Failures.Select(f => $"{f.What}: {f.Error.Message}"), .. last.Plan?.Faults ?? []],
    };
}
