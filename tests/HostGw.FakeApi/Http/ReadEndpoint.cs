using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Selectors;
using HostGw.FakeApi.Storage;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Http;

/// <summary>get and list.</summary>
internal sealed class ReadEndpoint(ServerState server, Negotiation negotiation)
{
    public async Task GetAsync(HttpRequest request, ApiPath path, Reply reply)
    {
        ObjectEncoder encoder = negotiation.Choose(request, path.Kind);
        TableSnapshot table = request.Query["resourceVersion"] == "0" ? server.Cache.Read(path.Kind) : server.Store[path.Kind].Read();
        StoredObject found = table.Find(path.Key) ?? throw ApiException.NotFound(path.Kind, path.Name!);
        await reply.StartAsync(200, encoder.ContentType);
        encoder.Object(reply.Body, EventForm.Of(path.Kind, found));
        await reply.SendAsync();
    }

    public async Task ListAsync(HttpRequest request, ApiPath path, ListOptions options, Reply reply)
    {
        ObjectEncoder encoder = negotiation.Choose(request, path.Kind);
        Selection selection = Selection.From(path.Kind, path.Namespace, null, request.Query);
        using Seat? seat = selection.Key is null ? await server.Seats.TakeAsync(request.HttpContext.RequestAborted) : null;
        Page page = Choose(path.Kind, options, selection);
        reply.IsList = selection.Key is null;
        if (reply.IsList)
            reply.Traffic?.List();
        else
            reply.Traffic?.NamedList();

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
        bool fromCache = options.Revision is not null;
        if (server.Faults.CacheInitializing && !Lists.AreFromStore(options, selection))
            throw ApiException.CacheInitializing();
        TableSnapshot? past = kind == Kinds.Node ? server.Faults.PastOf(fromCache) : null;
        TableSnapshot snapshot = past ?? Lists.Choose(server, kind, options);
        return server.Faults.EmptyLists ? new Page(snapshot.Revision, [], null, null) : Lists.Cut(snapshot, options, selection);
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

    /// <summary>Whether the store answers by itself while the watch cache is filled.</summary>
    public static bool AreFromStore(ListOptions options, Selection selection) =>
        options.Continue is not null || options.Match == "Exact" || (options.Limit > 0 && selection.IsAll);

    /// <exception cref="ApiException">410 compacted, 504 from the future.</exception>
    public static TableSnapshot Choose(ServerState server, ResourceKind kind, ListOptions options)
    {
        ResourceTable table = server.Store[kind];
        TableSnapshot current = table.Read();
        if (options.Continue is { } token)
            return token.Revision == ContinueToken.Inconsistent ? current : table.ReadAt(token.Revision) ?? throw ExpiredToken(token);
        if (options.Revision is not { } wanted)
            return current;

        // A limit without a match means Exact; without either, NotOlderThan.
        bool exact = wanted > 0 && (options.Match == "Exact" || (options.Match.Length == 0 && options.Limit > 0));
        long newest = exact ? current.Revision : server.Cache.Revision;
        if (wanted > newest)
            throw ApiException.TooLargeRevision(wanted, newest);
        return exact
            ? table.ReadAt(wanted) ?? throw ApiException.Expired("The resourceVersion for the provided list is too old.")
            : server.Cache.Read(kind);
    }

    public static Page Cut(TableSnapshot snapshot, ListOptions options, Selection selection)
    {
        // The watch cache answers resourceVersion=0 whole, whatever the limit.
        int limit = options.Limit == 0 || (options.Revision == 0 && options.Continue is null) ? int.MaxValue : options.Limit;
        int index = options.Continue is { } token ? snapshot.IndexAfter(token.Key) : 0;
        List<StoredObject> items = [];

        if (index == 0 && limit == int.MaxValue)
            return new Page(snapshot.Revision, [.. selection.In(snapshot)], null, null);
        for (; index < snapshot.Objects.Count && items.Count < limit; index++)
        {
            if (selection.Matches(snapshot.Objects[index]))
                items.Add(snapshot.Objects[index]);
        }
        int left = snapshot.Objects.Count - index;
        ContinueToken? next = left == 0 ? null : ContinueToken.After(snapshot.Revision, snapshot.Objects[index - 1].Key);
        return new Page(snapshot.Revision, items, next, next is not null && selection.IsAll && selection.Namespace is null ? left : null);
    }

    private static ApiException ExpiredToken(ContinueToken token) =>
        new(410, "Expired", TooOldToContinue) { Continue = new ContinueToken(ContinueToken.Inconsistent, token.Start).ToString() };
}
