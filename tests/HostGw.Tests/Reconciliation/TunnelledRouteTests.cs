using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux.Census;
using HostGw.Problems.Rules;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

/// <summary>Peer b at the other end of the tunnel: 10.244.2.0/24 encap to 198.51.100.10 dev hostgw0 (interface 3), c native.</summary>
public class TunnelledRouteTests
{
    private const string Host = Given.Lan + "; hostgw0 10.244.1.1/32 fd00:10:244:1::1/128 noarp; br0 10.244.1.1/24 fd00:10:244:1::1/64";
    private const string Right = "10.244.2.0/24 to 198.51.100.10,10.244.1.1,1364 dev 3 ours";
    private const string RightV6 = "fd00:10:244:2::/64 to 198.51.100.10,fd00:10:244:1::1,1364 dev 3 ours";
    private const string Replaced = "replace 10.244.2.0/24 encap 198.51.100.10 dev 3 (Differs)";

    private static HostState State => Given.Host(Host) with { Tunnel = new(3) { IsOurs = true, IsUp = true } };

    private static PodRoute Tunnelled => RouteOf(Right);

    private static PodRoute TunnelledV6 => RouteOf(RightV6);

    // What is installed in the place of b's route, what is done, and what the log says of it.
    [Theory]
    [InlineData("", "add 10.244.2.0/24 encap 198.51.100.10 dev 3", null)]
    [InlineData(Right, "", null)]
    [InlineData("10.244.2.0/24 to 198.51.100.11,10.244.1.1,1364 dev 3 ours", Replaced, "encap to 198.51.100.11 dev hostgw0|")]
    [InlineData("10.244.2.0/24 to fd02::10,10.244.1.1,1364 dev 3 ours", Replaced, "encap to fd02::10 dev hostgw0|")]
    [InlineData("10.244.2.0/24 to 198.51.100.10,10.244.1.9,1364 dev 3 ours", Replaced, "encap to 198.51.100.10 dev hostgw0|src 10.244.1.9")]
    [InlineData("10.244.2.0/24 to 198.51.100.10,10.244.1.1,1400 dev 3 ours", Replaced, "encap to 198.51.100.10 dev hostgw0|mtu 1400")]
    [InlineData("10.244.2.0/24 to 198.51.100.10,10.244.1.9,1400,158 dev 3 ours", Replaced,
        "encap to 198.51.100.10 dev hostgw0|id 158, src 10.244.1.9, mtu 1400")]
    [InlineData("10.244.2.0/24 to 198.51.100.10,10.244.1.1,1364 dev 2 ours", Replaced, "encap to 198.51.100.10 dev hostgw0|dev eth0")]
    [InlineData("10.244.2.0/24 to 198.51.100.10,10.244.1.1,1364 dev 3 ours onlink", Replaced, "encap to 198.51.100.10 dev hostgw0|")]
    [InlineData("10.244.2.0/24 via 198.51.100.10 onlink ours", Replaced, "via 198.51.100.10|dev eth0")]
    [InlineData("10.244.2.0/24 via 198.51.100.10 onlink dev 3 ours", Replaced, "via 198.51.100.10|")]
    [InlineData("10.244.2.0/24 via 10.0.0.2 onlink dev 3 ours mtu", Replaced, "via 10.0.0.2|metrics such as mtu")]
    [InlineData("10.244.2.0/24 dev 3 ours encap", Replaced, "on-link|no src, no mtu")]
    [InlineData("10.244.2.0/24 dev 3 ours encap src", Replaced, "on-link|no mtu")]
    [InlineData("10.244.2.0/24 dev 3 ours encap mtu", Replaced, "on-link|no src")]
    [InlineData("10.244.2.0/24 dev 3 ours encap src mtu", Replaced, "on-link|other options of encap, or other metrics")]
    [InlineData("10.244.2.0/24 dev 3 encap src mtu", "conflict 10.244.2.0/24 held by 10.244.2.0/24 dev 3 proto 4", null)]
    public void A_tunnelled_route_is_installed_only_as_it_should_be(string installed, string expected, string? said)
    {
        RouteChanges changes = Diff(PlanOf(Tunnelled), installed, AdoptMode.None);

        Assert.Equal(expected.Length == 0 ? [] : [expected], RouteText.Of(changes));
        if (said is not null)
        {
            RouteCorrection change = changes.Replace.Single();
            Assert.Equal(said, $"{NextHopText.Of(change.Instead)}|{change.Difference(State)}");
        }
    }

    // The second is of a version before this one.
    [Theory]
    [InlineData("10.244.2.0/24 to 198.51.100.10,10.244.1.1,1364,157,10.0.0.1 dev 3 ours", null)]
    [InlineData(Right, "no encap src")]
    [InlineData("10.244.2.0/24 to 198.51.100.10,10.244.1.1,1364,157,10.0.0.9 dev 3 ours", "encap src 10.0.0.9")]
    public void One_with_another_source_outside_is_replaced_in_place(string installed, string? said)
    {
        PodRoute route = RouteOf("10.244.2.0/24 to 198.51.100.10,10.244.1.1,1364,157,10.0.0.1 dev 3");
        RouteChanges changes = Diff(PlanOf(route), installed, AdoptMode.None);
        Assert.Equal(said is null ? [] : [Replaced], RouteText.Of(changes));
        Assert.Equal(said, changes.Replace.SingleOrDefault() is { Route.Tunnel: not null } change ? change.Difference(State) : null);
    }

    [Theory]
    [InlineData(RightV6, "")]
    [InlineData("fd00:10:244:2::/64 to 198.51.100.10,fd00:10:244:1::1,1400 dev 3 ours",
        "replace fd00:10:244:2::/64 encap 198.51.100.10 dev 3 (Differs)")]
    public void An_IPv6_route_is_compared_likewise(string installed, string expected) =>
        Assert.Equal(expected.Length == 0 ? [] : [expected], RouteText.Of(Diff(PlanOf(TunnelledV6), installed, AdoptMode.None)));

    [Theory]
    [InlineData(Right, "encap to 198.51.100.10 dev hostgw0|dev hostgw0")]
    [InlineData("10.244.2.0/24 to 10.0.0.2,10.244.1.1,1364 dev 3 ours", "encap to 10.0.0.2 dev hostgw0|dev hostgw0")]
    public void A_native_route_replaces_it(string installed, string said)
    {
        RouteChanges changes = Diff(PlanOf(RouteOf("10.244.2.0/24 via 10.0.0.2")), installed, AdoptMode.None);

        Assert.Equal(["replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Differs)"], RouteText.Of(changes));
        RouteCorrection change = changes.Replace.Single();
        Assert.Equal(said, $"{NextHopText.Of(change.Instead)}|{change.Difference(State)}");
    }

    [Theory]
    [InlineData("10.244.2.0/24 via 198.51.100.10 dev 3")]
    [InlineData("10.244.2.0/24 dev 3 encap src mtu")]
    [InlineData("10.244.2.0/24 dev 3")]
    public void No_foreign_route_is_equivalent_to_a_tunnelled_one(string foreign)
    {
        Assert.Single(Diff(PlanOf(Tunnelled), foreign, AdoptMode.Equivalent).Conflicts);
        Assert.Single(Diff(PlanOf(Tunnelled), foreign, AdoptMode.All).Replace);
    }

    [Theory]
    [InlineData("10.244.2.128/25 via 198.51.100.10 dev 3")]
    [InlineData("10.244.2.128/25 dev 3 encap")]
    public void A_foreign_route_inside_of_it_takes_a_part_of_its_packets_whatever_its_next_hop(string foreign) =>
        Assert.Single(RouteShadow.Find(
            PlanOf(Tunnelled), new() { Routes = [RouteText.Standing(Right), RouteText.Standing(foreign)] }));

    [Fact]
    public void What_the_pass_says_of_it_names_the_node_and_the_link()
    {
        Assert.Equal("encap to 198.51.100.10 dev hostgw0", NextHopText.Of(Tunnelled));
        Assert.Equal(
            ("via 10.0.0.3", "on-link"),
            (NextHopText.Of(RouteOf("10.244.3.0/24 via 10.0.0.3")), NextHopText.Of(RouteText.Standing("10.244.3.0/24"))));
    }

    // IPv6 has a route in main to each address of the host, also to SOURCE.
    [Fact]
    public void Its_link_is_no_interface_of_pods()
    {
        ImmutableArray<Prefix> own = Given.Prefixes("10.244.1.0/24,fd00:10:244:1::/64");
        Assert.Equal([4], PodInterfaces.Of(own, State));
        Assert.Equal([3, 4], PodInterfaces.Of(own, State with { Tunnel = null }).Order());
    }

    [Fact]
    public void Packets_that_come_out_of_its_link_are_forwarded()
    {
        HostState host = State with { Interfaces = [.. State.Interfaces.Select(i => i with { ForwardsIPv4 = i.Name != "hostgw0" })] };
        Assert.Equal(["hostgw0"], InterfaceForwarding.Lacking(PlanOf(Tunnelled), host));
    }

    [Fact]
    public void An_installed_one_is_not_kept_in_the_place_of_a_native_one()
    {
        HostState host = State with { Routes = [RouteText.Standing(Right)] };
        Plan plan = Planner.Plan(Given.Nodes(Given.Self, "b 10.244.2.0/24 198.51.100.10"), host, Given.Policy(""));
        Assert.Empty(plan.Routes);
    }

    [Theory]
    [InlineData("10.7.0.0/24 dev 2 encap src mtu")]
    [InlineData("10.7.0.0/24 dev 2 encap")]
    public void A_foreign_route_into_a_tunnel_proves_no_neighbour(string route)
    {
        Plan Over(string text) => Planner.Plan(
            Given.Nodes(Given.Self, "b 10.244.2.0/24 10.7.0.2"), State with { Routes = [RouteText.Standing(text), .. State.Routes] }, Given.Policy(""));
        Assert.Empty(Over(route).Routes);
        Assert.Single(Over("10.7.0.0/24 dev 2").Routes);
    }

    [Fact]
    public void A_foreign_route_into_a_tunnel_hides_the_segment_around_it()
    {
        HostState host = State with { Routes = [RouteText.Standing("10.0.0.2/32 dev 2 encap"), .. State.Routes] };
        host = host with { Routes = [.. host.Routes.OrderBy(r => r.Key)] };
        Assert.Empty(Planner.Plan(Given.Nodes(Given.Self, "b 10.244.2.0/24 10.0.0.2"), host, Given.Policy("")).Routes);
    }

    [Fact]
    public void Its_node_is_not_looked_for_among_the_neighbours()
    {
        Assert.Equal([Ip.Parse("10.0.0.3"), Ip.Parse("10.0.0.254")], Neighbours(PlanOf(Tunnelled)));
        Assert.Contains(Ip.Parse("198.51.100.10"), Neighbours(PlanOf(RouteOf("10.244.2.0/24 via 198.51.100.10"))));

        static IEnumerable<Ip> Neighbours(Plan plan) => NeighbourRules.Wanted(plan, State).Select(n => n.Address).Order();
    }

    // The rules are those of other programs; table 100 leads to a VPN, for example, or to the same link.
    [Theory]
    [InlineData("1000 iif hostgw0 lookup 100", "100 0.0.0.0/0 dev eth0", "10.244.2.0/24")]
    [InlineData("1000 iif eth0 lookup 100", "100 0.0.0.0/0 dev hostgw0", "10.244.3.0/24")]
    [InlineData("1000 to 10.244.2.0/24 lookup 100", "100 10.244.2.0/24 via 198.51.100.10 dev hostgw0", "10.244.2.0/24")]
    [InlineData("1000 to 10.244.3.0/24 lookup 100", "100 10.244.3.0/24 via 10.0.0.3 dev eth0", "")]
    [InlineData("1000 iif lo from 10.0.0.1 lookup 100", "100 0.0.0.0/0 dev eth0", "10.244.3.0/24")]
    [InlineData("1000 iif lo from 10.244.1.1 lookup 100", "100 0.0.0.0/0 dev eth0", "10.244.2.0/24")]
    public void Policy_rules_are_judged_by_the_packets_that_the_tunnel_carries(string rules, string tables, string affected)
    {
        ModelTables kernel = new(rules, tables);
        HostState host = State with { PolicyRules = kernel.Rules };
        host = host with
        {
            Routes =
            [
                .. host.Routes, RouteText.Standing("10.244.1.0/24 dev 4"), RouteText.Standing(Right),
                RouteText.Standing("10.244.3.0/24 via 10.0.0.3 onlink ours"),
            ],
        };
        host = kernel.Host = host with { Routes = [.. host.Routes.OrderBy(r => r.Key)] };
        // In the tables of this test the answer has no encapsulation, as the kernel's has none that is read.
        Assert.Equal(affected, string.Join(' ', Overrides.Find(PlanOf(Tunnelled), host, kernel).SelectMany(o => o.Affected).Distinct().Order()));
    }

    [Theory]
    [InlineData(true, "eth0", 0)]
    [InlineData(false, "eth0", 1)]
    public void Of_foreign_rules_those_on_its_link_are_tried_and_nobody_is_looked_for_there(bool alone, string uplink, int neighbours)
    {
        Plan plan = PlanOf(Tunnelled);
        plan = alone ? plan with { Routes = [Tunnelled] } : plan;
        PodTraffic traffic = Assert.Single(PodTraffic.Of(plan, State), t => t.IsIPv4);
        PacketClass[] packets = [.. traffic.Whole()];

        Assert.Equal(uplink, packets.First(p => p.Flow == PodFlow.OwnToOutside).Out.Name);
        Assert.Equal("hostgw0", packets.First(p => p.Flow == PodFlow.OwnToPeer).Out.Name);
        Assert.Equal("br0", packets.First(p => p.Flow == PodFlow.OwnToPeer).In.Name);
        Assert.Equal(neighbours, packets.Where(p => p.Flow == PodFlow.Neighbours && p.In.Name is { Length: > 0 }).Select(p => p.In).Distinct().Count());
        Assert.DoesNotContain(packets, p => p.Flow == PodFlow.Neighbours && (p.In.Name == "hostgw0" || p.Out.Name == "hostgw0"));
    }

    private static PodRoute RouteOf(string text)
    {
        HostRoute route = RouteText.Standing(text);
        return new(route.Destination, route.Metric, route.NextHop, route.Interface) { Tunnel = route.Tunnel };
    }

    private static Plan PlanOf(PodRoute route)
    {
        string[] nodes = [Given.Self, $"b {route.Destination} 198.51.100.10 hop={route.NextHop}", "c 10.244.3.0/24 10.0.0.3"];
        HostState host = Given.Host($"{Host}; 198.51.100.0/24 dev eth0");
        Plan plan = Planner.Plan(Given.Nodes(nodes), host, Given.Policy(""));
        return plan with { Routes = [.. plan.Routes.Where(r => r.Destination != route.Destination).Append(route).OrderBy(r => r.Key)] };
    }

    private static RouteChanges Diff(Plan plan, string installed, AdoptMode adopt)
    {
        HostRoute[] routes = [.. ((string[])[installed, "10.244.3.0/24 via 10.0.0.3 onlink ours"]).Where(r => r.Length > 0).Select(RouteText.Standing)];
        return RouteDiff.Between(plan, [.. routes.OrderBy(r => r.Key)], new HashSet<RouteKey>(), adopt);
    }
}
