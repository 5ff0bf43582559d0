using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Decides the desired state of this host. Pure: depends on its arguments alone.</summary>
internal sealed class Planner
{
    private readonly IReadOnlyList<ClusterNode> _nodes;
    private readonly HostState _host;
    private readonly Policy _policy;
    private readonly OwnNode _own;
    private readonly NativeRouting _native;
    private readonly HeldNodeAddresses _held;
    private readonly TunnelDecision _tunnel;

    private Planner(
        IReadOnlyList<ClusterNode> nodes, HostState host, Policy policy, Plan? previous, Reachability reachability)
    {
        (_nodes, _host, _policy) = (nodes, host, policy);
        _own = OwnNode.Of(nodes, host, policy);
        _native = NativeRouting.Of(nodes, host, policy, _own, previous);
        _held = HeldNodeAddresses.Of(host, _own.Node, _native.NextHops.Shared);
        _tunnel = new TunnelPlanner(policy, host, _own.PodCidrs, _native.NextHops, previous)
        {
            Held = _held,
            Reachability = reachability,
        }.Decide(_native.Verdicts);
    }

    /// <param name="nodes">All nodes of the cluster, sorted by name.</param>
    /// <param name="previous">The plan before this one; null: this is the first.</param>
    /// <param name="reachability">What the probes say; null: there are none.</param>
    public static Plan Plan(
        IReadOnlyList<ClusterNode> nodes, HostState host, Policy policy, Plan? previous = null, Reachability? reachability = null)
    {
        Planner planner = new(nodes, host, policy, previous, reachability ?? Reachability.Off);
        Plan plan = planner.Routing();
        plan = planner.WithPodNetwork(plan);
        return planner.WithProbesAndTunnel(plan, previous?.Guards);
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

    // The verdict on each peer, and the routes that follow from them.
    private Plan Routing()
    {
        ImmutableArray<ClusterRoute> clusterRoutes = ClusterRoute.For(_policy, _host, _own.Node, _native.Grants);
        ApiServerRoute? apiServer = ApiServerRoute.For(_policy, _host, _own.IPv4);
        RoutePlanner routes = new(_host, _own, apiServer);
        return new()
        {
            Policy = _policy,
            Scope = _own.Scope,
            KnowsSelf = _own.Node is not null,
            Faults = [.. _own.Faults, .. _own.AddressFaults, .. _native.Older.Faults],
            AddressFaults = _own.AddressFaults,
            OwnPodCidrs = _own.PodCidrs,
            InterfaceIPv4 = _own.IPv4,
            InterfaceIPv6 = _own.IPv6,
            Interfaces = _host.Interfaces,
            OnLink = _native.NextHops.OnLink,
            Verdicts = _tunnel.Verdicts,
            Routes = routes.Routes(_tunnel, clusterRoutes),
            Waiting = routes.Waiting(_tunnel.Verdicts, clusterRoutes),
            ClusterRoutes = clusterRoutes,
            CoveredNodes = CoveredBy(clusterRoutes),
            ApiServerRoute = apiServer,
            PolicyRules = _policy.PolicyRule
                ? [.. _policy.ClusterCidrs.Select(c => c.Aligned).Where(c => _own.PodCidrs.Any(p => p.IsIPv4 == c.IsIPv4)).Distinct()]
                : [],
        };
    }

    private ImmutableArray<CoveredNodes> CoveredBy(ImmutableArray<ClusterRoute> routes)
    {
        if (_own.Scope == PlanScope.Nothing || routes.IsEmpty || !_own.IPv4.IsUsable)
            return [];
        OnLinkRoutes onLink = _native.NextHops.OnLink;
        return CoveredNodes.Of(routes, _nodes, _native.Grants, onLink.IsNarrowed ? OnLinkRoutes.Of(_host, allowed: null) : onLink);
    }

    // What this node's pods need from the host: forwarding, masquerading, a CNI configuration.
    private Plan WithPodNetwork(Plan plan)
    {
        ImmutableArray<Prefix> own = _own.PodCidrs;
        NatPlan? nat = _policy.Nat.Enabled ? NatPlanner.Plan(_policy, _host, own, _native.Grants.Granted(), _nodes) : null;
        PodPolicies? podPolicies = _host.Windows is null ? null : new(nat, _policy.ServiceCidrs);
        return plan with
        {
            ForwardIPv4 = _policy.Forwarding && own.Any(p => p.IsIPv4),
            ForwardIPv6 = _policy.Forwarding && own.Any(p => p.IsIPv6),
            ForwardAccept = _policy.ForwardAccept ? [.. own.Select(p => p.Aligned).Order().Distinct()] : [],
            Nat = nat,
            Cni = _policy.InstallCni && _native.Older.Faults.IsEmpty
                ? CniPlan.For(own, _own.IPv4, _own.IPv6) with { Policies = podPolicies }
                : null,
        };
    }

    // Both receive datagrams of peers, which the guards filter.
    private Plan WithProbesAndTunnel(Plan plan, GuardPlan? previousGuards)
    {
        bool isWindows = _host.Windows is not null || _own.Node is { IsWindows: true };
        ImmutableArray<int> uplinks = Uplinks.OfHost(_host, _own.Node, _own.PodCidrs, _tunnel.Verdicts);
        ImmutableArray<string> names = Uplinks.Names(_host, uplinks, _native.Verdicts, _own.IPv4, _own.IPv6);
        names = Uplinks.Kept(names, previousGuards?.Uplinks ?? [], _host, _own.PodCidrs);
        return plan with
        {
            ProbeAddresses = _policy.Probe && !isWindows ? ProbeAddress.OfNode(_own.PodCidrs) : [],
            EndpointAddresses = _policy.Probe && isWindows ? ProbeAddress.OfEndpoint(_own.PodCidrs, _host) : [],
            NodeSources = _policy.Probe ? NodeSources.Of(_host, _held, plan.Verdicts) : NodeSources.None,
            Tunnel = _tunnel.Link,
            TunnelFault = _tunnel.Fault,
            TunnelDoubt = _tunnel.Doubt,
            Guards = GuardPlanner.Plan(_policy, _host, _nodes, _tunnel, (names, _own.PodCidrs)),
            HostUplinks = uplinks,
        };
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
    // interfaces of those with a gateway and of those to peers that no native route of HostGw's reaches.
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
            host.NodePaths.AsSpan().SequenceEqual(_host.NodePaths.AsSpan()) &&
            InterfaceChoice.For(ipv6: false, policy, host, self) == last.InterfaceIPv4 &&
            InterfaceChoice.For(ipv6: true, policy, host, self) == last.InterfaceIPv6 &&
            ApiServerRoute.For(policy, host, last.InterfaceIPv4) == last.ApiServerRoute &&
            OnLinkRoutes.Of(host, InterfaceChoice.Allowed(policy, host, self)).Equals(last.OnLink) &&
            Uplinks.OfHost(host, self, last.OwnPodCidrs, last.Verdicts).AsSpan().SequenceEqual(last.HostUplinks.AsSpan()) &&
            last.NodeSources.IsOf(host, last.Verdicts);
    }

    private static bool AreEqual(ImmutableArray<Prefix>? one, ImmutableArray<Prefix>? other) =>
        one is null ? other is null : other is not null && one.Value.AsSpan().SequenceEqual(other.Value.AsSpan());
}
