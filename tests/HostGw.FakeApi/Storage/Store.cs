using HostGw.FakeApi.Resources;

namespace HostGw.FakeApi.Storage;

/// <summary>All tables under one resourceVersion, as in etcd.</summary>
internal sealed class Store
{
    private readonly Dictionary<string, ResourceTable> _tables;
    private long _revision = 1000;

    public Store(int historyCapacity) =>
        _tables = Kinds.All.ToDictionary(k => k.Kind, k => new ResourceTable(this, k, historyCapacity), StringComparer.Ordinal);

    /// <summary>Held for every write of any table: revisions are handed out in order.</summary>
    public Lock Gate { get; } = new();

    public long Revision => Interlocked.Read(ref _revision);

    public ResourceTable this[ResourceKind kind] => _tables[kind.Kind];

    public long NextRevision() => Interlocked.Increment(ref _revision);

    /// <summary>Forgets every past revision, also the one clients hold now, as if something else had been written since.</summary>
    public void Compact()
    {
        lock (Gate)
        {
            long revision = NextRevision();
            foreach (ResourceTable table in _tables.Values)
                table.Compact(revision);
        }
    }
}
