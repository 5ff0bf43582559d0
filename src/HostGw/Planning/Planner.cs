using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Decides the desired state of this host. Pure: depends on its arguments alone.</summary>
internal static class Planner
{
    /// <param name="nodes">All nodes of the cluster, sorted by name.</param>
    /// <param name="previous">The plan before this one; null: this is the first.</param>
    /// <param name="reachability">What the probes say; null: there are none.</param>
    public static Plan Plan(
        IReadOnlyList<ClusterNode> nodes, HostState host, Policy policy, Plan? previous = null, Reachability? reachability = null)
    {
        ClusterNode? self = Self(nodes, policy);
        (PlanScope scope, ImmutableArray<string> faults) = OwnNode.Check(self, policy);
        ImmutableArray<Prefix> own = scope == PlanScope.Everything ? self!.PodCidrs : [];

        InterfaceChoice v4 = InterfaceChoice.For(ipv6: false, policy, host, self);
        InterfaceChoice v6 = InterfaceChoice.For(ipv6: true, policy, host, self);
        PodCidrClaim[] claims = Claims(nodes, new PodCidrGuard(policy, host, own));
        PodCidrGrants grants = new(claims, nodes, policy);
        OlderClaims older = OlderClaims.On(own, claims, nodes, policy);
        OnLinkRoutes onLink = OnLinkRoutes.Of(host, InterfaceChoice.Allowed(policy, host, self));
        NextHops nextHops = new(policy, host, grants, self)
        {
            OnLink = onLink,
            Shared = new(nodes),
            Last = new(previous, host),
        };
        VerdictPlanner verdictPlanner = new(policy, grants, nextHops, v4, v6) { HeldByOlder = older.Holders };
        ImmutableArray<Verdict> native = verdictPlanner.For(nodes, claims);
        TunnelPlanner tunnelPlanner = new(policy, host, own, nextHops, previous) { Reachability = reachability ?? Reachability.Off };
        TunnelDecision tunnel = tunnelPlanner.Decide(native);
        ImmutableArray<int> uplinks = Uplinks.OfHost(host, self, own);
        ImmutableArray<string> names = Uplinks.Kept(
            Uplinks.Names(host, uplinks, native, v4, v6), previous?.Guards?.Uplinks ?? [], host, own);
        ImmutableArray<ClusterRoute> clusterRoutes = ClusterRoute.For(policy, host, self, grants);
        ApiServerRoute? apiServer = ApiServerRoute.For(policy, host, v4);
        RoutePlanner routePlanner = new(host, own, apiServer, v4, v6);
        NatPlan? nat = policy.Nat.Enabled ? NatPlanner.Plan(policy, host, own, grants.Granted(), nodes) : null;
        bool isWindows = host.Windows is not null || self is { IsWindows: true };
        PodPolicies? podPolicies = host.Windows is null ? null : new(nat, policy.ServiceCidrs);

        return new()
        {
            Scope = scope,
            KnowsSelf = self is not null,
            Faults = [.. faults, .. older.Faults],
            Routes = routePlanner.Routes(tunnel, clusterRoutes),
            Waiting = routePlanner.Waiting(tunnel.Verdicts, clusterRoutes),
            ClusterRoutes = clusterRoutes,
            CoveredNodes = scope == PlanScope.Nothing || clusterRoutes.IsEmpty || !v4.IsUsable ? []
                : CoveredNodes.Of(clusterRoutes, nodes, grants, onLink.IsNarrowed ? OnLinkRoutes.Of(host, allowed: null) : onLink),
            ApiServerRoute = apiServer,
            Nat = nat,
            ForwardIPv4 = policy.Forwarding && own.Any(p => p.IsIPv4),
            ForwardIPv6 = policy.Forwarding && own.Any(p => p.IsIPv6),
            ForwardAccept = policy.ForwardAccept ? [.. own.Select(p => p.Aligned).Order().Distinct()] : [],
            Cni = policy.InstallCni && older.Faults.IsEmpty
                ? CniPlan.For(own, v4, v6) with { Policies = podPolicies }
                : null,
            PolicyRules = policy.PolicyRule
                ? [.. policy.ClusterCidrs.Select(c => c.Aligned).Where(c => own.Any(p => p.IsIPv4 == c.IsIPv4)).Distinct()]
                : [],
            ProbeAddresses = policy.Probe && !isWindows ? ProbeAddress.OfNode(own) : [],
            EndpointAddresses = policy.Probe && isWindows ? ProbeAddress.OfEndpoint(own, host) : [],
            Tunnel = tunnel.Link,
            TunnelFault = tunnel.Fault,
            TunnelDoubt = tunnel.Doubt,
            Guards = GuardPlanner.Plan(policy, host, nodes, tunnel, (names, own)),
            HostUplinks = uplinks,
            InterfaceIPv4 = v4,
            InterfaceIPv6 = v6,
            Interfaces = host.Interfaces,
            OnLink = onLink,
            OwnPodCidrs = own,
            Verdicts = tunnel.Verdicts,
        };
    }

    /// <summary>This node, or null if the API has none.</summary>
    public static ClusterNode? Self(IReadOnlyList<ClusterNode> nodes, Policy policy)
    {
        foreach (ClusterNode node in nodes)
        {
            if (node.Name == policy.NodeName)
                return node;
        }
        return null;
    }

    // In the order of the nodes and of their podCIDRs: Verdicts relies on it.
    private static PodCidrClaim[] Claims(IReadOnlyList<ClusterNode> nodes, PodCidrGuard guard)
    {
        int count = 0;
        foreach (ClusterNode node in nodes)
            count += node.PodCidrs.Length;
        var claims = new PodCidrClaim[count];
        int next = 0;
        foreach (ClusterNode node in nodes)
        {
            foreach (Prefix podCidr in node.PodCidrs)
                claims[next++] = new(node, podCidr, guard.Refuse(podCidr, out ProtectedRole? covered)) { Covers = covered };
        }
        return claims;
    }
}

/// <summary>Checks this node's own Node object. If something is wrong with it, installed routes are kept.</summary>
internal static class OwnNode
{
    private const string NoPodCidr = "this node has no podCIDR: let the controller manager give it one " +
        "(kube-controller-manager --allocate-node-cidrs=true --cluster-cidr=…; for a new cluster kubeadm init --pod-network-cidr=…)";

    /// <summary>Without the second flag it stops at the first pod with such a volume.</summary>
    public static string Drain(string node) =>
        $"kubectl drain {node} --ignore-daemonsets --delete-emptydir-data (which deletes what pods keep in emptyDir volumes)";

    public static (PlanScope Scope, ImmutableArray<string> Faults) Check(ClusterNode? self, Policy policy)
    {
        if (self is null)
        {
            return (PlanScope.Nothing, [$"the API server has no Node named '{policy.NodeName}': check the setting nodeName, " +
                "or register the node; nothing is changed until then"]);
        }

        List<string> faults = [];
        foreach (string unreadable in self.UnreadablePodCidrs)
        {
            faults.Add($"this node's podCIDR '{PodCidrGuard.Printable(unreadable)}' is not a CIDR; " +
                "nothing is changed until the Node is re-created with a valid one");
        }
        foreach (Prefix podCidr in self.PodCidrs)
        {
            if (PodCidrGuard.RefuseShape(podCidr, policy) is { } reason)
                faults.Add($"this node's podCIDR {podCidr} {reason}; nothing is changed until the Node or the setting is corrected");
        }
        if (faults.Count > 0)
            return (PlanScope.Nothing, [.. faults]);

        return self.PodCidrs.IsEmpty
            ? (PlanScope.AddRoutes, [NoPodCidr])
            : (PlanScope.Everything, []);
    }
}

/// <summary>
/// The planner, which returns its last plan while nothing changed that a plan depends on. A pass without changes over 65,536 routes
/// would miss its budget (docs/performance.md) if it planned all nodes again.
/// </summary>
internal sealed class PlanCache(Policy settings)
{
    private ImmutableArray<ClusterNode> _nodes;
    private ImmutableArray<Prefix> _serviceCidrs = [];
    private HostState _host = new();
    private Reachability _reachability = Reachability.Off;
    private Plan? _plan;

    /// <summary>The last plan is of these nodes.</summary>
    public bool IsOf(ImmutableArray<ClusterNode> nodes) => _plan is not null && nodes == _nodes;

    /// <inheritdoc cref="Planner.Plan"/>
    /// <param name="serviceCidrs">Those that the API names.</param>
    public Plan Plan(
        ImmutableArray<ClusterNode> nodes, ImmutableArray<Prefix> serviceCidrs, HostState host, Reachability reachability)
    {
        if (_plan is { } last && nodes == _nodes && serviceCidrs == _serviceCidrs && IsAlike(reachability) && IsAlike(host, last))
            return last;
        _plan = Planner.Plan(nodes, host, settings.WithFound(serviceCidrs), _plan, reachability);
        (_nodes, _serviceCidrs, _reachability) = (nodes, serviceCidrs, reachability);
        _host = host with { Routes = [] };
        return _plan;
    }

    // Verdicts and round trips change often, and no route depends on them.
    private bool IsAlike(Reachability reachability)
    {
        if (settings.Tunnel.Mode == TunnelMode.Auto && !reachability.HasPathsOf(_reachability))
            return false;
        _reachability = reachability;
        return true;
    }

    // Of the host's routes only those matter that say what is on-link, choose an interface or the route to the API server, and the
    // interfaces of those with a gateway.
    private bool IsAlike(HostState host, Plan last)
    {
        Policy policy = settings.WithFound(_serviceCidrs);
        ClusterNode? self = Planner.Self(_nodes, policy);
        return host.Addresses.AsSpan().SequenceEqual(_host.Addresses.AsSpan()) &&
            host.Interfaces.AsSpan().SequenceEqual(_host.Interfaces.AsSpan()) &&
            host.Protected.AsSpan().SequenceEqual(_host.Protected.AsSpan()) &&
            (host.MetricIPv4, host.MetricIPv6) == (_host.MetricIPv4, _host.MetricIPv6) &&
            host.Windows == _host.Windows &&
            (host.Tunnel, host.GuardObstacle, host.SourceObstacle) == (_host.Tunnel, _host.GuardObstacle, _host.SourceObstacle) &&
            AreEqual(host.ReservedSubnets, _host.ReservedSubnets) &&
            host.PathMtus.AsSpan().SequenceEqual(_host.PathMtus.AsSpan()) &&
            InterfaceChoice.For(ipv6: false, policy, host, self) == last.InterfaceIPv4 &&
            InterfaceChoice.For(ipv6: true, policy, host, self) == last.InterfaceIPv6 &&
            ApiServerRoute.For(policy, host, last.InterfaceIPv4) == last.ApiServerRoute &&
            OnLinkRoutes.Of(host, InterfaceChoice.Allowed(policy, host, self)).Equals(last.OnLink) &&
            Uplinks.OfHost(host, self, last.OwnPodCidrs).AsSpan().SequenceEqual(last.HostUplinks.AsSpan());
    }

    private static bool AreEqual(ImmutableArray<Prefix>? one, ImmutableArray<Prefix>? other) =>
        one is null ? other is null : other is not null && one.Value.AsSpan().SequenceEqual(other.Value.AsSpan());
}
