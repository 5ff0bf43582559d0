using HostGw.Planning;

namespace HostGw.Platform.Windows;

/// <summary>Changes of routes as Windows makes them: a route over another next hop is another route. Pure.</summary>
internal sealed class RouteOperations
{
    /// <summary>In the order in which they lose no traffic: a podCIDR that moved is never without a route.</summary>
    public List<RouteOperation> All { get; } = [];

    /// <param name="luid">An interface's LUID by its index; 0: it is gone.</param>
    public static RouteOperations For(RouteChanges changes, Func<int, ulong> luid)
    {
        RouteOperations operations = new();
        List<RouteOperation> removals = [];
        foreach (PodRoute route in changes.Add)
            operations.All.Add(new(RouteAction.Create, Name(route), route.Metric, route.Key));
        foreach ((PodRoute route, HostRoute instead, CorrectionCause cause) in changes.Replace)
        {
            OwnedRoute before = Name(instead), after = Name(route);
            bool isSame = before == after;
            operations.All.Add(new(isSame ? RouteAction.SetMetric : RouteAction.Create, after, route.Metric, route.Key) { IsAdopted = cause == CorrectionCause.Adopted && isSame });
            if (!isSame)
                removals.Add(new(RouteAction.Delete, before, instead.Metric, route.Key));
        }
        removals.AddRange(changes.Delete.Select(r => new RouteOperation(RouteAction.Delete, Name(r), r.Metric, r.Key)));
        operations.All.AddRange(removals);
        return operations;

        OwnedRoute Name<T>(T route) => route switch
        {
            PodRoute r => new(r.Destination, r.NextHop, luid(r.Interface)),
            HostRoute r => new(r.Destination, r.NextHop, luid(r.Interface)),
            _ => default,
        };
    }
}

/// <param name="Key">The key of the change that it serves.</param>
internal readonly record struct RouteOperation(RouteAction Action, OwnedRoute Route, uint Metric, RouteKey Key)
{
    /// <summary>It was somebody else's.</summary>
    public bool IsAdopted { get; init; }

    public string What => Action switch
    {
        RouteAction.Create => $"add route {Route.Destination}",
        RouteAction.SetMetric => $"change route {Route.Destination}",
        _ => $"delete route {Route.Destination}",
    };
}

internal enum RouteAction
{
    Create,
    SetMetric,
    Delete,
}
