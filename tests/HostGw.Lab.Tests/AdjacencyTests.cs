using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Hosts on two segments, addresses that have no prefix or move, NICs that come back, and Nodes that lose their addresses.</summary>
public sealed class AdjacencyTests : LabTest
{
    private static readonly TimeSpan FloodInterval = TimeSpan.FromMilliseconds(5);

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Node One => Cluster.Node(1);

    private Node Two => Cluster.Node(2);

    private Node Three => Cluster.Node(3);

    [Fact]
    public async Task A_peer_on_the_second_segment_is_reached_there_and_the_order_of_the_own_addresses_loses_no_packet()
    {
        One.Network.Configure(
            [$"link add eth1 type veth peer name eth1 netns {Two.Name}", "address add 10.1.0.11/24 dev eth1", "link set eth1 up"]);
        Two.Network.Configure(["address add 10.1.0.12/24 dev eth1", "link set eth1 up"]);
        Put(Two, "10.1.0.12", "fd00:10::12");
        Put(One, "10.1.0.11", "10.0.0.11", "fd00:10::11");
        await Cluster.StartAgentsAsync();
        await Expect.OnlyRouteAsync(One, "192.168.2.0/24 via 10.1.0.12 dev eth1 proto 157 onlink");
        await Expect.OnlyRouteAsync(Two, "192.168.1.0/24 via 10.1.0.11 dev eth1 proto 157 onlink");
        await Expect.OnlyRouteAsync(One, "192.168.3.0/24 via 10.0.0.13 dev eth0 proto 157 onlink");
        using (PingFlood.Start(Both(One, Two), FloodInterval))
        {
            // Each path has answered.
        }

        using var flood = PingFlood.Start(Both(One, Three), FloodInterval);
        using var kernel = RouteEvents.Listen(One.Network);
        foreach (int flip in Enumerable.Range(0, 6))
        {
            string[] own = flip % 2 == 0 ? ["10.0.0.11", "10.1.0.11", "fd00:10::11"] : ["10.1.0.11", "10.0.0.11", "fd00:10::11"];
            Put(One, own);
            await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
        }
        PingFloodResult result = flood.Stop();
        Assert.True(result.Lost == 0, $"{result}");
        Assert.False(kernel.Removed(Two.PodCidrs[0]) || kernel.Removed(Three.PodCidrs[0]));
    }

    [Fact]
    public async Task A_node_whose_address_has_no_prefix_reaches_its_peers_by_the_on_link_route()
    {
        One.Network.Configure([
            "address delete 10.0.0.11/24 dev eth0", "address add 10.0.0.11/32 dev eth0", "route add 10.0.0.0/24 dev eth0 scope link",
            "address delete fd00:10::11/64 dev eth0", "address add fd00:10::11/128 dev eth0 nodad",
            "route add fd00:10::/64 dev eth0 proto ra",
        ]);
        await Cluster.StartAgentsAsync();
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
        using var flood = PingFlood.Start(Both(One, Two), FloodInterval);

        // A more specific route takes one peer away, and gives it back: both are received.
        One.Network.Configure(["route add 10.0.0.13/32 via 10.0.0.1"]);
        await Expect.NoRouteAsync(One, Three.PodCidrs[0]);
        One.Network.Configure(["route delete 10.0.0.13/32 via 10.0.0.1"]);
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));

        PingFloodResult result = flood.Stop();
        Assert.True(result.Lost == 0, $"{result}");
    }

    [Fact]
    public async Task Nodes_that_lose_all_addresses_keep_their_routes_also_over_a_restart_of_the_agent()
    {
        await Cluster.StartAgentsAsync();
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
        using var flood = PingFlood.Start(Paths.BetweenNeighbours(Cluster), FloodInterval);
        using var kernel = RouteEvents.Listen(One.Network);

        foreach (Node node in Cluster.Nodes)
        {
            Put(node);
            await Task.Delay(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
        }
        await Eventually.TrueAsync(
            async () => (await Cluster.Agent(One).StatusAsync()).ToString().Contains("its last next hop is kept", StringComparison.Ordinal),
            () => "status should say that next hops are kept");
        await Cluster.Agent(One).StopAsync();
        await Cluster.Agent(One).StartAndWaitAsync();
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));

        PingFloodResult result = flood.Stop();
        Assert.True(result.Lost == 0, $"{result}");
        Assert.False(kernel.Removed(Two.PodCidrs[0]) || kernel.Removed(Three.PodCidrs[1]));
    }

    [Fact]
    public async Task A_load_balancers_address_is_no_next_hop_and_chooses_no_interface_whoever_holds_it()
    {
        // Nodes 2 and 3 list it first, as keepalived's of control planes is listed. Node 1 holds it on another interface.
        Put(Two, "10.0.0.100", "10.0.0.12", "fd00:10::12");
        Put(Three, "10.0.0.100", "10.0.0.13", "fd00:10::13");
        One.Network.Configure([
            "link add vip0 type veth peer name vip0p", "link set vip0 up", "link set vip0p up", "address add 10.0.0.100/32 dev vip0",
        ]);
        foreach (Agents.Agent agent in Cluster.Agents)
            agent.Settings = agent.Settings with { More = [.. agent.Settings.More, "--interface", "10.0.0.0/24"] };
        await Cluster.StartAgentsAsync();
        foreach (Node node in Cluster.Nodes)
            await Expect.RoutesAsync(node, Cluster.Nodes.Where(peer => peer != node).SelectMany(Expect.ByNodeAddress));
        using var flood = PingFlood.Start(Paths.BetweenNeighbours(Cluster), FloodInterval);
        using var kernel = RouteEvents.Listen(One.Network);

        One.Network.Configure(["link delete vip0"]);
        foreach (Node holder in (Node[])[Two, Three, One])
        {
            holder.Network.Configure(["address add 10.0.0.100/32 dev eth0"]);
            await Task.Delay(TimeSpan.FromMilliseconds(300), TestContext.Current.CancellationToken);
            Assert.Empty(Cluster.Agent(One).Diagnose());
            holder.Network.Configure(["address delete 10.0.0.100/32 dev eth0"]);
        }
        PingFloodResult result = flood.Stop();
        Assert.True(result.Lost == 0, $"{result}");
        Assert.False(kernel.Removed(Two.PodCidrs[0]) || kernel.Removed(Three.PodCidrs[0]));
        foreach (Node node in Cluster.Nodes)
            await Expect.RoutesAsync(node, Cluster.Nodes.Where(peer => peer != node).SelectMany(Expect.ByNodeAddress));
    }

    [Fact]
    public async Task A_NIC_that_is_plugged_in_again_gets_its_routes_back_and_meanwhile_the_node_is_not_ready()
    {
        await Cluster.StartAgentsAsync();
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
        Agents.Agent agent = Cluster.Agent(One);

        One.Network.Configure(["link delete eth0"]);
        await Eventually.TrueAsync(async () => !await agent.IsReadyAsync(), () => "the node is ready without its NIC");
        Cluster.Segment.Attach(One.Network, One.Addresses);
        One.Network.Configure(Addressing.Router.Select(router => $"route add default via {router}"));

        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
        await agent.WaitReadyAsync();
        foreach ((NetworkNamespace from, IPAddress to) in Both(One, Two))
            await Eventually.TrueAsync(() => Ping.Once(from, to, TimeSpan.FromSeconds(1)) is not null, () => $"no answer from {to}");
        Assert.Empty(agent.Diagnose());
    }

    private static IEnumerable<(NetworkNamespace From, IPAddress To)> Both(Node one, Node other) =>
        from pair in (((Node From, Node To)[])[(one, other), (other, one)])
        from address in pair.To.Pods[0].Addresses
        select (pair.From.Pods[0].Network, address);

    private void Put(Node node, params string[] addresses) =>
        Cluster.Api.Server.Nodes.Put(Cluster.Describe(node) with { InternalIPs = addresses });
}
