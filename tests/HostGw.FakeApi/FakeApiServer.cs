using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Security;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi;

/// <summary>A Kubernetes API server inside this process: HTTPS, HTTP/1.1 and HTTP/2, its own authority, faults on demand.</summary>
public sealed partial class FakeApiServer : IAsyncDisposable
{
    private readonly FakeApiOptions _options;
    private readonly Identities _identities;
    private readonly bool _isPeer;
    private readonly RequestLog _log;
    private readonly Traffic _traffic = new();
    private readonly WatchEnds _watchEnds = new();
    private readonly ServerState _state;
    private readonly PublishedObjects _published;
    private readonly Connections _connections;
    private readonly Listener _listener;
    private volatile X509Certificate2 _certificate;

    private FakeApiServer(FakeApiOptions options, FakeApiServer? first)
    {
        (_options, _isPeer, _log) = (options, first is not null, new(options.Time));
        _identities = first?._identities ?? new Identities(options.Time);
        Store store = first?._state.Store ?? new Store(options.HistoryCapacity);
        _state = new ServerState(store, Faults, new(options.ListsAtOnce, options.Time)) { StreamingLists = options.StreamingLists };
        _published = first?._published ?? new PublishedObjects(store, options.Time);
        (Nodes, Objects) = (new NodeTable(store, options.Time), new ObjectTable(store, options.Time));
        _certificate = _identities.Authority.IssueServer(ServerNames());
        _connections = new Connections(Faults);

        var negotiation = new Negotiation(options.Protobuf);
        var pipeline = new ApiPipeline(
            _log, Faults, new Authenticator(_identities), negotiation,
            new(new(_state, negotiation), new(_state, _watchEnds, negotiation, options), new(store, new(store, options.Time), negotiation)),
            _traffic);
        _listener = new Listener(options, () => _certificate, _connections, pipeline.HandleAsync);
    }

    public NodeTable Nodes { get; }

    /// <summary>Objects of every kind, Nodes included.</summary>
    public ObjectTable Objects { get; }

    public Faults Faults { get; } = new();

    /// <summary>What becomes of a watch with sendInitialEvents; may change at any time.</summary>
    public StreamingLists StreamingLists { get => _state.StreamingLists; set => _state.StreamingLists = value; }

    public IReadOnlyList<IPEndPoint> Endpoints => _listener.Endpoints;

    /// <summary>Where it listens without TLS.</summary>
    public IReadOnlyList<IPEndPoint> PlainEndpoints => _listener.PlainEndpoints;

    /// <summary>The first endpoint; an any-address as loopback.</summary>
    public Uri Uri => UriOf(Endpoints[0]);

    public long ResourceVersion => _state.Store.Revision;

    /// <summary>Requests so far, in order of arrival.</summary>
    public ImmutableArray<RequestRecord> Requests => _log.All;

    /// <summary>Watches of nodes that are open now, also at peers.</summary>
    public int OpenWatches => _state.Store[Kinds.Node].WatcherCount;

    internal int OpenWatchesOf(Resources.ResourceKind kind) => _state.Store[kind].WatcherCount;

    internal void Import(Resources.ResourceKind kind, StoredObject version, bool deleted) => _state.Store[kind].Import(version, deleted);

    public int OpenConnections => _connections.Count;

    /// <summary>Events that clients created, as core v1 JSON.</summary>
    public ImmutableArray<string> Events => [.. _state.Store[Kinds.Event].Read().Objects.Select(e => Encoding.UTF8.GetString(e.Json.Span))];

    public static Task<FakeApiServer> StartAsync(FakeApiOptions? options = null) => StartAsync(options, null);

    /// <summary>A second API server of the same cluster: the same store, authority and tokens, but its own addresses, cache and faults.</summary>
    public Task<FakeApiServer> StartPeerAsync(FakeApiOptions? options = null) => StartAsync(options, this);

    /// <summary>What it has sent and taken so far of a resource, such as configmaps.</summary>
    public Sent Sent(string resource) => _traffic.Of(resource).Now;

    public void ClearRequests() => _log.Clear();

    /// <summary>Closes the listening sockets and every connection.</summary>
    /// <param name="reset">They are reset, as if the machine had died; otherwise they break off within a chunk.</param>
    public Task StopListeningAsync(bool reset = true) => _listener.StopAsync(reset);

    /// <summary>Listens again, on the same ports, with everything as it was.</summary>
    public Task StartListeningAsync() => _listener.StartAsync();

    /// <summary>The process is stopped and started: connections break off within a chunk, nothing listens for a while, then the watch
    /// cache begins with what the store holds, so that a watch from any version that a client has seen is answered with 410.</summary>
    /// <param name="away">Between the last connection's end and the first that is accepted.</param>
    /// <param name="restored">What the store was set back to meanwhile; then a watch from a version after it is silent.</param>
    public Task RestartAsync(TimeSpan away = default, StoreSnapshot? restored = null) =>
        RestartAsync(() => Task.Delay(away, _options.Time), restored);

    /// <summary>It is away until the task is completed.</summary>
    /// <inheritdoc cref="RestartAsync(TimeSpan, StoreSnapshot?)"/>
    public Task RestartAsync(Task away) => RestartAsync(() => away, null);

    private async Task RestartAsync(Func<Task> away, StoreSnapshot? restored)
    {
        await _listener.StopAsync(reset: false);
        await away();
        if (restored is null)
            _state.Cache.Rebuild();
        else
            Restore(restored);
        await StartListeningAsync();
    }

    /// <summary>Everything that is stored now; see <see cref="Restore"/>.</summary>
    public StoreSnapshot TakeSnapshot() => _state.Store.Snapshot();

    /// <summary>Contents and resourceVersion go back, as when etcd is restored from a snapshot. Connections stay open; a watch that has seen
    /// a later version gets nothing, not even a bookmark, until the store has passed it again.</summary>
    public void Restore(StoreSnapshot snapshot) => _state.Store.Restore(snapshot);

    /// <summary>This server receives nothing from the store any more: watches, and lists that name a resourceVersion, show what it has now.
    /// Reads of a single object and lists without a resourceVersion stay up to date.</summary>
    public void StopCache() => _state.Cache.Stop();

    /// <summary>Watches get what happened meanwhile.</summary>
    public void ResumeCache() => _state.Cache.Resume();

    /// <summary>Nobody reaches the server by this address any more; open connections to it are reset. Others are not affected.</summary>
    public void MakeUnreachable(IPAddress address, Unreachable how = Unreachable.Reset) => _connections.SetReachability(address, how);

    public void MakeReachable(IPAddress address) => _connections.SetReachability(address, null);

    /// <summary>Resets all open connections; new ones are accepted.</summary>
    public void CutConnections() => _connections.Cut();

    /// <summary>Every resourceVersion handed out so far is too old from now on: watches, exact lists and continue tokens are 410.</summary>
    public void CompactHistory() => _state.Store.Compact();

    /// <summary>Open watches end in good order, as by their timeout.</summary>
    public void EndWatches() => _watchEnds.End(expired: false);

    /// <summary>Open watches end with an ERROR event, 410 Expired.</summary>
    public void ExpireWatches() => _watchEnds.End(expired: true);

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        _state.Seats.Dispose();
        _watchEnds.Dispose();
        if (!_isPeer)
            _identities.Dispose();
        _certificate.Dispose();
    }

    private static async Task<FakeApiServer> StartAsync(FakeApiOptions? options, FakeApiServer? first)
    {
        var server = new FakeApiServer(options ?? new FakeApiOptions(), first);
        if (first is null)
            server._published.PublishCluster();
        await server._listener.StartAsync();
        server._published.PublishServer(new(IPAddress.Parse(server.Uri.IdnHost), server.Uri.Port));
        return server;
    }

    private static Uri UriOf(IPEndPoint endpoint)
    {
        IPAddress address = endpoint.Address.Equals(IPAddress.Any) ? IPAddress.Loopback
            : endpoint.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
            : endpoint.Address;
        return new Uri($"https://{new IPEndPoint(address, endpoint.Port)}");
    }
}

/// <summary>What the endpoints of one server share.</summary>
internal sealed class ServerState(Store store, Faults faults, Seats seats)
{
    private volatile StreamingLists _streamingLists;

    public Store Store { get; } = store;

    public WatchCache Cache { get; } = new(store);

    public Faults Faults { get; } = faults;

    public Seats Seats { get; } = seats;

    public StreamingLists StreamingLists { get => _streamingLists; set => _streamingLists = value; }
}
