using System.Globalization;
using System.Text.Json;
using HostGw.Lab.Agents;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Where nothing changed, nothing is done.</summary>
public sealed class QuietTests : LabTest
{
    private const string Writes = "hostgw_netlink_writes_total";

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Agent Agent => Cluster.Agent(Cluster.Node(1));

    [Fact]
    public async Task A_pass_over_what_is_already_right_writes_nothing()
    {
        await StartFirstAgentAsync();
        double writes = await Agent.MetricAsync(Writes);
        Assert.True(writes > 0);
        int passes = await PassesAsync();

        // An address that concerns no route of ours wakes the agent all the same.
        for (int i = 1; i <= 10; i++)
        {
            Cluster.Node(1).Network.Configure([$"address add 172.31.{i}.1/32 dev lo"]);
            int before = passes;
            await Eventually.TrueAsync(async () => (passes = await PassesAsync()) > before, () => $"no pass after address {i}");
        }

        Assert.Equal(writes, await Agent.MetricAsync(Writes));
    }

    [Fact]
    public async Task A_thousand_heartbeats_cause_no_pass()
    {
        await StartFirstAgentAsync();
        double before = await PassesForNodesAsync();

        for (int i = 0; i < 1000; i++)
        {
            Cluster.Api.Server.Nodes.Heartbeat($"node{i % 3 + 1}");
            if (i % 50 == 0)
                await Task.Delay(TimeSpan.FromMilliseconds(60), TestContext.Current.CancellationToken);
        }

        // What comes after them on the same watch shows that they were all read.
        Node four = Cluster.AddMachine(4);
        Cluster.Announce(four);
        await Expect.OnlyRouteAsync(Cluster.Node(1), Expect.ByNodeAddress(four)[0]);
        await Eventually.TrueAsync(async () => await PassesForNodesAsync() > before, () => "the pass for node4 is not counted");
        Assert.Equal(before + 1, await PassesForNodesAsync());
    }

    [Fact]
    public async Task Heartbeats_are_handled_by_the_thread_that_receives_them()
    {
        await StartFirstAgentAsync();
        long sockets = Waits(".NET Sockets"), pool = Waits(".NET TP Worker");

        for (int i = 0; i < 300; i++)
        {
            Cluster.Api.Server.Nodes.Heartbeat($"node{i % 3 + 1}");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken);
        }
        Node four = Cluster.AddMachine(4);
        Cluster.Announce(four);
        await Expect.OnlyRouteAsync(Cluster.Node(1), Expect.ByNodeAddress(four)[0]);

        (sockets, pool) = (Waits(".NET Sockets") - sockets, Waits(".NET TP Worker") - pool);
        Assert.True(2 * pool < sockets, $"the thread pool waited {pool} times, the thread of the sockets {sockets} times");
    }

    // For `make method-order`: what is called again and again.
    [Fact(Explicit = true)]
    public async Task Heartbeats_for_half_a_minute_cause_no_pass()
    {
        await StartFirstAgentAsync();
        double before = await PassesForNodesAsync();
        for (int i = 0; i < 600; i++)
        {
            Cluster.Api.Server.Nodes.Heartbeat($"node{i % 3 + 1}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken);
        }
        Assert.Equal(before, await PassesForNodesAsync());
    }

    [Fact]
    public async Task A_quiet_cluster_logs_nothing()
    {
        await StartFirstAgentAsync();
        int lines = Agent.Log.Lines.Count;

        for (int i = 0; i < 30; i++)
            Cluster.Api.Server.Nodes.Heartbeat("node2");
        int passes = await PassesAsync();
        Cluster.Node(1).Network.Configure(["address add 172.31.0.1/32 dev lo"]);
        await Eventually.TrueAsync(async () => await PassesAsync() > passes, () => "no pass");

        Assert.Equal(lines, Agent.Log.Lines.Count);
    }

    private async Task<int> PassesAsync()
    {
        JsonElement status = await Agent.StatusAsync();
        return status.GetProperty("passes").GetProperty("count").GetInt32();
    }

    // How often the agent's threads of that name waited for something.
    private long Waits(string thread) => Directory.GetDirectories($"/proc/{Agent.ProcessId}/task")
        .Where(task => File.ReadAllText($"{task}/comm").TrimEnd() == thread)
        .SelectMany(task => File.ReadLines($"{task}/status"))
        .Where(line => line.StartsWith("voluntary_ctxt_switches:", StringComparison.Ordinal))
        .Sum(line => long.Parse(line.Split(':')[1], CultureInfo.InvariantCulture));

    private Task<double> PassesForNodesAsync() => Agent.MetricAsync("hostgw_passes_total", "nodes");
}
