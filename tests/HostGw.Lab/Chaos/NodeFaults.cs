using System.Globalization;
using System.Text.Json;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Chaos;

/// <summary>What may happen to Node objects though their machines are as before, such as by a cloud's controller.</summary>
internal static class NodeFaults
{
    private static readonly string[][] OwnAddresses =
    [
        ["10.1.0.11", "10.0.0.11", "fd00:10::11"], ["10.0.0.11", "10.1.0.11", "fd00:10::11"], ["10.0.0.81", "fd00:10::81"],
        ["fd00:10::81", "10.1.0.11", "10.0.0.81"], ["10.1.0.11", "10.0.0.11", "fd00:10::11"],
    ];

    public static IEnumerable<Fault> All =>
    [
        new("all Nodes lose their addresses, one by one", VanishAsync, ReturnAsync) { Meanwhile = StartAnewAsync },
        new("a node's own addresses change places, and alternate", AlternateAsync, SettleOnOneAsync),
    ];

    private static Task VanishAsync(Stage stage) => WithoutRemovalAsync(stage, async () =>
    {
        foreach (string name in stage.Api.Nodes.Names)
        {
            stage.Api.Nodes.Patch(name, $$$"""{"status": {"addresses": [{"type": "Hostname", "address": "{{{name}}}"}]}}""");
            await Task.Delay(Pause(stage));
        }
        await KeptAsync(stage);
    });

    // What it knows of addresses that are gone, it must have from somewhere else.
    private static async Task StartAnewAsync(Stage stage)
    {
        await stage.First.KillAsync();
        await stage.First.StartAndWaitAsync();
        await KeptAsync(stage);
    }

    private static Task ReturnAsync(Stage stage) => WithoutRemovalAsync(stage, async () =>
    {
        foreach (Node node in stage.Cluster.Nodes)
        {
            stage.Cluster.Announce(node);
            await Task.Delay(Pause(stage));
        }
        stage.Announce(Stage.Ghost, Stage.GhostNumber);
    });

    // The agent of node 1 says so of both families of the other machines and the ghost.
    private static Task<TimeSpan> KeptAsync(Stage stage)
    {
        string seen = "";
        return Eventually.TrueAsync(
            async () =>
            {
                JsonElement nodes = (await stage.First.StatusAsync()).GetProperty("nodes");
                seen = $"{nodes}";
                return nodes.EnumerateArray().SelectMany(n => n.GetProperty("podCidrs").EnumerateArray())
                    .Count(p => $"{p}".Contains("its last next hop is kept", StringComparison.Ordinal)) == 6;
            },
            () => $"node 1 should keep the next hops of three nodes, and says {seen}");
    }

    // Also a route that was gone for a moment was removed.
    private static async Task WithoutRemovalAsync(Stage stage, Func<Task> change)
    {
        RouteEvents[] kernels = [.. stage.Cluster.Nodes.Select(node => RouteEvents.Listen(node.Network))];
        try
        {
            await change();
            IPNetwork[] podCidrs = [.. stage.Cluster.Nodes.SelectMany(n => n.PodCidrs), .. Addressing.PodCidrs(Stage.GhostNumber)];
            if (podCidrs.FirstOrDefault(cidr => Array.Exists(kernels, k => k.Removed(cidr))) is { PrefixLength: > 0 } removed)
                throw new InvalidOperationException($"a route to {removed} was removed");
        }
        finally
        {
            foreach (RouteEvents kernel in kernels)
                kernel.Dispose();
        }
    }

    private static TimeSpan Pause(Stage stage) => stage.IsLong ? TimeSpan.FromSeconds(1) : TimeSpan.FromMilliseconds(50);

    // Node 1 has two addresses on the segment, and one on another, where nobody of the cluster is.
    private static async Task AlternateAsync(Stage stage)
    {
        stage.One.Network.Configure([
            "address add 10.0.0.81/24 dev eth0", "address add fd00:10::81/64 dev eth0 nodad",
            "link add eth1 type veth peer name eth1p", "link set eth1p up", "link set eth1 up", "address add 10.1.0.11/24 dev eth1",
        ]);
        int rounds = stage.IsLong ? 20 : 2;
        double passes = await stage.First.MetricAsync("hostgw_passes_total");
        double writes = await stage.First.MetricAsync("hostgw_netlink_writes_total");
        foreach (string[] addresses in Enumerable.Repeat(OwnAddresses, rounds).SelectMany(a => a))
        {
            stage.Api.Nodes.Put(stage.Cluster.Describe(stage.One) with { InternalIPs = addresses });
            await Task.Delay(50);
        }
        await stage.SettleAsync();
        passes = await stage.First.MetricAsync("hostgw_passes_total") - passes;
        writes = await stage.First.MetricAsync("hostgw_netlink_writes_total") - writes;
        stage.Note = string.Create(
            CultureInfo.InvariantCulture, $"{rounds * OwnAddresses.Length} changes, {passes} passes, {writes} writes on that node");
        // The guards get a second uplink, once.
        if (passes < OwnAddresses.Length || writes > GuardTable.WritesOf(stage.One.Network, GuardTable.Uplinks))
            throw new InvalidOperationException(stage.Note);
    }

    private static Task SettleOnOneAsync(Stage stage)
    {
        stage.Cluster.Announce(stage.One);
        stage.One.Network.Configure(["link delete eth1", "address delete 10.0.0.81/24 dev eth0", "address delete fd00:10::81/64 dev eth0"]);
        return Task.CompletedTask;
    }
}
