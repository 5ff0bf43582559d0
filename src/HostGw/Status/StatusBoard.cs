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

    public void Record(PassReport report)
    {
        lock (_lock)
        {
            _counters = _counters.After(report);
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

/// <summary>Sums over all passes since the start.</summary>
internal sealed record StatusCounters
{
    private static readonly WakeCauses[] SingleCauses = [.. Enum.GetValues<WakeCauses>().Where(c => c != WakeCauses.None)];

    public long Passes { get; init; }

    public long Changed { get; init; }

    public long Failed { get; init; }

    public TimeSpan Elapsed { get; init; }

    public long RoutesAdded { get; init; }

    public long RoutesCorrected { get; init; }

    public long RoutesRemoved { get; init; }

    public long NatChanges { get; init; }

    /// <summary>A pass with several causes counts once for each.</summary>
    public IReadOnlyDictionary<WakeCauses, long> ByCause { get; init; } = SingleCauses.ToDictionary(c => c, _ => 0L);

    public StatusCounters After(PassReport report) => new()
    {
        Passes = Passes + 1,
        Changed = Changed + (report.Changed ? 1 : 0),
        Failed = Failed + (report.Failures.Count > 0 ? 1 : 0),
        Elapsed = Elapsed + report.Elapsed,
        RoutesAdded = RoutesAdded + report.Routes.Add.Count,
        RoutesCorrected = RoutesCorrected + report.Routes.Replace.Count,
        RoutesRemoved = RoutesRemoved + report.Routes.Delete.Count,
        NatChanges = NatChanges + (report.NatChange.Length > 0 ? 1 : 0),
        ByCause = ByCause.ToDictionary(c => c.Key, c => c.Value + (report.Causes.HasFlag(c.Key) ? 1 : 0)),
    };
}
