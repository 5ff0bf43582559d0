using System.Globalization;

namespace HostGw.Platform.Windows;

/// <summary>The routes that are HostGw's: Windows does not record who made a route. Pure.</summary>
internal sealed class OwnedRoutes
{
    private const string Header = "hostgw-routes 1";
    private const string AdoptedMark = "adopted ";

    // True: adopted. Such a route may come back from Windows's persistent store and is still ours then.
    private readonly Dictionary<OwnedRoute, bool> _routes = [];

    public int Count => _routes.Count;

    public bool Contains(OwnedRoute route) => _routes.ContainsKey(route);

    /// <returns>False: nothing changed.</returns>
    public bool Add(OwnedRoute route, bool adopted = false)
    {
        if (_routes.TryGetValue(route, out bool before) && (before || !adopted))
            return false;
        _routes[route] = adopted;
        return true;
    }

    /// <summary>Forgets a route that was removed, unless it was adopted.</summary>
    /// <returns>False: nothing changed.</returns>
    public bool Remove(OwnedRoute route) => _routes.TryGetValue(route, out bool adopted) && !adopted && _routes.Remove(route);

    /// <summary>Forgets the routes that are no longer installed, unless they were adopted.</summary>
    /// <returns>False: nothing changed.</returns>
    public bool Keep(Func<OwnedRoute, bool> isInstalled)
    {
        List<OwnedRoute> gone = [.. _routes.Where(r => !r.Value && !isInstalled(r.Key)).Select(r => r.Key)];
        gone.ForEach(r => _routes.Remove(r));
        return gone.Count > 0;
    }

    public IEnumerable<string> Write() =>
        [Header, .. _routes.Select(r => (r.Value ? AdoptedMark : "") + r.Key).Order(StringComparer.Ordinal)];

    /// <returns>The number of unreadable lines.</returns>
    public int Read(IEnumerable<string> lines)
    {
        int unreadable = 0;
        bool first = true;
        foreach (string line in lines)
        {
            bool adopted = line.StartsWith(AdoptedMark, StringComparison.Ordinal);
            if (first && line == Header)
                first = false;
            else if (!first && OwnedRoute.TryParse(line.AsSpan(adopted ? AdoptedMark.Length : 0), out OwnedRoute route))
                Add(route, adopted);
            else
                unreadable++;
        }
        return unreadable;
    }
}

/// <summary>The key of a route on Windows, and a line of the file of our routes.</summary>
/// <param name="NextHop">None for an on-link route.</param>
/// <param name="Luid">Its interface.</param>
internal readonly record struct OwnedRoute(Prefix Destination, Ip NextHop, ulong Luid)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Destination} {(NextHop.IsNone ? "on-link" : NextHop.ToString())} {Luid:x16}");

    public static bool TryParse(ReadOnlySpan<char> text, out OwnedRoute route)
    {
        route = default;
        Span<Range> words = stackalloc Range[4];
        if (text.Split(words, ' ') != 3 || !Prefix.TryParse(text[words[0]], out Prefix destination))
            return false;
        ReadOnlySpan<char> hop = text[words[1]];
        Ip nextHop = default;
        if (hop is not "on-link" && (!Ip.TryParse(hop, out nextHop) || nextHop.IsIPv4 != destination.IsIPv4))
            return false;
        if (!ulong.TryParse(text[words[2]], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong luid))
            return false;
        route = new(destination, nextHop, luid);
        return true;
    }
}

/// <summary>Keeps the list of our routes in the state directory. Replaced atomically, so that a crash leaves no partial file.</summary>
internal sealed class OwnedRoutesFile(string directory)
{
    private readonly string _path = Path.Combine(directory, OwnFiles.Routes);

    /// <summary>Empty if the file does not exist.</summary>
    /// <param name="problem">Names unreadable lines, or what was renamed because another user had made it; empty: neither.</param>
    /// <exception cref="StateFileException">The file cannot be read.</exception>
    public OwnedRoutes Read(out string problem)
    {
        OwnedRoutes routes = new();
        problem = "";
        try
        {
            if (StateDirectory.SetAside(directory, _path) is { Length: > 0 } renamed)
                problem = $"{renamed}: routes that a list in it names count as foreign. Look at it, remove it and restart the agent";
            if (StateDirectory.Rejection(directory, _path) is { Length: > 0 } rejection)
            {
                problem = $"the list of HostGw's routes is not read: {rejection}";
                return routes;
            }
            int unreadable = routes.Read(File.ReadLines(_path));
            if (unreadable > 0)
                problem = $"{_path} holds {unreadable} unreadable lines: routes that they named count as foreign";
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // HostGw has made no route on this host yet.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Going on without it would lose all routes that it lists with the next write.
            throw new StateFileException($"read {_path}: {e.Message}", e);
        }
        return routes;
    }

    /// <exception cref="StateFileException">The file cannot be written.</exception>
    public void Write(OwnedRoutes routes)
    {
        try
        {
            StateDirectory.Make(directory);
            AtomicFile.Write(_path, _path + OwnFiles.NewRoutes, stream =>
            {
                using StreamWriter writer = new(stream, leaveOpen: true);
                foreach (string line in routes.Write())
                    writer.WriteLine(line);
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StateFileException($"write {_path}: {e.Message}", e);
        }
    }
}

/// <summary>A file in the state directory cannot be read or written.</summary>
internal sealed class StateFileException(string message, Exception inner) : HostNetworkException(message, inner)
{
    public override bool IsNotFound => false;
}
