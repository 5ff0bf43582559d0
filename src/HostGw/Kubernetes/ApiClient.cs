using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace HostGw.Kubernetes;

/// <summary>
/// The client of the API server: the library's typed verbs and models, and raw protobuf for lists and watches, both over one
/// <see cref="ApiConnection"/>. HTTP/1.1; no redirects, cookies or proxy.
/// </summary>
internal sealed class ApiClient : AbstractKubernetes, IDisposable
{
    // A server that has no protobuf answers in JSON, which the caller can then report.
    private const string AcceptProtobuf = "application/vnd.kubernetes.protobuf, application/json";

    private const string AcceptMetadata =
        "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/vnd.kubernetes.protobuf";

    // etcd keeps no object of more than 1.5 MB.
    private const int MaxObject = 8 * 1024 * 1024;

    // kube-apiserver ends requests after 60 s (--request-timeout).
    private static readonly TimeSpan HeaderTimeout = TimeSpan.FromSeconds(65);

    // A connection that is older is closed after its request: a watch, which lasts longer, is followed by one on a new connection, so
    // that agents spread over the API servers again and return to the configured address.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromSeconds(30);

    private readonly ApiConfiguration _configuration;
    private readonly TimeProvider _time;
    private readonly Credentials _credentials;
    private readonly ApiConnection _connection;
    private readonly HttpClient _http;
    private readonly string _root;

    /// <param name="version">The agent's, for the User-Agent header.</param>
    public ApiClient(ApiConfiguration configuration, string version, TimeProvider time)
    {
        _configuration = configuration;
        _time = time;
        _root = configuration.Server.GetLeftPart(UriPartial.Path).TrimEnd('/');
        _credentials = new(configuration, time);
        _connection = new(configuration, time);
        _http = new(Handler()) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new("hostgw", version));
    }

    /// <summary>The address of the latest connection to the API server; null before the first.</summary>
    public IPAddress? RemoteAddress => _connection.RemoteAddress;

    /// <summary>Those of the configured server: itself, or what its name was last resolved to.</summary>
    public IReadOnlyList<IPAddress> ConfiguredAddresses => _connection.ConfiguredAddresses;

    /// <summary>
    /// How far the server's clock is ahead of this host's, by the Date header of the latest answer: to the second, plus the answer's time
    /// on the network. Null before the first answer.
    /// </summary>
    public TimeSpan? ServerClock { get; private set; }

    /// <summary>The server is addressed by the Service `kubernetes`, so that <see cref="UseAddresses"/> may add to it.</summary>
    public bool UsesServiceAddress => _configuration.UsesServiceAddress;

    /// <summary>
    /// Further addresses of the same API servers. A new connection asks for them, and tries them in turn, when the configured
    /// address fails or has not answered for 1 s.
    /// </summary>
    public void UseAddresses(Func<IReadOnlyList<IPEndPoint>> alternatives) => _connection.UseAddresses(alternatives);

    /// <summary>GET in Kubernetes' protobuf; returns when the headers are there.</summary>
    /// <param name="pathAndQuery">Begins with /api.</param>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    public Task<ApiResponse> GetProtobufAsync(string pathAndQuery, CancellationToken cancellationToken) =>
        GetAsync(pathAndQuery, AcceptProtobuf, cancellationToken);

    /// <summary>GET of a list of which only the metadata is needed: a PartialObjectMetadataList in protobuf.</summary>
    /// <inheritdoc cref="GetProtobufAsync"/>
    /// <remarks>https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches</remarks>
    public Task<ApiResponse> GetMetadataAsync(string pathAndQuery, CancellationToken cancellationToken) =>
        GetAsync(pathAndQuery, AcceptMetadata, cancellationToken);

    public void Dispose()
    {
        _http.Dispose();
        _credentials.Dispose();
    }

    /// <summary>The library's verbs end here: <paramref name="body"/> is a model, or a V1Patch whose content is one.</summary>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    protected override Task<HttpResponseMessage> SendRequest<T>(
        string relativeUri, HttpMethod method, IReadOnlyDictionary<string, IReadOnlyList<string>> customHeaders, T body,
        CancellationToken cancellationToken)
    {
        if (customHeaders is { Count: > 0 })
            throw new NotSupportedException("Custom headers are not sent");
        var request = new ApiRequest(method, "/" + relativeUri.TrimStart('/'), "application/json");
        object? content = body is V1Patch patch ? patch.Content : body;
        if (content is not null)
        {
            byte[] json = JsonSerializer.SerializeToUtf8Bytes(content, TypeOf(content.GetType()));
            request = request with { Body = json, BodyType = GetHeader(body!) };
        }
        return SendAsync(request, cancellationToken);
    }

    protected override async Task<HttpOperationResponse<T>> CreateResultAsync<T>(
        HttpRequestMessage httpRequest, HttpResponseMessage httpResponse, bool? watch, CancellationToken cancellationToken)
    {
        if (watch == true)
            throw new NotSupportedException("Watches go through the Reflector");
        try
        {
            await httpResponse.Content.LoadIntoBufferAsync(MaxObject, cancellationToken);
            using Stream stream = await httpResponse.Content.ReadAsStreamAsync(cancellationToken);
            var body = (T?)await JsonSerializer.DeserializeAsync(stream, TypeOf(typeof(T)), cancellationToken);
            return new() { Request = httpRequest, Response = httpResponse, Body = body ?? throw new JsonException("null") };
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            httpResponse.Dispose();
            throw new ApiException($"The API server's answer is not a {typeof(T).Name}: {ApiStatus.OneLine(e.Message)}", e);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            httpResponse.Dispose();
            throw new ApiException($"The API server's answer broke off: {e.Message}", e);
        }
    }

    private async Task<ApiResponse> GetAsync(string pathAndQuery, string accept, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await SendAsync(new(HttpMethod.Get, pathAndQuery, accept), cancellationToken);
        return new(response, await response.Content.ReadAsStreamAsync(cancellationToken));
    }

    private static JsonTypeInfo TypeOf(Type type) =>
        ApiJson.Default.GetTypeInfo(type) ?? throw new NotSupportedException($"{type.Name} is not listed in {nameof(ApiJson)}");

    private SocketsHttpHandler Handler() => new()
    {
        ConnectCallback = _connection.ConnectAsync,
        // A client certificate belongs to the connection: only a new one shows a renewed certificate.
        PooledConnectionLifetime = _configuration.MayUseClientCertificate ? TimeSpan.Zero : ConnectionLifetime,
        // What is left of an answer may be a watch without end.
        MaxResponseDrainSize = 0,
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
    };

    private async Task<HttpResponseMessage> SendAsync(ApiRequest sent, CancellationToken cancellationToken)
    {
        Credential credential = await _credentials.GetAsync(cancellationToken);
        HttpResponseMessage response = await SendAsync(sent, credential, cancellationToken);

        // It may have been renewed since it was read.
        if (response.StatusCode == HttpStatusCode.Unauthorized &&
            await _credentials.RenewAsync(credential, cancellationToken) is { } renewed)
        {
            response.Dispose();
            credential = renewed;
            response = await SendAsync(sent, renewed, cancellationToken);
        }
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw await ApiErrors.ReadAsync(response, _configuration, credential, _time, cancellationToken);
    }

    private async Task<HttpResponseMessage> SendAsync(ApiRequest sent, Credential credential, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = Message(sent, credential);
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
        // HttpClient asks a new connection without TLS for its peer's address, which fails bare where it was reset meanwhile.
        catch (Exception e) when (e is HttpRequestException or SocketException)
        {
            throw e.InnerException as ApiException ?? new ApiException($"No answer from {_root}: {(e.InnerException ?? e).Message}", e);
        }
    }

    private HttpRequestMessage Message(ApiRequest sent, Credential credential)
    {
        var request = new HttpRequestMessage(sent.Method, _root + sent.Path) { Version = HttpVersion.Version11 };
        request.Headers.Accept.ParseAdd(sent.Accept);
        request.Options.Set(ApiConnection.CredentialKey, credential);
        if (credential.Token is { } token)
            request.Headers.Authorization = BearerToken(token);
        if (sent.Body is not null)
            request.Content = new ByteArrayContent(sent.Body) { Headers = { ContentType = sent.BodyType } };
        return request;
    }

    // A header that cannot be formed would otherwise be quoted, token included, by the exception.
    private AuthenticationHeaderValue BearerToken(string token) =>
        token.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? throw new ApiException($"The token {_configuration.DescribeToken()} contains characters that no token has")
            : new("Bearer", token);

    private sealed record ApiRequest(HttpMethod Method, string Path, string Accept)
    {
        public byte[]? Body { get; init; }

        public MediaTypeHeaderValue? BodyType { get; init; }
    }
}

/// <summary>A successful answer whose body is still arriving. Disposing it closes the connection, unless the body was read whole.</summary>
internal sealed class ApiResponse(HttpResponseMessage response, Stream body) : IDisposable
{
    public Stream Body => body;

    /// <summary>False: JSON, from a server without protobuf.</summary>
    public bool IsProtobuf => response.Content.Headers.ContentType?.MediaType == "application/vnd.kubernetes.protobuf";

    public void Dispose()
    {
        body.Dispose();
        response.Dispose();
    }
}

/// <summary>The API objects that are read and written as JSON, and no others: each costs every agent file size and memory.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(ApiTimeConverter)])]
[JsonSerializable(typeof(Corev1Event))]
[JsonSerializable(typeof(V1Node))]
[JsonSerializable(typeof(V1ServiceCIDRList))]
[JsonSerializable(typeof(V1EndpointSlice))]
[JsonSerializable(typeof(V1Lease))]
[JsonSerializable(typeof(V1ConfigMap))]
internal sealed partial class ApiJson : JsonSerializerContext;

/// <summary>
/// metav1.Time and metav1.MicroTime: RFC 3339, written in UTC with the six digits after the second that MicroTime requires and Time allows.
/// </summary>
/// <remarks>kubernetes staging/src/k8s.io/apimachinery/pkg/apis/meta/v1: micro_time.go and time.go, UnmarshalJSON.</remarks>
internal sealed class ApiTimeConverter : JsonConverter<DateTime>
{
    public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset().UtcDateTime;

    public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Rfc3339.MicroText(value));
}
