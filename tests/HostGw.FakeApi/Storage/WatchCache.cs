using HostGw.FakeApi.Resources;

namespace HostGw.FakeApi.Storage;

/// <summary>What one API server has received from the store: the source of watches and of lists that name a resourceVersion.</summary>
/// <remarks>kubernetes staging/src/k8s.io/apiserver/pkg/storage/cacher.</remarks>
internal sealed class WatchCache(Store store)
{
    private volatile StoreSnapshot? _stoppedAt;
    private (long Oldest, int Restores) _start;

    /// <summary>It receives nothing until <see cref="Resume"/>: this server lags behind the store.</summary>
    public void Stop() => _stoppedAt = store.Snapshot();

    public void Resume() => _stoppedAt = null;

    public long Revision => _stoppedAt?.ResourceVersion ?? store.Revision;

    /// <summary>The oldest revision from which a watch can begin, of those that the store still has.</summary>
    public long Oldest => _start.Restores == store.Restores ? _start.Oldest : 0;

    /// <summary>Begins with what the store holds now: the history before is gone, also the revision that clients hold.</summary>
    public void Rebuild()
    {
        lock (store.Gate)
            _start = (store.NextRevision(), store.Restores);
    }

    public TableSnapshot Read(ResourceKind kind) => _stoppedAt?.Tables[kind.Kind] ?? store[kind].Read();

    /// <summary>Null when the revision is older than the history. Without one: what is there now, then what follows.</summary>
    /// <param name="key">Of the only object that the watch can be about; null: of several.</param>
    public Watcher? Watch(ResourceKind kind, long? fromRevision, string? key)
    {
        if (_stoppedAt is { } stopped && fromRevision is null)
            return store[kind].Watch(stopped.ResourceVersion, key, stopped.Tables[kind.Kind]);
        return fromRevision < Oldest ? null : store[kind].Watch(fromRevision, key);
    }
}
