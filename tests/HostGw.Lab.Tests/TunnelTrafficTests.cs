using HostGw.FakeApi;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>
/// Two segments of two nodes behind routers that know no pod network: whatever goes between pods, nodes, Services and outside.
/// </summary>
[Trait("Speed", "slow")]
public sealed class TunnelTrafficTests : TunnelTest
{
    private protected override ClusterSettings Settings => Tunnelled(4, firstOnSecondSegment: 3);

    private Node Three => Cluster.Node(3);

    private Node Four => Cluster.Node(4);

    private Pod Pod => One.Pods[0];

    private Pod Far => Three.Pods[0];

    [Fact]
    public async Task All_pods_reach_all_others_and_are_seen_by_their_own_addresses_and_outside_by_their_nodes()
    {
        await StartAsync();
        PingMatrix matrix = PingMatrix.Measure(Cluster.Pods, Expect.Patience);
        Assert.Empty(matrix.Unanswered);
        Assert.Empty(matrix.ForeignSources);
        foreach (Node node in Cluster.Nodes)
            Assert.Equal(node.Addresses, Addressing.Outside.Select(outside => matrix.Source(node.Pods[0], outside)));
        foreach (Node node in Cluster.Nodes)
            await Verdicts.NoProblemAsync(Cluster.Agent(node));
    }

    [Theory]
    [InlineData(0, "auto")]
    [InlineData(1, "auto")]
    [InlineData(1, "always")]
    public async Task Nodes_with_addresses_of_one_family_carry_pods_of_both(int family, string mode)
    {
        foreach (Node node in Cluster.Nodes)
        {
            SetMode(node, mode);
            NodeSpec described = Cluster.Describe(node);
            Cluster.Api.Server.Nodes.Put(described with { InternalIPs = [described.InternalIPs[family]] });
        }
        await Cluster.StartAgentsAsync();
        foreach (Pod to in (Pod[])[Two.Pods[0], Far, Four.Pods[0]])
        {
            foreach (IPAddress address in to.Addresses)
                await ArrivesAsync(Pod.Network, address);
            Assert.Equal(Pod.Addresses, to.Addresses.Select(address => SourceEcho.Ask(Pod.Network, address, Expect.Patience)));
        }
        // Hosts and pods, in the family that hosts have addresses of for the latter.
        Assert.Equal(Sources(One), Far.Addresses.Select(address => SourceEcho.Ask(One.Network, address, Expect.Patience)));
        using SourceEcho echo = SourceEcho.Start(Three.Network, Three.Addresses);
        Assert.NotNull(SourceEcho.Ask(Pod.Network, Three.Addresses[family], Expect.Patience));
        await CarriesBigAsync();
    }

    [Fact]
    public async Task Nodes_reach_pods_and_pods_nodes_on_the_other_segment()
    {
        await StartAsync();
        Assert.Equal(Sources(One), Far.Addresses.Select(address => SourceEcho.Ask(One.Network, address, Expect.Patience)));
        using SourceEcho echo = SourceEcho.Start(Three.Network, Three.Addresses);
        Assert.All(Three.Addresses, address => Assert.NotNull(SourceEcho.Ask(Pod.Network, address, Expect.Patience)));
    }

    [Fact]
    public async Task A_Service_leads_to_a_pod_across_and_a_node_port_does_with_masquerade()
    {
        await StartAsync();
        IPAddress[] service = [IPAddress.Parse("10.96.0.50"), IPAddress.Parse("fd00:10:96::50")];
        // As kube-proxy makes them; what comes to the node's address is a NodePort of externalTrafficPolicy Cluster.
        foreach (int family in Enumerable.Range(0, 2))
        {
            (string ip, string pod) = family == 0 ? ("ip", $"{Far.Addresses[0]}") : ("ip6", $"[{Far.Addresses[1]}]");
            string to = $"udp dport {SourceEcho.Port} dnat to {pod}:{SourceEcho.Port}";
            One.Network.Exec("nft", $"table {ip} proxy {{ chain services {{ type nat hook prerouting priority dstnat; " +
                $"{ip} daddr {service[family]} {to}; {ip} daddr {One.Addresses[family]} ct mark set 1 {to}; }}; " +
                "chain ports { type nat hook postrouting priority srcnat - 1; ct mark 1 masquerade; }; }");
        }

        // Twice: the answer to the first makes the entries of connections.
        foreach (int _ in Enumerable.Range(0, 2))
        {
            Assert.Equal(Pod.Addresses, service.Select(address => SourceEcho.Ask(Pod.Network, address, Expect.Patience)));
            Assert.Equal(Sources(One), One.Addresses.Select(address => SourceEcho.Ask(Cluster.Outside.Network, address, Expect.Patience)));
        }
    }

    [Fact]
    public async Task Big_packets_and_bulk_go_through()
    {
        await StartAsync();
        await CarriesBigAsync();
    }

    [Fact]
    public async Task Across_a_link_of_1400_bytes_big_packets_and_bulk_go_through()
    {
        Cluster.Second!.SetMtu(1400);
        await StartAsync();
        await CarriesBigAsync();
    }

    [Fact]
    public async Task Where_the_nodes_interfaces_take_1400_bytes_routes_and_pods_know_it()
    {
        foreach (Node node in (Node[])[One, Three])
            node.Network.Configure(["link set eth0 mtu 1400"]);
        Cluster.Second!.DropTooBigMessages();
        await Cluster.StartAgentsAsync();
        foreach ((Node node, Node peer) in (((Node, Node)[])[(One, Three), (Three, One)]))
        {
            foreach (string route in Expect.Tunnelled(peer, Sources(node), pathMtu: 1400))
                await Expect.OnlyRouteAsync(node, route);
        }
        await CarriesBigAsync();
        Assert.All(Far.Addresses.Zip((int[])[1364, 1344]), pair =>
            Assert.Contains($"mtu {pair.Second}", Pod.Network.Exec("ip", "route", "get", $"{pair.First}"), StringComparison.Ordinal));
    }

    private async Task StartAsync()
    {
        await Cluster.StartAgentsAsync();
        await NativeAsync(One, Two);
        await NativeAsync(Three, Four);
        foreach (Node near in (Node[])[One, Two])
        {
            foreach (Node far in (Node[])[Three, Four])
                await Task.WhenAll(TunnelledAsync(near, far), TunnelledAsync(far, near));
        }
    }

    private async Task CarriesBigAsync()
    {
        foreach ((Pod from, Pod to) in (((Pod, Pod)[])[(Pod, Far), (Far, Pod)]))
        {
            foreach (IPAddress address in to.Addresses)
            {
                await ArrivesAsync(from.Network, address, 1400);
                await ArrivesAsync(from.Network, address, 1500);
            }
        }
        await CarriesBulkAsync(One, Three);
    }
}
