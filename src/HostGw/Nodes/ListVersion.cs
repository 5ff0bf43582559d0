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

    /// <summary>The server gave up waiting for it.</summary>
    public void NotReached() => _timeouts++;
}
