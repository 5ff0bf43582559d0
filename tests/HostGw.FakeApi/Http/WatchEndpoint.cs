using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Selectors;
using HostGw.FakeApi.Storage;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Http;

/// <summary>watch: from a revision, from now, or (sendInitialEvents) as a streaming list.</summary>
internal sealed class WatchEndpoint(Store store, Faults faults, WatchEnds ends, Negotiation negotiation, FakeApiOptions options)
{
    public async Task ServeAsync(HttpContext context, ApiPath path, ListOptions asked, Reply reply)
    {
        asked = Understood(asked);
        ObjectEncoder encoder = negotiation.Choose(context.Request, path.Kind);
        Selection selection = SelectionOf(path, context.Request);
        TableSnapshot? past = asked.SendInitialEvents == true && path.Kind == Kinds.Node ? faults.PastOf(fromCache: asked.Revision is not null) : null;
        bool fromNow = asked.SendInitialEvents ?? asked.Revision is null or 0;
        using Watcher? watcher = store[path.Kind].Watch(past?.Revision ?? (fromNow || asked.Revision == 0 ? null : asked.Revision));
        await reply.StartAsync(200, encoder.WatchContentType);

        if (watcher is null)
        {
            encoder.WatchError(reply.Body, ApiException.Expired($"too old resource version: {asked.Revision} ({store.Revision})").ToStatus());
            await reply.SendAsync();
            return;
        }
        WatchEnd end = ends.Next;
        using var lifetime = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, end.Token);
        lifetime.CancelAfter(asked.Timeout ?? TimeSpan.FromMinutes(30 + Random.Shared.Next(30)));
        var stream = new WatchStream(watcher, new WatchFilter(path.Kind, selection), encoder, reply, faults);
        await stream.RunAsync(past ?? watcher.Initial, asked, options.BookmarkPeriod, lifetime.Token);
        if (!end.IsExpiry || context.RequestAborted.IsCancellationRequested)
            return;
        encoder.WatchError(reply.Body, ApiException.Expired($"too old resource version: {asked.Revision} ({store.Revision})").ToStatus());
        await reply.SendAsync();
    }

    private ListOptions Understood(ListOptions asked)
    {
        if (asked.SendInitialEvents is null || options.StreamingLists == StreamingLists.Ignored)
            return asked with { SendInitialEvents = null };
        if (options.StreamingLists == StreamingLists.Refused)
            throw ApiException.Invalid("meta.k8s.io", "ListOptions", "",
                [new("sendInitialEvents", "FieldValueForbidden", "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled")]);
        if (asked.Revision > store.Revision)
            throw ApiException.TooLargeRevision(asked.Revision.Value, store.Revision);
        return asked;
    }

    // A watch of one object by path is a watch of the collection by name.
    private static Selection SelectionOf(ApiPath path, HttpRequest request)
    {
        Selection selection = Selection.From(path.Kind, path.Namespace, request.Query);
        return path.Name is null ? selection : selection with { Fields = FieldSelector.Parse($"metadata.name={path.Name}", path.Kind) };
    }
}

/// <summary>Writes one watch until its lifetime ends: first what is there, if asked, then what happens, and bookmarks between.</summary>
internal sealed class WatchStream(Watcher watcher, WatchFilter filter, ObjectEncoder encoder, Reply reply, Faults faults)
{
    private long _seen = watcher.FromRevision;

    public async Task RunAsync(TableSnapshot? initial, ListOptions asked, TimeSpan bookmarkPeriod, CancellationToken lifetime)
    {
        try
        {
            await InitialAsync(initial, asked);
            TimeSpan period = asked.Bookmarks ? bookmarkPeriod : Timeout.InfiniteTimeSpan;
            while (!reply.IsBrokenOff)
            {
                bool bookmarkDue = !await WaitAsync(period, lifetime);
                await ThawAsync(lifetime);
                if (bookmarkDue)
                    encoder.Bookmark(reply.Body, _seen, initialEventsEnd: false);
                await EventsAsync();
                await reply.SendAsync();
            }
        }
        catch (OperationCanceledException) when (lifetime.IsCancellationRequested)
        {
            // Timed out, ended or cut: the end of the body says so.
        }
    }

    private async Task InitialAsync(TableSnapshot? initial, ListOptions asked)
    {
        if (initial is not null && asked.SendInitialEvents != false)
        {
            bool isList = asked.SendInitialEvents == true;
            foreach (StoredObject item in isList && faults.EmptyLists ? [] : initial.Objects)
            {
                if (!filter.Matches(item))
                    continue;
                encoder.WatchEvent(reply.Body, "ADDED", filter.Form(item));
                await reply.SendIfLargeAsync();
            }
        }
        if (asked is { SendInitialEvents: true, Bookmarks: true })
            encoder.Bookmark(reply.Body, _seen, initialEventsEnd: true);
        await reply.SendAsync();
    }

    /// <summary>False when the period passed without an event.</summary>
    private async Task<bool> WaitAsync(TimeSpan period, CancellationToken lifetime)
    {
        using var due = CancellationTokenSource.CreateLinkedTokenSource(lifetime);
        due.CancelAfter(period);
        try
        {
            return await watcher.Events.WaitToReadAsync(due.Token);
        }
        catch (OperationCanceledException) when (!lifetime.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task ThawAsync(CancellationToken lifetime)
    {
        while (faults.FreezeWatches)
            await Task.Delay(20, lifetime);
    }

    private async Task EventsAsync()
    {
        while (!faults.FreezeWatches && watcher.Events.TryRead(out StoreEvent? change))
        {
            _seen = change.Revision;
            if (filter.See(change) is not var (type, item) || faults.DropsEvent())
                continue;
            encoder.WatchEvent(reply.Body, type, item);
            if (faults.DuplicateEvents)
                encoder.WatchEvent(reply.Body, type, item);
            await reply.SendIfLargeAsync();
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
