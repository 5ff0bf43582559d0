using System.Threading.Channels;

namespace HostGw.FakeApi.Storage;

/// <summary>One open watch: what was there at its start, if it asked for that, and a queue of what happened since.</summary>
internal sealed class Watcher(ResourceTable table, TableSnapshot? initial, long fromRevision) : IDisposable
{
    private readonly Channel<StoreEvent> _events = Channel.CreateUnbounded<StoreEvent>(new() { SingleReader = true });

    public TableSnapshot? Initial { get; } = initial;

    public long FromRevision { get; } = fromRevision;

    public ChannelReader<StoreEvent> Events => _events.Reader;

    // A watch may start in the future; the real server then sends nothing older.
    public void Offer(StoreEvent change)
    {
        if (change.Revision > FromRevision)
            _events.Writer.TryWrite(change);
    }

    public void Dispose() => table.Unwatch(this);
}
