using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Platform.Windows;

/// <summary>Applies route changes, and keeps the list of our routes up to date.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsRoutes(OwnedRoutes owned, OwnedRoutesFile file)
{
    private bool _unsaved;

    public long Writes { get; private set; }

    public void Apply(RouteChanges changes, HostState host, List<HostFailure> failures)
    {
        List<RouteOperation> operations = RouteOperations.For(changes, index => host.Interface(index)?.Luid ?? 0).All;
        if (operations.Count > 0)
            _unsaved |= ForgetVanished(host);
        // Listed before they are created: after a crash in between, an unlisted route would count as foreign.
        foreach (RouteOperation operation in operations.Where(o => o.Action != RouteAction.Delete))
            _unsaved |= owned.Add(operation.Route, operation.IsAdopted);
        Save(failures);

        // A route that another replaces is deleted only once its successor is installed.
        HashSet<RouteKey> refused = [];
        foreach (RouteOperation operation in operations.Where(o => o.Action != RouteAction.Delete || !refused.Contains(o.Key)))
        {
            if (!TryDo(operation, failures))
                refused.Add(operation.Key);
        }
        Save(failures);
    }

    private bool TryDo(RouteOperation operation, List<HostFailure> failures)
    {
        Writes++;
        try
        {
            Do(operation);
        }
        catch (WindowsException e) when (operation.Action == RouteAction.Delete && e.IsNotFound)
        {
            // Already deleted, by somebody else.
        }
        catch (WindowsException e)
        {
            failures.Add(new(HostPart.Routes, operation.What, operation.Key, e));
            // A route that we failed to create is not ours; if it exists nevertheless, it is foreign.
            if (operation.Action == RouteAction.Create)
                _unsaved |= owned.Remove(operation.Route);
            return false;
        }
        if (operation.Action == RouteAction.Delete)
            _unsaved |= owned.Remove(operation.Route);
        return true;
    }

    private static void Do(RouteOperation operation)
    {
        switch (operation.Action)
        {
            case RouteAction.Create:
                NetIo.CreateRoute(operation.Route, operation.Metric);
                break;
            case RouteAction.SetMetric:
                NetIo.SetMetric(operation.Route, operation.Metric);
                break;
            default:
                NetIo.DeleteRoute(operation.Route);
                break;
        }
    }

    // Windows lists no routes of a disconnected interface: they are kept, for they come back with it.
    private bool ForgetVanished(HostState host)
    {
        ulong Luid(HostRoute route) => host.Interface(route.Interface)?.Luid ?? 0;
        HashSet<OwnedRoute> installed =
            [.. host.Routes.Where(r => r.IsOurs).Select(r => new OwnedRoute(r.Destination, r.NextHop, Luid(r)))];
        HashSet<ulong> disconnected = [.. host.Interfaces.Where(i => !i.IsUp).Select(i => i.Luid)];
        return owned.Keep(r => installed.Contains(r) || disconnected.Contains(r.Luid));
    }

    private void Save(List<HostFailure> failures)
    {
        if (!_unsaved)
            return;
        try
        {
            file.Write(owned);
            _unsaved = false;
        }
        catch (StateFileException e)
        {
            // Routes are applied nevertheless: pods must reach one another.
            if (failures.All(f => f.Part != HostPart.Ownership))
                failures.Add(new(HostPart.Ownership, "write the list of our routes", null, e));
        }
    }
}

/// <summary>Route changes in Windows's terms, where another next hop makes another route. Pure.</summary>
internal sealed class RouteOperations
{
    /// <summary>Additions before removals: a podCIDR that moved is never without a route.</summary>
    public List<RouteOperation> All { get; } = [];

    /// <param name="luid">The LUID of an interface by its index; 0 for one that is gone.</param>
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
            operations.All.Add(new(isSame ? RouteAction.SetMetric : RouteAction.Create, after, route.Metric, route.Key)
            {
                IsAdopted = cause == CorrectionCause.Adopted && isSame,
            });
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

/// <summary>One call of the IP Helper API.</summary>
/// <param name="Key">The route that the change is about: two operations that replace one route by another share it.</param>
internal readonly record struct RouteOperation(RouteAction Action, OwnedRoute Route, uint Metric, RouteKey Key)
{
    /// <summary>The route was foreign before.</summary>
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
