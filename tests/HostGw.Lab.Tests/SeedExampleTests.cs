using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>The seed documents' example, to the letter.</summary>
public sealed class SeedExampleTests(SeedCluster seed) : IClassFixture<SeedCluster>
{
    private readonly Cluster _cluster = seed.Cluster;

    [Fact]
    public async Task Every_other_node_reaches_the_Windows_nodes_pods_by_way_of_192_168_1_2()
    {
        foreach (Node node in _cluster.Nodes.Where(node => !node.IsWindows))
            await Expect.OnlyRouteAsync(node, "192.168.1.0/24 via 192.168.1.2 dev eth0 proto 157 onlink");
    }

    [Fact]
    public async Task The_pods_of_a_Linux_node_are_reached_by_way_of_the_first_address_of_their_subnet()
    {
        foreach (Node node in _cluster.Nodes)
        {
            foreach (Node peer in _cluster.Nodes.Where(peer => peer != node && !peer.IsWindows))
                await Expect.OnlyRouteAsync(node, $"{peer.PodCidrs[0]} via 192.168.{peer.Number}.1 dev eth0 proto 157 onlink");
        }
    }

    [Fact]
    public async Task The_cluster_route_goes_through_the_primary_interface_and_nothing_else_is_added()
    {
        foreach (Node node in _cluster.Nodes)
        {
            await Expect.OnlyRouteAsync(node, "192.168.0.0/16 dev eth0 proto 157 scope link");
            Assert.Equal(_cluster.Nodes.Count, Expect.Ours(node).Count());
        }
    }

    [Fact]
    public void Forwarding_is_on_for_the_family_that_has_pods()
    {
        Assert.All(_cluster.Nodes, node => Assert.Equal("1", node.Network.Sysctl("ipv4/ip_forward")));
        Assert.All(_cluster.Nodes, node => Assert.Equal("0", node.Network.Sysctl("ipv6/conf/all/forwarding")));
    }

    [Fact]
    public void The_masquerade_rule_has_both_of_its_conditions()
    {
        foreach (Node node in _cluster.Nodes)
        {
            string table = node.Network.Exec("nft", "list", "table", "inet", "hostgw");
            Assert.Contains("192.168.0.0/16", table, StringComparison.Ordinal);
            Assert.Contains("fib daddr type != local", table, StringComparison.Ordinal);
            Assert.Contains("masquerade", table, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Between_nodes_a_pod_keeps_its_address()
    {
        var pairs = from a in _cluster.Pods from b in _cluster.Pods where a != b select (a, b);
        Assert.All(pairs, pair => Assert.Equal(pair.a.Addresses[0], SourceEcho.Ask(pair.a.Network, pair.b.Addresses[0], Expect.Patience)));
    }

    [Fact]
    public void Outside_a_pod_is_seen_as_its_node()
    {
        _cluster.Outside.Echo.Forget();
        Assert.All(_cluster.Nodes, node =>
            Assert.Equal(node.Addresses[0], SourceEcho.Ask(node.Pods[0].Network, Addressing.Outside[0], Expect.Patience)));
        Assert.Equal(
            _cluster.Nodes.Select(node => $"{node.Addresses[0]}").Order(),
            _cluster.Outside.Echo.Seen.Select(source => $"{source}").Order());
    }

    [Fact]
    public void A_pod_and_another_nodes_own_address_see_each_other()
    {
        Node two = _cluster.Node(2), three = _cluster.Node(3);
        Assert.NotNull(Ping.Once(two.Pods[0].Network, three.Addresses[0], Expect.Patience));
        Assert.NotNull(Ping.Once(three.Network, two.Pods[0].Addresses[0], Expect.Patience));
    }

    [Fact]
    public void Pods_of_all_nodes_ping_each_other()
    {
        var pairs = from a in _cluster.Pods from b in _cluster.Pods where a != b select (a, b);
        Assert.All(pairs, pair => Assert.NotNull(Ping.Once(pair.a.Network, pair.b.Addresses[0], Expect.Patience)));
    }
}
