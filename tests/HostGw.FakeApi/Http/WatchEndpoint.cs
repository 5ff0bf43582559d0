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
