using System.Collections.Immutable;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>Sums over all passes since the start. Immutable.</summary>
internal sealed record StatusCounters
{
    private static readonly WakeCauses[] SingleCauses = [.. Enum.GetValues<WakeCauses>().Where(c => c != WakeCauses.None)];

    public long Passes { get; init; }

    public long Changed { get; init; }

    public long Failed { get; init; }

    public Histogram Durations { get; init; } = Histogram.Empty;

    /// <summary>From an event of the watch to the end of the pass that changed the host for it.</summary>
    public Histogram NodeReactions { get; init; } = Histogram.Empty;

    /// <summary>From a notification of the kernel to the end of the pass that repaired the host.</summary>
    public Histogram HostReactions { get; init; } = Histogram.Empty;

    public long RoutesAdded { get; init; }

    public long RoutesCorrected { get; init; }

    public long RoutesRemoved { get; init; }

    public long NatChanges { get; init; }

    public Repairs Repairs { get; init; }

    public long NetlinkWrites { get; init; }

    /// <summary>A pass with several causes counts once for each.</summary>
    public IReadOnlyDictionary<WakeCauses, long> ByCause { get; init; } = SingleCauses.ToDictionary(c => c, _ => 0L);

    private ImmutableArray<long> Failures { get; init; } = [.. Enum.GetValues<HostPart>().Select(_ => 0L)];

    public long FailuresOf(HostPart part) => Failures[(int)part];

    /// <param name="sinceSignal">From the first signal that the pass ran for to its end; null if it ran without one.</param>
    public StatusCounters After(PassReport report, TimeSpan? sinceSignal = null) => new()
    {
        Passes = Passes + 1,
        Changed = Changed + (report.Changed ? 1 : 0),
        Failed = Failed + (report.Failures.Count > 0 ? 1 : 0),
        Durations = Durations.With(report.Elapsed),
        NodeReactions = IsReaction(report, ofNodes: true) ? With(NodeReactions, sinceSignal) : NodeReactions,
        HostReactions = IsReaction(report, ofNodes: false) ? With(HostReactions, sinceSignal) : HostReactions,
        RoutesAdded = RoutesAdded + report.Routes.Add.Count,
        RoutesCorrected = RoutesCorrected + report.Routes.Replace.Count,
        RoutesRemoved = RoutesRemoved + report.Routes.Delete.Count,
        NatChanges = NatChanges + (report.Result.NatChange.Length > 0 ? 1 : 0),
        Repairs = Repairs + report.Repairs,
        NetlinkWrites = NetlinkWrites + report.Result.NetlinkWrites,
        ByCause = ByCause.ToDictionary(c => c.Key, c => c.Value + (report.Causes.HasFlag(c.Key) ? 1 : 0)),
        Failures = With(Failures, report.Failures),
    };

    // The first pass waits for the API server, and a failed one has not changed all that it should: both say nothing about speed.
    private static bool IsReaction(PassReport report, bool ofNodes) =>
        report.Changed && report.Failures.Count == 0 && !report.Causes.HasFlag(WakeCauses.Start)
        && report.Causes.HasFlag(WakeCauses.Nodes) == ofNodes;

    private static Histogram With(Histogram histogram, TimeSpan? duration) => duration is { } known ? histogram.With(known) : histogram;

    private static ImmutableArray<long> With(ImmutableArray<long> sums, IReadOnlyList<HostFailure> failures)
    {
        if (failures.Count == 0)
            return sums;
        long[] more = [.. sums];
        foreach (HostFailure failure in failures)
            more[(int)failure.Part]++;
        return [.. more];
    }
}

/// <summary>A histogram of durations. Immutable. Its buckets are the same in every version: sums over all agents are correct.</summary>
/// <param name="Counts">Per bucket, not cumulative; the last one counts what exceeds every bound.</param>
internal sealed record Histogram(ImmutableArray<long> Counts, double SumSeconds)
{
    /// <summary>Seconds.</summary>
    public ImmutableArray<double> Bounds { get; init; } = UpperBounds;

    /// <summary>Seconds: from a pass without changes to one on a host that hardly responds.</summary>
    public static ImmutableArray<double> UpperBounds { get; } =
        [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    public static Histogram Empty { get; } = new([.. Enumerable.Repeat(0L, UpperBounds.Length + 1)], 0);

    public long Count => Counts.Sum();

    public Histogram With(TimeSpan duration)
    {
        double seconds = duration.TotalSeconds;
        int bucket = 0;
        while (bucket < Bounds.Length && seconds > Bounds[bucket])
            bucket++;
        return this with { Counts = Counts.SetItem(bucket, Counts[bucket] + 1), SumSeconds = SumSeconds + seconds };
    }
}
