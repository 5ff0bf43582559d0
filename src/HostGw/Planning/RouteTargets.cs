using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>The interfaces and metrics that make a route of a destination and a next hop.</summary>
/// <param name="own">This node's podCIDRs.</param>
internal sealed class RouteTargets(HostState host, ImmutableArray<Prefix> own, ApiServerRoute? apiServer, InterfaceChoice v4, InterfaceChoice v6)
{
    public void AddPeer(Prefix podCidr, Ip nextHop, ImmutableArray<PodRoute>.Builder routes)
    {
        routes.Add(Route(podCidr, nextHop));
        if (host.Windows is { PodEndpoint: { } endpoint } windows)
            routes.Add(new(podCidr, windows.PodEndpointMetric, nextHop, endpoint.Index));
    }

    /// <summary>A route whose destinations are neighbours; none while there is no interface for it.</summary>
    public void AddOnLink(Prefix destination, ImmutableArray<PodRoute>.Builder routes)
    {
        if (Choice(destination).IsUsable)
            routes.Add(Route(destination, default));
    }

    /// <summary>Windows alone: this node's pods are neighbours on its own segment, and the API server stays in reach.</summary>
    public void AddOwn(ImmutableArray<PodRoute>.Builder routes)
    {
        if (host.Windows is null)
            return;
        foreach (Prefix podCidr in own)
            AddOnLink(podCidr, routes);
        if (apiServer is { Gateway.IsNone: false } route && Choice(route.Destination).IsUsable)
            routes.Add(Route(route.Destination, route.Gateway));
    }

    /// <summary>What cannot be judged while an interface is missing.</summary>
    public IEnumerable<Prefix> WaitingFor(ImmutableArray<ClusterRoute> clusterRoutes)
    {
        IEnumerable<Prefix> all = clusterRoutes.Where(c => c.Refusal is null).Select(c => c.Destination);
        if (host.Windows is not null)
            all = all.Concat(own);
        return all.Where(p => !Choice(p).IsUsable).Concat(apiServer is { } route && (route.Gateway.IsNone || !Choice(route.Destination).IsUsable) ? [route.Destination] : []);
    }

    private PodRoute Route(Prefix destination, Ip nextHop) =>
        new(destination, destination.IsIPv4 ? host.MetricIPv4 : host.MetricIPv6, nextHop, Choice(destination).Interface!.Index);

    private InterfaceChoice Choice(Prefix destination) => destination.IsIPv4 ? v4 : v6;
}
