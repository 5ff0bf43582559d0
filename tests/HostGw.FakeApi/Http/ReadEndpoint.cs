using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Selectors;
using HostGw.FakeApi.Storage;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Http;

/// <summary>get and list.</summary>
internal sealed class ReadEndpoint(Store store, Faults faults, Negotiation negotiation)
{
    public async Task GetAsync(HttpRequest request, ApiPath path, Reply reply)
    {
        ObjectEncoder encoder = negotiation.Choose(request, path.Kind);
        StoredObject found = store[path.Kind].Read().Find(path.Key) ?? throw ApiException.NotFound(path.Kind, path.Name!);
        await reply.StartAsync(200, encoder.ContentType);
        encoder.Object(reply.Body, EventForm.Of(path.Kind, found));
        await reply.SendAsync();
    }

    public async Task ListAsync(HttpRequest request, ApiPath path, ListOptions options, Reply reply)
    {
        ObjectEncoder encoder = negotiation.Choose(request, path.Kind);
        Selection selection = Selection.From(path.Kind, path.Namespace, request.Query);
        Page page = Choose(path.Kind, options, selection);

        await reply.StartAsync(200, encoder.ContentType);
        encoder.ListStart(reply.Body, page);
        foreach (StoredObject item in page.Items)
        {
            encoder.ListItem(reply.Body, EventForm.Of(path.Kind, item));
            await reply.SendIfLargeAsync();
            if (reply.IsBrokenOff)
                return;
        }
        encoder.ListEnd(reply.Body);
        await reply.SendAsync();
    }

    private Page Choose(ResourceKind kind, ListOptions options, Selection selection)
    {
        TableSnapshot snapshot = kind == Kinds.Node && faults.PastOf(fromCache: options.Revision is not null) is { } past ? past : Lists.Choose(store[kind], options);
        return faults.EmptyLists ? new Page(snapshot.Revision, [], null, null) : Lists.Cut(snapshot, options, selection);
    }
}
