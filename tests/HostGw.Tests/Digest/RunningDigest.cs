using HostGw.Digest;
using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Tests.Hosting;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Nodes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Tests.Digest;

/// <summary>A digest that follows an API server and writes to it, wired as the program does.</summary>
internal sealed class RunningDigest : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ApiClient _client;
    private readonly BackgroundService[] _services;

    /// <param name="labels">The label keys that it carries.</param>
    public RunningDigest(FakeApiServer api, params string[] labels)
    {
        api.Objects.Put("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"hostgw-digest"}}""");
        api.WriteKubeconfig(_folder["config"]);
        _client = new(ApiConfiguration.BuildConfigFromConfigFile(_folder["config"]), "1", PatientTime.OfClient);
        NodeSelector selector = new([.. labels.Select(l => new LabelRequirement(l, Negated: false, []))]);
        ListWatch<NodeDraft> nodes = new(_client, "/api/v1/nodes", new(selector), NamedObject.Node("node1"), PatientTime.OfReflector);
        ListWatch<ShardDraft> shards =
            new(_client, ShardFormat.Path, new(), new(ShardFormat.Path, ShardFormat.Name(0)), PatientTime.OfReflector)
            {
                Selector = ShardFormat.Query,
            };
        Nodes = new(
            nodes, Store, () => Writer!.Signal(), PatientTime.OfReflector, new Typed<Reflector<NodeDraft>>(Log),
            listers: static () => 1, listsAfterLoss: true)
        {
            Following = () => Writer!.Signal(),
            WentBack = () => Shards!.ReadByQuorum(),
        };
        Shards = new(
            shards, Stored, () => Writer!.Signal(), PatientTime.OfReflector, new Typed<Reflector<ShardDraft>>(Log), "shards",
            listers: static () => 1, listsAfterLoss: true)
        {
            Following = () => Writer!.Signal(),
            WentBack = Nodes.ReadByQuorum,
        };
        Writer = new(
            _client, Store, Stored, ShardFormat.Labels(labels),
            new(() => Nodes.IsFollowing && Shards.IsFollowing, nodes.ReadTimelineAsync, Nodes.ReadByQuorum),
            TimeProvider.System, new Typed<DigestWriter>(Log));
        _services = [Writer, Nodes, Shards];
    }

    public LogLines Log { get; } = new() { Least = LogLevel.Debug };

    public NodeStore Store { get; } = new();

    public StoredShards Stored { get; } = new();

    public Reflector<NodeDraft> Nodes { get; }

    public Reflector<ShardDraft> Shards { get; }

    public DigestWriter Writer { get; }

    public DigestState State => Writer.State;

    public async Task<RunningDigest> StartAsync()
    {
        foreach (BackgroundService service in _services)
            await service.StartAsync(TestContext.Current.CancellationToken);
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (BackgroundService service in _services)
        {
            await service.StopAsync(CancellationToken.None);
            Assert.False(service.ExecuteTask?.IsFaulted, service.ExecuteTask?.Exception?.ToString());
            service.Dispose();
        }
        _client.Dispose();
        _folder.Dispose();
    }
}
