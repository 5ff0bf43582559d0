using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Http;

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
