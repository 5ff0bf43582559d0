using System.Collections.Immutable;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>Sums over all passes since the start.</summary>
internal sealed record StatusCounters
{
    private static readonly WakeCauses[] SingleCauses = [.. Enum.GetValues<WakeCauses>().Where(c => c != WakeCauses.None)];

    public long Passes { get; init; }

    public long Changed { get; init; }

    public long Failed { get; init; }

    public Histogram Durations { get; init; } = Histogram.Empty;

    /// <summary>From an event of the watch to the host changed for it.</summary>
    public Histogram NodeReactions { get; init; } = Histogram.Empty;

    /// <summary>From what the host announced to the repair.</summary>
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

    public StatusCounters After(PassReport report, TimeSpan? sinceNews = null) => new()
    {
        Passes = Passes + 1,
        Changed = Changed + (report.Changed ? 1 : 0),
        Failed = Failed + (report.Failures.Count > 0 ? 1 : 0),
        Durations = Durations.With(report.Elapsed),
        NodeReactions = IsReaction(report, ofNodes: true) ? With(NodeReactions, sinceNews) : NodeReactions,
        HostReactions = IsReaction(report, ofNodes: false) ? With(HostReactions, sinceNews) : HostReactions,
        RoutesAdded = RoutesAdded + report.Routes.Add.Count,
        RoutesCorrected = RoutesCorrected + report.Routes.Replace.Count,
        RoutesRemoved = RoutesRemoved + report.Routes.Delete.Count,
        NatChanges = NatChanges + (report.NatChange.Length > 0 ? 1 : 0),
        Repairs = Repairs + report.Repairs,
        NetlinkWrites = NetlinkWrites + report.NetlinkWrites,
        ByCause = ByCause.ToDictionary(c => c.Key, c => c.Value + (report.Causes.HasFlag(c.Key) ? 1 : 0)),
        Failures = With(Failures, report.Failures),
    };

    // The first pass waits for the API server: that is no reaction. A pass that failed has not reached the kernel.
    private static bool IsReaction(PassReport report, bool ofNodes) =>
        report.Changed && report.Failures.Count == 0 && !report.Causes.HasFlag(WakeCauses.Start) && report.Causes.HasFlag(WakeCauses.Nodes) == ofNodes;

    private static Histogram With(Histogram histogram, TimeSpan? taken) => taken is { } known ? histogram.With(known) : histogram;

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
