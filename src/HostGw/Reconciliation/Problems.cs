using System.Globalization;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>What a person should know of a pass, in sentences. Empty in a cluster that is in order.</summary>
internal static class Problems
{
    public static IEnumerable<string> Of(PassReport report)
    {
        if (report.Plan is { } plan)
        {
            foreach (string fault in plan.Faults)
                yield return fault;
            foreach (ClusterRoute route in plan.ClusterRoutes.Where(c => c.Refusal is not null))
                yield return $"no cluster route {route.Destination}: it {route.Refusal}";
            foreach (Verdict verdict in plan.Verdicts.Where(v => v.Kind >= VerdictKind.Waiting || (v.Kind == VerdictKind.Routed && v.Reason.Length > 0)))
                yield return Describe(verdict);
            foreach (RouteConflict conflict in report.Routes.Conflicts)
                yield return Describe(plan, conflict);
            if (plan is { Scope: PlanScope.Everything, ForwardIPv4: true } && report.Forwarding.IPv4 is null)
                yield return ForwardingUnknown("IPv4");
            if (plan is { Scope: PlanScope.Everything, ForwardIPv6: true } && report.Forwarding.IPv6 is null)
                yield return ForwardingUnknown("IPv6");
        }
        if (report.NodesSavedAt is { } saved)
            yield return string.Create(CultureInfo.InvariantCulture, $"the API server has not answered since the start: the nodes are those saved at {saved.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
        if (report.HeldRemovals is { } held)
            yield return $"{held.Routes} of our {held.Standing} routes would have to go: they stay until the API server has confirmed it by a quorum read";
        foreach (string obstacle in report.Obstacles)
            yield return obstacle;
        if (report.ContestedRules is { } rules)
            yield return $"somebody keeps undoing our rules ({rules}): they are repaired only every {RepairPace.IntervalSeconds} s";
        if (report.ContestedCni is { } cni)
            yield return $"somebody keeps undoing our CNI configuration ({cni}): it is written only every {RepairPace.IntervalSeconds} s";
        foreach (ContestedRoute route in report.Contested)
            yield return $"somebody keeps changing our route {route.Destination} ({route.Found}): it is repaired only every {RepairPace.IntervalSeconds} s";
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

    private static string ForwardingUnknown(string family) =>
        $"{family} forwarding cannot be read: this kernel has no {family}, or the setting procSysNet does not name where /proc/sys/net is mounted";
}
