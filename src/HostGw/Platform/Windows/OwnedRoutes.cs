namespace HostGw.Platform.Windows;

/// <summary>Which routes are ours: Windows keeps no mark of who made one. Pure; <see cref="OwnedRoutesFile"/> keeps it over restarts.</summary>
internal sealed class OwnedRoutes
{
    private const string Header = "hostgw-routes 1";
    private const string AdoptedMark = "adopted ";

    // True: somebody else's once, which may come back from the persistent store; then it is still ours.
    private readonly Dictionary<OwnedRoute, bool> _routes = [];

    public int Count => _routes.Count;

    public bool Contains(OwnedRoute route) => _routes.ContainsKey(route);

    /// <summary>False: it was known.</summary>
    public bool Add(OwnedRoute route, bool adopted = false)
    {
        if (_routes.TryGetValue(route, out bool before) && (before || !adopted))
            return false;
        _routes[route] = adopted;
        return true;
    }

    /// <summary>Forgets a route that no longer stands; one that was adopted is kept in mind. False: nothing changed.</summary>
    public bool Remove(OwnedRoute route) => _routes.TryGetValue(route, out bool adopted) && !adopted && _routes.Remove(route);

    /// <summary>Forgets the routes that vanished with their interface or without us. False: there were none.</summary>
    public bool Keep(Func<OwnedRoute, bool> stands)
    {
        List<OwnedRoute> gone = [.. _routes.Where(r => !r.Value && !stands(r.Key)).Select(r => r.Key)];
        gone.ForEach(r => _routes.Remove(r));
        return gone.Count > 0;
    }

    public IEnumerable<string> Write() =>
        [Header, .. _routes.Select(r => (r.Value ? AdoptedMark : "") + r.Key).Order(StringComparer.Ordinal)];

    /// <returns>How many lines could not be read.</returns>
    public int Read(IEnumerable<string> lines)
    {
        int unreadable = 0;
        bool first = true;
        foreach (string line in lines)
        {
            bool adopted = line.StartsWith(AdoptedMark, StringComparison.Ordinal);
            if (first ? line == Header : OwnedRoute.TryParse(line.AsSpan(adopted ? AdoptedMark.Length : 0), out OwnedRoute route) && (Add(route, adopted) || true))
                first = false;
            else
                unreadable++;
        }
        return unreadable;
    }
}
