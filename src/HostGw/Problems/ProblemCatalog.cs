using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Problems;

/// <summary>The problems that the report of a pass implies, each with its cure. None in a cluster that is in order.</summary>
internal static class ProblemCatalog
{
    public static IEnumerable<string> Texts(PassReport report) => All(report).Select(p => p.Text);

    /// <summary>Without failures; in the order in which a person should read them.</summary>
    public static IEnumerable<Problem> All(PassReport report) =>
    [
        .. (report.Plan?.Faults ?? []).Select(f => new Problem("NodeNotInOrder", f) { Subject = f }),
        .. (report.Plan?.Verdicts ?? []).Where(IsProblem).Select(Of),
        .. OfHost(report),
    ];

    /// <summary>What the host refused, one problem for each part: a host that refuses everything refuses a thousand routes.</summary>
    public static IEnumerable<Problem> Failures(PassReport report) =>
        from failure in report.Failures
        group failure by failure.Part into same
        let first = same.First()
        let more = same.Count() > 1 ? $", and {same.Count() - 1} more" : ""
        select new Problem(Rule(same.Key), $"could not {first.What}: {first.Error.Message}{more}", Cures.Of(same.Key));

    public static bool IsProblem(Verdict verdict) =>
        (verdict.Kind >= VerdictKind.Waiting && verdict.Fault != VerdictFault.Self) ||
        (verdict.Kind == VerdictKind.Routed && verdict.Reason.Length > 0);

    /// <summary>What a verdict for which <see cref="IsProblem"/> is true means.</summary>
    public static Problem Of(Verdict verdict)
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
        return new(rule, Describe(verdict), Cures.Of(verdict)) { Subject = subject };
    }

    /// <summary>Those that no single node causes.</summary>
    public static IEnumerable<Problem> OfHost(PassReport report) =>
    [
        .. ClusterRoutes(report.Plan),
        .. report.Plan is { } plan ? report.Routes.Conflicts.Select(c => Of(plan, c)) : [],
        .. report.Plan is { } installed ? OverrideProblems.Shadowed(installed, report.Routes.Shadows) : [],
        .. report.Plan is { } present ? OverrideProblems.Overridden(present, report.Result.Overrides) : [],
        .. ForwardingUnknown(report),
        .. Waiting(report),
        .. report.Result.Obstacles.Concat(report.Leftovers).Select(o => new Problem("PodTrafficBlocked", o) { Subject = o }),
        .. Contested(report.Contests),
    ];

    public static IEnumerable<Problem> ClusterRoutes(Plan? plan) =>
        from route in plan?.ClusterRoutes ?? []
        where route.Refusal is not null
        select new Problem("ClusterRouteRefused", $"no cluster route {route.Destination}: it {route.Refusal}", Cures.ClusterRoute)
        {
            Subject = $"{route.Destination}",
        };

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

    private static string Rule(HostPart part) => part switch
    {
        HostPart.State => "HostUnreadable",
        HostPart.ForwardingIPv4 or HostPart.ForwardingIPv6 => "ForwardingNotApplied",
        HostPart.NeighbourThresholds or HostPart.Neighbours => "NeighboursNotApplied",
        HostPart.Nat => "NATNotApplied",
        HostPart.Forward => "ForwardAcceptNotApplied",
        HostPart.Routes => "RoutesNotApplied",
        HostPart.PolicyRules => "PolicyRuleNotApplied",
        HostPart.Ownership => "OwnershipNotRecorded",
        HostPart.PodNetwork => "PodNetworkNotApplied",
        _ => "CNINotApplied",
    };

    private static IEnumerable<Problem> ForwardingUnknown(PassReport report)
    {
        if (report.Plan is not { Scope: PlanScope.Everything } plan)
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
        if (report.HeldRemovals is { } held)
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
        const int Seconds = RepairRate.IntervalSeconds;
        if (contests.Rules is { } rules)
        {
            yield return new("RulesContested",
                $"another program keeps undoing HostGw's rules ({rules}): they are repaired only every {Seconds} s", Cures.Contest);
        }
        if (contests.PolicyRules is { } policy)
        {
            yield return new("PolicyRuleContested",
                $"another program keeps undoing HostGw's policy rule ({policy}): it is repaired only every {Seconds} s", Cures.Contest);
        }
        if (contests.Cni is { } cni)
        {
            yield return new("CNIContested",
                $"another program keeps undoing HostGw's CNI configuration ({cni}): it is written only every {Seconds} s", Cures.Contest);
        }
        foreach (string setting in contests.Settings)
        {
            yield return new("ForwardingContested",
                $"another program keeps changing {setting}: it is set only every {Seconds} s", Cures.Contest)
            {
                Subject = setting,
            };
        }
        foreach (ContestedRoute route in contests.Routes)
        {
            yield return new("RouteContested",
                $"another program keeps changing HostGw's route {route.Destination} ({route.Found}): it is repaired only every {Seconds} s",
                Cures.Contest)
            {
                Subject = $"{route.Destination}",
            };
        }
    }
}

/// <summary>What to do about a problem whose text does not say so.</summary>
internal static class Cures
{
    public const string ClusterRoute =
        "narrow clusterCidrs, or set clusterRoute to off; if it is a resolver, name another one in this host's /etc/resolv.conf";

    public const string Contest = "keep one program for it: stop or reconfigure the other one";

    public const string NoPodCidr =
        "let the controller manager give it one: kube-controller-manager --allocate-node-cidrs=true, and a --cluster-cidr with room " +
        "for it (with kubeadm in /etc/kubernetes/manifests; for a new cluster kubeadm init --pod-network-cidr=…)";

    public static string ForwardingUnknown(string family) =>
        "set procSysNet to where the host's /proc/sys/net is mounted" +
        (family == "IPv6" ? "; without IPv6 (ipv6.disable=1), boot the kernel with it, or give this node no IPv6 podCIDR" : "");

    /// <summary>The command that removes a foreign route.</summary>
    public static string Removal(HostRoute route) => route.Protocol < RouteProtocols.Windows
        ? $"ip route del {route.Destination} proto {route.Protocol}"
        : $"Remove-NetRoute -DestinationPrefix {route.Destination}{(route.NextHop.IsNone ? "" : $" -NextHop {route.NextHop}")}";

    private const string WriteProcSysNet = "let the agent write /proc/sys/net (SELinux or AppArmor may forbid it)";

    private const string Resolver =
        "name a resolver outside of the pod networks in this host's /etc/resolv.conf (or where systemd-resolved, NetworkManager or " +
        "the DHCP server gets it); if that one is right, re-create the Node with another podCIDR";

    private const string OnLinkRoute =
        "bring back the on-link route to that address (ip route replace PREFIX dev INTERFACE, or what makes it: DHCP, router " +
        "advertisements, the host's network configuration)";

    public static string Of(Verdict verdict)
    {
        if (verdict.Fault is VerdictFault.Resolver or VerdictFault.Host)
            return verdict.Fault == VerdictFault.Host ? OnLinkRoute : Resolver;
        ClusterNode node = verdict.Node;
        // The text names the annotation skip, and perhaps more: that is left when the annotation is right.
        bool isMistyped = verdict.Kind == VerdictKind.Routed && node.Skip is null;
        bool mayBeAnnotated = verdict.Kind is VerdictKind.NoAddress or VerdictKind.NotAdjacent || (!isMistyped && verdict is
        { Kind: VerdictKind.Routed, NextHop: var nextHop } && node.NextHopOverride?.Contains(nextHop) == true);
        if (mayBeAnnotated && IsAnnotated(node, verdict.PodCidr))
            return $"correct the annotation ({Annotate(node)} --overwrite hostgw.io/next-hop=ADDRESS), " +
                $"or remove it ({Annotate(node)} hostgw.io/next-hop-)";
        return isMistyped
            ? $"set the annotation to true or false ({Annotate(node)} --overwrite hostgw.io/skip=true), " +
                $"or remove it ({Annotate(node)} hostgw.io/skip-)"
            : Of(verdict.Kind);
    }

    // An unreadable annotation concerns both families.
    private static bool IsAnnotated(ClusterNode node, Prefix podCidr) =>
        node.NextHopOverride is { } addresses && (addresses.IsEmpty || addresses.Any(a => a.IsIPv4 == podCidr.IsIPv4));

    private static string Annotate(ClusterNode node) => $"kubectl annotate node {node.Name}";

    private static string Of(VerdictKind kind) => kind switch
    {
        VerdictKind.Routed => "if that is an accident, correct the node's addresses (kubelet --node-ip, or the cloud's controller manager)",
        VerdictKind.NoPodCidr => NoPodCidr,
        VerdictKind.Waiting =>
            "bring this host's interface or address back; existing routes are kept until then. " +
            "If it never has that address, correct this node's (kubelet --node-ip) or name the interface in the setting interface",
        VerdictKind.NoAddress =>
            "give the node an InternalIP of that family outside of the pod networks (kubelet --node-ip), " +
            "or annotate it with hostgw.io/next-hop",
        VerdictKind.NoGateway => "give the node a podCIDR of /30 or shorter, or set nextHop to NodeAddress",
        VerdictKind.NotAdjacent =>
            "host-gateway routes need one L2 segment: correct the route or setting that the reason names, " +
            "or put the node's address on this host's segment, annotate it with hostgw.io/next-hop for a router on it, " +
            "or leave it out with hostgw.io/skip. A host that is meant to have one address family needs nothing",
        _ =>
            "re-create the Node with a podCIDR of its own inside clusterCidrs; " +
            "if the podCIDR is right, correct clusterCidrs, serviceCidrs or what it overlaps",
    };

    public static string Of(HostPart part) => part switch
    {
        HostPart.Nat => "hostgw doctor on this node looks for the cause; nat.backend chooses another way (nftables, iptables)",
        HostPart.Forward =>
            "install iptables where the agent runs, or set forwardAccept to false and accept the pod networks yourself",
        HostPart.Cni => "docs/troubleshoot.md lists the causes; where another plugin gives pods their network, set cni.install to false",
        HostPart.ForwardingIPv4 => Forwarding("net.ipv4.ip_forward=1"),
        HostPart.ForwardingIPv6 => Forwarding("net.ipv6.conf.all.forwarding=1"),
        HostPart.NeighbourThresholds => $"{WriteProcSysNet}, or raise net.ipv4.neigh.default.gc_thresh1 to 3, and those of ipv6, yourself",
        HostPart.Ownership =>
            "make the state directory writable (setting stateDirectory): " +
            "without the list, HostGw's routes are foreign to it after a restart",
        HostPart.PodNetwork => "docs/windows.md says what it needs; or set windows.createNetwork to false and make that network yourself",
        HostPart.State => "run the agent in the host's network, with NET_ADMIN",
        _ => "give the agent NET_ADMIN if that is not permitted; otherwise the kernel refuses it to ip as well, for the reason that " +
            "it gives. The agent tries again, and nothing else waits for it",
    };

    private static string Forwarding(string setting) =>
        $"{WriteProcSysNet}, or sysctl -w {setting} yourself (and in a file of /etc/sysctl.d) and set forwarding to false";
}
