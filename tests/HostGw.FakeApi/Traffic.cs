using System.Collections.Concurrent;
using HostGw.FakeApi.Resources;

namespace HostGw.FakeApi;

/// <summary>
/// What a server has sent and taken of one resource. Bytes are those of bodies: what HTTP, TLS and TCP add is not counted.
/// </summary>
public sealed record Sent
{
    /// <summary>Lists of more than one name, also as the beginning of a watch; each page counts.</summary>
    public long Lists { get; init; }

    public long ListBytes { get; init; }

    /// <summary>Lists of one object by its name, as by clients that check the server's timeline.</summary>
    public long NamedLists { get; init; }

    /// <summary>Watches that were begun.</summary>
    public long Watches { get; init; }

    /// <summary>ADDED, MODIFIED and DELETED, counted per watch; the initial events of a streaming list belong to the list.</summary>
    public long Events { get; init; }

    /// <summary>But for those that end a streaming list.</summary>
    public long Bookmarks { get; init; }

    /// <summary>Of events and bookmarks.</summary>
    public long WatchBytes { get; init; }

    /// <summary>Of single objects, also in lists by name, and in answer to writes.</summary>
    public long OtherBytes { get; init; }

    /// <summary>Writes of clients that were not refused.</summary>
    public long Writes { get; init; }

    public long Bytes => ListBytes + WatchBytes + OtherBytes;

    /// <summary>What was added since <paramref name="before"/>.</summary>
    public Sent Since(Sent before) => new()
    {
        Lists = Lists - before.Lists,
        ListBytes = ListBytes - before.ListBytes,
        NamedLists = NamedLists - before.NamedLists,
        Watches = Watches - before.Watches,
        Events = Events - before.Events,
        Bookmarks = Bookmarks - before.Bookmarks,
        WatchBytes = WatchBytes - before.WatchBytes,
        OtherBytes = OtherBytes - before.OtherBytes,
        Writes = Writes - before.Writes,
    };
}

/// <summary>Counts what is sent, by the plural of the resource.</summary>
internal sealed class Traffic
{
    private readonly ConcurrentDictionary<string, TrafficCounter> _counters = new(StringComparer.Ordinal);

    public TrafficCounter Of(ResourceKind kind) => Of(kind.Plural);

    public TrafficCounter Of(string resource) => _counters.GetOrAdd(resource, _ => new());
}

/// <summary>Of one resource.</summary>
internal sealed class TrafficCounter
{
    private long _lists, _listBytes, _namedLists, _watches, _events, _bookmarks, _watchBytes, _otherBytes, _writes;

    public Sent Now => new()
    {
        Lists = Interlocked.Read(ref _lists),
        ListBytes = Interlocked.Read(ref _listBytes),
        NamedLists = Interlocked.Read(ref _namedLists),
        Watches = Interlocked.Read(ref _watches),
        Events = Interlocked.Read(ref _events),
        Bookmarks = Interlocked.Read(ref _bookmarks),
        WatchBytes = Interlocked.Read(ref _watchBytes),
        OtherBytes = Interlocked.Read(ref _otherBytes),
        Writes = Interlocked.Read(ref _writes),
    };

    public void List() => Interlocked.Increment(ref _lists);

    public void NamedList() => Interlocked.Increment(ref _namedLists);

    public void Watch() => Interlocked.Increment(ref _watches);

    public void Event() => Interlocked.Increment(ref _events);

    public void Bookmark() => Interlocked.Increment(ref _bookmarks);

    public void Write() => Interlocked.Increment(ref _writes);

    public void ListBytes(long count) => Interlocked.Add(ref _listBytes, count);

    public void WatchBytes(long count) => Interlocked.Add(ref _watchBytes, count);

    public void OtherBytes(long count) => Interlocked.Add(ref _otherBytes, count);
}
