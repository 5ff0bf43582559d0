using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>The state of the agent after the latest pass. One writer (the loop), any number of readers.</summary>
/// <param name="clock">Null: the last pass is never too old.</param>
internal sealed class StatusBoard(PassClock? clock = null)
{
    private readonly Lock _lock = new();
    private StatusView _view = StatusView.Empty;

    /// <summary>All of it as of one moment.</summary>
    public StatusView View
    {
        get
        {
            lock (_lock)
                return _view.Last is not null && clock?.Overdue is { } overdue ? _view with { Overdue = overdue } : _view;
        }
    }

    /// <summary>Why the agent should be restarted; null: it works.</summary>
    public string? Stuck => clock?.Stuck;

    /// <param name="sinceSignal">From the first signal that the pass ran for to its end; null if it ran without one.</param>
    public void Record(PassReport report, TimeSpan? sinceSignal = null)
    {
        lock (_lock)
        {
            bool isReadyAsBefore = _view.Last is not null && _view.NotReady.Count == 0 == (NotReady(report).Count == 0);
            PassReport lasting = report.Lasting();
            _view = new(
                lasting,
                _view.Counters.After(report, sinceSignal),
                _view.Peers.After(report),
                PassHistory.After(_view.Passes, report),
                isReadyAsBefore ? _view.ReadySince : report.At)
            {
                LastRead = report.Plan is null ? _view.LastRead : lasting,
            };
        }
    }

    /// <summary>
    /// Why this host is not ready; empty: it is, as long as passes go on. The list is exhaustive: what concerns single peers is a problem
    /// that is reported, for one broken peer must not block a rolling update.
    /// </summary>
    public static IReadOnlyList<string> NotReady(PassReport? last) => last is null
        ? ["no complete list of nodes yet: waiting for the API server"]
        :
        [
            .. last.Failures.Select(f => $"{f.What}: {f.Error.Message}"),
            .. last.Plan?.Faults ?? [],
            .. last.Plan is { } plan && NoWayToPeers(plan) is { } reason ? (string[])[reason] : [],
            .. last.Plan is { } own && DuplicateAddresses.LeaveNone(own, last.Changes.Host)
                ? ProblemCatalog.Duplicates(own, last.Changes.Host).Select(p => p.Text) : [],
        ];

    // Where there is a fault of this node, it explains the rest. A peer on another segment is no fault of this host, and one that is
    // rejected, skipped or has no podCIDR yet proves nothing. A peer waits if one of its podCIDRs does and none is routed: this node
    // may lack the other one's family.
    private static string? NoWayToPeers(Plan plan)
    {
        if (plan.Faults.Length > 0 || plan.Verdicts.Any(v => v.Kind == VerdictKind.Routed))
            return null;
        HashSet<string> waiting = [.. plan.Verdicts.Where(v => v.Kind == VerdictKind.Waiting).Select(v => v.Node.Name)];
        bool isElsewhere = plan.Verdicts.Any(v => v.Kind == VerdictKind.NotAdjacent && !waiting.Contains(v.Node.Name));
        return waiting.Count == 0 || isElsewhere
            ? null
            : $"no way to any peer: {plan.Verdicts.First(v => v.Kind == VerdictKind.Waiting).Reason}";
    }
}

/// <summary>What is known after a pass.</summary>
/// <param name="Passes">Newest first, at most <see cref="PassHistory.Most"/>.</param>
/// <param name="ReadySince">Since when this host is ready, or is not; null before the first pass.</param>
internal sealed record StatusView(
    PassReport? Last, StatusCounters Counters, PeerStates Peers, ImmutableArray<PassEntry> Passes, DateTimeOffset? ReadySince)
{
    public static StatusView Empty { get; } = new(null, new(), PeerStates.None, [], null);

    /// <summary>The last pass that could read the host: what it found lasts until another one can. Null: there was none.</summary>
    public PassReport? LastRead { get; init; }

    /// <summary>As of now: answers come between passes, too.</summary>
    public ProbeStatus Probes { get; init; } = ProbeStatus.Off;

    /// <summary>As of now; empty where it was not asked for, and where there are no guards.</summary>
    public ImmutableArray<GuardDrops> GuardDrops { get; init; } = [];

    /// <summary>Why the last report no longer describes the host; null: passes go on.</summary>
    public string? Overdue { get; init; }

    /// <summary>Why this host is not ready; empty: it is.</summary>
    public IReadOnlyList<string> NotReady =>
        Overdue is null ? StatusBoard.NotReady(Last) : [.. StatusBoard.NotReady(Last), Overdue];
}

/// <summary>The latest passes that changed something or failed, newest first.</summary>
internal static class PassHistory
{
    public const int Most = 20;
    private const int Named = 3;

    public static ImmutableArray<PassEntry> After(ImmutableArray<PassEntry> passes, PassReport report)
    {
        if (!report.Changed && report.Failures.Count == 0)
            return passes;

        PassEntry entry = new(Kind(report), Describe(report), report.Causes, report.At, report.At, report.Elapsed, 1);
        // The same again and again must not push out what came before it.
        if (passes is [var last, .. var older] && (last.Kind, last.Text) == (entry.Kind, entry.Text))
            return [entry with { FirstAt = last.FirstAt, Times = last.Times + 1 }, .. older];
        return [entry, .. passes.Take(Most - 1)];
    }

    private static PassKind Kind(PassReport report) =>
        report.Failures.Count > 0 ? PassKind.Failure
        : report.Repairs != default ? PassKind.Repair : PassKind.Change;

    private static string Describe(PassReport report) => string.Join("; ",
    [
        .. Some(report.Failures.Count, "failed", report.Failures.Select(f => $"{f.What}: {f.Error.Message}")),
        .. Routes(report.Routes.Add.Count, "added", report.Routes.Add.Select(Show)),
        .. Routes(report.Routes.Replace.Count, "corrected", report.Routes.Replace.Select(c => Show(c.Route))),
        .. Routes(report.Routes.Delete.Count, "removed", report.Routes.Delete.Select(r => $"{r.Destination}")),
        .. Rule("masquerade rule", report.Result.NatChange),
        .. Rule("chain FORWARD", report.Result.ForwardChange),
        .. Rule("guards", report.Result.GuardChange),
        .. Rule("CNI configuration", report.Result.CniChange),
        .. Rule("link hostgw0", report.Result.TunnelChange),
        .. Some(report.Changes.PolicyRules.Add.Count, "policy rules added", report.Changes.PolicyRules.Add.Select(r => $"{r}")),
        .. Some(report.Changes.PolicyRules.Delete.Count, "policy rules removed", report.Changes.PolicyRules.Delete.Select(r => $"{r}")),
        .. Some(report.Changes.ProbeRoutes.Add.Count, "probe addresses added", report.Changes.ProbeRoutes.Add.Select(a => $"{a}")),
        .. Some(
            report.Changes.ProbeRoutes.Delete.Count, "routes of probe addresses removed",
            report.Changes.ProbeRoutes.Delete.Select(r => $"{r.Destination}")),
        .. Rule("forwarding", report.ForwardingChanged ? "switched on" : ""),
        .. Some(report.Changes.AcceptRa.Count, "accept_ra set", report.Changes.AcceptRa.Select(c => $"{c.Interface} {c.Value}")),
    ]);

    private static IEnumerable<string> Routes(int count, string what, IEnumerable<string> each) =>
        Some(count, $"{count} {(count == 1 ? "route" : "routes")} {what}", each);

    private static IEnumerable<string> Some(int count, string what, IEnumerable<string> each) =>
        count == 0 ? [] : [$"{what}: {string.Join(", ", each.Take(Named))}{(count > Named ? $" and {count - Named} more" : "")}"];

    private static IEnumerable<string> Rule(string what, string change) => change.Length == 0 ? [] : [$"{what}: {change}"];

    private static string Show(PodRoute route) => $"{route.Destination} {NextHopText.Of(route)}";
}

/// <summary>A pass, or several in a row that did the same.</summary>
/// <param name="At">Of the latest of them.</param>
/// <param name="Elapsed">Of the latest of them.</param>
internal sealed record PassEntry(
    PassKind Kind, string Text, WakeCauses Causes, DateTimeOffset FirstAt, DateTimeOffset At, TimeSpan Elapsed, int Times);

internal enum PassKind
{
    /// <summary>For the nodes or the settings.</summary>
    Change,

    /// <summary>Another program had undone something.</summary>
    Repair,
    Failure,
}
