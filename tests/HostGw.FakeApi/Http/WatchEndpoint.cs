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
        if (server.Faults.CacheInitializing)
            throw ApiException.CacheInitializing();
        ObjectEncoder encoder = negotiation.Choose(context.Request, path.Kind);
        Selection selection = SelectionOf(path, context.Request);
        TableSnapshot? past = path.Kind == Kinds.Node && asked.SendInitialEvents == true ? server.Faults.PastOf(asked.Revision is not null) : null;
        bool fromNow = asked.SendInitialEvents == true || asked.Revision is null or 0;
        using Watcher? watcher = server.Cache.Watch(path.Kind, past?.Revision ?? (fromNow ? null : asked.Revision));
        await reply.StartAsync(200, encoder.WatchContentType);

        var output = new WatchOutput(encoder, reply);
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
        var bookmarks = new BookmarkTimes(asked.Bookmarks ? options.BookmarkPeriod : null, timeout, options.Time);
        await stream.RunAsync(past ?? watcher.Initial, asked, bookmarks, lifetime.Token);
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
        if (asked.Revision > server.Cache.Revision)
            throw ApiException.TooLargeRevision(asked.Revision.Value, server.Cache.Revision);
        return asked;
    }

    // A watch of one object by path is a watch of the collection by name.
    private static Selection SelectionOf(ApiPath path, HttpRequest request)
    {
        Selection selection = Selection.From(path.Kind, path.Namespace, request.Query);
        return path.Name is null ? selection : selection with { Fields = FieldSelector.Parse($"metadata.name={path.Name}", path.Kind) };
    }
}

/// <summary>When a watch with allowWatchBookmarks is due a BOOKMARK: every <paramref name="Period"/> (null: never) and in its last 2 s.</summary>
internal sealed record BookmarkTimes(TimeSpan? Period, TimeSpan Timeout, TimeProvider Time)
{
    private static readonly TimeSpan BeforeTimeout = TimeSpan.FromSeconds(2), AtTheEnd = TimeSpan.FromSeconds(0.5);

    private readonly long _start = Time.GetTimestamp();

    /// <summary>Cancelled when the next one is due.</summary>
    public CancellationTokenSource Next() => new(UntilNext(), Time);

    private TimeSpan UntilNext()
    {
        if (Period is not { } period)
            return System.Threading.Timeout.InfiniteTimeSpan;
        TimeSpan untilLast = Timeout - BeforeTimeout - Time.GetElapsedTime(_start);
        if (untilLast > TimeSpan.Zero)
            return untilLast < period ? untilLast : period;
        return period < AtTheEnd ? period : AtTheEnd;
    }
}

/// <summary>The frames of one watch in its content type.</summary>
internal sealed record WatchOutput(ObjectEncoder Encoder, Reply Reply)
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

    public async Task RunAsync(TableSnapshot? initial, ListOptions asked, BookmarkTimes bookmarks, CancellationToken lifetime)
    {
        try
        {
            await InitialAsync(initial, asked, lifetime);
            while (!_reply.IsBrokenOff)
            {
                bool bookmarkDue = !await WaitAsync(bookmarks, lifetime);
                while (_faults.FreezeWatches || IsAheadOfCache())
                    await Task.Delay(Poll, lifetime);
                // A watch from the future gets nothing, not even a bookmark, until the server has reached its revision.
                if (bookmarkDue && _seen <= server.Cache.Revision)
                    _encoder.Bookmark(_reply.Body, _seen, initialEventsEnd: false);
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
            foreach (StoredObject item in isList && _faults.EmptyLists ? [] : initial.Objects)
            {
                if (!filter.Matches(item))
                    continue;
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
            _encoder.Bookmark(_reply.Body, _seen, initialEventsEnd: true);
        }
        await _reply.SendAsync();
    }

    /// <summary>False when a bookmark is due and no event came.</summary>
    private async Task<bool> WaitAsync(BookmarkTimes bookmarks, CancellationToken lifetime)
    {
        using CancellationTokenSource due = bookmarks.Next();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, lifetime);
        try
        {
            return await watcher.Events.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!lifetime.IsCancellationRequested)
        {
            return false;
        }
    }

    private bool IsAheadOfCache() => watcher.Events.TryPeek(out StoreEvent? next) && next.Revision > server.Cache.Revision;

    private async Task EventsAsync()
    {
        while (!_faults.FreezeWatches && !IsAheadOfCache() && watcher.Events.TryRead(out StoreEvent? change))
        {
            _seen = change.Revision;
            if (filter.See(change) is not var (type, item) || _faults.DropsEvent())
                continue;
            _encoder.WatchEvent(_reply.Body, type, item);
            if (_faults.DuplicateEvents)
                _encoder.WatchEvent(_reply.Body, type, item);
            await _reply.SendIfLargeAsync();
        }
    }
}

/// <summary>What a write looks like to a watch with selectors: an object that stops matching is DELETED, one that starts is ADDED.</summary>
internal sealed class WatchFilter(ResourceKind kind, Selection selection)
{
    public bool Matches(StoredObject candidate) => selection.Matches(candidate);

    public StoredObject Form(StoredObject stored) => EventForm.Of(kind, stored);

    /// <summary>Null when this watch does not hear of it.</summary>
    public (string Type, StoredObject Object)? See(StoreEvent change)
    {
        bool before = change.Previous is { } previous && Matches(previous);
        bool now = change.Type != EventType.Deleted && Matches(change.Object);
        return (before, now) switch
        {
            (false, true) => ("ADDED", Form(change.Object)),
            (true, true) => ("MODIFIED", Form(change.Object)),
            (true, false) when change.Type == EventType.Deleted => ("DELETED", Form(change.Object)),
            (true, false) => ("DELETED", Form(change.Previous!.WithRevision(kind, change.Revision))),
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
