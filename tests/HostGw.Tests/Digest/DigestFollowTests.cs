using System.Text.Json;
using System.Text.Json.Nodes;
using HostGw.Digest;
using HostGw.FakeApi;
using HostGw.Hosting;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Hosting;
using HostGw.Tests.Kubernetes;
using Microsoft.Extensions.Logging;

namespace HostGw.Tests.Digest;

/// <summary>An agent's two reflectors follow the shards and the own Node of an API server.</summary>
public sealed class DigestFollowTests : FakeApiTest, IAsyncDisposable
{
    private const string Own = "self";

    private static readonly string A = ShardText.NameIn(7), B = ShardText.NameIn(8);

    private readonly NodeStore _store = new();
    private readonly LogLines _log = new() { Least = LogLevel.Debug };
    private readonly CancellationTokenSource _stop = new();

    private Task _running = Task.CompletedTask;
    private Reflector<ShardDraft> _shards = null!;
    private int _followed, _wentBack;

    protected override FakeApiOptions Options => new() { BookmarkPeriod = TimeSpan.FromMilliseconds(50) };

    private string Names => string.Join(' ', _store.Snapshot.Nodes.Select(n => n.Name));

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
        await DisposeAsync();
    }

    [Fact]
    public async Task It_knows_the_shards_nodes_and_its_own_and_what_becomes_of_them()
    {
        PutNodes(Own);
        PutAll();
        await FollowAsync();
        Assert.Equal(Joined(A, B, Own), Names);

        Put(7, A, ShardText.NameIn(7, from: 10_000));
        await EventuallyAsync(() => _store.Count == 4, "a node joins");
        Put(8);
        await EventuallyAsync(() => _store.Count == 3, "a node leaves");
        Api.Nodes.Put(new NodeSpec(Own) { PodCidrs = ["10.244.77.0/24"] });
        await EventuallyAsync(() => OwnCidr() == "10.244.77.0/24", "the own Node changes");
        Assert.Empty(_store.Snapshot.Digest!.Rejected);
    }

    // Neither those of other Nodes, nor ConfigMaps without the label.
    [Fact]
    public async Task It_hears_of_nothing_else()
    {
        PutNodes(Own);
        PutAll();
        await FollowAsync();
        PutNodes("x", "y");
        Api.Objects.Put(ConfigMap("other", [], label: "none"));
        Put(8);
        await EventuallyAsync(() => _store.Count == 2, "the shard's event, which comes after these");

        Assert.All(
            Api.Requests.Where(r => r.Path.EndsWith("/nodes", StringComparison.Ordinal)),
            r => Assert.Contains("fieldSelector=metadata.name%3Dself", r.Query, StringComparison.Ordinal));
        Assert.All(
            Api.Requests.Where(r => r.Path.EndsWith("/configmaps", StringComparison.Ordinal)),
            r => Assert.Contains("labelSelector=hostgw.io%2Fpart%3Dnodes", r.Query, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_large_shard_arrives_whole()
    {
        string[] many = [.. Enumerable.Range(0, 900).Select(i => ShardText.NameIn(9, from: i * 5000)).Distinct()];
        PutNodes(Own);
        PutAll();
        Put(9, many);
        await FollowAsync();
        Assert.Equal(many.Length + 3, _store.Count);
        Assert.InRange(ShardText.Data(9, many.Select(Node))["nodes"].Length, 70_000, ShardFormat.MaxNodes);
    }

    [Fact]
    public async Task A_list_by_quorum_is_one_of_the_shards()
    {
        PutNodes(Own);
        PutAll();
        await FollowAsync();
        int before = Api.Requests.Length;
        Api.Faults.HangRequests = true;
        _shards.ReadByQuorum();
        // At once: what it holds may be wrong.
        Assert.False(_shards.IsFollowing);
        Api.Faults.HangRequests = false;
        await EventuallyAsync(() => _store.Snapshot.QuorumReads == 1, "the list");
        RequestRecord[] shards =
            [.. Api.Requests.Skip(before).Where(r => r.Path.EndsWith("/configmaps", StringComparison.Ordinal))];
        Assert.Contains(shards, r => !r.Query.Contains("resourceVersion=", StringComparison.Ordinal));
        Assert.All(shards, r => Assert.Contains("labelSelector=hostgw.io%2Fpart%3Dnodes", r.Query, StringComparison.Ordinal));
    }

    // The store was restored: what the digest wrote since never was.
    [Fact]
    public async Task A_restore_is_followed_within_one_check()
    {
        PutNodes(Own);
        PutAll();
        await FollowAsync();
        StoreSnapshot backup = Api.TakeSnapshot();
        Put(7);
        await EventuallyAsync(() => _store.Count == 2, "a node leaves");
        Assert.Equal((true, 0), (_shards.IsFollowing, Volatile.Read(ref _wentBack)));
        int before = Volatile.Read(ref _followed);

        await Api.StopListeningAsync();
        await EventuallyAsync(() => !_shards.IsFollowing, "it knows that it does not follow");
        await Api.StartListeningAsync();
        await EventuallyAsync(() => _shards.IsFollowing && Volatile.Read(ref _followed) == before + 1, "it follows again, and says so");
        Assert.Equal(0, Volatile.Read(ref _wentBack));
        // Each collection by an object of its own: they may be in two stores, and the metadata of a shard is small.
        string[] checks =
        [
            "/api/v1/namespaces/hostgw-digest/configmaps?fieldSelector=metadata.name%3Dhostgw-nodes-000",
            "/api/v1/nodes?fieldSelector=metadata.name%3Dself",
        ];
        await EventuallyAsync(
            () => checks.All(c => Api.Requests.Any(r => r.Path + r.Query == c)),
            $"both timeline checks, and not {string.Join('\n', Checks())}");
        Assert.Equal(2, Checks().Distinct().Count());

        await Api.RestartAsync(restored: backup);
        await EventuallyAsync(() => Names == Joined(A, B, Own), "it is there again");
        Assert.Equal(1, Volatile.Read(ref _wentBack));
    }

    // Lists and watches name a resource version.
    private IEnumerable<string> Checks() => Api.Requests.Select(r => r.Path + r.Query)
        .Where(r => r.Contains("?fieldSelector=", StringComparison.Ordinal) && !r.Contains('&', StringComparison.Ordinal));

    private static string Joined(params string[] names) => string.Join(' ', names.Order(StringComparer.Ordinal));

    private static ClusterNode Node(string name) => new()
    {
        Name = name,
        Uid = "3f0e4a52-0a0e-4d0c-9f55-0123456789ab",
        CreatedAt = 5,
        PodCidrs = [Prefix.Parse("10.244.9.0/24")],
        InternalIPs = [Ip.Parse("10.0.0.9")],
    };

    private string OwnCidr() => string.Join(',', _store.Snapshot.Nodes.Single(n => n.Name == Own).PodCidrs);

    private void PutAll()
    {
        for (int i = 0; i < ShardFormat.Count; i++)
            Put(i, i == 7 ? [A] : i == 8 ? [B] : []);
    }

    private void Put(int shard, params string[] nodes) =>
        Api.Objects.Put(ConfigMap(ShardFormat.Name(shard), ShardText.Data(shard, nodes.Select(Node)), "nodes"));

    private static string ConfigMap(string name, Dictionary<string, string> data, string label) => new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["namespace"] = ShardFormat.Namespace,
            ["labels"] = new JsonObject { [ShardFormat.LabelKey] = label },
        },
        ["data"] = JsonSerializer.SerializeToNode(data),
    }.ToJsonString();

    private async Task FollowAsync()
    {
        ApiClient client = Connect();
        DigestNodes digest = new(_store, Own, NodeSelector.Everything, static () => []);
        ListWatch<NodeDraft> own =
            new(client, "/api/v1/nodes", new(NodeSelector.Everything, Own), NamedObject.Node(Own), TimeProvider.System)
            {
                Selector = "fieldSelector=metadata.name%3Dself",
            };
        _shards = new(
            ApiAccess.Shards(client), digest.Shards, static () => { }, TimeProvider.System, new Typed<Reflector<ShardDraft>>(_log))
        {
            Following = () => Interlocked.Increment(ref _followed),
            WentBack = () => Interlocked.Increment(ref _wentBack),
        };
        Reflector<NodeDraft> reflector = new(own, digest.OwnNode, static () => { }, TimeProvider.System, new Typed<Reflector<NodeDraft>>(_log));
        _running = Task.WhenAll(Quiet(_shards.RunAsync(_stop.Token)), Quiet(reflector.RunAsync(_stop.Token)));
        await EventuallyAsync(() => _store.Snapshot.IsComplete, "both lists");
    }

    private static async Task Quiet(Task running)
    {
        try
        {
            await running;
        }
        catch (OperationCanceledException)
        {
            // It was stopped.
        }
    }
}
