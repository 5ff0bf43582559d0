using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Problems;

/// <summary>The problems that the report of a pass implies, each with its cure. None in a healthy cluster.</summary>
internal static class ProblemCatalog
{
    public static IEnumerable<string> Texts(PassReport report) => All(report).Select(p => p.Text);

    /// <summary>Without failures; in the order in which a person should read them.</summary>
    public static IEnumerable<Problem> All(PassReport report) =>
    [
        .. (report.Plan?.Faults ?? []).Select(f => new Problem("NodeNotInOrder", f) { Subject = f }),
        .. (report.Plan?.Verdicts ?? []).Where(v => IsProblem(report, v)).Select(v => Of(v, report.Plan?.Policy)),
        .. OfHost(report),
    ];

    /// <summary>
    /// What the host refused, one problem for each part, or for all parts where they have one cause: a host that refuses everything refuses
    /// a thousand routes.
    /// </summary>
    public static IEnumerable<Problem> Failures(PassReport report) =>
        from failure in report.Failures
        group failure by failure.Error.Cure is { Length: > 0 } cure
            ? (Rule: "HostAccessDenied", Cure: cure)
            : (Rule: Rule(failure.Part), Cure: Cures.Of(failure.Part)) into same
        let first = same.First()
        let more = same.Count() > 1 ? $", and {same.Count() - 1} more" : ""
        select new Problem(same.Key.Rule, $"could not {first.What}: {first.Error.Message}{more}", same.Key.Cure);

    public static bool IsProblem(PassReport report, Verdict verdict) =>
        IsProblem(verdict) && !report.Reachability.IsRoutedByNetwork(verdict);

    /// <summary>As far as the plan shows. For what waits for the tunnel's link the reason why there is none is reported.</summary>
    public static bool IsProblem(Verdict verdict) =>
        !verdict.AwaitsTunnel && ((verdict.Kind >= VerdictKind.Waiting && verdict.Fault != VerdictFault.Self) ||
        (verdict is { Kind: VerdictKind.Routed, Tunnel: null } && verdict.Reason.Length > 0));

    /// <summary>What a verdict for which <see cref="IsProblem(Verdict)"/> is true means.</summary>
    /// <param name="policy">Null: the usual settings.</param>
    public static Problem Of(Verdict verdict, Policy? policy)
    {
        string rule = verdict.Kind switch
        {
            VerdictKind.Waiting => "InterfaceUnusable",
            VerdictKind.Rejected => "PodCIDRRejected",
            VerdictKind.Routed => "NextHopDoubtful",
            _ => "NextHopUnreachable",
        };
        // One interface that is down makes many peers wait: that is one problem.
        string subject = verdict.Kind == VerdictKind.Waiting ? verdict.Reason
            : verdict.PodCidr.IsNone ? verdict.Node.Name : $"{verdict.Node.Name} {verdict.PodCidr}";
        return new(rule, Describe(verdict), Cures.Of(verdict, policy)) { Subject = subject };
    }

    /// <summary>Those that no single node causes.</summary>
    public static IEnumerable<Problem> OfHost(PassReport report) =>
    [
        .. report.Plan is { } own ? Duplicates(own, report.Changes.Host) : [],
        .. ClusterRoutes(report.Plan),
        .. report.Plan is { } plan ? report.Routes.Conflicts.Select(c => Of(plan, c)) : [],
        .. report.Plan is { } installed ? OverrideProblems.Shadowed(installed, report.Routes.Shadows) : [],
        .. report.Plan is { } present ? OverrideProblems.Overridden(present, report.Result.Overrides) : [],
        .. report.Result.ProbeObstacles.Select(Of),
        .. Tunnel(report.Plan),
        .. ForwardingUnknown(report),
        .. Waiting(report),
        .. DigestProblems.Of(report.Digest),
        .. report.Result.CniLeft.Select(Left),
        .. report.Result.Obstacles.Concat(report.Leftovers).Select(o => new Problem("PodTrafficBlocked", o) { Subject = o }),
        // What this host does to packets comes before what the network may do.
        .. report.Plan is { } probed
            ? ReachabilityProblems.Of(
                probed, report.Reachability, ReachabilityProblems.Explained(report.Routes, report.Result.Overrides)) : [],
        .. Contested(report.Contests),
        .. ProbesNotReceived(report.Reachability),
    ];

    /// <summary>Addresses of this node that it does not use.</summary>
    public static IEnumerable<Problem> Duplicates(Plan plan, HostState host) =>
        from duplicate in DuplicateAddresses.Of(plan, host)
        let link = plan.Interfaces.FirstOrDefault(i => i.Index == duplicate.Interface)?.Name ?? ""
        let assigned = $"{duplicate.Address}/{duplicate.Connected.Length} dev {link}"
        select new Problem("DuplicateAddress",
            $"this node's address {duplicate.Address} on {link} is not in use: duplicate address detection found another machine that " +
            "has it, which gets this node's packets",
            $"give that machine another address (on another node, ip neigh show {duplicate.Address} has its MAC address), then: " +
            $"ip addr del {assigned} && ip addr add {assigned}")
        {
            Subject = $"{duplicate.Address}",
        };

    private static Problem Left(string cni) => new("CNIConfigurationLeft",
        $"{cni} is still there with cni.install false: it is mounted read-only, and the container runtime may use it",
        $"unless pods need it, on the host: rm {cni}")
    {
        Subject = cni,
    };

    /// <summary>Peers need it, and this host cannot have it, or has it with addresses that pods may get.</summary>
    public static IEnumerable<Problem> Tunnel(Plan? plan)
    {
        if (plan is { TunnelFault: { Length: > 0 } fault })
        {
            yield return new("TunnelRefused", $"no tunnel to peers that native routing cannot reach: {fault}", Cures.TunnelRefused)
            {
                Subject = fault,
            };
        }
        if (plan is { TunnelDoubt: { Length: > 0 } doubt, Tunnel: { } tunnel })
        {
            string sources = string.Join(" and ", tunnel.Sources);
            yield return new("TunnelSourceAtRisk",
                $"the tunnel goes on with {sources}, and a pod may get the same: then one of the two is not reached. {doubt}",
                Cures.TunnelSourceAtRisk)
            {
                Subject = doubt,
            };
        }
    }

    public static IEnumerable<Problem> ProbesNotReceived(Reachability reachability)
    {
        if (reachability.Fault is not { Length: > 0 } fault)
            yield break;
        yield return new("ProbesNotReceived",
            $"peers' probes are not received: {fault}. Peers cannot tell whether their packets reach this node's pods",
            Cures.ProbesNotReceived);
    }

    public static IEnumerable<Problem> ClusterRoutes(Plan? plan) =>
    [
        .. from route in plan?.ClusterRoutes ?? []
           where route.Refusal is not null
           select new Problem("ClusterRouteRefused", $"no cluster route {route.Destination}: it {route.Refusal}", Cures.ClusterRoute)
           {
               Subject = $"{route.Destination}",
           },
        .. (plan?.CoveredNodes ?? []).Select(Of),
    ];

    private static Problem Of(CoveredNodes covered)
    {
        string named = string.Join(", ", covered.First.Select(f => $"{f.Node} ({f.Address})"));
        string more = covered.More > 0 ? $" and {covered.More} more" : "";
        return new("ClusterRouteCoversNodes",
            $"the cluster route {covered.ClusterRoute} covers addresses of nodes: {named}{more}; " +
            "unless they are on this host's segment, or a more specific route leads there, this host does not reach them",
            Cures.CoveredNodes)
        {
            Subject = $"{covered.ClusterRoute}",
        };
    }

    public static string Describe(Verdict verdict)
    {
        string podCidr = verdict.PodCidr.IsNone ? "" : $" {verdict.PodCidr}";
        return $"node {verdict.Node.Name}{podCidr} ({VerdictNames.Of(verdict.Kind)}): {verdict.Reason}";
    }

    public static string Describe(Plan plan, RouteConflict conflict)
    {
        Prefix destination = conflict.Route.Destination;
        string subject = plan.RoutedPeer(destination) is { } node ? $"node {node.Name}"
            : plan.OwnPodCidrs.Contains(destination) ? "own podCIDR"
            : plan.ApiServerRoute?.Destination == destination ? "API server"
            : "cluster route";
        return $"{subject} {destination} (conflict): {Obstacle(conflict)}";
    }

    /// <summary>What is in the place of HostGw's route, and what to do.</summary>
    public static string Obstacle(RouteConflict conflict)
    {
        HostRoute foreign = conflict.Foreign;
        string via = foreign.NextHop.IsNone ? "" : $" via {foreign.NextHop}";
        string kind = foreign.IsUnicast ? "a route" : "a blackhole or other special route";
        bool isSame = foreign.MayReturn && foreign.NextHop == conflict.Route.NextHop && foreign.Interface == conflict.Route.Interface;
        string harm = isSame
            ? "does the same; set adopt to all to take it over " +
                "(what is in the persistent store comes back at boot: Remove-NetRoute removes it there)"
            : foreign.Key != conflict.Route.Key ? "takes precedence over HostGw's by its metric; remove it"
            : conflict.IsShared ? "has the same key as HostGw's and may take precedence; remove it"
            : foreign.IsConnected ? "is already in its place; remove it"
            : "is already in its place; remove it, or set adopt to all";
        return $"{kind}{via} of protocol {RouteProtocols.Name(foreign.Protocol)} {harm}";
    }

    private static Problem Of(Plan plan, RouteConflict conflict) =>
        new("RouteConflict", Describe(plan, conflict)) { Subject = $"{conflict.Route.Destination}" };

    public static Problem Of(ProbeObstacle obstacle) =>
        new("ProbeAddressConflict",
            $"probe address {obstacle.Address} (conflict): {obstacle.What} takes its packets: peers cannot probe this node's pod network",
            $"if nothing needs it, stop what makes it, then: {obstacle.Removal}")
        {
            Subject = $"{obstacle.Address}",
        };

    private static string Rule(HostPart part) => part switch
    {
        HostPart.State => "HostUnreadable",
        HostPart.ForwardingIPv4 or HostPart.ForwardingIPv6 => "ForwardingNotApplied",
        HostPart.NeighbourThresholds or HostPart.Neighbours => "NeighboursNotApplied",
        HostPart.Nat => "NATNotApplied",
        HostPart.Forward => "ForwardAcceptNotApplied",
        HostPart.Routes => "RoutesNotApplied",
        HostPart.PolicyRules => "PolicyRuleNotApplied",
        HostPart.ProbeAddress => "ProbeAddressNotApplied",
        HostPart.Tunnel => "TunnelNotApplied",
        HostPart.Guards => "GuardsNotApplied",
        HostPart.Ownership => "OwnershipNotRecorded",
        HostPart.PodNetwork => "PodNetworkNotApplied",
        _ => "CNINotApplied",
    };

    private static IEnumerable<Problem> ForwardingUnknown(PassReport report)
    {
        // On Windows the interfaces that lack the family are named.
        if (report.Plan is not { Scope: PlanScope.Everything } plan || report.Changes.Host.Windows is not null)
            yield break;
        if (plan.ForwardIPv4 && report.Changes.Forwarding.IPv4 is null)
            yield return ForwardingUnknown("IPv4");
        if (plan.ForwardIPv6 && report.Changes.Forwarding.IPv6 is null)
            yield return ForwardingUnknown("IPv6");
    }

    public static Problem ForwardingUnknown(string family) => new("ForwardingUnknown",
        $"{family} forwarding cannot be read: this kernel has no {family}, " +
        "or the setting procSysNet does not name where /proc/sys/net is mounted",
        Cures.ForwardingUnknown(family))
    {
        Subject = family,
    };

    private static IEnumerable<Problem> Waiting(PassReport report)
    {
        if (report.NodesSavedAt is { } saved)
        {
            yield return new("NodesFromDisk",
                "the API server has not answered since the start: " +
                FormattableString.Invariant($"the nodes are those saved at {saved.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC"),
                "make it reachable, or correct the settings apiServer and kubeconfig: the warning 'Cannot watch nodes' has the reason");
        }
        if (report.HeldRemovals is { IsPartial: true } unknown)
        {
            yield return new("RemovalsHeld",
                $"{unknown.Routes} of HostGw's {unknown.Installed} routes lead to nodes or addresses that the node digest does not list: " +
                "they are kept, and no other route takes their packets, until all of its shards have been read",
                report.NodesSavedAt is null ? "correct the shards that are rejected" : "they are read once the API server can be reached");
        }
        else if (report.HeldRemovals is { } held)
        {
            yield return new("RemovalsHeld",
                $"{held.Routes} of HostGw's {held.Installed} routes would be removed" +
                $"{(held.Earlier > 0 ? $", after {held.Earlier} within 10 minutes" : "")}: " +
                "they are kept until the API server confirms it by a quorum read",
                "nothing if these Nodes are gone for good; else find what deleted them or their addresses in the API server");
        }
    }

    private static IEnumerable<Problem> Contested(Contests contests)
    {
        (string Part, string Whose, string? How, string Repair)[] parts =
        [
            ("Rules", "undoing HostGw's rules", contests.Rules, "they are repaired"),
            ("Guards", "undoing the guards of HostGw's probes and tunnel", contests.Guards, "they are repaired"),
            ("PolicyRule", "undoing HostGw's policy rule", contests.PolicyRules, "it is repaired"),
            ("ProbeAddress", "undoing the local route of HostGw's probe address", contests.ProbeAddress, "it is repaired"),
            ("Tunnel", "changing HostGw's link hostgw0", contests.Tunnel, "it is repaired"),
            ("CNI", "undoing HostGw's CNI configuration", contests.Cni, "it is written"),
        ];
        return
        [
            .. from part in parts
               where part.How is not null
               select Contested(part.Part, $"{part.Whose} ({part.How})", part.Repair),
            .. from setting in contests.Settings
               select Contested("Forwarding", $"changing {setting}", "it is set") with { Subject = setting },
            .. from route in contests.Routes
               let what = $"changing HostGw's route {route.Destination} ({route.Found})"
               select Contested("Route", what, "it is repaired") with { Subject = $"{route.Destination}" },
        ];
    }

    private static Problem Contested(string part, string what, string repair) => new(
        $"{part}Contested", $"another program keeps {what}: {repair} only every {RepairRate.IntervalSeconds} s", Cures.Contest);
}

/// <summary>Installed routes that packets do not take, or not all of them: the same sentences everywhere.</summary>
internal static class OverrideProblems
{
    public static IEnumerable<Problem> Shadowed(Plan plan, IEnumerable<RouteShadow> shadows) =>
        from shadow in shadows
        select new Problem("RouteShadowed", $"{Whose(plan, shadow.Route.Destination)} (shadowed): {Reason(shadow)}",
            $"stop what makes it, then: {Cures.Removal(shadow.Foreign)}")
        {
            Subject = $"{shadow.Route.Destination}",
        };

    public static string Reason(RouteShadow shadow)
    {
        HostRoute foreign = shadow.Foreign;
        string kind = foreign.IsUnicast ? $"a route {NextHopText.Of(foreign)}" : "a blackhole or other special route";
        string packets = foreign.Tos == 0 ? $"{foreign.Destination}" : $"{foreign.Destination} for{TosText.Of(foreign.Tos)}";
        string more = shadow.More > 0 ? $", and {shadow.More} more," : "";
        return $"{kind} to {packets} of protocol {RouteProtocols.Name(foreign.Protocol)}{more} takes a part of its packets";
    }

    public static IEnumerable<Problem> Overridden(Plan plan, IReadOnlyList<RouteOverride> overrides) =>
        from found in overrides
        let first = found.Affected.Min()
        let others = found.Affected.Count > 1 ? " and other nodes" : ""
        select new Problem("RouteOverridden",
            $"{Whose(plan, first)}{others} (overridden): packets {found.Traffic} take {found.Instead} instead of HostGw's routes, " +
                $"by {found.Cause}",
            Cure(plan, found))
        {
            Subject = found.Cause,
        };

    public static string Reason(RouteOverride found) => $"packets {found.Traffic} take {found.Instead}, by {found.Cause}";

    /// <param name="command">That adds the rule for table main.</param>
    public static string MainCure(string command) => $"stop what deletes or limits the rule for table main, then: {command}";

    private static string Whose(Plan plan, Prefix podCidr) =>
        plan.OwnPodCidrs.Contains(podCidr) ? $"own podCIDR {podCidr}"
        : plan.RoutedPeer(podCidr) is { } node ? $"node {node.Name} {podCidr}"
        : $"{podCidr}";

    private static string Cure(Plan plan, RouteOverride found)
    {
        if (found.IsOmission)
            return MainCure(found.Removal);
        string removal = $"if nothing needs it, stop what makes it, then: {found.Removal}";
        if (!found.IsByRule)
            return removal;
        bool isIPv6 = found.Affected.Min().IsIPv6;
        string first = plan.PolicyRules.IsEmpty
            ? "set policyRule to on (and clusterCidrs), so that HostGw's routes are tried before that rule"
            : plan.PolicyRules.Any(p => p.IsIPv6 == isIPv6)
            ? "there is no room for HostGw's rule before that one, which is at the front: give it a greater preference"
            : $"add the pods' {(isIPv6 ? "IPv6" : "IPv4")} network to clusterCidrs, so that HostGw's rule is for this family, too";
        return $"{first}; or, {removal}";
    }
}
