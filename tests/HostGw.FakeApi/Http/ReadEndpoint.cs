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

/// <summary>One page of a list.</summary>
internal sealed record Page(long Revision, IReadOnlyList<StoredObject> Items, ContinueToken? Continue, long? Remaining);

/// <summary>Which objects answer a list, at which revision, and where the next page starts.</summary>
internal static class Lists
{
    private const string TooOldToContinue =
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, "
        + "or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - "
        + "objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

    /// <exception cref="ApiException">410 compacted, 504 from the future.</exception>
    public static TableSnapshot Choose(ResourceTable table, ListOptions options)
    {
        TableSnapshot current = table.Read();
        if (options.Continue is { } token)
            return token.Revision == ContinueToken.Inconsistent ? current : table.ReadAt(token.Revision) ?? throw ExpiredToken(token);
        if (options.Revision > current.Revision)
            throw ApiException.TooLargeRevision(options.Revision.Value, current.Revision);
        if (options.Revision is not { } wanted || wanted == 0)
            return current;

        // A limit without a match means Exact; without either, NotOlderThan.
        bool exact = options.Match == "Exact" || (options.Match.Length == 0 && options.Limit > 0);
        return exact
            ? table.ReadAt(wanted) ?? throw ApiException.Expired("The resourceVersion for the provided list is too old.")
            : current;
    }

    public static Page Cut(TableSnapshot snapshot, ListOptions options, Selection selection)
    {
        // The watch cache answers resourceVersion=0 whole, whatever the limit.
        int limit = options.Limit == 0 || (options.Revision == 0 && options.Continue is null) ? int.MaxValue : options.Limit;
        int index = options.Continue is { } token ? snapshot.IndexOf(token.Start) : 0;
        List<StoredObject> items = [];

        if (index == 0 && limit == int.MaxValue)
            return new Page(snapshot.Revision, Matching(snapshot, selection), null, null);
        for (; index < snapshot.Objects.Count && items.Count < limit; index++)
        {
            if (selection.Matches(snapshot.Objects[index]))
                items.Add(snapshot.Objects[index]);
        }
        int left = snapshot.Objects.Count - index;
        ContinueToken? next = left == 0 ? null : new(snapshot.Revision, snapshot.Objects[index].Key);
        return new Page(snapshot.Revision, items, next, next is not null && selection.IsAll && selection.Namespace is null ? left : null);
    }

    private static List<StoredObject> Matching(TableSnapshot snapshot, Selection selection)
    {
        List<StoredObject> items = new(snapshot.Objects.Count);
        foreach (StoredObject candidate in snapshot.Objects)
        {
            if (selection.Matches(candidate))
                items.Add(candidate);
        }
        return items;
    }

    private static ApiException ExpiredToken(ContinueToken token) =>
        new(410, "Expired", TooOldToContinue) { Continue = new ContinueToken(ContinueToken.Inconsistent, token.Start).ToString() };
}
