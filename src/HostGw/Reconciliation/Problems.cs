using System.Globalization;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>What a person should know of a pass, in sentences. Empty in a cluster that is in order.</summary>
internal static class Problems
{
    public static IEnumerable<string> Of(PassReport report) => All(report).Select(p => p.Text);

    /// <summary>In the order in which a person should care.</summary>
    public static IEnumerable<Problem> All(PassReport report) =>
    [
        .. (report.Plan?.Faults ?? []).Select(f => new Problem("NodeNotInOrder", f, f)),
        .. (report.Plan?.Verdicts ?? []).Where(IsProblem).Select(Of),
        .. OfHost(report),
    ];

    public static bool IsProblem(Verdict verdict) => verdict.Kind >= VerdictKind.Waiting || (verdict.Kind == VerdictKind.Routed && verdict.Reason.Length > 0);

    /// <summary>Those that are of no single node's making.</summary>
    public static IEnumerable<Problem> OfHost(PassReport report)
    {
        if (report.Plan is { } plan)
        {
            foreach (ClusterRoute route in plan.ClusterRoutes.Where(c => c.Refusal is not null))
                yield return new("ClusterRouteRefused", $"{route.Destination}", $"no cluster route {route.Destination}: it {route.Refusal}", Cures.ClusterRoute);
            foreach (RouteConflict conflict in report.Routes.Conflicts)
                yield return new("RouteConflict", $"{conflict.Route.Destination}", Describe(plan, conflict));
            if (plan is { Scope: PlanScope.Everything, ForwardIPv4: true } && report.Forwarding.IPv4 is null)
                yield return ForwardingUnknown("IPv4");
            if (plan is { Scope: PlanScope.Everything, ForwardIPv6: true } && report.Forwarding.IPv6 is null)
                yield return ForwardingUnknown("IPv6");
        }
        if (report.NodesSavedAt is { } saved)
            yield return new("NodesFromDisk", "", string.Create(CultureInfo.InvariantCulture, $"the API server has not answered since the start: the nodes are those saved at {saved.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC"));
        if (report.HeldRemovals is { } held)
            yield return new("RemovalsHeld", "", $"{held.Routes} of our {held.Standing} routes would have to go: they stay until the API server has confirmed it by a quorum read");
        foreach (string obstacle in report.Obstacles)
            yield return new("PodTrafficBlocked", obstacle, obstacle);
        foreach (Problem fight in Fights(report))
            yield return fight;
    }

    public static string Describe(Verdict verdict)
    {
        string podCidr = verdict.PodCidr.IsNone ? "" : $" {verdict.PodCidr}";
        return $"node {verdict.Node.Name}{podCidr} ({VerdictNames.Of(verdict.Kind)}): {verdict.Reason}";
    }

    public static string Describe(Plan plan, RouteConflict conflict)
    {
        Prefix destination = conflict.Route.Destination;
        ClusterNode? node = plan.Verdicts.FirstOrDefault(v => v.Kind == VerdictKind.Routed && v.PodCidr == destination).Node;
        string subject = node is not null ? $"node {node.Name}"
            : plan.OwnPodCidrs.Contains(destination) ? "own podCIDR"
            : plan.ApiServerRoute?.Destination == destination ? "API server"
            : "cluster route";
        return $"{subject} {destination} (conflict): {Obstacle(conflict)}";
    }

    /// <summary>What stands where ours should, and what to do.</summary>
    public static string Obstacle(RouteConflict conflict)
    {
        HostRoute foreign = conflict.Foreign;
        string via = foreign.NextHop.IsNone ? "" : $" via {foreign.NextHop}";
        string kind = foreign.IsUnicast ? "a route" : "a blackhole or other special route";
        bool isSame = foreign.MayReturn && foreign.NextHop == conflict.Route.NextHop && foreign.Interface == conflict.Route.Interface;
        string harm = isSame ? "does the same; set adopt to all to take it over (what is in the persistent store comes back at boot: Remove-NetRoute removes it there)"
            : foreign.Key != conflict.Route.Key ? "wins over ours by its metric; remove it"
            : foreign.IsConnected ? "stands there already; remove it"
            : "stands there already; remove it, or set adopt to all";
        return $"{kind}{via} of protocol {RouteProtocols.Name(foreign.Protocol)} {harm}";
    }

    private static Problem Of(Verdict verdict) => verdict.Kind switch
    {
        // One interface that is down has many peers wait: that is one problem.
        VerdictKind.Waiting => new("InterfaceUnusable", verdict.Reason, Describe(verdict), Cures.Of(verdict.Kind)),
        VerdictKind.Rejected => new("PodCIDRRejected", Subject(verdict), Describe(verdict), Cures.Of(verdict.Kind)),
        VerdictKind.Routed => new("NextHopDoubtful", Subject(verdict), Describe(verdict), Cures.Of(verdict.Kind)),
        _ => new("NextHopUnreachable", Subject(verdict), Describe(verdict), Cures.Of(verdict.Kind)),
    };

    private static string Subject(Verdict verdict) => verdict.PodCidr.IsNone ? verdict.Node.Name : $"{verdict.Node.Name} {verdict.PodCidr}";

    private static IEnumerable<Problem> Fights(PassReport report)
    {
        if (report.ContestedRules is { } rules)
            yield return new("RulesContested", "", $"somebody keeps undoing our rules ({rules}): they are repaired only every {RepairPace.IntervalSeconds} s", Cures.Fight);
        if (report.ContestedCni is { } cni)
            yield return new("CNIContested", "", $"somebody keeps undoing our CNI configuration ({cni}): it is written only every {RepairPace.IntervalSeconds} s", Cures.Fight);
        foreach (ContestedRoute route in report.Contested)
            yield return new("RouteContested", $"{route.Destination}", $"somebody keeps changing our route {route.Destination} ({route.Found}): it is repaired only every {RepairPace.IntervalSeconds} s", Cures.Fight);
    }

    private static Problem ForwardingUnknown(string family) => new("ForwardingUnknown", family,
        $"{family} forwarding cannot be read: this kernel has no {family}, or the setting procSysNet does not name where /proc/sys/net is mounted");
}
