using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Selectors;
using HostGw.FakeApi.Storage;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Http;

/// <summary>watch: from a revision, from now, or (sendInitialEvents) as a streaming list.</summary>
internal sealed class WatchEndpoint(ServerState server, WatchEnds ends, Negotiation negotiation, FakeApiOptions options)
{
    public async Task ServeAsync(HttpContext context, ApiPath path, ListOptions asked, Reply reply)
    {
        asked = Understood(asked);
        long newest = server.Cache.Revision;
        if (server.Faults.CacheInitializing)
            throw ApiException.CacheInitializing();
        ObjectEncoder encoder = negotiation.Choose(context.Request, path.Kind);
        // A watch of one object by path is a watch of the collection by name.
        Selection selection = Selection.From(path.Kind, path.Namespace, path.Name, context.Request.Query);
        using Seat? seat = asked.SendInitialEvents == true && selection.Key is null
            ? await server.Seats.TakeAsync(context.RequestAborted)
            : null;
        TableSnapshot? past = path.Kind == Kinds.Node && asked.SendInitialEvents == true ? server.Faults.PastOf(asked.Revision is not null) : null;
        bool fromNow = asked.SendInitialEvents == true || asked.Revision is null or 0;
        using Watcher? watcher = server.Cache.Watch(path.Kind, past?.Revision ?? (fromNow ? null : asked.Revision), selection.Key);
        (reply.IsWatch, reply.IsList) = (true, asked.SendInitialEvents == true);
        reply.Traffic?.Watch();
        if (reply.IsList)
            reply.Traffic?.List();
        await reply.StartAsync(200, encoder.WatchContentType);

        var output = new WatchOutput(encoder, reply, seat);
        if (asked is { SendInitialEvents: true, Revision: { } wanted } && wanted > newest)
        {
            await output.ErrorAsync(ApiException.TooLargeRevision(wanted, newest));
            return;
        }
        if (watcher is null)
        {
            await output.ErrorAsync(Expired(asked, path.Kind));
            return;
        }
        WatchEnd end = ends.Next;
        TimeSpan timeout = asked.Timeout ?? TimeSpan.FromMinutes(30 + Random.Shared.Next(30));
        using var over = new CancellationTokenSource(timeout, options.Time);
        using var lifetime = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, end.Token, over.Token);
        var stream = new WatchStream(watcher, server, new WatchFilter(path.Kind, selection), output);
        using var bookmarks = new BookmarkTimes(asked.Bookmarks ? options.BookmarkPeriod : null, timeout, options.Time, lifetime.Token);
        await stream.RunAsync(past, asked, bookmarks, lifetime.Token);
        if (end.IsExpiry && !context.RequestAborted.IsCancellationRequested)
            await output.ErrorAsync(Expired(asked, path.Kind));
    }

    private ApiException Expired(ListOptions asked, ResourceKind kind) =>
        ApiException.Expired($"too old resource version: {asked.Revision ?? 0} ({Math.Max(server.Cache.Oldest, server.Store[kind].CompactedRevision)})");

    private ListOptions Understood(ListOptions asked)
    {
        if (asked.SendInitialEvents is null || server.StreamingLists == StreamingLists.Ignored)
            return asked with { SendInitialEvents = null };
        if (server.StreamingLists == StreamingLists.Refused)
        {
            const string Field = "sendInitialEvents";
            throw ApiException.Invalid("meta.k8s.io", "ListOptions", "",
                [new(Field, "FieldValueForbidden", $"Forbidden: {Field} is forbidden for watch unless the WatchList feature gate is enabled")]);
        }
        return asked;
    }
}

/// <summary>
/// When a watch with allowWatchBookmarks is due a BOOKMARK: every <paramref name="period"/> (null: never) and in its last 2 s.
/// </summary>
/// <param name="lifetime">Of the watch.</param>
internal sealed class BookmarkTimes(TimeSpan? period, TimeSpan timeout, TimeProvider time, CancellationToken lifetime) : IDisposable
{
    private static readonly TimeSpan BeforeTimeout = TimeSpan.FromSeconds(2), AtTheEnd = TimeSpan.FromSeconds(0.5);

    private readonly long _start = time.GetTimestamp();
    private CancellationTokenSource? _due, _dueOrOver;

    /// <summary>Cancelled when the next one is due, or the watch is over.</summary>
    public CancellationToken DueOrOver
    {
        get
        {
            if (_dueOrOver is null)
            {
                _due = new(UntilNext(), time);
                _dueOrOver = CancellationTokenSource.CreateLinkedTokenSource(_due.Token, lifetime);
            }
            return _dueOrOver.Token;
        }
    }

    /// <summary>Whether one is due; then the time until the next one begins.</summary>
    public bool Take()
    {
        if (_due is not { IsCancellationRequested: true })
            return false;
        Dispose();
        return true;
    }

    public void Dispose()
    {
        _due?.Dispose();
        _dueOrOver?.Dispose();
        (_due, _dueOrOver) = (null, null);
    }

    private TimeSpan UntilNext()
    {
        if (period is not { } usual)
            return Timeout.InfiniteTimeSpan;
        TimeSpan untilLast = timeout - BeforeTimeout - time.GetElapsedTime(_start);
        if (untilLast > TimeSpan.Zero)
            return untilLast < usual ? untilLast : usual;
        return usual < AtTheEnd ? usual : AtTheEnd;
    }
}

/// <summary>The frames of one watch in its content type.</summary>
/// <param name="Seat">Given back when the initial events are sent; null: it needs none.</param>
internal sealed record WatchOutput(ObjectEncoder Encoder, Reply Reply, Seat? Seat)
{
    public async Task ErrorAsync(ApiException error)
    {
        Encoder.WatchError(Reply.Body, error.ToStatus());
        await Reply.SendAsync();
    }
}

/// <summary>Writes one watch until its lifetime ends: what is there, if asked, then what happens, and bookmarks between.</summary>
internal sealed class WatchStream(Watcher watcher, ServerState server, WatchFilter filter, WatchOutput output)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    private readonly ObjectEncoder _encoder = output.Encoder;
    private readonly Reply _reply = output.Reply;
    private readonly Faults _faults = server.Faults;
    private long _seen = watcher.FromRevision;

    /// <param name="past">What it begins with instead of what is there; null: the truth.</param>
    public async Task RunAsync(TableSnapshot? past, ListOptions asked, BookmarkTimes bookmarks, CancellationToken lifetime)
    {
        try
        {
            await InitialAsync(past ?? watcher.TakeInitial(), asked, lifetime);
            while (!_reply.IsBrokenOff)
            {
                await WaitAsync(bookmarks, lifetime);
                while (_faults.FreezeWatches || IsAheadOfCache())
                    await Task.Delay(Poll, lifetime);
                // A watch from the future gets nothing, not even a bookmark, until the server has reached its revision.
                if (bookmarks.Take() && (watcher.Passed ?? _seen) is var passed && passed <= server.Cache.Revision)
                    Bookmark(passed, initialEventsEnd: false);
                await EventsAsync();
                await _reply.SendAsync();
            }
        }
        catch (OperationCanceledException) when (lifetime.IsCancellationRequested)
        {
            // Timed out, ended or cut: the end of the body says so.
        }
    }

    private async Task InitialAsync(TableSnapshot? initial, ListOptions asked, CancellationToken lifetime)
    {
        long required = asked.SendInitialEvents == true && asked.Revision is null ? server.Store.Revision : 0;
        if (initial is not null && asked.SendInitialEvents != false)
        {
            bool isList = asked.SendInitialEvents == true;
            foreach (StoredObject item in isList && _faults.EmptyLists ? [] : filter.In(initial))
            {
                _encoder.WatchEvent(_reply.Body, "ADDED", filter.Form(item));
                await _reply.SendIfLargeAsync();
            }
        }
        if (asked is { SendInitialEvents: true, Bookmarks: true })
        {
            // The end of a list by quorum: not before the cache has received what the store held when it was asked.
            if (server.Cache.Revision < required)
            {
                await _reply.SendAsync();
                while (server.Cache.Revision < required)
                    await Task.Delay(Poll, lifetime);
                await EventsAsync();
            }
            Bookmark(Math.Max(_seen, required), initialEventsEnd: true);
        }
        await _reply.SendAsync();
        output.Seat?.Dispose();
        _reply.IsList = false;
    }

    /// <summary>Until there is an event, or a bookmark is due.</summary>
    private async Task WaitAsync(BookmarkTimes bookmarks, CancellationToken lifetime)
    {
        try
        {
            await watcher.Events.WaitToReadAsync(bookmarks.DueOrOver);
        }
        catch (OperationCanceledException) when (!lifetime.IsCancellationRequested)
        {
            // A bookmark.
        }
    }

    private void Bookmark(long revision, bool initialEventsEnd)
    {
        _encoder.Bookmark(_reply.Body, revision, initialEventsEnd);
        if (!initialEventsEnd)
            _reply.Traffic?.Bookmark();
    }

    private bool IsAheadOfCache() => watcher.Events.TryPeek(out StoreEvent? next) && next.Revision > server.Cache.Revision;

    private async Task EventsAsync()
    {
        while (!_faults.FreezeWatches && !IsAheadOfCache() && watcher.Events.TryRead(out StoreEvent? change))
        {
            _seen = change.Revision;
            if (filter.See(change) is not var (type, item) || _faults.DropsEvent())
                continue;
            Event(type, item);
            if (_faults.DuplicateEvents)
                Event(type, item);
            await _reply.SendIfLargeAsync();
        }
    }

    private void Event(string type, StoredObject item)
    {
        _encoder.WatchEvent(_reply.Body, type, item);
        _reply.Traffic?.Event();
    }
}

/// <summary>What a write looks like to a watch with selectors: an object that stops matching is DELETED, one that starts is ADDED.</summary>
internal sealed class WatchFilter(ResourceKind kind, Selection selection)
{
    /// <summary>What it begins with.</summary>
    public IEnumerable<StoredObject> In(TableSnapshot table) => selection.In(table);

    public StoredObject Form(StoredObject stored) => EventForm.Of(kind, stored);

    /// <summary>Null when this watch does not hear of it.</summary>
    public (string Type, StoredObject Object)? See(StoreEvent change)
    {
        bool before = change.Previous is { } previous && selection.Matches(previous);
        bool now = change.Type != EventType.Deleted && selection.Matches(change.Object);
        return (before, now) switch
        {
            (false, true) => ("ADDED", Form(change.Object)),
            (true, true) => ("MODIFIED", Form(change.Object)),
            (true, false) when change.Type == EventType.Deleted => ("DELETED", Form(change.Object)),
            (true, false) => ("DELETED", Form(change.Departed(kind))),
            _ => null,
        };
    }
}

/// <summary>Ends all open watches at once, cleanly or with an ERROR event.</summary>
internal sealed class WatchEnds : IDisposable
{
    private WatchEnd _next = new();

    /// <summary>What ends the watches that begin now.</summary>
    public WatchEnd Next => Volatile.Read(ref _next);

    // The one that came is left to the collector: watches may be linking to it.
    public void End(bool expired) => Interlocked.Exchange(ref _next, new WatchEnd()).Come(expired);

    public void Dispose() => _next.Dispose();
}

/// <summary>One such end.</summary>
internal sealed class WatchEnd : CancellationTokenSource
{
    /// <summary>It has come, and the watches should say that their revision is too old.</summary>
    public bool IsExpiry { get; private set; }

    public void Come(bool expired)
    {
        IsExpiry = expired;
        Cancel();
    }
}
