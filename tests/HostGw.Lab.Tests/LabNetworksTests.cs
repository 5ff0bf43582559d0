using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>The second segment, its routers and the switches without any agent, and what a tunnel made by hand carries across.</summary>
public sealed class LabNetworksTests : LabTest
{
    // For an answer that does not come.
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(300);

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3) with { FirstOnSecondSegment = 3 };

    private Node One => Cluster.Node(1);

    private Node Two => Cluster.Node(2);

    private Node Three => Cluster.Node(3);

    [Fact]
    public void Across_routers_nodes_reach_each_other_and_the_API_server_and_pods_do_not_until_the_routers_know_them()
    {
        ForwardEverywhere();
        Assert.Equal((true, true), Pings(One.Network, Three.Addresses));
        Assert.Equal((true, true), Pings(Three.Network, One.Addresses));
        Assert.Equal((true, true), Pings(Three.Network, Addressing.ApiServer));
        Assert.Equal(Three.Addresses[1], SourceEcho.Ask(Three.Network, Addressing.Outside[1], Expect.Patience));
        Assert.Equal((false, false), Pings(One.Pods[0].Network, Three.Pods[0].Addresses, Soon));

        Cluster.Second!.LearnPodNetworks(Cluster.Nodes);
        AssertPodsTalk(One, Three);
        Cluster.Second.ForgetPodNetworks(Cluster.Nodes);
        Assert.Equal((false, false), Pings(One.Pods[0].Network, Three.Pods[0].Addresses, Soon));
    }

    [Fact]
    public void A_switch_drops_pods_packets_of_all_nodes_of_one_or_between_two_and_never_those_of_nodes()
    {
        ForwardEverywhere();
        foreach ((Node from, Node to) in (((Node, Node)[])[(One, Two), (Two, One)]))
            from.Network.Configure(to.PodCidrs.Zip(to.Addresses, (podCidr, address) => $"route add {podCidr} via {address}"));
        AssertPodsTalk(One, Two);

        Cluster.Segment.DropPodAddresses();
        Assert.Equal((false, false), Pings(One.Pods[0].Network, Two.Pods[0].Addresses, Soon));
        Assert.Equal((false, false), Pings(One.Network, Two.Pods[0].Addresses, Soon));
        Assert.Equal((true, true), Pings(One.Network, Two.Addresses));

        Cluster.Segment.DropPodAddressesFrom(One);
        Assert.Equal((false, false), Pings(Two.Pods[0].Network, One.Pods[0].Addresses, Soon));
        // From a node's address.
        Assert.Equal((true, true), Pings(One.Network, Two.Pods[0].Addresses));
        using (SourceEcho echo = SourceEcho.Start(Two.Network, Two.Addresses))
        {
            Assert.Null(SourceEcho.Ask(One.Pods[0].Network, Two.Addresses[0], Soon));
            Assert.Empty(echo.Seen);
            Assert.NotNull(SourceEcho.Ask(Two.Pods[0].Network, Two.Addresses[0], Expect.Patience));
        }

        Cluster.Segment.DropPodAddressesBetween(One, Two);
        Assert.Equal((false, false), Pings(One.Pods[0].Network, Two.Pods[0].Addresses, Soon));
        Assert.Equal((false, false), Pings(One.Network, Two.Pods[0].Addresses, Soon));
        Assert.Equal((true, true), Pings(One.Network, Two.Addresses));
        Assert.Null(SourceEcho.Ask(One.Pods[0].Network, Addressing.Outside[0], Soon));
        Assert.Contains(One.Pods[0].Addresses[0], Cluster.Outside.Echo.Seen);

        Cluster.Segment.DropNothing();
        AssertPodsTalk(One, Two);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_tunnel_carries_pods_across_routers_and_a_switch_that_drop_them(bool isIPv6Outside)
    {
        ForwardEverywhere();
        Cluster.Segment.DropPodAddresses();
        Cluster.Second!.Segment.DropPodAddresses();
        foreach (Node node in Cluster.Nodes)
            HandMadeTunnel.Make(node, Cluster.Nodes.Where(peer => peer != node), isIPv6Outside);

        foreach ((Node from, Node to) in (((Node, Node)[])[(One, Two), (One, Three)]))
        {
            AssertPodsTalk(from, to);
            foreach (IPAddress address in to.Pods[0].Addresses)
            {
                // The pod learns how big a packet may be by its first that is not.
                await Eventually.TrueAsync(
                    () => Ping.Once(from.Pods[0].Network, address, TimeSpan.FromSeconds(1), 1500) is not null,
                    () => $"no big packet arrives at {address}");
                await CarriesAsync(from, to, address);
            }
            Assert.Equal(
                from.PodGateways, to.Pods[0].Addresses.Select(address => SourceEcho.Ask(from.Network, address, Expect.Patience)));
        }
    }

    [Fact]
    public async Task A_tunnels_routes_are_read_as_they_are_expected()
    {
        HandMadeTunnel.Make(One, [Three]);
        await Expect.RoutesAsync(One, Expect.Tunnelled(Three, One.PodGateways));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Across_a_link_of_1400_bytes_bigger_packets_pass_only_where_routers_say_so(bool isSilent)
    {
        Cluster.Second!.SetMtu(1400);
        if (isSilent)
            Cluster.Second.DropTooBigMessages();
        foreach (IPAddress address in Three.Addresses)
        {
            Assert.NotNull(Ping.Once(One.Network, address, Expect.Patience, 1400));
            Assert.Null(Ping.Once(One.Network, address, Soon, 1500));
            // A sender that was told sends fragments.
            if (isSilent)
                Assert.Null(Ping.Once(One.Network, address, Soon, 1500));
            else
            {
                await Eventually.TrueAsync(
                    () => Ping.Once(One.Network, address, TimeSpan.FromSeconds(1), 1500) is not null, () => $"{address} is not reached");
            }
            Assert.Equal(!isSilent, One.Network.Exec("ip", "route", "get", $"{address}").Contains("mtu 1400", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Across_a_link_of_1400_bytes_a_tunnel_carries_what_its_route_says(bool isIPv6Outside, bool isSilent)
    {
        ForwardEverywhere();
        Cluster.Second!.SetMtu(1400);
        if (isSilent)
            Cluster.Second.DropTooBigMessages();
        int mtu = 1400 - (isIPv6Outside ? 56 : 36);
        HandMadeTunnel.Make(One, [Three], isIPv6Outside, mtu);
        HandMadeTunnel.Make(Three, [One], isIPv6Outside, mtu);

        foreach (IPAddress address in Three.Pods[0].Addresses)
        {
            Assert.NotNull(Ping.Once(One.Pods[0].Network, address, Expect.Patience, mtu));
            await Eventually.TrueAsync(
                () => Ping.Once(One.Pods[0].Network, address, TimeSpan.FromSeconds(1), 1400) is not null,
                () => $"no big packet arrives at {address}");
            await CarriesAsync(One, Three, address);
        }
    }

    private static void AssertPodsTalk(Node one, Node other)
    {
        foreach ((Pod from, Pod to) in (((Pod, Pod)[])[(one.Pods[0], other.Pods[0]), (other.Pods[0], one.Pods[0])]))
        {
            Assert.Equal((true, true), Pings(from.Network, to.Addresses));
            Assert.Equal(from.Addresses, to.Addresses.Select(address => SourceEcho.Ask(from.Network, address, Expect.Patience)));
        }
    }

    private static async Task CarriesAsync(Node from, Node to, IPAddress pod)
    {
        const int Enough = 4 << 20;
        using TcpTransfer transfer = TcpTransfer.Start(from.Pods[0].Network, to.Pods[0].Network, pod);
        await Eventually.TrueAsync(() => transfer.Received > Enough, () => $"only {transfer.Received} bytes have arrived");
        (long sent, long arrived) = await transfer.StopAsync();
        Assert.Equal(sent, arrived);
    }

    private static (bool IPv4, bool IPv6) Pings(NetworkNamespace from, IReadOnlyList<IPAddress> to, TimeSpan? patience = null) =>
        (Ping.Once(from, to[0], patience ?? Expect.Patience) is not null, Ping.Once(from, to[1], patience ?? Expect.Patience) is not null);

    private void ForwardEverywhere()
    {
        foreach (Node node in Cluster.Nodes)
        {
            node.Network.Sysctl("ipv4/ip_forward", "1");
            node.Network.Sysctl("ipv6/conf/all/forwarding", "1");
        }
    }
}
