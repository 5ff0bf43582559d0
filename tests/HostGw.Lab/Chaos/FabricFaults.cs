using System.Diagnostics;
using System.Globalization;
using HostGw.Lab.Agents;
using HostGw.Lab.Demo;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Chaos;

/// <summary>What may happen to the network between nodes.</summary>
internal static class FabricFaults
{
    private const string Dropped = "what the network dropped until the tunnel took over";
    private const int SmallMtu = 1400, Mtu = 1500;

    // The default of the setting: longer than the segment is whole.
    private const int NativeAfterSeconds = 300;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    public static IEnumerable<Fault> All =>
    [
        Drops("segment drops pods' packets between nodes 1 and 2",
            stage => stage.Cluster.Segment.DropPodAddressesBetween(stage.One, stage.Cluster.Node(2)), node => node.Number <= 2)
            with { IsLongOnly = false },
        Drops("segment drops what node 1's pods send",
            stage => stage.Cluster.Segment.DropPodAddressesFrom(stage.One), node => node.Number == 1),
        Drops("segment drops all pods' packets", stage => stage.Cluster.Segment.DropPodAddresses(), _ => true),
        Drops("segment drops all pods' packets, strict rp_filter",
            stage =>
            {
                stage.SetReversePathFilter(1);
                stage.Cluster.Segment.DropPodAddresses();
            },
            _ => true),
        Fault.Sudden("segment is mended, and packets leave the tunnel", Mend) with { IsLongOnly = true, Before = DropAllAsync },
        new("segment drops all pods' packets every other minute, for 10 minutes", AlternateAsync, _ => Task.CompletedTask)
        {
            OwnLoss = Dropped, IsLongOnly = true, AgentsWork = false,
            Before = stage => RestartAsync(stage, NativeAfterSeconds), After = CalmAsync,
        },
        new("probes' port dropped by segment and routers", DropProbesAsync, AllowProbes) { IsLongOnly = true },
        new("node 1's INPUT chain drops pods' UDP, and so probes", FilterProbesAsync, AllowProbesOfOne) { IsLongOnly = true },
        new("tunnel's port dropped by routers", DropTunnel, AllowTunnel)
            { OwnLoss = "what only the tunnel reaches", IsLongOnly = true },
        Fault.Sudden("routers learn the pod networks, and packets leave the tunnel", Learn)
            with { IsLongOnly = true, After = Forget },
        Fault.Sudden("tunnel's port dropped by routers that know the pod networks", DropTunnel) with
        {
            IsLongOnly = true, Before = BeRoutedAsync, After = stage => Task.WhenAll(AllowTunnel(stage), Forget(stage)),
        },
        Fault.Sudden("routers forget the pod networks", Forget)
            with { IsLongOnly = true, OwnLoss = "what routers dropped until the tunnel took over", Before = BeRoutedAsync },
        new("link between routers takes 1,400 bytes, and they say so", stage => ShrinkAsync(stage, families: 2), Grow)
            { IsLongOnly = true },
        new("link between routers takes 1,400 bytes, and they do not say so: over IPv4", ShrinkInSilenceAsync, GrowAloud)
            { IsLongOnly = true },
    ];

    /// <param name="drop">From then on no packet of pods of affected nodes comes to another affected node's, or to a node at all.</param>
    private static Fault Drops(string name, Action<Stage> drop, Func<Node, bool> isAffected) => Fault.Sudden(name, stage =>
    {
        drop(stage);
        bool isOne = stage.Cluster.Nodes.Count(isAffected) == 1;
        stage.WayOf = (node, peer) =>
            node.Segment == peer.Segment && (isOne ? isAffected(node) || isAffected(peer) : isAffected(node) && isAffected(peer))
                ? Way.Tunnel : stage.Usual(node, peer);
        return Task.CompletedTask;
    }) with
    {
        OwnLoss = Dropped,
        IsLongOnly = true,
        After = Mend,
    };

    private static async Task DropAllAsync(Stage stage)
    {
        stage.Cluster.Segment.DropPodAddresses();
        stage.WayOf = (_, _) => Way.Tunnel;
        await stage.SettleAsync();
        await stage.ArriveAsync();
    }

    private static Task Mend(Stage stage)
    {
        stage.Cluster.Segment.DropNothing();
        stage.SetReversePathFilter(2);
        stage.WayOf = stage.Usual;
        return Task.CompletedTask;
    }

    // No flapping: what took the tunnel once stays there, for the segment is whole for less than is asked for.
    private static async Task AlternateAsync(Stage stage)
    {
        Node[] nodes = [.. stage.Cluster.Nodes.Where(node => node.Segment == stage.Cluster.Segment)];
        RouteEvents[] kernels = [.. nodes.Select(node => RouteEvents.Listen(node.Network))];
        try
        {
            stage.WayOf = (_, _) => Way.Tunnel;
            for (int i = 0; i < 5; i++)
            {
                stage.Cluster.Segment.DropPodAddresses();
                await Task.Delay(Minute);
                stage.Cluster.Segment.DropNothing();
                await Task.Delay(Minute);
            }
            int changes = nodes.Zip(kernels).Sum(n => nodes.Where(p => p != n.First).Sum(p => p.PodCidrs.Sum(n.Second.Changes)));
            int routes = nodes.Length * (nodes.Length - 1) * 2;
            stage.Note = string.Create(CultureInfo.InvariantCulture, $"default settings; {changes} changes of {routes} routes");
            if (changes > routes)
                throw new InvalidOperationException($"routes flap: {stage.Note}");
        }
        finally
        {
            Array.ForEach(kernels, kernel => kernel.Dispose());
        }
    }

    private static async Task CalmAsync(Stage stage)
    {
        await Mend(stage);
        await RestartAsync(stage);
    }

    private static async Task RestartAsync(Stage stage, int? nativeAfterSeconds = null)
    {
        foreach (Agent agent in stage.Cluster.Agents)
        {
            agent.Settings = nativeAfterSeconds is { } seconds ? Stage.Tunnelling(stage.IsLong, seconds) : Stage.Tunnelling(stage.IsLong);
            await agent.StopAsync();
            await agent.StartAndWaitAsync();
        }
    }

    private static Task<TimeSpan> DropProbesAsync(Stage stage)
    {
        Drop(stage.Cluster.Segment.Network, "bridge", "forward", "udp dport 9158");
        Drop(stage.Cluster.Outside.Network, "inet", "forward", "udp dport 9158");
        return PeersBecomeAsync(stage.First, "unreachable");
    }

    private static Task AllowProbes(Stage stage)
    {
        Allow(stage.Cluster.Segment.Network, "bridge");
        Allow(stage.Cluster.Outside.Network, "inet");
        return Task.CompletedTask;
    }

    private static Task<TimeSpan> FilterProbesAsync(Stage stage)
    {
        Drop(stage.One.Network, "inet", "input", "ip saddr 192.168.0.0/16 meta l4proto udp");
        return PeersBecomeAsync(stage.Cluster.Agent(stage.Cluster.Node(2)), "probeFiltered");
    }

    private static Task AllowProbesOfOne(Stage stage)
    {
        Allow(stage.One.Network, "inet");
        return Task.CompletedTask;
    }

    // Where the pod networks are unknown to routers there is no other way: the routes stay.
    private static Task DropTunnel(Stage stage)
    {
        Drop(stage.Cluster.Outside.Network, "inet", "forward", "udp dport 4790");
        return Task.CompletedTask;
    }

    private static Task AllowTunnel(Stage stage)
    {
        Allow(stage.Cluster.Outside.Network, "inet");
        return Task.CompletedTask;
    }

    // What the routers carry takes no tunnel.
    private static Task Learn(Stage stage)
    {
        stage.Cluster.Second!.LearnPodNetworks(stage.Cluster.Nodes);
        stage.WayOf = (node, peer) => node.Segment == peer.Segment ? Way.Native : Way.None;
        return Task.CompletedTask;
    }

    private static async Task BeRoutedAsync(Stage stage)
    {
        await Learn(stage);
        foreach (Agent agent in stage.Cluster.Agents)
            await PeersBecomeAsync(agent, "routedByNetwork", agent == stage.Cluster.Agent(stage.Cluster.Node(4)) ? 6 : 2);
    }

    private static Task Forget(Stage stage)
    {
        stage.Cluster.Second!.ForgetPodNetworks(stage.Cluster.Nodes);
        stage.WayOf = stage.Usual;
        return Task.CompletedTask;
    }

    private static async Task ShrinkInSilenceAsync(Stage stage)
    {
        stage.Cluster.Second!.DropTooBigMessages();
        await ShrinkAsync(stage, families: 1);
    }

    // Connections that have begun before go on.
    private static async Task ShrinkAsync(Stage stage, int families)
    {
        Pod from = stage.Cluster.Node(3).Pods[0], to = stage.Cluster.Node(4).Pods[0];
        TcpTransfer[] transfers = [.. to.Addresses.Take(families).Select(address => TcpTransfer.Start(from.Network, to.Network, address))];
        try
        {
            await MoreArrivesAsync(transfers);
            stage.Cluster.Second!.SetMtu(SmallMtu);
            stage.Note = $"4 MB more by TCP in {Screen.Time(await MoreArrivesAsync(transfers))}";
            foreach (TcpTransfer transfer in transfers)
            {
                (long sent, long arrived) = await transfer.StopAsync();
                if (sent != arrived)
                    throw new InvalidOperationException($"of {sent} bytes {arrived} arrived");
            }
        }
        finally
        {
            Array.ForEach(transfers, transfer => transfer.Dispose());
        }
    }

    private static async Task<TimeSpan> MoreArrivesAsync(TcpTransfer[] transfers)
    {
        long started = Stopwatch.GetTimestamp();
        long[] before = [.. transfers.Select(transfer => transfer.Received)];
        for (int i = 0; i < transfers.Length; i++)
        {
            await Eventually.TrueAsync(
                () => transfers[i].Received > before[i] + (4 << 20),
                () => $"connection {i} stands still: {transfers[i].Received - before[i]} bytes more");
        }
        return Stopwatch.GetElapsedTime(started);
    }

    private static Task Grow(Stage stage)
    {
        stage.Cluster.Second!.SetMtu(Mtu);
        return Task.CompletedTask;
    }

    private static Task GrowAloud(Stage stage)
    {
        stage.Cluster.Second!.SendTooBigMessages();
        return Grow(stage);
    }

    /// <param name="podCidrs">Of so many.</param>
    private static Task<TimeSpan> PeersBecomeAsync(Agent agent, string reachability, int podCidrs = 1) => Eventually.TrueAsync(
        async () => await agent.MetricAsync("hostgw_peers", $"reachability=\"{reachability}\"") >= podCidrs,
        () => $"{agent.Node}: {podCidrs} should be {reachability}");

    private static void Drop(NetworkNamespace network, string family, string hook, string what) => network.Exec(
        "nft", $"table {family} block {{ chain packets {{ type filter hook {hook} priority 0; {what} drop; }}; }}");

    private static void Allow(NetworkNamespace network, string family) => network.Exec("nft", $"delete table {family} block");
}
