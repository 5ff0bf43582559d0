using FsCheck.Fluent;
using HostGw.Planning;
using HostGw.Problems;

namespace HostGw.Tests.Planning;

/// <summary>Adjacency is what table main says: the longest match without HostGw's routes.</summary>
public class AdjacencyTests
{
    private const string Self = "self 10.244.1.0/24 10.0.0.1";

    // The policy, the host, the peer's addresses, and what becomes of it.
    public static TheoryData<string, string, string, string> Cases => new()
    {
        // Segments
        { "", "eth0 10.0.0.1/24; eth1 10.1.0.1/24", "10.1.0.2", "via 10.1.0.2 dev eth1" },
        { "", "eth0 10.0.0.1/32; 10.0.0.0/24 dev eth0", "10.0.0.2", "via 10.0.0.2 dev eth0" },
        { "", "eth0 10.0.0.1/32; 10.0.0.0/24 dev eth0", "10.0.1.2", "notAdjacent: 10.0.1.2 is not on this host's segment (eth0)" },
        { "", "eth0 10.0.0.1/32; 10.0.0.0/24 via 10.0.0.254 dev eth0", "10.0.0.2", "notAdjacent" },
        { "", "eth0 10.0.0.1/32; 10.0.0.0/24 dev eth0 proto 157", "10.0.0.2", "notAdjacent" },
        { "", "eth0 10.0.0.1/24 10.0.5.1/32; 10.9.0.0/16 dev eth0", "10.9.0.2 hop=10.9.0.7", "via 10.9.0.7 dev eth0" },
        // A more specific route leads elsewhere
        { "", "eth0 10.0.0.1/24; 10.0.0.2/32 via 10.0.0.9 dev eth0", "10.0.0.2",
            "notAdjacent: 10.0.0.2 is not on this host's segment: the route to 10.0.0.2/32 leads to the gateway 10.0.0.9" },
        { "", "eth0 10.0.0.1/24; 10.0.0.0/25 blackhole dev eth0", "10.0.0.2",
            "notAdjacent: 10.0.0.2 is not on this host's segment: the route to 10.0.0.0/25 is a blackhole or another special route" },
        { "", "eth0 10.0.0.1/16; 10.0.1.0/24 via 10.0.0.9 dev eth0; 10.0.1.8/29 dev eth0", "10.0.1.9", "via 10.0.1.9 dev eth0" },
        { "", "eth0 10.0.0.1/24; eth1 10.7.0.1/24; 10.0.0.2/32 dev eth1", "10.0.0.2", "via 10.0.0.2 dev eth1" },
        { "", "eth0 10.0.0.1/24; eth1 10.7.0.1/24; 10.0.0.0/24 via 10.7.0.9 dev eth1 metric 5", "10.0.0.2", "via 10.0.0.2 dev eth0" },
        { "", "eth0 10.0.0.1/32; eth1 10.7.0.1/24; 10.0.0.0/24 via 10.7.0.9 dev eth1; 10.0.0.0/24 dev eth0 metric 5", "10.0.0.2",
            "notAdjacent: 10.0.0.2 is not on this host's segment: the route to 10.0.0.0/24 leads to the gateway 10.7.0.9" },
        // The on-link route is gone, and HostGw's is installed
        { "", "eth0 10.0.0.1/32; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157", "10.0.0.2", "via 10.0.0.2 dev eth0" },
        { "", "eth0 10.0.0.1/32; 10.244.2.0/24 via 10.0.0.3 dev eth0 proto 157", "10.0.0.2", "notAdjacent" },
        { "", "eth0 10.0.0.1/32; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 4", "10.0.0.2", "notAdjacent" },
        { "", "eth0 10.0.0.1/32; eth1 down; 10.244.2.0/24 via 10.0.0.2 dev eth1 proto 157", "10.0.0.2", "notAdjacent" },
        { "", "eth0 10.0.0.1/24; 10.0.0.2/32 via 10.0.0.9 dev eth0; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157", "10.0.0.2",
            "notAdjacent" },
        { "", "eth0 10.0.0.1/32; eth1 10.1.0.1/24; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157", "10.0.0.2,10.1.0.2",
            "via 10.1.0.2 dev eth1" },
        { "PodGateway", "eth0 10.0.0.1/32; 10.244.2.0/24 via 10.244.2.1 dev eth0 proto 157", "10.0.0.2", "via 10.244.2.1 dev eth0" },
        // What proves no neighbour
        { "", "eth0 10.0.0.1/24; default dev eth0", "192.0.2.2", "notAdjacent" },
        { "", "eth0 10.0.0.1/24; tun0 10.8.0.1/24 p2p noarp; 128.0.0.0/1 dev tun0; 0.0.0.0/1 dev tun0", "192.0.2.2", "notAdjacent" },
        { "", "eth0 10.0.0.1/24; tun0 10.8.0.1/24 noarp", "10.8.0.2",
            "notAdjacent: 10.8.0.2 is not on this host's segment: the route to 10.8.0.0/24 leads over tun0, " +
            "which has no link-layer addresses" },
        { "", "eth0 10.0.0.1/24; tun0 10.8.0.1/24 p2p", "10.8.0.2", "notAdjacent" },
        { "", "eth0 10.0.0.1/24; tun0 10.8.0.1>10.8.0.2/32 p2p noarp", "10.8.0.2", "via 10.8.0.2 dev tun0" },
        { "", "eth0 10.0.0.1/24; 10.50.0.0/16 dev lo", "10.50.0.2", "notAdjacent" },
        { "", "eth0 10.0.0.1/24; 224.0.0.0/4 dev eth0", "224.0.0.9", "notAdjacent" },
        { "", "eth0 10.0.0.1/24; 10.0.9.0/24 dev eth0", "10.0.9.255", "via 10.0.9.255 dev eth0" },
        { "", "eth0 10.0.0.1/24", "10.0.0.255", "noAddress: its address 10.0.0.255 is the network or broadcast address of 10.0.0.0/24" },
        // Several interfaces on one segment
        { "", "eth1 10.0.0.9/24; eth0 10.0.0.1/24", "10.0.0.2", "via 10.0.0.2 dev eth0" },
        { "", "eth1 10.0.0.9/24; eth0 10.0.0.1/24; 10.244.2.0/24 via 10.0.0.2 dev eth1 proto 157", "10.0.0.2", "via 10.0.0.2 dev eth1" },
        { "", "eth2 10.0.0.9/24; eth1 10.0.0.8/24; eth0 172.16.0.1/24", "10.0.0.2", "via 10.0.0.2 dev eth2" },
        { "interface=eth1", "eth0 10.0.0.1/24; eth1 10.0.0.9/24", "10.0.0.2", "via 10.0.0.2 dev eth1" },
        { "interface=eth1", "eth0 10.0.0.1/32; eth1 10.7.0.1/32; 10.0.0.0/24 dev eth0; 10.0.0.0/24 dev eth1 metric 9", "10.0.0.2",
            "via 10.0.0.2 dev eth1" },
        // The setting interface narrows the candidates.
        { "interface=eth1", "eth0 10.0.0.1/24; eth1 10.7.0.1/32; 10.0.0.0/8 dev eth1", "10.0.0.2", "via 10.0.0.2 dev eth1" },
        { "interface=eth0", "eth0 10.0.0.1/16; eth1 10.0.0.200/24", "10.0.0.2", "via 10.0.0.2 dev eth0" },
        { "interface=eth0", "eth0 10.0.0.1/16; eth1 10.0.0.200/24; 10.0.0.0/28 via 10.0.0.9 dev eth1", "10.0.0.2",
            "notAdjacent: 10.0.0.2 is not on this host's segment: the route to 10.0.0.0/28 leads to the gateway 10.0.0.9" },
        { "interface=eth0", "eth0 10.0.0.1/24; eth1 10.1.0.1/24", "10.1.0.2",
            "notAdjacent: 10.1.0.2 is on eth1, which the setting interface leaves out" },
        { "interface=eth0", "eth0 10.0.0.1/24; eth1 10.1.0.1/24 down", "10.1.0.2",
            "notAdjacent: 10.1.0.2 is not on this host's segment (eth0)" },
        { "interface=eth*", "eth0 10.0.0.1/24; eth1 10.1.0.1/24", "10.1.0.2", "via 10.1.0.2 dev eth1" },
        { "interface=10.0.0.0/24", "lb0 10.0.0.100/32; eth0 10.0.0.1/24", "10.0.0.2", "via 10.0.0.2 dev eth0" },
        // The gateway inside the peer's podCIDR is sought where the peer's address is.
        { "PodGateway", "eth0 10.0.0.1/24; eth1 10.1.0.1/24", "10.1.0.2", "via 10.244.2.1 dev eth1" },
        { "PodGateway", "eth0 10.0.0.1/24; eth1 10.1.0.1/24", "192.0.2.2",
            "notAdjacent: 192.0.2.2 is not on this host's segment (eth0)" },
        { "PodGateway", "eth0 10.0.0.1/24; eth1 10.1.0.1/24", "-", "via 10.244.2.1 dev eth0" },
        { "PodGateway", "eth0 10.0.0.1/24 down; eth1 10.1.0.1/24", "10.0.0.2", "waiting: interface eth0 is down" },
        { "PodGateway", "eth0 10.0.0.1/24 down; eth1 10.1.0.1/24", "10.1.0.2", "via 10.244.2.1 dev eth1" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_peer_is_reached_over_the_interface_that_table_main_names(string policy, string host, string addresses, string expected) =>
        Assert.StartsWith(expected, Outcome(policy, host, Self, $"peer 10.244.2.0/24 {addresses}"), StringComparison.Ordinal);

    [Fact]
    public void A_kept_route_is_a_problem_of_this_hosts_routes()
    {
        Plan plan = Planner.Plan(
            Given.Nodes(Self, "peer 10.244.2.0/24 10.0.0.2"),
            Given.Host("eth0 10.0.0.1/32; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157"), Given.Policy(""));
        Problem problem = ProblemCatalog.Of(Assert.Single(plan.Verdicts, ProblemCatalog.IsProblem), plan.Policy);
        Assert.EndsWith(
            "the on-link route to 10.0.0.2 is gone: the installed route over eth0 is kept", problem.Text, StringComparison.Ordinal);
        Assert.Contains("bring back the on-link route", problem.Cure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("eth0 fd00:aaaa::1/128; fd00:10:244:2::/64 via fd00:aaaa::2 dev eth0 proto 157 metric 1024", "fd00:aaaa::2",
        "via fd00:aaaa::2 dev eth0")]
    [InlineData("eth0 fd00:aaaa::1/128; fd00:aaaa::/64 dev eth0 proto 9", "fd00:aaaa::2", "via fd00:aaaa::2 dev eth0")]
    [InlineData("eth0 fd00:aaaa::1/128; fd00:aaaa::/64 via fe80::1 dev eth0", "fd00:aaaa::2", "notAdjacent")]
    [InlineData("eth0 fd00:aaaa::1/64 fe80::1/64; eth1 fe80::2/64", "fd00:aaaa::2 hop=fe80::9", "via fe80::9 dev eth0")]
    [InlineData("eth0 fd00:aaaa::1/64; eth1 fd00:bbbb::1/64; fe80::/64 dev eth1 metric 256; fe80::/64 dev eth0 metric 1024",
        "fd00:aaaa::2 hop=fe80::9", "via fe80::9 dev eth0")]
    [InlineData("eth0 fd00:aaaa::1/64; default6 dev eth0", "2001:db8::2", "notAdjacent")]
    [InlineData("eth0 fd00:aaaa::1/64; 8000::/1 dev eth0", "fd00:bbbb::2", "via fd00:bbbb::2 dev eth0")]
    [InlineData("eth0 fd00:aaaa::1/64; fd00:aaaa::2/128 via fe80::1 dev eth0", "fd00:aaaa::2", "notAdjacent")]
    public void IPv6_likewise(string host, string addresses, string expected) => Assert.StartsWith(
        expected, Outcome("", host, "self fd00:10:244:1::/64 fd00:aaaa::1", $"peer fd00:10:244:2::/64 {addresses}"),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("10.1.0.12,10.0.0.12")]
    [InlineData("10.0.0.12,10.1.0.12")]
    [InlineData("-")]
    [InlineData("- external=10.0.0.12")]
    public void The_order_of_this_nodes_own_addresses_does_not_matter(string own)
    {
        const string Host = "eth0 10.0.0.12/24; eth1 10.1.0.12/24; default via 10.1.0.254 dev eth1";
        Assert.Equal("via 10.0.0.2 dev eth0", Outcome("", Host, $"self 10.244.1.0/24 {own}", "peer 10.244.2.0/24 10.0.0.2"));
        Assert.Equal("via 10.1.0.2 dev eth1", Outcome("", Host, $"self 10.244.1.0/24 {own}", "peer 10.244.2.0/24 10.1.0.2"));
    }

    [Theory]
    [InlineData("self 10.244.1.0/24,fd00:10:244:1::/64 fd00:aaaa::1", "eth0 fd00:aaaa::1/64", "notAdjacent: this node has no IPv4 address")]
    [InlineData("self 10.244.1.0/24,fd00:10:244:1::/64 fd00:aaaa::1", "eth0 fd00:aaaa::1/64; cni0 10.244.1.1/24", "notAdjacent")]
    [InlineData("self 10.244.1.0/24,fd00:10:244:1::/64 10.0.0.1,fd00:aaaa::1", "eth0 fd00:aaaa::1/64",
        "waiting: no interface holds this node's address 10.0.0.1")]
    [InlineData("self 10.244.1.0/24 -", "eth0 fd00:aaaa::1/64", "waiting: this node's Node lists no address")]
    [InlineData("self 10.244.1.0/24 192.0.2.9", "eth0 10.0.0.1/24", "via 10.0.0.2 dev eth0")]
    [InlineData("self 10.244.1.0/24 192.0.2.9", "eth0 10.7.0.1/24; default via 10.7.0.9 dev eth0",
        "waiting: 10.0.0.2 is not on this host's segment (eth0), and this node's address 192.0.2.9 is on no interface")]
    public void What_is_said_where_this_node_lacks_an_address(string self, string host, string expected) =>
        Assert.StartsWith(expected, Outcome("", host, self, "peer 10.244.2.0/24 10.0.0.2"), StringComparison.Ordinal);

    // One of two own segments loses its link: its peers wait, whatever the order of the own addresses.
    [Theory]
    [InlineData("10.1.0.12,10.0.0.12")]
    [InlineData("10.0.0.12,10.1.0.12")]
    public void Peers_of_a_segment_whose_interface_is_down_are_waited_for(string own)
    {
        const string Host = "eth0 10.0.0.12/24 down; eth1 10.1.0.12/24";
        Assert.Equal("waiting: interface eth0 is down", Outcome("", Host, $"self 10.244.1.0/24 {own}", "peer 10.244.2.0/24 10.0.0.2"));
        Assert.Equal("via 10.1.0.2 dev eth1", Outcome("", Host, $"self 10.244.1.0/24 {own}", "peer 10.244.2.0/24 10.1.0.2"));
    }

    [Fact]
    public void Uplinks_are_the_interface_of_this_nodes_address_and_those_of_the_peers_and_pods_get_the_MTU_of_the_former()
    {
        Plan plan = Planner.Plan(
            Given.Nodes(Self, "a 10.244.2.0/24 10.0.0.2", "b 10.244.3.0/24 10.1.0.2", "c 10.244.4.0/24 10.2.0.2 skip"),
            Given.Host("eth0 10.0.0.1/24 mtu=9000; eth1 10.1.0.1/24 mtu=8000; eth2 10.2.0.1/24"), Given.Policy("cni=on"));
        Assert.Equal(["eth0", "eth1"], plan.Verdicts.Where(v => v.Kind == VerdictKind.Routed).Select(v => plan.Uplink(v)!.Name));
        Assert.Equal(9000, plan.Cni!.Mtu);
    }

    // The oracle: a plain search for the longest match. Routes nest, repeat, and come with and without gateways.
    [Fact]
    public void An_address_is_on_link_exactly_where_a_plain_longest_match_says_so() => Always.Holds(
        from routes in Gen.ListOf(
            from bits in Gen.Choose(0, 255)
            from length in Gen.Elements(0, 1, 8, 16, 24, 25, 26, 28, 30, 32)
            from way in Gen.Elements(
                "dev eth0", "dev eth1", "dev tun0", "via 10.0.0.9 dev eth0", "blackhole dev eth0", "dev eth0 proto 157")
            from metric in Gen.Choose(0, 2)
            select $"{new Prefix(Ip.V4(0x0A000000u + (uint)bits), (byte)length).Aligned} {way} metric {metric}")
        from address in Gen.Choose(0, 255)
        select (string.Join("; ", routes.DistinctBy(r => (r.Split(' ')[0], r.Split("metric")[1]))), Ip.V4(0x0A000000u + (uint)address)),
        c =>
        {
            (string text, Ip address) = c;
            HostState host = Given.Host($"eth0 10.9.9.9/32; eth1 10.9.9.8/32; tun0 10.9.9.7/32 noarp; {text}");
            HostRoute? best = host.Routes.Where(r => !r.IsOurs && r.Destination.Contains(address))
                .OrderByDescending(r => r.Destination.Length).ThenBy(r => r.Metric).Select(r => (HostRoute?)r).FirstOrDefault();
            bool expected = best is { IsUnicast: true, NextHop.IsNone: true, Destination.Length: > 1 } route &&
                host.Interface(route.Interface)!.HasNeighbours;
            LinkRoute[] found = [.. OnLinkRoutes.Of(host, null).Find(address).ToArray().Where(r => r.Fault == LinkFault.None)];
            Assert.Equal(expected ? [best!.Value.Interface] : [], found.Select(r => r.Interface));
        },
        count: 5000);

    [Theory]
    [InlineData("10.0.0.2/32 via 10.0.0.9 dev eth0", true)]
    [InlineData("10.9.0.0/16 dev eth0", true)]
    [InlineData("10.9.0.0/16 dev eth1", false)]
    [InlineData("10.9.0.0/16 via 10.0.0.9 dev eth0", false)]
    [InlineData("10.0.0.0/24 dev eth0", false)]
    [InlineData("default dev eth0", false)]
    public void A_route_that_appears_matters_if_it_may_change_what_is_on_link(string text, bool matters)
    {
        const string Host = "eth0 10.0.0.1/24; eth1";
        OnLinkRoutes table = OnLinkRoutes.Of(Given.Host(Host), new HashSet<int> { 2 });
        HostRoute route = Given.Host($"{Host}; {text}").Routes.First(r => r.Protocol == 3);
        Assert.Equal(matters, table.MayChange(route, isGone: false));
        Assert.Equal(matters || route.Destination.Length == 24, table.MayChange(route, isGone: true));
    }

    private static string Outcome(string policy, string host, string self, string peer)
    {
        HostState state = Given.Host(host);
        Plan plan = Planner.Plan(Given.Nodes(self, peer), state, Given.Policy(policy));
        Verdict verdict = Assert.Single(plan.Verdicts, v => v.Node.Name == "peer");
        if (verdict.Kind != VerdictKind.Routed)
            return $"{VerdictNames.Of(verdict.Kind)}: {verdict.Reason}";
        PodRoute route = Assert.Single(plan.Routes, r => r.Destination == verdict.PodCidr);
        Assert.Equal(verdict.Interface, route.Interface);
        return $"via {route.NextHop} dev {state.Interface(route.Interface)!.Name}";
    }
}
