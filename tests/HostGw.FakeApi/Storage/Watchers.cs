using System.Threading.Channels;

namespace HostGw.FakeApi.Storage;

/// <summary>
/// The open watches of one table. Those of a single object are found by its key, so that a write to another object costs them nothing:
/// thousands of agents watch their own Node each.
/// </summary>
/// <remarks>Not thread-safe: used under the store's gate.</remarks>
internal sealed class Watchers
{
    private readonly HashSet<Watcher> _ofMany = [];
    private readonly Dictionary<string, List<Watcher>> _ofOne = new(StringComparer.Ordinal);

    public int Count { get; private set; }

    /// <summary>The revision of the last event; 0 before the first.</summary>
    public long Latest { get; private set; }

    public void Add(Watcher watcher)
    {
        Count++;
        if (watcher.Key is not { } key)
            _ofMany.Add(watcher);
        else if (_ofOne.TryGetValue(key, out List<Watcher>? others))
            others.Add(watcher);
        else
            _ofOne[key] = [watcher];
    }

    public void Remove(Watcher watcher)
    {
        bool removed = watcher.Key is { } key
            ? _ofOne.TryGetValue(key, out List<Watcher>? others) && others.Remove(watcher)
            : _ofMany.Remove(watcher);
        Count -= removed ? 1 : 0;
    }

    public void Offer(StoreEvent change)
    {
        Latest = change.Revision;
        foreach (Watcher watcher in _ofMany)
            watcher.Offer(change);
        foreach (Watcher watcher in _ofOne.GetValueOrDefault(change.Object.Key) ?? [])
            watcher.Offer(change);
    }

    /// <summary>No watch gets an event up to the last revision any more: the store goes back.</summary>
    public void PassLatest()
    {
        foreach (Watcher watcher in _ofMany.Concat(_ofOne.Values.SelectMany(w => w)))
            watcher.Pass(Latest);
    }
}

/// <summary>One open watch: what was there at its start, if it asked for that, and a queue of what happened since.</summary>
internal sealed class Watcher(ResourceTable table, TableSnapshot? initial, long fromRevision) : IDisposable
{
    private readonly Channel<StoreEvent> _events = Channel.CreateUnbounded<StoreEvent>(new() { SingleReader = true });
    private TableSnapshot? _initial = initial;

    public long FromRevision { get; } = fromRevision;

    /// <summary>Of the only object whose events it gets; null: it gets those of all.</summary>
    public string? Key { get; init; }

    /// <summary>The revision that an event must exceed to be offered.</summary>
    public long Last { get; private set; } = fromRevision;

    public ChannelReader<StoreEvent> Events => _events.Reader;

    public bool HasEvents => _events.Reader.TryPeek(out _);

    /// <inheritdoc cref="ResourceTable.Passed"/>
    public long? Passed => table.Passed(this);

    // Silence until the store has passed the last event: also for a watch from the future, and after a restore.
    public void Offer(StoreEvent change)
    {
        if (change.Revision <= Last)
            return;
        Last = change.Revision;
        _events.Writer.TryWrite(change);
    }

    /// <summary>What was there at its start; once, for it would keep old versions of objects alive as long as the watch is open.</summary>
    public TableSnapshot? TakeInitial() => Interlocked.Exchange(ref _initial, null);

    public void Pass(long revision) => Last = Math.Max(Last, revision);

    public void Dispose() => table.Unwatch(this);
}
