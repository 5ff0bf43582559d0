using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>The state of every podCIDR and since when. Immutable; a pass that changes no state returns the same instance.</summary>
/// <param name="Verdicts">Of the last pass that had a plan.</param>
/// <param name="States">One for each verdict, in the same order.</param>
internal sealed record PeerStates(ImmutableArray<Verdict> Verdicts, ImmutableArray<PeerStateSince> States)
{
    // Every desired route was installed: with the same verdicts and no new trouble, no state can have changed.
    private bool _allInstalled;
    private Reachability _reachability = Reachability.Off;

    public static PeerStates None { get; } = new([], []);

    public PeerStates After(PassReport report)
    {
        if (report.Plan is not { } plan)
            return this;
        RouteStates routes = new(report);
        if (_allInstalled && routes.AllInstalled && plan.Verdicts == Verdicts && report.Reachability == _reachability)
            return this;

        var states = ImmutableArray.CreateBuilder<PeerStateSince>(plan.Verdicts.Length);
        int next = 0;
        foreach (Verdict verdict in plan.Verdicts)
        {
            PeerState state = StateOf(verdict, routes, report.Reachability);
            states.Add(Find(verdict, ref next) is { } before && before.State == state
                ? before
                : new(state, (uint)report.At.ToUnixTimeSeconds()));
        }
        return new(plan.Verdicts, states.MoveToImmutable())
        {
            _allInstalled = routes.AllInstalled,
            _reachability = report.Reachability,
        };
    }

    // Both lists are in the order of node names, and one node has few podCIDRs: "next" only moves forward.
    private PeerStateSince? Find(in Verdict verdict, ref int next)
    {
        while (next < Verdicts.Length && string.CompareOrdinal(Verdicts[next].Node.Name, verdict.Node.Name) < 0)
            next++;
        for (int i = next; i < Verdicts.Length && Verdicts[i].Node.Name == verdict.Node.Name; i++)
        {
            // A Node that was deleted and created again has another UID.
            if (Verdicts[i].PodCidr == verdict.PodCidr && Verdicts[i].Node.Uid == verdict.Node.Uid)
                return States[i];
        }
        return null;
    }

    private static PeerState StateOf(in Verdict verdict, RouteStates routes, Reachability reachability) => verdict.Kind switch
    {
        _ when verdict.AwaitsTunnel => PeerState.Waiting,
        VerdictKind.Self => PeerState.Self,
        VerdictKind.Routed => routes.Of(verdict.PodCidr) switch
        {
            RouteState.Installed => OfInstalled(verdict, reachability),
            RouteState.Failed => PeerState.Failed,
            RouteState.Conflict => PeerState.Conflict,
            RouteState.Missing => PeerState.Missing,
            RouteState.Shadowed => PeerState.Shadowed,
            RouteState.Overridden => PeerState.Overridden,
            _ => PeerState.Held,
        },
        VerdictKind.Skipped => PeerState.Skipped,
        VerdictKind.NoPodCidr => PeerState.NoPodCidr,
        VerdictKind.Waiting => PeerState.Waiting,
        VerdictKind.NoAddress => PeerState.NoAddress,
        VerdictKind.NoGateway => PeerState.NoGateway,
        VerdictKind.NotAdjacent => reachability.IsRoutedByNetwork(verdict) ? PeerState.RoutedByNetwork : PeerState.NotAdjacent,
        _ => PeerState.Rejected,
    };

    private static PeerState OfInstalled(in Verdict verdict, Reachability reachability) => reachability.Of(verdict)?.Kind switch
    {
        ReachKind.PodTrafficDropped => PeerState.PodTrafficDropped,
        ReachKind.Unreachable => PeerState.Unreachable,
        _ => verdict.Tunnel is null ? PeerState.Installed : PeerState.Tunnelled,
    };
}

/// <summary>A state and when it began.</summary>
/// <param name="SinceSeconds">Unix time: half the size of a DateTimeOffset, for thousands of peers.</param>
internal readonly record struct PeerStateSince(PeerState State, uint SinceSeconds)
{
    public DateTimeOffset Since => DateTimeOffset.FromUnixTimeSeconds(SinceSeconds);
}

/// <summary>
/// The state of a podCIDR: its verdict; if that is "routed", the state of its route; if that is installed, what is wrong with the peer's
/// reachability. Ordered by severity.
/// </summary>
internal enum PeerState : byte
{
    Self,
    Installed,

    /// <summary>Installed; packets take the tunnel.</summary>
    Tunnelled,

    /// <inheritdoc cref="ReachKind.RoutedByNetwork"/>
    RoutedByNetwork,
    Skipped,
    NoPodCidr,
    Waiting,

    /// <inheritdoc cref="RouteState.Held"/>
    Held,

    /// <inheritdoc cref="RouteState.Missing"/>
    Missing,

    /// <inheritdoc cref="RouteState.Shadowed"/>
    Shadowed,

    /// <inheritdoc cref="RouteState.Overridden"/>
    Overridden,

    /// <inheritdoc cref="ReachKind.Unreachable"/>
    Unreachable,

    /// <inheritdoc cref="ReachKind.PodTrafficDropped"/>
    PodTrafficDropped,
    NoAddress,
    NoGateway,
    NotAdjacent,
    Rejected,

    /// <inheritdoc cref="RouteState.Conflict"/>
    Conflict,

    /// <inheritdoc cref="RouteState.Failed"/>
    Failed,
}

/// <summary>The states of desired routes after a pass.</summary>
internal sealed class RouteStates(PassReport report)
{
    private readonly Dictionary<Prefix, string> _failed = report.Failures
        .Where(f => f is { Part: HostPart.Routes, Route: not null })
        .DistinctBy(f => f.Route!.Value.Destination).ToDictionary(f => f.Route!.Value.Destination, f => f.Error.Message);
    private readonly Dictionary<Prefix, string> _conflicting = report.Routes.Conflicts
        .DistinctBy(c => c.Route.Destination).ToDictionary(c => c.Route.Destination, ProblemCatalog.Obstacle);
    private readonly HashSet<Prefix> _missing = [.. report.HeldRepairs.Routes.Select(r => r.Destination)];
    private readonly Dictionary<Prefix, string> _shadowed = report.Routes.Shadows
        .DistinctBy(s => s.Route.Destination).ToDictionary(s => s.Route.Destination, OverrideProblems.Reason);
    private readonly IReadOnlyList<RouteOverride> _overrides = report.Result.Overrides;
    private readonly HashSet<Prefix> _held = [.. report.Routes.Held.Select(k => k.Destination)];
    private readonly bool _allHeld = report.Plan?.Scope == PlanScope.Nothing;

    public bool AllInstalled { get; } =
        report.Plan?.Scope != PlanScope.Nothing && report.HeldRepairs.Routes.Count == 0 && report.Routes.Conflicts.Count == 0
        && report.Routes.Held.Count == 0 && report.Routes.Shadows.Count == 0 && report.Result.Overrides.Count == 0
        && !report.Failures.Any(f => f.Part == HostPart.Routes);

    public RouteState Of(Prefix destination) =>
        _allHeld || _held.Contains(destination) ? RouteState.Held
        : _failed.ContainsKey(destination) ? RouteState.Failed
        : _conflicting.ContainsKey(destination) ? RouteState.Conflict
        : _missing.Contains(destination) ? RouteState.Missing
        : OverrideOf(destination) is not null ? RouteState.Overridden
        : _shadowed.ContainsKey(destination) ? RouteState.Shadowed
        : RouteState.Installed;

    /// <summary>What the plan says of a podCIDR, else the host, else the probes; empty: there is nothing to say.</summary>
    public string Reason(in Verdict verdict, Reachability reachability)
    {
        string reason = ReachText.Reason(verdict, reachability);
        if (reason.Length == 0 && verdict is { Kind: VerdictKind.Routed, AwaitsTunnel: false })
            reason = Reason(verdict.PodCidr);
        return reason.Length > 0 ? reason : ReachText.Advice(verdict, reachability);
    }

    /// <summary>Why packets do not take the route; empty if they do, or if a problem of the whole host explains it.</summary>
    public string Reason(Prefix destination) =>
        _failed.GetValueOrDefault(destination) ?? _conflicting.GetValueOrDefault(destination) ??
        (OverrideOf(destination) is { } found ? OverrideProblems.Reason(found) : _shadowed.GetValueOrDefault(destination) ?? "");

    private RouteOverride? OverrideOf(Prefix destination)
    {
        foreach (RouteOverride found in _overrides)
        {
            if (found.Affected.Contains(destination))
                return found;
        }
        return null;
    }
}

/// <summary>The state of a desired route.</summary>
internal enum RouteState
{
    Installed,

    /// <summary>The host refused it.</summary>
    Failed,

    /// <summary>A foreign route is in its place.</summary>
    Conflict,

    /// <summary>Another program keeps removing or changing it: its repair is delayed.</summary>
    Missing,

    /// <summary>Installed; a foreign route, more specific or for a type of service, takes a part of its packets.</summary>
    Shadowed,

    /// <summary>Installed; packets take another route, by policy rules or a route that is tried before table main.</summary>
    Overridden,

    /// <summary>Left unchanged: this node's Node object has a fault, or the podCIDR may be that of a Node that was never read.</summary>
    Held,
}

/// <summary>States as status, page and metrics name them.</summary>
internal static class PeerStateNames
{
    public static string Name(this PeerState state) => state switch
    {
        PeerState.Self => "this node",
        PeerState.Installed => RouteState.Installed.Name(),
        PeerState.Tunnelled => "tunnelled",
        PeerState.RoutedByNetwork => ReachNames.Of(ReachKind.RoutedByNetwork),
        PeerState.Skipped => "skipped",
        PeerState.NoPodCidr => "noPodCidr",
        PeerState.Waiting => "waiting",
        PeerState.Held => RouteState.Held.Name(),
        PeerState.Missing => RouteState.Missing.Name(),
        PeerState.Shadowed => RouteState.Shadowed.Name(),
        PeerState.Overridden => RouteState.Overridden.Name(),
        PeerState.Unreachable => ReachNames.Of(ReachKind.Unreachable),
        PeerState.PodTrafficDropped => ReachNames.Of(ReachKind.PodTrafficDropped),
        PeerState.NoAddress => "noAddress",
        PeerState.NoGateway => "noGateway",
        PeerState.NotAdjacent => "notAdjacent",
        PeerState.Rejected => "rejected",
        PeerState.Conflict => RouteState.Conflict.Name(),
        _ => RouteState.Failed.Name(),
    };

    public static string Name(this RouteState state) => state switch
    {
        RouteState.Installed => "installed",
        RouteState.Failed => "failed",
        RouteState.Conflict => "conflict",
        RouteState.Missing => "missing",
        RouteState.Shadowed => "shadowed",
        RouteState.Overridden => "overridden",
        _ => "held",
    };
}
