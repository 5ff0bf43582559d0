using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using HostGw.FakeApi;
using HostGw.Lab.Agents;
using HostGw.Lab.Interop;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Agents that follow the node digest: a real one, and what can happen to it.</summary>
public sealed class DigestTests : LabTest
{
    private const string Namespace = "hostgw-digest";

    private static readonly TimeSpan FloodInterval = TimeSpan.FromMilliseconds(5);

    private DigestProgram _digest = null!;

    private protected override ClusterSettings Settings
    {
        get
        {
            ClusterSettings usual = Clusters.ByNodeAddress(3);
            return usual with { Agents = usual.Agents with { More = [.. usual.Agents.More, "--nodes-source", "digest"] } };
        }
    }

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    private FakeApiServer Api => Cluster.Api.Server;

    public override async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
            TestContext.Current.TestOutputHelper?.WriteLine($"digest:\n{string.Join('\n', _digest.Log.LastWords(30))}");
        _digest.Dispose();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_cluster_without_any_network_gets_one()
    {
        PutNamespace();
        _digest = Cluster.NewDigest(Cluster.Node(2));
        foreach (Agent agent in Cluster.Agents)
            agent.Start();
        await UntilAsync(
            async () => await Agent.IsAnsweringAsync() && await Agent.MetricAsync("hostgw_digest_shards_rejected") == 512,
            "the agent says that there is no digest");
        Assert.Empty(Expect.Ours(One));

        await _digest.StartAndWaitAsync();

        await AllRoutesAsync(One);
        foreach (Agent agent in Cluster.Agents)
            await agent.WaitReadyAsync();
        await UntilAsync(
            async () => (await Agent.MetricAsync("hostgw_digest_shards_rejected"), await Agent.MetricAsync("hostgw_problems")) is (0, 0),
            "the agent has no problem");
    }

    [Fact]
    public async Task Joins_leaves_and_the_own_Node_are_followed_and_heartbeats_write_nothing()
    {
        await StartAsync();
        Node four = Cluster.AddMachine(4);
        Cluster.Announce(four);
        await AllRoutesAsync(One);
        Api.Nodes.Delete(four.Name);
        await RoutesAsync(One, but: four);

        double writes = await _digest.MetricAsync("hostgw_digest_writes_total"), passes = await Agent.MetricAsync("hostgw_passes_total");
        long before = Api.ResourceVersion;
        foreach (Node node in Cluster.Nodes.Take(3))
            Api.Nodes.Heartbeat(node.Name);
        await UntilAsync(
            async () => await _digest.MetricAsync("hostgw_digest_source_resource_version") > before, "the digest has heard them");
        Assert.Equal(
            (writes, passes),
            (await _digest.MetricAsync("hostgw_digest_writes_total"), await Agent.MetricAsync("hostgw_passes_total")));
    }

    [Fact]
    public async Task While_the_digest_is_away_nothing_is_lost_and_then_what_was_missed_is_known()
    {
        await StartAsync();
        using var flood = PingFlood.Start(Paths.BetweenNeighbours(Cluster), FloodInterval);
        await _digest.StopAsync();
        Cluster.Announce(Cluster.AddMachine(4));
        foreach (Agent agent in Cluster.Agents.Take(3))
        {
            await agent.KillAsync();
            await agent.StartAndWaitAsync();
        }
        Assert.Equal(4, Expect.Ours(One).Count());

        await _digest.StartAndWaitAsync();
        await AllRoutesAsync(One);

        NoneLost(flood);
    }

    [Fact]
    public async Task Shards_that_are_deleted_or_edited_by_hand_are_written_again_and_no_packet_is_lost()
    {
        await StartAsync();
        using var flood = PingFlood.Start(Paths.BetweenNeighbours(Cluster), FloodInterval);
        string[] shards = [.. Shards()];
        string[] good = [.. shards.Select(Nodes)];
        using var kernel = RouteEvents.Listen(One.Network);
        foreach (string shard in shards)
            Api.Objects.Delete("ConfigMap", Namespace, shard);
        await UntilAsync(() => Shards().Count() == 512 && Shards().Select(Nodes).SequenceEqual(good), "they are there again");

        string edited = shards.First(s => Nodes(s).Contains("node2", StringComparison.Ordinal));
        await _digest.StopAsync();
        Edit(edited, data => data["nodes"] = "");
        await UntilAsync(async () => await Agent.MetricAsync("hostgw_digest_shards_rejected") == 1, "the agent refuses it");
        await UntilAsync(
            async () => (await Agent.StatusAsync()).GetProperty("problems").EnumerateArray()
                .Any(p => p.GetString()!.Contains(
                    $"({edited} in namespace {Namespace}); the first: its sum is not that of its nodes", StringComparison.Ordinal)),
            "status names it");
        Assert.Contains("digestShardRejected", Agent.Diagnose());
        await _digest.StartAndWaitAsync();
        await UntilAsync(() => Shards().Select(Nodes).SequenceEqual(good), "the digest repairs it");
        await UntilAsync(async () => await Agent.MetricAsync("hostgw_digest_shards_rejected") == 0, "the agent takes it");

        Assert.False(kernel.Removed(Cluster.Node(2).PodCidrs[0]));
        NoneLost(flood);
    }

    [Fact]
    public async Task The_source_changes_there_and_back_and_no_packet_is_lost()
    {
        await StartAsync();
        using var flood = PingFlood.Start(Paths.BetweenNeighbours(Cluster), FloodInterval);
        foreach (string source in (string[])["nodes", "digest"])
        {
            foreach (Agent agent in Cluster.Agents)
            {
                await agent.StopAsync();
                agent.Settings = agent.Settings with { More = [.. agent.Settings.More[..^1], source] };
                await agent.StartAndWaitAsync();
                Assert.Equal(0, await agent.MetricAsync("hostgw_netlink_writes_total"));
            }
        }
        NoneLost(flood);
    }

    // One is stopped in its tracks while the cluster changes, and wakes with what it knew.
    [Fact]
    public async Task Of_two_digests_one_that_lags_brings_nothing_old_back()
    {
        await StartAsync();
        using DigestProgram second = Cluster.NewDigest(Cluster.Node(2), "digest-second");
        await second.StartAndWaitAsync();
        _digest.Signal(Libc.SIGSTOP);
        Node three = Cluster.Node(3);
        Api.Nodes.Delete(three.Name);
        await RoutesAsync(One, but: three);
        using var kernel = RouteEvents.Listen(One.Network);

        _digest.Signal(Libc.SIGCONT);
        Node four = Cluster.AddMachine(4);
        Cluster.Announce(four);
        await Expect.RoutesAsync(One, Expect.ByNodeAddress(Cluster.Node(2)).Concat(Expect.ByNodeAddress(four)));
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);

        Assert.DoesNotContain(three.Name, string.Concat(Shards().Select(Nodes)), StringComparison.Ordinal);
        Assert.All(three.PodCidrs, cidr => Assert.Equal((0, false), (kernel.Changes(cidr), kernel.Removed(cidr))));
    }

    [Fact]
    public async Task After_a_restore_of_etcd_shards_and_routes_are_those_of_the_backup()
    {
        await StartAsync();
        StoreSnapshot backup = Api.TakeSnapshot();
        Api.Nodes.Delete("node3");
        await RoutesAsync(One, but: Cluster.Node(3));

        await Api.RestartAsync(TimeSpan.FromSeconds(1), backup);

        await AllRoutesAsync(One);
        await UntilAsync(
            () => string.Concat(Shards().Select(Nodes)).Contains("node3", StringComparison.Ordinal), "the shards hold it");
        Cluster.Announce(Cluster.AddMachine(4));
        await AllRoutesAsync(One);
    }

    // Whoever may write there gets what whoever may write Nodes gets: the guards' verdict.
    [Fact]
    public async Task A_hostile_node_in_a_shard_meets_the_guards()
    {
        await StartAsync();
        await _digest.StopAsync();
        using var flood = PingFlood.Start(Paths.BetweenNeighbours(Cluster), FloodInterval);
        foreach (string podCidr in (string[])["0.0.0.0/0", "10.0.0.0/24", $"{One.PodCidrs[0]}", $"{Cluster.Node(2).PodCidrs[0]}"])
        {
            string name = $"evil-{podCidr.Replace('.', '-').Replace('/', '-')}";
            AddLine(name, podCidr);
            await UntilAsync(
                async () => (await Agent.StatusAsync()).GetProperty("nodes").EnumerateArray()
                    .Any(n => n.GetProperty("name").GetString() == name && n.GetProperty("verdict").GetString() == "rejected"),
                $"{name} is rejected");
        }
        Assert.Equal(4, Expect.Ours(One).Count());
        NoneLost(flood);
    }

    // Only the installed route knows it then: its shard is broken, and no nodes are saved.
    [Fact]
    public async Task A_younger_Node_does_not_get_the_podCIDR_of_one_whose_shard_was_never_valid()
    {
        await StartAsync();
        await _digest.StopAsync();
        Node two = Cluster.Node(2);
        using var flood = PingFlood.Start(Paths.BetweenNeighbours(Cluster), FloodInterval);
        using var kernel = RouteEvents.Listen(One.Network);
        await Agent.KillAsync();
        if (Directory.Exists(Agent.StateDirectory))
            Directory.Delete(Agent.StateDirectory, recursive: true);
        Edit(ShardOf(two.Name), data => data["sum"] = "");
        Assert.NotEqual(ShardOf(two.Name), ShardOf("young"));
        AddLine("young", $"{two.PodCidrs[0]}");

        await Agent.StartAndWaitAsync();

        await UntilAsync(async () => await Agent.MetricAsync("hostgw_removals_held") == 2, "its routes are held");
        await UntilAsync(() => File.Exists(Path.Combine(Agent.StateDirectory, "nodes")), "the nodes are saved meanwhile");
        await AllRoutesAsync(One);
        await _digest.StartAndWaitAsync();
        await UntilAsync(async () => await Agent.MetricAsync("hostgw_removals_held") == 0, "its shard has been read");
        await AllRoutesAsync(One);
        Assert.All(two.PodCidrs, cidr => Assert.Equal((0, false), (kernel.Changes(cidr), kernel.Removed(cidr))));
        NoneLost(flood);
    }

    private static string ShardOf(string node)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(node));
        return $"hostgw-nodes-{BinaryPrimitives.ReadUInt32BigEndian(hash) % 512:000}";
    }

    private static string Sum(string lines) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines)));

    private static Task<TimeSpan> UntilAsync(Func<Task<bool>> condition, string what) =>
        Eventually.TrueAsync(condition, () => $"it is not so: {what}");

    private static Task<TimeSpan> UntilAsync(Func<bool> condition, string what) =>
        Eventually.TrueAsync(condition, () => $"it is not so: {what}");

    private static void NoneLost(PingFlood flood)
    {
        PingFloodResult result = flood.Stop();
        Assert.True(result.Lost == 0, $"{result}");
    }

    private void PutNamespace() =>
        Api.Objects.Put($$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{Namespace}}}"}}""");

    private async Task StartAsync()
    {
        PutNamespace();
        _digest = Cluster.NewDigest(One);
        await _digest.StartAndWaitAsync();
        await Cluster.StartAgentsAsync();
        await AllRoutesAsync(One);
    }

    private Task AllRoutesAsync(Node node) => RoutesAsync(node, but: null);

    private Task RoutesAsync(Node node, Node? but) =>
        Expect.RoutesAsync(node, Cluster.Nodes.Where(n => n != node && n != but).SelectMany(Expect.ByNodeAddress));

    private IEnumerable<string> Shards() => Api.Objects.Keys("ConfigMap").Select(k => k.Split('/')[^1])
        .Where(n => n.StartsWith("hostgw-nodes-", StringComparison.Ordinal));

    private string Nodes(string shard) =>
        JsonNode.Parse(Api.Objects.Get("ConfigMap", Namespace, shard) ?? "{}")?["data"]?["nodes"]?.GetValue<string>() ?? "";

    private void AddLine(string name, string podCidr) => Edit(ShardOf(name), data =>
    {
        string line = $"{name}\tuid-{name}\tlinux\t1999999999\t{podCidr}\tInternalIP=10.0.0.77\t\t\t\n";
        string lines = string.Concat(($"{data["nodes"]}{line}").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Order(StringComparer.Ordinal).Select(l => l + "\n"));
        data["nodes"] = lines;
        data["sum"] = Sum(lines);
    });

    private void Edit(string shard, Action<JsonObject> change)
    {
        JsonObject content = JsonNode.Parse(Api.Objects.Get("ConfigMap", Namespace, shard)!)!.AsObject();
        change(content["data"]!.AsObject());
        Api.Objects.Put(content);
    }
}
