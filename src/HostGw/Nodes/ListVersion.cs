using System.Globalization;
using HostGw.Kubernetes;

namespace HostGw.Nodes;

/// <summary>The resource version from which to list: from the watch cache, but never back in time.</summary>
internal sealed class ListVersion(NodeStore store)
{
    // After an etcd restore no server ever reaches the version that we know: then only a quorum read ends the wait.
    private const int TimeoutsBeforeQuorum = 3;

    private int _timeouts;

    /// <summary>"0": whatever the cache has; null: the latest, by quorum.</summary>
    public string? Next => store.ResourceVersion is { Length: > 0 } known ? (_timeouts < TimeoutsBeforeQuorum ? known : null) : "0";

    public void Reached() => _timeouts = 0;

    /// <summary>A server, or what stands before it, may answer with less than it was asked for.</summary>
    /// <exception cref="NodeStreamException">The list is older than what is known.</exception>
    public void RequireNotOlder(string listed)
    {
        if (!IsOlder(listed, store.ResourceVersion))
            return;
        _timeouts++;
        throw new NodeStreamException($"The API server answered with resource version {ApiStatus.OneLine(listed)}, which is older than {store.ResourceVersion}");
    }

    private static bool IsOlder(string listed, string known) =>
        ulong.TryParse(listed, NumberStyles.None, CultureInfo.InvariantCulture, out ulong a) &&
        ulong.TryParse(known, NumberStyles.None, CultureInfo.InvariantCulture, out ulong b) && a < b;

    /// <summary>The server gave up waiting for it.</summary>
    public void NotReached() => _timeouts++;
}
