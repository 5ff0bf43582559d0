using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using HostGw.FakeApi;

namespace HostGw.Tests.FakeApi;

/// <summary>A plain HTTPS client of a FakeApiServer: what it says is what went over the wire.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly X509Certificate2 _authority;
    private readonly HttpClient _http;
    private readonly MemoryStream _received = new();

    public RawClient(FakeApiServer api, Version? version = null, X509Certificate2? certificate = null, IPEndPoint? endpoint = null)
    {
        _authority = X509Certificate2.CreateFromPem(api.CaPem);
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(60) };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(_authority);
        if (certificate is not null)
            handler.SslOptions.ClientCertificates = [certificate];

        _http = new HttpClient(handler)
        {
            BaseAddress = endpoint is null ? api.Uri : new Uri($"https://{endpoint}"),
            Timeout = TimeSpan.FromSeconds(60),
            DefaultRequestVersion = version ?? HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        Token = certificate is null ? api.Token : null;
    }

    public string? Token { get; set; }

    public string? Accept { get; set; }

    public async Task<Answer> SendAsync(HttpMethod method, string path, string? body = null, string contentType = "application/json")
    {
        using HttpRequestMessage request = Request(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, MediaTypeHeaderValue.Parse(contentType));
        using HttpResponseMessage response = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return new Answer((int)response.StatusCode, text, response.Headers.RetryAfter?.Delta, response.Content.Headers.ContentType?.ToString());
    }

    /// <summary>Status line and headers, and the body as far as it came; once only.</summary>
    public async Task<(string Head, byte[] Body)> SendRawAsync(HttpMethod method, string path, string? body, string contentType)
    {
        using HttpRequestMessage request = Request(method, path);
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, MediaTypeHeaderValue.Parse(contentType));
        using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var head = new StringBuilder($"HTTP/1.1 {(int)response.StatusCode} {response.ReasonPhrase}\n");
        foreach ((string name, HeaderStringValues values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
            head.Append(name).Append(": ").AppendJoin(", ", values).Append('\n');
        try
        {
            Stream content = await response.Content.ReadAsStreamAsync();
            byte[] buffer = new byte[16 * 1024];
            for (int read; (read = await content.ReadAsync(buffer)) > 0;)
            {
                lock (_received)
                    _received.Write(buffer, 0, read);
            }
        }
        catch (IOException)
        {
            head.Append("X-Broken-Off: true\n");
        }
        return (head.ToString(), _received.ToArray());
    }

    /// <summary>Whether this text is in the raw answer, as far as it came.</summary>
    public bool HasReceived(string text)
    {
        lock (_received)
            return _received.ToArray().AsSpan().IndexOf(Encoding.ASCII.GetBytes(text)) >= 0;
    }

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<Answer> PatchAsync(string path, string kind, string body) =>
        SendAsync(HttpMethod.Patch, path, body, kind == "apply" ? "application/apply-patch+yaml" : $"application/{kind}-patch+json");

    /// <summary>Opens a watch; its status is 200 or this throws.</summary>
    public async Task<WatchReader> WatchAsync(string query, string path = "/api/v1/nodes")
    {
        using HttpRequestMessage request = Request(HttpMethod.Get, $"{path}?watch=1&{query}");
        HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        response.EnsureSuccessStatusCode();
        return new WatchReader(response, await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
    }

    public void Dispose()
    {
        _http.Dispose();
        _authority.Dispose();
    }

    private HttpRequestMessage Request(HttpMethod method, string path)
    {
        var request = new HttpRequestMessage(method, path);
        if (Token is not null)
            request.Headers.Authorization = new("Bearer", Token);
        if (Accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", Accept);
        return request;
    }
}

/// <summary>An answer with its body as text.</summary>
internal sealed record Answer(int Code, string Text, TimeSpan? RetryAfter, string? ContentType)
{
    public JsonObject Json => JsonNode.Parse(Text)!.AsObject();

    public string Reason => (string?)Json["reason"] ?? "";

    public string Message => (string?)Json["message"] ?? "";

    public string Revision => (string)Json["metadata"]!["resourceVersion"]!;

    public string? Continue => (string?)Json["metadata"]!["continue"];

    public string[] Names => [.. Json["items"]!.AsArray().Select(i => (string)i!["metadata"]!["name"]!)];

    public bool IsJson
    {
        get
        {
            try
            {
                return JsonNode.Parse(Text) is not null;
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }
}
