using System.Collections.Immutable;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Resources;

namespace HostGw.FakeApi.Storage;

/// <summary>The objects of one kind, their recent history, and who watches them.</summary>
internal sealed class ResourceTable
{
    public static readonly IComparer<StoredObject> ByKey =
        Comparer<StoredObject>.Create((a, b) => string.CompareOrdinal(a.Key, b.Key));

    private readonly Store _store;
    private readonly ResourceKind _kind;
    private readonly int _historyCapacity;
    private EventHistory _history;
    private readonly Watchers _watchers = new();
    private ImmutableSortedSet<StoredObject> _objects = ImmutableSortedSet.Create(ByKey);

    public ResourceTable(Store store, ResourceKind kind, int historyCapacity)
    {
        (_store, _kind, _historyCapacity) = (store, kind, historyCapacity);
        _history = new EventHistory(historyCapacity, store.Revision, _objects);
    }

    public int Count => _objects.Count;

    public long CompactedRevision => _history.CompactedRevision;

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

    /// <summary>A write that was made elsewhere, with its revision and bytes.</summary>
    public void Import(StoredObject version, bool deleted)
    {
        lock (_store.Gate)
        {
            _store.Advance(version.Revision);
            StoredObject? old = Find(version.Key);
            if (!deleted)
            {
                Commit(old, version);
                return;
            }
            _objects = old is null ? _objects : _objects.Remove(old);
            Publish(new StoreEvent(EventType.Deleted, version, old, version.Revision, _objects));
        }
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
    /// <param name="key">Of the only object that the watch can be about; null: of several.</param>
    public Watcher? Watch(long? fromRevision, string? key = null, TableSnapshot? initial = null)
    {
        lock (_store.Gate)
        {
            if (fromRevision < _history.CompactedRevision)
                return null;
            initial ??= fromRevision is null ? new TableSnapshot(_store.Revision, _objects) : null;
            var watcher = new Watcher(this, initial, fromRevision ?? _store.Revision) { Key = key };
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

    /// <summary>Up to which revision a watch has been offered all events; null: it has not read all of them.</summary>
    public long? Passed(Watcher watcher)
    {
        lock (_store.Gate)
            return watcher.HasEvents ? null : Math.Max(watcher.Last, _watchers.Latest);
    }

    public void Compact(long revision) => _history.Compact(revision);

    /// <summary>Contents and history of an earlier moment. Open watches stay: they get what is newer than the last event they got.</summary>
    public void Restore(TableSnapshot past)
    {
        _objects = past.Objects;
        _watchers.PassLatest();
        _history = new EventHistory(_historyCapacity, past.Revision, _objects);
    }

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
        _watchers.Offer(change);
    }
}

internal enum EventType
{
    Added,
    Modified,
    Deleted,
}

/// <summary>One write: what changed, what stood before, and the whole table after it (shared, so keeping it costs nothing).</summary>
internal sealed record StoreEvent(
    EventType Type, StoredObject Object, StoredObject? Previous, long Revision, ImmutableSortedSet<StoredObject> After)
{
    private StoredObject? _departed;

    /// <summary>What a watch is sent whose selector the object no longer matches: what stood before, under this revision.</summary>
    public StoredObject Departed(ResourceKind kind) => _departed ??= Previous!.WithRevision(kind, Revision);
}

/// <summary>All objects of a kind, in key order, as they stood at one revision.</summary>
internal sealed record TableSnapshot(long Revision, ImmutableSortedSet<StoredObject> Objects)
{
    public StoredObject? Find(string key) => Objects.TryGetValue(StoredObject.Probe(key), out StoredObject? found) ? found : null;

    /// <summary>Where the first object after this key is, or would be.</summary>
    public int IndexAfter(string key)
    {
        int index = Objects.IndexOf(StoredObject.Probe(key));
        return index < 0 ? ~index : index + 1;
    }
}

/// <summary>The last writes of a table. What was pushed out is compacted: asking for it is 410. Not thread-safe.</summary>
internal sealed class EventHistory(int capacity, long revision, ImmutableSortedSet<StoredObject> objects)
{
    private readonly StoreEvent[] _ring = new StoreEvent[capacity];
    private int _first;
    private int _count;
    private ImmutableSortedSet<StoredObject> _atCompaction = objects;

    /// <summary>The oldest revision that can still be read or watched from.</summary>
    public long CompactedRevision { get; private set; } = revision;

    public void Append(StoreEvent change)
    {
        if (_count == capacity)
            DropOldest();
        _ring[(_first + _count++) % capacity] = change;
    }

    public void Compact(long revision)
    {
        while (_count > 0)
            DropOldest();
        CompactedRevision = revision;
    }

    public IEnumerable<StoreEvent> After(long revision)
    {
        for (int i = CountUpTo(revision); i < _count; i++)
            yield return this[i];
    }

    /// <summary>The table as it stood at a revision that is not compacted.</summary>
    public ImmutableSortedSet<StoredObject> At(long revision)
    {
        int index = CountUpTo(revision);
        return index == 0 ? _atCompaction : this[index - 1].After;
    }

    private StoreEvent this[int index] => _ring[(_first + index) % capacity];

    private int CountUpTo(long revision)
    {
        int low = 0, high = _count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (this[middle].Revision <= revision)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private void DropOldest()
    {
        StoreEvent oldest = _ring[_first];
        (_atCompaction, CompactedRevision) = (oldest.After, oldest.Revision);
        _ring[_first] = null!;
        _first = (_first + 1) % capacity;
        _count--;
    }
}
