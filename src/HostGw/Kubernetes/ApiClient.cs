using System.Globalization;
using System.Net.Http.Headers;

namespace HostGw.Kubernetes;

/// <summary>Speaks to the API server about Nodes and their Events: HTTP/2 where offered and nothing else is asked for, no redirects, no cookies, no proxy.</summary>
internal sealed class ApiClient : IDisposable
{
    // Half the bytes of JSON and a fraction of the work, on both sides; a server that has none answers in JSON.
    private const string Accept = "application/vnd.kubernetes.protobuf, application/json";

    private const string Json = "application/json";
    private const string StrategicMergePatch = "application/strategic-merge-patch+json";

    private const string Nodes = "/api/v1/nodes";

    // A real API server gives up after 60 s; an answer that takes longer will not come.
    private static readonly TimeSpan HeaderTimeout = TimeSpan.FromSeconds(65);

    private readonly ApiConfiguration _configuration;
    private readonly TimeProvider _time;
    private readonly ApiConnection _connector;
    private readonly HttpClient _http;
    private readonly string _root;

    /// <param name="version">Of the agent, for the User-Agent header.</param>
    public ApiClient(ApiConfiguration configuration, string version, TimeProvider time)
    {
        _configuration = configuration;
        _time = time;
        _root = configuration.Server.GetLeftPart(UriPartial.Path).TrimEnd('/');
        _connector = new(configuration);
        _http = new(Handler(_connector)) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new("hostgw", version));
        _http.DefaultRequestHeaders.Accept.ParseAdd(Accept);
    }

    /// <summary>The address of the latest connection to the API server; no address before the first.</summary>
    public IPAddress? RemoteAddress => _connector.RemoteAddress;

    /// <summary>How far the server's clock is ahead of ours, by the latest answer, give or take a second and the answer's way; null before the first.</summary>
    public TimeSpan? ServerClock { get; private set; }

    /// <summary>A page of nodes. Give either a <paramref name="resourceVersion"/> ("0": whatever the watch cache has; null: the latest, by quorum) or a <paramref name="continueToken"/>.</summary>
    /// <param name="limit">Nodes per page; 0: all.</param>
    /// <param name="notOlderThan">Ask for <paramref name="resourceVersion"/> or anything newer.</param>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    public Task<ApiResponse> ListNodesAsync(
        int limit, string? resourceVersion, bool notOlderThan, string? continueToken, CancellationToken cancellationToken)
    {
        List<string> query = [];
        if (limit > 0)
            query.Add("limit=" + limit.ToString(CultureInfo.InvariantCulture));
        if (!string.IsNullOrEmpty(continueToken))
            query.Add("continue=" + Uri.EscapeDataString(continueToken));
        else if (resourceVersion is not null)
            query.Add("resourceVersion=" + Uri.EscapeDataString(resourceVersion) + (notOlderThan ? "&resourceVersionMatch=NotOlderThan" : ""));
        return GetAsync(query.Count == 0 ? Nodes : $"{Nodes}?{string.Join('&', query)}", cancellationToken);
    }

    /// <summary>What happens to nodes after <paramref name="resourceVersion"/>, with bookmarks, until the server ends it after <paramref name="atMost"/>.</summary>
    /// <param name="pinged">Over HTTP/2, so that a connection which died in silence ends it within 30 s. Else over HTTP/1.1, where an event costs two thirds.</param>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    public Task<ApiResponse> WatchNodesAsync(string resourceVersion, TimeSpan atMost, bool pinged, CancellationToken cancellationToken) =>
        WatchAsync($"{WatchPath(atMost)}&resourceVersion={Uri.EscapeDataString(resourceVersion)}", pinged, cancellationToken);

    /// <summary>The same, but it begins with all nodes as they are at <paramref name="notOlderThan"/> (null: now) or later, and a bookmark that ends them.</summary>
    /// <remarks>https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists</remarks>
    /// <inheritdoc cref="WatchNodesAsync" path="/param"/>
    /// <exception cref="ApiException">Refused, perhaps because the server knows no such thing, or not reached.</exception>
    public Task<ApiResponse> StreamNodesAsync(string? notOlderThan, TimeSpan atMost, bool pinged, CancellationToken cancellationToken) =>
        WatchAsync(
            WatchPath(atMost) + "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan" +
            (notOlderThan is null ? "" : "&resourceVersion=" + Uri.EscapeDataString(notOlderThan)),
            pinged, cancellationToken);

    /// <summary>One node as JSON, as the watch cache has it.</summary>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    public Task<ApiResponse> GetNodeAsync(string name, CancellationToken cancellationToken) =>
        SendAsync(new(HttpMethod.Get, $"{PathOf(name)}?resourceVersion=0", Accept: Json), cancellationToken);

    /// <summary>Changes a node's status by a strategic merge patch.</summary>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    public async Task PatchNodeStatusAsync(string name, byte[] patch, CancellationToken cancellationToken)
    {
        using ApiResponse _ = await SendAsync(new(HttpMethod.Patch, $"{PathOf(name)}/status", Json, patch, StrategicMergePatch), cancellationToken);
    }

    /// <summary>Makes an Event of the core group.</summary>
    /// <exception cref="ApiException">Refused (409: there is one of that name) or not reached.</exception>
    public async Task CreateEventAsync(string @namespace, byte[] content, CancellationToken cancellationToken)
    {
        using ApiResponse _ = await SendAsync(new(HttpMethod.Post, EventsOf(@namespace), Json, content, Json), cancellationToken);
    }

    /// <summary>Changes an Event by a strategic merge patch, and returns it as JSON.</summary>
    /// <exception cref="ApiException">Refused (404: there is none of that name) or not reached.</exception>
    public Task<ApiResponse> PatchEventAsync(string @namespace, string name, byte[] patch, CancellationToken cancellationToken) =>
        SendAsync(new(HttpMethod.Patch, $"{EventsOf(@namespace)}/{Uri.EscapeDataString(name)}", Json, patch, StrategicMergePatch), cancellationToken);

    public void Dispose() => _http.Dispose();

    private static string PathOf(string node) => $"{Nodes}/{Uri.EscapeDataString(node)}";

    private static string EventsOf(string @namespace) => $"/api/v1/namespaces/{Uri.EscapeDataString(@namespace)}/events";

    private static string WatchPath(TimeSpan atMost) =>
        string.Create(CultureInfo.InvariantCulture, $"{Nodes}?watch=true&allowWatchBookmarks=true&timeoutSeconds={(int)atMost.TotalSeconds}");

    private static SocketsHttpHandler Handler(ApiConnection connector) => new()
    {
        ConnectCallback = connector.ConnectAsync,
        ConnectTimeout = TimeSpan.FromSeconds(20),
        // Checked every 2 s (a quarter of the smaller): a dead connection is given up after 24 s at the latest.
        KeepAlivePingDelay = TimeSpan.FromSeconds(12),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(8),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always,
        // Bytes under way: 100 MB/s at a round trip of 5 ms.
        InitialHttp2StreamWindowSize = 512 * 1024,
        // What is left of an answer over HTTP/1.1 may be a watch without end.
        MaxResponseDrainSize = 0,
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
    };

    private Task<ApiResponse> WatchAsync(string path, bool pinged, CancellationToken cancellationToken) =>
        SendAsync(new(HttpMethod.Get, path) { Version = pinged ? HttpVersion.Version20 : HttpVersion.Version11 }, cancellationToken);

    private Task<ApiResponse> GetAsync(string path, CancellationToken cancellationToken) => SendAsync(new(HttpMethod.Get, path), cancellationToken);

    private async Task<ApiResponse> SendAsync(ApiRequest sent, CancellationToken cancellationToken)
    {
        string? token = _configuration.Token?.Read();
        HttpResponseMessage response = await SendAsync(sent, token, cancellationToken);

        // The token may have been renewed a moment after it was read.
        if (response.StatusCode == HttpStatusCode.Unauthorized && _configuration.Token?.Read() is { } renewed && renewed != token)
        {
            response.Dispose();
            response = await SendAsync(sent, renewed, cancellationToken);
        }
        if (response.IsSuccessStatusCode)
            return new(response, await response.Content.ReadAsStreamAsync(cancellationToken));

        using (response)
            throw await ApiRefusal.ReadAsync(response, _configuration, _time, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendAsync(ApiRequest sent, string? token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(sent.Method, _root + sent.Path) { Version = sent.Version, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };
        // Each on a connection of its own: agents spread over the API servers behind one address.
        if (sent.Version == HttpVersion.Version11)
            request.Headers.ConnectionClose = true;
        if (token is not null)
            request.Headers.Authorization = BearerToken(token);
        if (sent.Accept is not null)
            request.Headers.Accept.ParseAdd(sent.Accept);
        if (sent.Body is not null)
            request.Content = new ByteArrayContent(sent.Body) { Headers = { ContentType = new(sent.ContentType!) } };

        using var timeout = new CancellationTokenSource(HeaderTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            ServerClock = response.Headers.Date - _time.GetUtcNow() ?? ServerClock;
            return response;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiException($"No answer from {_root} within {HeaderTimeout.TotalSeconds:0} s", e);
        }
        catch (HttpRequestException e)
        {
            throw e.InnerException as ApiException ?? new ApiException($"No answer from {_root}: {(e.InnerException ?? e).Message}", e);
        }
    }

    // A header that cannot be formed would otherwise be quoted, token and all, by the exception.
    private AuthenticationHeaderValue BearerToken(string token) =>
        token.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? throw new ApiException($"The token {_configuration.Token} holds characters that no token has")
            : new("Bearer", token);

    /// <param name="Accept">Null: whatever lists and watches accept.</param>
    private sealed record ApiRequest(HttpMethod Method, string Path, string? Accept = null, byte[]? Body = null, string? ContentType = null)
    {
        /// <summary>The latest that is spoken, if the server does.</summary>
        public Version Version { get; init; } = HttpVersion.Version20;
    }
}
