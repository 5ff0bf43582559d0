using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Security;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi;

/// <summary>A Kubernetes API server for Nodes inside this process: HTTPS, HTTP/1.1 and HTTP/2, its own authority, faults on demand.</summary>
public sealed partial class FakeApiServer : IAsyncDisposable
{
    private readonly FakeApiOptions _options;
    private CertificateAuthority _authority = new();
    private readonly TokenStore _tokens;
    private readonly RequestLog _log;
    private readonly WatchEnds _watchEnds = new();
    private readonly Store _store;
    private readonly Connections _connections;
    private readonly Listener _listener;
    private volatile X509Certificate2 _certificate;

    private FakeApiServer(FakeApiOptions options)
    {
        _options = options;
        (_tokens, _log, _store) = (new(options.Time), new(options.Time), new(options.HistoryCapacity));
        Nodes = new NodeTable(_store, options.Time);
        Token = _tokens.Issue(AdminUser, null);
        _certificate = _authority.IssueServer(ServerNames());
        _connections = new Connections(Faults);

        var negotiation = new Negotiation(options.Protobuf);
        var pipeline = new ApiPipeline(
            _log, Faults, new Authenticator(() => _authority, _tokens), negotiation,
            new ReadEndpoint(_store, Faults, negotiation),
            new WatchEndpoint(_store, Faults, _watchEnds, negotiation, options),
            new WriteEndpoint(_store, new ObjectWriter(_store, options.Time), negotiation));
        _listener = new Listener(options, () => _certificate, _connections, pipeline.HandleAsync);
    }

    public NodeTable Nodes { get; }

    public Faults Faults { get; } = new();

    public IReadOnlyList<IPEndPoint> Endpoints => _listener.Endpoints;

    /// <summary>The first endpoint; an any-address as loopback.</summary>
    public Uri Uri => UriOf(Endpoints[0]);

    public long ResourceVersion => _store.Revision;

    /// <summary>Requests so far, in order of arrival.</summary>
    public ImmutableArray<RequestRecord> Requests => _log.All;

    /// <summary>Watches of nodes that are open now.</summary>
    public int OpenWatches => _store[Kinds.Node].WatcherCount;

    public int OpenConnections => _connections.Count;

    /// <summary>Events that clients created, as core v1 JSON.</summary>
    public ImmutableArray<string> Events => [.. _store[Kinds.Event].Read().Objects.Select(e => Encoding.UTF8.GetString(e.Json.Span))];

    public static async Task<FakeApiServer> StartAsync(FakeApiOptions? options = null)
    {
        var server = new FakeApiServer(options ?? new FakeApiOptions());
        server.AddNamespaces();
        await server._listener.StartAsync();
        return server;
    }

    public void ClearRequests() => _log.Clear();

    /// <summary>Closes the listening sockets and resets every connection, as if the process had died.</summary>
    public Task StopListeningAsync() => _listener.StopAsync();

    /// <summary>Listens again, on the same ports, with everything as it was.</summary>
    public Task StartListeningAsync() => _listener.StartAsync();

    /// <summary>Resets all open connections; new ones are welcome.</summary>
    public void CutConnections() => _connections.Cut();

    /// <summary>Every resourceVersion handed out so far is too old from now on: watches from it and continue tokens are 410.</summary>
    public void CompactHistory() => _store.Compact();

    /// <summary>Open watches end in good order, as by their timeout.</summary>
    public void EndWatches() => _watchEnds.End(expired: false);

    /// <summary>Open watches end with an ERROR event, 410 Expired.</summary>
    public void ExpireWatches() => _watchEnds.End(expired: true);

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        _watchEnds.Dispose();
        _authority.Dispose();
        _certificate.Dispose();
    }

    private void AddNamespaces()
    {
        foreach (string name in new[] { "default", "kube-node-lease", "kube-public", "kube-system" })
        {
            var content = new JsonObject { ["status"] = new JsonObject { ["phase"] = "Active" } };
            ObjectMetadata.Stamp(content, name, null, _options.Time.GetUtcNow());
            _store[Kinds.Namespace].Write(name, _ => content);
        }
    }

    private static Uri UriOf(IPEndPoint endpoint)
    {
        IPAddress address = endpoint.Address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : endpoint.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : endpoint.Address;
        return new Uri($"https://{new IPEndPoint(address, endpoint.Port)}");
    }
}
