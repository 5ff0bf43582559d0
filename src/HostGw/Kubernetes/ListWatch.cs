using System.Globalization;

namespace HostGw.Kubernetes;

/// <summary>The requests of a reflector for one kind of object, and the decoding of their answers into one draft.</summary>
/// <param name="path">Of the collection, such as /api/v1/nodes.</param>
/// <param name="timeline">By what the resource version of the store that holds the collection is read.</param>
internal sealed class ListWatch<TDraft>(ApiClient client, string path, TDraft draft, NamedObject timeline, TimeProvider time)
    where TDraft : ObjectDraft
{
    private const int PageSize = 500;

    private static readonly TimeSpan ListTimeout = TimeSpan.FromMinutes(5);

    // Longer than etcd takes to elect a leader. A check that fails is repeated.
    private static readonly TimeSpan TimelineTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A label or field selector, such as fieldSelector=metadata.name%3Dnode1; empty: all objects.</summary>
    public string Selector { get; init; } = "";

    /// <summary>Reads all pages into the store, which changes only when the last one is complete.</summary>
    /// <param name="from">"0": anything the server's cache holds; null: by quorum; else that resource version or a later one.</param>
    /// <exception cref="ApiException">Refused, not reached, or the list is older than <paramref name="from"/>.</exception>
    /// <exception cref="InvalidAnswerException">A page is malformed.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task<(bool Changed, long Bytes)> ListAsync(
        IReflectorStore<TDraft> store, string? from, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(ListTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            (string version, long bytes) = await ReadPagesAsync(store, from, either.Token);
            if (from is not null)
                RequireNotOlder(version, from);
            return (store.CompleteList(version, byQuorum: from is null), bytes);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiException($"The list did not arrive within {ListTimeout.TotalMinutes:0} min", e);
        }
    }

    /// <summary>Begins a watch with bookmarks that the server ends after <paramref name="seconds"/>.</summary>
    /// <param name="isList">A streaming list: the watch begins with all objects as they are at <paramref name="version"/> or later.</param>
    /// <remarks>https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists</remarks>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    public Task<ApiResponse> WatchAsync(string version, int seconds, bool isList, CancellationToken cancellationToken) =>
        client.GetProtobufAsync(
            string.Create(CultureInfo.InvariantCulture, $"{path}?watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}") +
            (Selector.Length > 0 ? "&" + Selector : "") + (isList ? "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan" : "") +
            "&resourceVersion=" + Uri.EscapeDataString(version),
            cancellationToken);

    /// <summary>A decoder for the events of a watch.</summary>
    public ListWatchDecoder DecodeEvents(Action<WatchEventType, TDraft> sink) => new(isWatch: true, draft, type => sink(type, draft));

    /// <summary>
    /// The present resource version of the server's store, by a linearizable read of one object. Neither a watch shows it (from a
    /// version in the future it is silent) nor a cached list (it may lag).
    /// </summary>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    /// <exception cref="InvalidAnswerException">The answer is malformed.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task<string> ReadTimelineAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(TimelineTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            using ApiResponse response = await client.GetMetadataAsync(timeline.PathAndQuery, either.Token);
            ListWatchDecoder decoder = new(isWatch: false, new MetadataDraft(), static _ => { });
            await decoder.ReadAsync(response, either.Token);
            return decoder.Page().ResourceVersion;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiException($"The API server did not read its store within {TimelineTimeout.TotalSeconds:0} s", e);
        }
    }

    /// <summary>Resource versions are numbers in every known server; others cannot be compared.</summary>
    public static bool IsOlder(string version, string other) =>
        ulong.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out ulong a) &&
        ulong.TryParse(other, NumberStyles.None, CultureInfo.InvariantCulture, out ulong b) && a < b;

    /// <summary>A server, or a proxy, may answer with less than it was asked for.</summary>
    /// <exception cref="ApiException">The list is older.</exception>
    public static void RequireNotOlder(string version, string from)
    {
        if (IsOlder(version, from))
        {
            string reason = $"The API server answered with resource version {ApiStatus.OneLine(version)}, which is older than {from}";
            throw new ApiException(reason) { Causes = [ApiException.VersionTooLarge] };
        }
    }

    private async Task<(string Version, long Bytes)> ReadPagesAsync(
        IReflectorStore<TDraft> store, string? from, CancellationToken cancellationToken)
    {
        int limit = PageSize;
        ListPage first = default, page = default;
        long bytes = 0;
        HashSet<string> seen = [];
        store.BeginList();
        do
        {
            try
            {
                (page, long read) = await ReadPageAsync(store, PageQuery(limit, from, page.Continue), cancellationToken);
                if (page.Continue.Length > 0 && !seen.Add(page.Continue))
                    throw new InvalidAnswerException("The API server sends the same page again and again");
                first = first == default ? page : first;
                bytes += read;
            }
            catch (ApiException e) when (e.IsExpired && limit > 0 && page != default)
            {
                // The pages took longer than the server keeps their version: all at once, then nothing can expire.
                (limit, first, page, bytes) = (0, default, default, 0);
                store.BeginList();
            }
        }
        while (page == default || page.Continue.Length > 0);
        return (first.ResourceVersion, bytes);
    }

    private async Task<(ListPage Page, long Bytes)> ReadPageAsync(
        IReflectorStore<TDraft> store, string query, CancellationToken cancellationToken)
    {
        using ApiResponse response = await client.GetProtobufAsync(path + query, cancellationToken);
        ListWatchDecoder decoder = new(isWatch: false, draft, _ => store.AddListed(draft));
        await decoder.ReadAsync(response, cancellationToken);
        return (decoder.Page(), decoder.Position);
    }

    private string PageQuery(int limit, string? from, string? token)
    {
        List<string> query = Selector.Length > 0 ? [Selector] : [];
        if (limit > 0)
            query.Add("limit=" + limit.ToString(CultureInfo.InvariantCulture));
        if (!string.IsNullOrEmpty(token))
            query.Add("continue=" + Uri.EscapeDataString(token));
        else if (from is not null)
            query.Add("resourceVersion=" + Uri.EscapeDataString(from) + (from == "0" ? "" : "&resourceVersionMatch=NotOlderThan"));
        return query.Count == 0 ? "" : "?" + string.Join('&', query);
    }

    private sealed class MetadataDraft : ObjectDraft
    {
        public override string? Kind => null;
    }
}

/// <summary>A request from another thread to list by quorum, whatever the reflector is doing.</summary>
internal sealed class QuorumReadRequest : IDisposable
{
    private readonly Lock _lock = new();
    private CancellationTokenSource _interrupt = new();
    private bool _isMade;

    public bool IsMade
    {
        get
        {
            lock (_lock)
                return _isMade;
        }
    }

    /// <summary>Cancelled when the request is made.</summary>
    public CancellationToken Interrupt
    {
        get
        {
            lock (_lock)
                return _interrupt.Token;
        }
    }

    public void Make()
    {
        lock (_lock)
        {
            _isMade = true;
            _interrupt.Cancel();
        }
    }

    public void Fulfilled()
    {
        lock (_lock)
        {
            _isMade = false;
            _interrupt.Dispose();
            _interrupt = new();
        }
    }

    public void Dispose() => _interrupt.Dispose();
}

/// <summary>One object of a collection. Its metadata is listed to learn the present resource version of the store.</summary>
/// <param name="Path">Of the collection. Collections may be in stores of their own (--etcd-servers-overrides).</param>
internal readonly record struct NamedObject(string Path, string Name)
{
    public string PathAndQuery => $"{Path}?{Selector(Name)}";

    public static NamedObject Node(string name) => new("/api/v1/nodes", name);

    /// <summary>The field selector of the one object of this name.</summary>
    public static string Selector(string name) => "fieldSelector=" + Uri.EscapeDataString("metadata.name=" + name);
}
