using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Tests.Hosting;
using Microsoft.Extensions.Logging;
using NodeSnapshot = HostGw.Nodes.NodeSnapshot;

namespace HostGw.Tests.Nodes;

/// <summary>A reflector that follows an API server, and every snapshot that it announced.</summary>
internal sealed class NodeFollower : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("hostgw-test").FullName;
    private readonly ApiClient _client;
    private readonly List<NodeSnapshot> _announced = [];
    private readonly Task _running;
    private int _listsCompleted;

    /// <param name="further">Further addresses of the server.</param>
    /// <param name="connecting">The clock of the client.</param>
    public NodeFollower(
        FakeApiServer api, int? port = null, TimeProvider? time = null, string node = "a", IPEndPoint? further = null,
        TimeProvider? connecting = null)
        : this(directory => InPod(api, directory, port ?? api.Uri.Port), time, node, connecting, further)
    {
    }

    public NodeFollower(ApiConfiguration configuration, TimeProvider? time = null, string node = "a")
        : this(_ => configuration, time, node, connecting: null, further: null)
    {
    }

    private NodeFollower(
        Func<string, ApiConfiguration> configure, TimeProvider? time, string node, TimeProvider? connecting, IPEndPoint? further)
    {
        time ??= PatientTime.OfReflector;
        _client = new(configure(_directory), "1.2.3", connecting ?? PatientTime.OfClient);
        if (further is not null)
            _client.UseAddresses(() => [further]);
        ListWatch<NodeDraft> nodes = new(_client, "/api/v1/nodes", new(NodeText.Selector, node), NamedObject.Node(node), time);
        Watcher = new(nodes, Store, Announce, time, new Typed<Reflector<NodeDraft>>(Log))
        {
            ListCompleted = () => Interlocked.Increment(ref _listsCompleted),
        };
        _running = Watcher.RunAsync(_stop.Token);
    }

    public NodeStore Store { get; } = new();

    public Reflector<NodeDraft> Watcher { get; }

    public int ListsCompleted => Volatile.Read(ref _listsCompleted);

    /// <summary>Of the latest connection.</summary>
    public IPAddress? RemoteAddress => _client.RemoteAddress;

    public LogLines Log { get; } = new() { Least = LogLevel.Debug };

    public string TokenFile => Path.Combine(_directory, "token");

    public NodeSnapshot[] Announced
    {
        get
        {
            lock (_announced)
                return [.. _announced];
        }
    }

    /// <summary>The nodes as last announced: the store knows a moment earlier.</summary>
    public string Names => string.Join(' ', Announced.LastOrDefault()?.Nodes.Select(n => n.Name) ?? []);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running);
        _client.Dispose();
        _stop.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static ApiConfiguration InPod(FakeApiServer api, string directory, int port)
    {
        api.WriteServiceAccount(directory);
        return ApiConfiguration.InClusterConfig(null, null, directory, $"https://127.0.0.1:{port}");
    }

    private void Announce()
    {
        lock (_announced)
            _announced.Add(Store.Snapshot);
    }
}
