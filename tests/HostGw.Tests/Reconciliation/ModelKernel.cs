using HostGw.Planning;
using HostGw.Platform;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

/// <summary>A routing table that does to our requests what the kernel was seen to do: REPLACE takes the first on the key, whoever owns it.</summary>
internal sealed class ModelKernel(IEnumerable<HostRoute> routes)
{
    private readonly List<HostRoute> _routes = [.. routes.OrderBy(r => r.Key)];

    public IReadOnlyList<HostRoute> Routes => _routes;

    /// <summary>What was refused; the model knows no other failure than these.</summary>
    public List<string> Refusals { get; } = [];

    /// <summary>Additions and replacements first, as the agent sends them.</summary>
    public void Apply(RouteChanges changes)
    {
        foreach (PodRoute route in changes.Add)
            Add(route);
        foreach (RouteCorrection correction in changes.Replace)
            Replace(correction.Route);
        foreach (HostRoute route in changes.Delete)
            Delete(route);
    }

    private void Add(PodRoute route)
    {
        if (_routes.Any(r => IsOnKey(r, route)))
            Refusals.Add($"EEXIST {route.Destination}");
        else
            Insert(route.InstalledBy(RouteText.Ours));
    }

    private void Replace(PodRoute route)
    {
        int first = _routes.FindIndex(r => IsOnKey(r, route));
        if (first < 0)
            Insert(route.InstalledBy(RouteText.Ours));
        else if (_routes.Skip(first + 1).Any(r => r == route.InstalledBy(RouteText.Ours)))
            Refusals.Add($"EEXIST {route.Destination}");
        else
            _routes[first] = route.InstalledBy(RouteText.Ours);
    }

    private void Delete(HostRoute route)
    {
        int match = _routes.FindIndex(r =>
            r.Destination == route.Destination && r.Tos == route.Tos && r.IsUnicast && r.Protocol == route.Protocol &&
            // IPv4 takes metric 0 for any metric.
            (r.Metric == route.Metric || (route.Destination.IsIPv4 && route.Metric == 0)) &&
            (route.NextHopCount != 1 || (r.NextHop == route.NextHop && r.Interface == route.Interface)));
        if (match < 0)
            Refusals.Add($"ESRCH {route.Destination}");
        else
            _routes.RemoveAt(match);
    }

    private void Insert(HostRoute route)
    {
        int at = _routes.FindIndex(r => r.Key.CompareTo(route.Key) > 0);
        _routes.Insert(at < 0 ? _routes.Count : at, route);
    }

    private static bool IsOnKey(HostRoute standing, PodRoute route) => standing.Key == route.Key && standing.Tos == 0;
}
