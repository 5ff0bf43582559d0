using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Makes routes of verdicts: adds the interface and metric to each destination and next hop.</summary>
internal sealed class RoutePlanner(HostState host, OwnNode own, ApiServerRoute? apiServer)
{
    /// <summary>The desired routes, sorted by key; no two share one.</summary>
    public ImmutableArray<PodRoute> Routes(TunnelDecision tunnel, ImmutableArray<ClusterRoute> clusterRoutes)
    {
        int peers = tunnel.Comparisons.Length;
        foreach (Verdict verdict in tunnel.Verdicts)
            peers += verdict.Kind == VerdictKind.Routed ? 1 : 0;
        var routes = ImmutableArray.CreateBuilder<PodRoute>(peers);
        foreach (Verdict verdict in tunnel.Verdicts)
        {
            if (verdict is { Kind: VerdictKind.Routed, AwaitsTunnel: false })
                AddPeer(verdict, routes);
        }
        routes.AddRange(tunnel.Comparisons);
        foreach (ClusterRoute route in clusterRoutes)
        {
            if (route.Refusal is null)
                AddOnLink(route.Destination, routes);
        }
        AddOwn(routes);
        routes.Sort((a, b) => a.Key.CompareTo(b.Key));
        RemoveDuplicates(routes);
        return routes.DrainToImmutable();
    }

    /// <summary>Destinations that cannot be routed while an interface or address of this host is missing, sorted.</summary>
    public ImmutableArray<Prefix> Waiting(ImmutableArray<Verdict> verdicts, ImmutableArray<ClusterRoute> clusterRoutes)
    {
        List<Prefix> waiting = [.. WithoutInterface(clusterRoutes)];
        foreach (Verdict verdict in verdicts)
        {
            if (verdict.Kind == VerdictKind.Waiting || verdict.AwaitsTunnel)
                waiting.Add(verdict.PodCidr);
        }
        waiting.Sort();
        return [.. waiting];
    }

    // A node may list a podCIDR twice.
    private static void RemoveDuplicates(ImmutableArray<PodRoute>.Builder sorted)
    {
        int kept = 0;
        for (int i = 0; i < sorted.Count; i++)
        {
            if (kept == 0 || sorted[kept - 1].Key != sorted[i].Key)
                sorted[kept++] = sorted[i];
        }
        sorted.Count = kept;
    }

    private void AddPeer(Verdict verdict, ImmutableArray<PodRoute>.Builder routes)
    {
        routes.Add(new(verdict.PodCidr, Metric(verdict.PodCidr), verdict.NextHop, verdict.Interface) { Tunnel = verdict.Tunnel });
        // While it is disconnected Windows keeps its routes, lists none and refuses to make them.
        if (host.Windows is { PodEndpoint: { IsUp: true } endpoint } windows && endpoint.HasFamilyOf(verdict.PodCidr))
            routes.Add(new(verdict.PodCidr, windows.PodEndpointMetric, verdict.NextHop, endpoint.Index));
    }

    // Only if there is an interface for it.
    private void AddOnLink(Prefix destination, ImmutableArray<PodRoute>.Builder routes)
    {
        if (Choice(destination).IsUsable)
            routes.Add(Route(destination, default));
    }

    // On Windows: the routes to this node's own pods, which are on-link, and to the API server.
    private void AddOwn(ImmutableArray<PodRoute>.Builder routes)
    {
        if (host.Windows is null)
            return;
        foreach (Prefix podCidr in own.PodCidrs)
            AddOnLink(podCidr, routes);
        if (apiServer is { Gateway.IsNone: false } route && Choice(route.Destination).IsUsable)
            routes.Add(Route(route.Destination, route.Gateway));
    }

    private IEnumerable<Prefix> WithoutInterface(ImmutableArray<ClusterRoute> clusterRoutes)
    {
        IEnumerable<Prefix> all = clusterRoutes.Where(c => c.Refusal is null).Select(c => c.Destination);
        if (host.Windows is not null)
            all = all.Concat(own.PodCidrs);
        all = all.Where(p => !Choice(p).IsUsable);
        bool lacksGateway = apiServer is { } route && (route.Gateway.IsNone || !Choice(route.Destination).IsUsable);
        return lacksGateway ? all.Append(apiServer!.Value.Destination) : all;
    }

    private PodRoute Route(Prefix destination, Ip nextHop) =>
        new(destination, Metric(destination), nextHop, Choice(destination).Interface!.Index);

    private uint Metric(Prefix destination) => destination.IsIPv4 ? host.MetricIPv4 : host.MetricIPv6;

    private InterfaceChoice Choice(Prefix destination) => destination.IsIPv4 ? own.IPv4 : own.IPv6;
}

/// <summary>An on-link route to a cluster CIDR, over which gateways inside pod subnets are resolved by ARP.</summary>
/// <param name="Refusal">Why it is not installed, or null.</param>
internal readonly record struct ClusterRoute(Prefix Destination, string? Refusal)
{
    /// <summary>One per IPv4 cluster CIDR, or none if the setting clusterRoute turns it off.</summary>
    public static ImmutableArray<ClusterRoute> For(Policy policy, HostState host, ClusterNode? self, PodCidrGrants grants)
    {
        bool wanted = policy.ClusterRoute == ClusterRouteMode.On ||
            (policy.ClusterRoute == ClusterRouteMode.Auto && policy.NextHop == NextHopMode.PodGateway);
        return wanted ? [.. policy.ClusterCidrs.Where(c => c.IsIPv4).Select(c => new ClusterRoute(c, Refuse(c, host, self, grants)))] : [];
    }

    // Everything it covers becomes on-link: an address that is elsewhere could no longer be reached.
    private static string? Refuse(Prefix clusterCidr, HostState host, ClusterNode? self, PodCidrGrants grants)
    {
        if (grants.HolderOf(clusterCidr) is var (podCidr, holder))
            return $"lies inside {podCidr}, the podCIDR of node {holder.Name}, and would take its traffic";
        foreach (HostAddress address in host.Addresses)
        {
            if (address.Connected.Contains(clusterCidr))
            {
                string? name = host.Interface(address.Interface)?.Name;
                return $"lies inside {address.Connected}, which is connected to this host's interface {name}";
            }
        }
        foreach (ProtectedAddress guarded in host.Protected)
        {
            if (clusterCidr.Contains(guarded.Address))
                return $"covers {guarded.Address}, {PodCidrGuard.Describe(guarded.Role)}";
        }
        // Another Node may list any address: it must not take the route from this host.
        foreach (Ip address in self is null ? [] : self.InternalIPs.Concat(self.ExternalIPs))
        {
            if (clusterCidr.Contains(address))
                return $"covers {address}, the address of this node";
        }
        return null;
    }
}

/// <summary>Nodes whose addresses are on-link by a cluster route alone: this host reaches them only if they are on its segment.</summary>
/// <param name="First">At most three, each with the first such address.</param>
/// <param name="More">How many others there are.</param>
internal sealed record CoveredNodes(Prefix ClusterRoute, ImmutableArray<(string Node, Ip Address)> First, int More)
{
    private const int Named = 3;

    /// <param name="onLink">Over all interfaces.</param>
    public static ImmutableArray<CoveredNodes> Of(
        ImmutableArray<ClusterRoute> routes, IReadOnlyList<ClusterNode> nodes, PodCidrGrants grants, OnLinkRoutes onLink)
    {
        var found = ImmutableArray.CreateBuilder<CoveredNodes>();
        foreach (ClusterRoute route in routes)
        {
            List<(string, Ip)> first = [];
            int more = 0;
            foreach (ClusterNode node in route.Refusal is null ? nodes : [])
            {
                if (Covered(node, route.Destination, grants, onLink) is not { IsNone: false } address)
                    continue;
                if (first.Count < Named)
                    first.Add((node.Name, address));
                else
                    more++;
            }
            if (first.Count > 0)
                found.Add(new(route.Destination, [.. first], more));
        }
        return found.DrainToImmutable();
    }

    // A pod network inside has a route of its own.
    private static Ip Covered(ClusterNode node, Prefix clusterRoute, PodCidrGrants grants, OnLinkRoutes onLink)
    {
        foreach (ImmutableArray<Ip> addresses in (ReadOnlySpan<ImmutableArray<Ip>>)[node.InternalIPs, node.ExternalIPs])
        {
            foreach (Ip address in addresses)
            {
                if (clusterRoute.Contains(address) && grants.HolderOf(address) is null &&
                    !(onLink.Find(address) is [var longest, ..] && longest.Destination.Length >= clusterRoute.Length))
                    return address;
            }
        }
        return default;
    }
}

/// <summary>On Windows: keeps the API server reachable where a pod network covers it (-MasterIp, -Gateway of AddRoutes.ps1).</summary>
/// <param name="Gateway">None if the interface has no default gateway.</param>
internal readonly record struct ApiServerRoute(Prefix Destination, Ip Gateway)
{
    /// <summary>Null: not on Windows, not over IPv6, or not needed.</summary>
    public static ApiServerRoute? For(Policy policy, HostState host, InterfaceChoice v4)
    {
        if (host.Windows is null)
            return null;
        bool isNamed = !policy.Windows.ApiServerAddress.IsNone;
        Ip address = isNamed ? policy.Windows.ApiServerAddress : Connected(host);
        if (!address.IsIPv4 || policy.ServiceCidrs.Any(s => s.Contains(address)))
            return null;
        if (IsOnLink(address, host, v4) || host.Addresses.Any(a => a.Address == address))
            return null;
        // A configured one is installed before a pod network covers it: afterwards the API server could not be reached.
        return isNamed || IsTaken(address, host, v4) ? new(Prefix.Host(address), GatewayOf(policy, host, v4)) : null;
    }

    private static Ip Connected(HostState host) => host.Protected.FirstOrDefault(p => p.Role == ProtectedRole.ApiServer).Address;

    // An on-link route proves nothing here: AddRoutes.ps1 leaves one to all pods, and the API server in it is not on this segment.
    private static bool IsOnLink(Ip address, HostState host, InterfaceChoice v4) =>
        v4.Interface is { } link && host.Addresses.Any(a => a.Interface == link.Index && a.Connected.Contains(address));

    // Without HostGw's routes the host would send to it over another interface.
    private static bool IsTaken(Ip address, HostState host, InterfaceChoice v4) =>
        v4.Interface is { } link && InterfaceChoice.BestRoute(address, host) is { } best && best.Interface != link.Index;

    private static Ip GatewayOf(Policy policy, HostState host, InterfaceChoice v4)
    {
        if (!policy.Windows.Gateway.IsNone)
            return policy.Windows.Gateway;
        HostRoute? best = null;
        foreach (HostRoute route in host.Routes)
        {
            bool isDefault = route.Destination is { IsIPv4: true, Length: 0 } && !route.NextHop.IsNone;
            if (isDefault && route.Interface == v4.Interface?.Index && (best is null || route.Metric < best.Value.Metric))
                best = route;
        }
        return best?.NextHop ?? default;
    }
}
