using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Platform.Windows;

/// <summary>Carries out changes of routes, and keeps the record of which are ours.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsRoutes(OwnedRoutes owned, OwnedRoutesFile file)
{
    private bool _unwritten;

    public long Writes { get; private set; }

    public void Apply(RouteChanges changes, HostState host, List<HostFailure> failures)
    {
        List<RouteOperation> operations = RouteOperations.For(changes, index => host.Interface(index)?.Luid ?? 0).All;
        if (operations.Count > 0)
            _unwritten |= ForgetVanished(host);
        // Before they are made: a route that we made and did not write down would be nobody's after a crash.
        foreach (RouteOperation operation in operations.Where(o => o.Action != RouteAction.Delete))
            _unwritten |= owned.Add(operation.Route, operation.IsAdopted);
        WriteDown(failures);

        // In one change a route may replace another: that goes only once its successor stands.
        HashSet<RouteKey> refused = [];
        foreach (RouteOperation operation in operations.Where(o => o.Action != RouteAction.Delete || !refused.Contains(o.Key)))
        {
            if (!TryDo(operation, failures))
                refused.Add(operation.Key);
        }
        WriteDown(failures);
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
            // Somebody was faster.
        }
        catch (WindowsException e)
        {
            failures.Add(new(HostPart.Routes, operation.What, operation.Key, e));
            // What was not made is not ours. One that is there in spite of all is somebody else's.
            if (operation.Action == RouteAction.Create)
                _unwritten |= owned.Remove(operation.Route);
            return false;
        }
        if (operation.Action == RouteAction.Delete)
            _unwritten |= owned.Remove(operation.Route);
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

    // Routes go with their interface. Of one that is there and not connected nothing can be said.
    private bool ForgetVanished(HostState host)
    {
        HashSet<OwnedRoute> standing = [.. host.Routes.Where(r => r.IsOurs).Select(r => new OwnedRoute(r.Destination, r.NextHop, host.Interface(r.Interface)?.Luid ?? 0))];
        HashSet<ulong> disconnected = [.. host.Interfaces.Where(i => !i.IsUp).Select(i => i.Luid)];
        return owned.Keep(r => standing.Contains(r) || disconnected.Contains(r.Luid));
    }

    private void WriteDown(List<HostFailure> failures)
    {
        if (!_unwritten)
            return;
        try
        {
            file.Write(owned);
            _unwritten = false;
        }
        catch (StateFileException e)
        {
            // Pods must reach one another all the same.
            if (failures.All(f => f.Part != HostPart.Ownership))
                failures.Add(new(HostPart.Ownership, "write down which routes are ours", null, e));
        }
    }
}
