using HostGw.FakeApi.Resources;

namespace HostGw.FakeApi.Storage;

/// <summary>All tables under one resourceVersion, as in etcd. Several servers may share one.</summary>
internal sealed class Store
{
    private readonly Dictionary<string, ResourceTable> _tables;
    private long _revision = 1000;
    private int _restores;

    public Store(int historyCapacity) =>
        _tables = Kinds.All.ToDictionary(k => k.Kind, k => new ResourceTable(this, k, historyCapacity), StringComparer.Ordinal);

    /// <summary>Held for every write of any table: revisions are handed out in order.</summary>
    public Lock Gate { get; } = new();

    public long Revision => Interlocked.Read(ref _revision);

    /// <summary>How often <see cref="Restore"/> was called: what was remembered before the last one is void.</summary>
    public int Restores => Volatile.Read(ref _restores);

    public ResourceTable this[ResourceKind kind] => _tables[kind.Kind];

    public void Advance(long revision) => Interlocked.Exchange(ref _revision, revision);

    public long NextRevision() => Interlocked.Increment(ref _revision);

    /// <summary>Forgets all history, also the revision that clients hold now: one more revision is used up.</summary>
    public void Compact()
    {
        lock (Gate)
        {
            long revision = NextRevision();
            foreach (ResourceTable table in _tables.Values)
                table.Compact(revision);
        }
    }

    public StoreSnapshot Snapshot()
    {
        lock (Gate)
            return new StoreSnapshot(Revision, _tables.ToDictionary(t => t.Key, t => t.Value.Read(), StringComparer.Ordinal));
    }

    /// <summary>Contents and revision go back, as when etcd is restored from a snapshot.</summary>
    public void Restore(StoreSnapshot snapshot)
    {
        lock (Gate)
        {
            Interlocked.Exchange(ref _revision, snapshot.ResourceVersion);
            Interlocked.Increment(ref _restores);
            foreach ((string kind, TableSnapshot past) in snapshot.Tables)
                _tables[kind].Restore(past);
        }
    }
}
