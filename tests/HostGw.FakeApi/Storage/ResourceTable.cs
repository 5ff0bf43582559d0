using System.Collections.Immutable;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Resources;

namespace HostGw.FakeApi.Storage;

/// <summary>The objects of one kind, their recent history, and who watches them.</summary>
internal sealed class ResourceTable
{
    private static readonly IComparer<StoredObject> ByKey =
        Comparer<StoredObject>.Create((a, b) => string.CompareOrdinal(a.Key, b.Key));

    private readonly Store _store;
    private readonly ResourceKind _kind;
    private readonly EventHistory _history;
    private readonly HashSet<Watcher> _watchers = [];
    private ImmutableSortedSet<StoredObject> _objects = ImmutableSortedSet.Create(ByKey);

    public ResourceTable(Store store, ResourceKind kind, int historyCapacity)
    {
        (_store, _kind) = (store, kind);
        _history = new EventHistory(historyCapacity, store.Revision, _objects);
    }

    public int Count => _objects.Count;

    public int WatcherCount
    {
        get
        {
            lock (_store.Gate)
                return _watchers.Count;
        }
    }

    public TableSnapshot Read()
    {
        lock (_store.Gate)
            return new TableSnapshot(_store.Revision, _objects);
    }

    /// <summary>Null when that revision is compacted.</summary>
    public TableSnapshot? ReadAt(long revision)
    {
        lock (_store.Gate)
            return revision < _history.CompactedRevision ? null : new TableSnapshot(revision, _history.At(revision));
    }

    /// <summary>Puts what <paramref name="change"/> makes of the object's present version (null: none). Its exceptions undo nothing: nothing was done.</summary>
    public StoredObject Write(string key, Func<JsonObject?, JsonObject> change, bool dryRun = false)
    {
        lock (_store.Gate)
        {
            StoredObject? old = Find(key);
            JsonObject content = change(old?.ParseOrEmpty());

            // As in etcd, a write that changes nothing has no revision and no event.
            if (old is not null && StoredObject.From(_kind, key, old.Revision, content).Json.Span.SequenceEqual(old.Json.Span))
                return old;
            long revision = dryRun ? old?.Revision ?? 0 : _store.NextRevision();
            StoredObject written = StoredObject.From(_kind, key, revision, content);
            return dryRun ? written : Commit(old, written);
        }
    }

    public void WriteRaw(string key, ReadOnlyMemory<byte> json)
    {
        lock (_store.Gate)
            Commit(Find(key), StoredObject.Raw(key, _store.NextRevision(), json));
    }

    /// <summary>Null when there is nothing to delete.</summary>
    public StoredObject? Delete(string key)
    {
        lock (_store.Gate)
        {
            if (Find(key) is not { } old)
                return null;
            // A deletion's event carries the revision of the deletion.
            StoredObject last = old.WithRevision(_kind, _store.NextRevision());
            _objects = _objects.Remove(old);
            Publish(new StoreEvent(EventType.Deleted, last, old, last.Revision, _objects));
            return last;
        }
    }

    /// <summary>Null when the history needed is compacted. Without a revision: what is there now, then what follows.</summary>
    public Watcher? Watch(long? fromRevision)
    {
        lock (_store.Gate)
        {
            if (fromRevision < _history.CompactedRevision)
                return null;
            TableSnapshot? initial = fromRevision is null ? new TableSnapshot(_store.Revision, _objects) : null;
            var watcher = new Watcher(this, initial, fromRevision ?? _store.Revision);
            foreach (StoreEvent missed in _history.After(watcher.FromRevision))
                watcher.Offer(missed);
            _watchers.Add(watcher);
            return watcher;
        }
    }

    public void Unwatch(Watcher watcher)
    {
        lock (_store.Gate)
            _watchers.Remove(watcher);
    }

    public void Compact(long revision) => _history.Compact(revision);

    private StoredObject? Find(string key) => new TableSnapshot(0, _objects).Find(key);

    private StoredObject Commit(StoredObject? old, StoredObject written)
    {
        _objects = (old is null ? _objects : _objects.Remove(old)).Add(written);
        EventType type = old is null ? EventType.Added : EventType.Modified;
        Publish(new StoreEvent(type, written, old, written.Revision, _objects));
        return written;
    }

    private void Publish(StoreEvent change)
    {
        _history.Append(change);
        foreach (Watcher watcher in _watchers)
            watcher.Offer(change);
    }
}
