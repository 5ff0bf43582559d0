using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Makes routes of verdicts: adds the interface and metric to each destination and next hop.</summary>
/// <param name="own">This node's podCIDRs.</param>
internal sealed class RoutePlanner(
    HostState host, ImmutableArray<Prefix> own, ApiServerRoute? apiServer, InterfaceChoice v4, InterfaceChoice v6)
{
    /// <summary>The desired routes, sorted by key; no two share one.</summary>
    public ImmutableArray<PodRoute> Routes(ImmutableArray<Verdict> verdicts, ImmutableArray<ClusterRoute> clusterRoutes)
    {
        int peers = 0;
        foreach (Verdict verdict in verdicts)
            peers += verdict.Kind == VerdictKind.Routed ? 1 : 0;
        var routes = ImmutableArray.CreateBuilder<PodRoute>(peers);
        foreach (Verdict verdict in verdicts)
        {
            if (verdict.Kind == VerdictKind.Routed)
                AddPeer(verdict, routes);
        }
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
            if (verdict.Kind == VerdictKind.Waiting)
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
        routes.Add(new(verdict.PodCidr, Metric(verdict.PodCidr), verdict.NextHop, verdict.Interface));
        if (host.Windows is { PodEndpoint: { } endpoint } windows)
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
        foreach (Prefix podCidr in own)
            AddOnLink(podCidr, routes);
        if (apiServer is { Gateway.IsNone: false } route && Choice(route.Destination).IsUsable)
            routes.Add(Route(route.Destination, route.Gateway));
    }

    private IEnumerable<Prefix> WithoutInterface(ImmutableArray<ClusterRoute> clusterRoutes)
    {
        IEnumerable<Prefix> all = clusterRoutes.Where(c => c.Refusal is null).Select(c => c.Destination);
        if (host.Windows is not null)
            all = all.Concat(own);
        all = all.Where(p => !Choice(p).IsUsable);
        bool lacksGateway = apiServer is { } route && (route.Gateway.IsNone || !Choice(route.Destination).IsUsable);
        return lacksGateway ? all.Append(apiServer!.Value.Destination) : all;
    }

    private PodRoute Route(Prefix destination, Ip nextHop) =>
        new(destination, Metric(destination), nextHop, Choice(destination).Interface!.Index);

    private uint Metric(Prefix destination) => destination.IsIPv4 ? host.MetricIPv4 : host.MetricIPv6;

    private InterfaceChoice Choice(Prefix destination) => destination.IsIPv4 ? v4 : v6;
}
