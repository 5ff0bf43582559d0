using HostGw.Planning;

namespace HostGw.Tests.Planning;

/// <summary>Addresses that two Nodes list, and Nodes that have lost theirs.</summary>
public class NodeAddressTests
{
    private const string Self = "self 10.244.1.0/24 10.0.0.1";

    [Fact]
    public void An_address_that_two_nodes_list_is_used_and_both_are_named() => Assert.Equal(
        ["a 10.244.2.0/24 routed: node b lists its address 10.0.0.2, too, and packets for both go to the one that answers via 10.0.0.2",
            "b 10.244.3.0/24 routed: node a lists its address 10.0.0.2, too, and packets for both go to the one that answers via 10.0.0.2"],
        Peers(Plan(null, Self, "a 10.244.2.0/24 10.0.0.2", "b 10.244.3.0/24 10.0.0.2")));

    [Theory]
    [InlineData("10.0.0.99,10.0.0.2", "10.0.0.99,10.0.0.3")]
    [InlineData("10.0.0.2,10.0.0.99", "10.0.0.99,10.0.0.3")]
    [InlineData("10.0.0.99,10.0.0.2", "10.0.0.3 external=10.0.0.99")]
    public void A_second_address_that_is_the_nodes_own_is_preferred(string a, string b) => Assert.Equal(
        ["a 10.244.2.0/24 routed via 10.0.0.2", "b 10.244.3.0/24 routed via 10.0.0.3"],
        Peers(Plan(null, Self, $"a 10.244.2.0/24 {a}", $"b 10.244.3.0/24 {b}")));

    [Fact]
    public void A_second_address_that_cannot_be_used_is_not_preferred() => Assert.Contains(
        "a 10.244.2.0/24 routed: node b lists its address 10.0.0.99, too, and packets for both go to the one that answers via 10.0.0.99",
        Peers(Plan(null, Self, "a 10.244.2.0/24 10.0.0.99,192.0.2.2", "b 10.244.3.0/24 10.0.0.99")));

    [Fact]
    public void Nodes_may_be_annotated_with_one_router_and_one_node_may_list_an_address_twice() => Assert.Equal(
        ["a 10.244.2.0/24 routed via 10.0.0.9", "b 10.244.3.0/24 routed via 10.0.0.9", "c 10.244.4.0/24 routed via 10.0.0.4"],
        Peers(Plan(null, Self, "a 10.244.2.0/24 192.0.2.2 hop=10.0.0.9", "b 10.244.3.0/24 192.0.2.3 hop=10.0.0.9",
            "c 10.244.4.0/24 10.0.0.4 external=10.0.0.4")));

    [Theory]
    [InlineData("a 10.244.2.0/24 - uid=1",
        "routed: the Node lists no address any more: its last next hop is kept until it lists one again via 10.0.0.2")]
    [InlineData("a 10.244.2.0/24 - uid=2", "noAddress: the node has no IPv4 address")]
    [InlineData("a 10.244.3.0/24 - uid=1", "noAddress: the node has no IPv4 address")]
    [InlineData("a 10.244.2.0/24 fd00:aaaa::2 uid=1",
        "routed: the Node lists no IPv4 address any more: its last next hop is kept until it lists one again via 10.0.0.2")]
    [InlineData("a 10.244.2.0/24 192.0.2.2 uid=1", "notAdjacent: 192.0.2.2 is not on this host's segment (eth0)")]
    [InlineData("a 10.244.2.0/24 - external=10.0.0.7 uid=1", "routed via 10.0.0.7")]
    [InlineData("a 10.244.2.0/24 - uid=1 hop=10.0.0.8", "routed via 10.0.0.8")]
    [InlineData("a 10.244.2.0/24 - uid=1 skip", "skipped: annotation hostgw.io/skip")]
    public void A_node_that_loses_all_addresses_keeps_its_last_next_hop(string later, string expected)
    {
        Plan first = Plan(null, Self, "a 10.244.2.0/24 10.0.0.2 uid=1");
        Plan second = Plan(first, Self, later);
        Assert.Equal($"a {later.Split(' ')[1]} {expected}", Assert.Single(Peers(second)));
        Assert.Equal(Peers(second), Peers(Plan(second, Self, later)));
    }

    [Fact]
    public void It_is_kept_while_the_link_is_down_and_the_own_node_has_lost_its_addresses_as_well()
    {
        string[] without = ["self 10.244.1.0/24 -", "a 10.244.2.0/24 - uid=1"];
        Plan first = Plan(null, Self, "a 10.244.2.0/24 10.0.0.2 uid=1");
        Plan down = Planner.Plan(Given.Nodes(without), Given.Host("eth0 10.0.0.1/24 down"), Given.Policy(""), first);
        Assert.Equal(["10.244.2.0/24"], down.Waiting.Select(p => $"{p}"));
        Assert.Contains("via 10.0.0.2", Assert.Single(Peers(Plan(down, without))), StringComparison.Ordinal);
    }

    // The node address that such a route leads to is one of the other family.
    [Fact]
    public void What_the_tunnel_led_to_is_no_next_hop_of_the_podCIDRs_family()
    {
        const string nodes = "self 10.244.1.0/24,fd00:1::/64 10.0.0.1,fd00:aaaa::1|a fd00:2::/64 10.0.0.2 uid=1";
        HostState host = Given.Host(
            "eth0 10.0.0.1/24 fd00:aaaa::1/64; hostgw0 fd00:1::1/128 noarp; fd00:2::/64 encap 10.0.0.2 src fd00:1::1 mtu 1464 dev hostgw0");
        Plan plan = Planner.Plan(Given.Nodes(nodes.Split('|')), host, Given.Policy("tunnel=off"));
        Assert.Equal(["a fd00:2::/64 noAddress: the node has no IPv6 address"], Peers(plan));
        Assert.True(plan.Verdicts.Single(v => v.Node.Name == "a").NextHop.IsNone);
    }

    // Pods of both families, and nodes of one: the tunnel carries the other one's packets.
    [Theory]
    [InlineData("tunnel=auto")]
    [InlineData("tunnel=always")]
    public void A_node_that_loses_all_addresses_keeps_the_one_of_the_other_family_that_the_tunnel_leads_to(string policy)
    {
        const string self = "self 10.244.1.0/24,fd00:1::/64 10.0.0.1", listed = "a 10.244.2.0/24,fd00:2::/64 10.0.0.2 uid=1";
        const string without = "a 10.244.2.0/24,fd00:2::/64 - uid=1", link = "hostgw0 10.244.1.1/32 fd00:1::1/128 noarp";
        HostState host = Given.Host($"eth0 10.0.0.1/24; {link}"), noLink = Given.Host("eth0 10.0.0.1/24");
        Reachability reachability = Given.Paths("fd00:2::/64 Tunnel");
        Plan Next(Plan? previous, HostState state, string peer) =>
            Planner.Plan(Given.Nodes(self, peer), state, Given.Policy(policy), previous, reachability);

        Plan before = Next(null, host, listed);
        string[] routes = Shown.Routes(before, host);
        Assert.Contains("fd00:2::/64 encap 10.0.0.2 src fd00:1::1 mtu 1464 dev hostgw0", routes);
        Plan after = Next(before, host, without);
        Assert.Equal(routes, Shown.Routes(after, host));
        Assert.All(Peers(after), p => Assert.Contains("lists no address any more: its last next hop is kept", p, StringComparison.Ordinal));

        // Also while the link is missing, and after a start.
        Assert.Equal(routes, Shown.Routes(Next(Next(after, noLink, without), host, without), host));
        HostState installed = Given.Host($"eth0 10.0.0.1/24; {link}; {string.Join("; ", routes.Select(r => r + " proto 157"))}");
        Assert.Equal(routes, Shown.Routes(Next(null, installed, without), installed));

        Plan another = Next(after, host, without.Replace("uid=1", "uid=2", StringComparison.Ordinal));
        Assert.DoesNotContain(another.Routes, r => r.Destination == Prefix.Parse("fd00:2::/64"));
    }

    // At a start there is no plan before.
    [Fact]
    public void At_a_start_it_is_the_one_of_the_installed_route()
    {
        HostState host = Given.Host("eth0 10.0.0.1/24; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157; 10.244.3.0/24 via 10.0.0.3 dev eth0");
        Plan plan = Planner.Plan(Given.Nodes(Self, "a 10.244.2.0/24 -", "b 10.244.3.0/24 -"), host, Given.Policy(""));
        Assert.Equal(["10.244.2.0/24 via 10.0.0.2 dev eth0"], Shown.Routes(plan, host));
    }

    [Fact]
    public void With_gateways_inside_podCIDRs_the_segment_is_kept()
    {
        HostState host = Given.Host("eth0 10.0.0.1/24; eth1 10.1.0.1/24; 10.244.2.0/24 via 10.244.2.1 dev eth1 proto 157");
        Plan plan = Planner.Plan(Given.Nodes(Self, "a 10.244.2.0/24 -"), host, Given.Policy("PodGateway"));
        Assert.Equal(["10.244.2.0/24 via 10.244.2.1 dev eth1"], Shown.Routes(plan, host));
    }

    private static Plan Plan(Plan? previous, params string[] nodes) =>
        Planner.Plan(Given.Nodes(nodes), Given.Host("eth0 10.0.0.1/24"), Given.Policy(""), previous);

    private static string[] Peers(Plan plan) =>
    [
        .. plan.Verdicts.Where(v => v.Node.Name != "self")
            .Select(v => Shown.Verdict(v) + (v.Kind == VerdictKind.Routed ? $" via {v.NextHop}" : "")),
    ];
}
