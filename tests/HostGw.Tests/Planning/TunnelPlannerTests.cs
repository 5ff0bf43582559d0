using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Tests.Planning;

public class TunnelPlannerTests
{
    private const string Link = "hostgw0 10.244.1.1/32 fd00:10:244:1::1/128 noarp";
    private const string Host = $"{Given.Lan}; {Link}";
    private const string Near = "near 10.244.2.0/24 10.0.0.2";
    private const string Far = "far 10.244.3.0/24 192.0.2.3";

    // Each case reads as a sentence: the policy, what probes say, the peers, then the routes.
    public static TheoryData<string, string, string[], string[], string[]> Cases => new()
    {
        { "off: as without a tunnel", "tunnel=off", ["10.244.2.0/24 Tunnel", "10.244.3.0/24 Tunnel"], [Near, Far],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0"] },
        { "auto, and the probes have not decided: as without a tunnel", "tunnel=auto", [], [Near, Far],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0"] },
        { "native is as without a tunnel", "tunnel=auto", ["10.244.2.0/24 Native", "10.244.3.0/24 Native"], [Near, Far],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0"] },
        { "compared: the podCIDR's route stays, and host routes lead to the probe address natively and to SOURCE through the tunnel", "tunnel=auto",
            ["10.244.2.0/24 Compared"], [Near],
            [
                "10.244.2.0/24 via 10.0.0.2 dev eth0",
                "10.244.2.0/32 via 10.0.0.2 dev eth0",
                "10.244.2.1/32 encap 10.0.0.2 src 10.244.1.1 mtu 1464 dev hostgw0",
            ] },
        { "the native path to a peer that is not on-link is the router's", "tunnel=auto", ["10.244.3.0/24 Compared"], [Far],
            ["10.244.3.0/32 via 10.0.0.254 dev eth0", "10.244.3.1/32 encap 192.0.2.3 src 10.244.1.1 mtu 1464 dev hostgw0"] },
        { "the tunnel carries the podCIDR, and both paths are measured on", "tunnel=auto", ["10.244.2.0/24 Tunnel"], [Near],
            [
                "10.244.2.0/24 encap 10.0.0.2 src 10.244.1.1 mtu 1464 dev hostgw0",
                "10.244.2.0/32 via 10.0.0.2 dev eth0",
                "10.244.2.1/32 encap 10.0.0.2 src 10.244.1.1 mtu 1464 dev hostgw0",
            ] },
        { "a peer that is not on-link is reached through it, another natively", "tunnel=auto", ["10.244.3.0/24 Tunnel"], [Near, Far],
            [
                "10.244.2.0/24 via 10.0.0.2 dev eth0",
                "10.244.3.0/24 encap 192.0.2.3 src 10.244.1.1 mtu 1464 dev hostgw0",
                "10.244.3.0/32 via 10.0.0.254 dev eth0",
                "10.244.3.1/32 encap 192.0.2.3 src 10.244.1.1 mtu 1464 dev hostgw0",
            ] },
        { "always: every Linux peer, and no route beside: its podCIDR's is that of its SOURCE", "tunnel=always", [],
            [Near, Far, "win 10.244.4.0/24 10.0.0.4 windows"],
            [
                "10.244.2.0/24 encap 10.0.0.2 src 10.244.1.1 mtu 1464 dev hostgw0",
                "10.244.3.0/24 encap 192.0.2.3 src 10.244.1.1 mtu 1464 dev hostgw0",
                "10.244.4.0/24 via 10.0.0.4 dev eth0",
            ] },
        { "a Windows peer never", "tunnel=auto", ["10.244.4.0/24 Tunnel"], ["win 10.244.4.0/24 10.0.0.4 windows"],
            ["10.244.4.0/24 via 10.0.0.4 dev eth0"] },
        { "nor a skipped, refused or unselected one", "tunnel=always selector=pool=a", [],
            ["a 10.244.2.0/24 10.0.0.2 skip labels=pool:a", "b 10.244.1.128/25 10.0.0.3 labels=pool:a", "c 10.244.4.0/24 10.0.0.4"], [] },
        { "the podCIDRs of one Node share the path, and the first is probed", "tunnel=auto",
            ["10.244.3.0/24 Tunnel", "10.244.5.0/24 Tunnel"], ["far 10.244.3.0/24,10.244.5.0/24 192.0.2.3"],
            [
                "10.244.3.0/24 encap 192.0.2.3 src 10.244.1.1 mtu 1464 dev hostgw0",
                "10.244.3.0/32 via 10.0.0.254 dev eth0",
                "10.244.3.1/32 encap 192.0.2.3 src 10.244.1.1 mtu 1464 dev hostgw0",
                "10.244.5.0/24 encap 192.0.2.3 src 10.244.1.1 mtu 1464 dev hostgw0",
            ] },
        { "each family by itself, the outer header of its own family", "tunnel=auto", ["fd00:10:244:3::/64 Tunnel"],
            ["far 10.244.3.0/24,fd00:10:244:3::/64 10.0.0.3,2001:db8::3"],
            [
                "10.244.3.0/24 via 10.0.0.3 dev eth0",
                "fd00:10:244:3::/64 encap 2001:db8::3 src fd00:10:244:1::1 mtu 1444 dev hostgw0",
                "fd00:10:244:3::1/128 encap 2001:db8::3 src fd00:10:244:1::1 mtu 1444 dev hostgw0",
            ] },
        { "a peer with an IPv6 address only carries IPv4 pods, too", "tunnel=always", [], ["far 10.244.3.0/24 2001:db8::3"],
            ["10.244.3.0/24 encap 2001:db8::3 src 10.244.1.1 mtu 1444 dev hostgw0"] },
        { "the outer address is the Node's, not an annotated router's", "tunnel=always", [], [$"{Near} hop=10.0.0.9"],
            ["10.244.2.0/24 encap 10.0.0.2 src 10.244.1.1 mtu 1464 dev hostgw0"] },
        { "the next hop, where the Node lists several addresses", "tunnel=always", [], ["near 10.244.2.0/24 192.0.2.2,10.0.0.2"],
            ["10.244.2.0/24 encap 10.0.0.2 src 10.244.1.1 mtu 1464 dev hostgw0"] },
        { "one that no other Node lists", "tunnel=always", [], ["a 10.244.3.0/24 192.0.2.9,192.0.2.3", "b 10.244.4.0/24 192.0.2.9"],
            [
                "10.244.3.0/24 encap 192.0.2.3 src 10.244.1.1 mtu 1464 dev hostgw0",
                "10.244.4.0/24 encap 192.0.2.9 src 10.244.1.1 mtu 1464 dev hostgw0",
            ] },
        { "never one inside a podCIDR, or of this host", "tunnel=always", [], ["b 10.244.4.0/24 10.0.0.4", "a 10.244.3.0/24 10.244.4.9,10.0.0.1"],
            ["10.244.4.0/24 encap 10.0.0.4 src 10.244.1.1 mtu 1464 dev hostgw0"] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Peers_get_routes_by_their_path(string because, string policy, string[] paths, string[] peers, string[] expected)
    {
        HostState host = Given.Host(Host);
        Plan plan = Plan(host, policy, paths, peers);
        string[] actual = Shown.Routes(plan, host);
        Assert.True(expected.SequenceEqual(actual), $"{because}: got [{string.Join(", ", actual)}]");
        Assert.Equal(plan.Routes.OrderBy(r => r.Key).ToArray(), plan.Routes);
    }

    // Each case: this host's routes, and the one by which the probe address of a peer beyond the segment is asked.
    [Theory]
    [InlineData("default via 10.0.0.254 dev eth0", "10.0.0.254")]
    [InlineData("default via 10.0.0.254 dev eth0; 10.244.3.0/24 via 10.0.0.9 dev eth0 proto 186 metric 20", "10.0.0.9")]
    [InlineData("default via 10.0.0.254 dev eth0 metric 100; default via 10.0.0.253 dev eth0 metric 50", "10.0.0.253")]
    [InlineData("eth1 10.9.0.2/24 down; default via 10.9.0.1 dev eth1", null)]
    [InlineData("", null)]
    public void Beyond_the_segment_the_native_path_is_the_route_without_ours(string routes, string? gateway)
    {
        HostState host = Given.Host($"eth0 10.0.0.1/24 fd00:aaaa::1/64; {Link}; {routes}");
        Plan plan = Plan(host, "tunnel=auto", ["10.244.3.0/24 Tunnel"], [Far]);
        PodRoute[] native = [.. plan.RoutesTo(Prefix.Parse("10.244.3.0/32"))];
        Assert.Equal(gateway is null ? [] : [gateway], native.Select(r => $"{r.NextHop}"));
    }

    [Fact]
    public void A_verdict_says_how_the_peer_is_reached_and_why_not_natively()
    {
        Plan plan = Plan(Given.Host(Host), "tunnel=auto", ["10.244.2.0/24 Tunnel", "10.244.3.0/24 Tunnel"], [Near, Far]);
        Verdict near = plan.Verdicts.Single(v => v.Node.Name == "near"), far = plan.Verdicts.Single(v => v.Node.Name == "far");

        Assert.Equal((VerdictKind.Routed, VerdictKind.Routed, true), (near.Kind, near.NativeKind, near.IsOnLink));
        Assert.Equal((VerdictKind.Routed, VerdictKind.NotAdjacent, false), (far.Kind, far.NativeKind, far.IsOnLink));
        Assert.Contains("is not on this host's segment", far.Reason, StringComparison.Ordinal);
        Assert.Equal(("192.0.2.3", 3), ($"{far.NextHop}", far.Interface));
        Assert.Equal(new Encapsulation(157, Ip.Parse("192.0.2.3"), Ip.Parse("10.244.1.1"), 1464) { OuterSource = Ip.Parse("10.0.0.1") }, far.Tunnel);
        Assert.Equal("far", plan.RoutedPeer(Prefix.Parse("10.244.3.0/24"))?.Name);
    }

    // Each case: the link as it is, and whether peers' routes may use it.
    [Theory]
    [InlineData(Link, true)]
    [InlineData("", false)]
    [InlineData("hostgw0 10.244.1.1/32 down", false)]
    [InlineData("hostgw0 fd00:10:244:1::1/128", false)]
    [InlineData("hostgw0 10.244.1.1/32 port=4789", false)]
    public void Until_the_link_is_up_and_holds_the_source_what_is_installed_stays(string link, bool isReady)
    {
        HostState host = Given.Host($"{Given.Lan}; {link}");
        Plan plan = Plan(host, "tunnel=auto", ["10.244.2.0/24 Tunnel"], [Near]);

        Assert.Equal(isReady, plan.RoutesTo(Prefix.Parse("10.244.2.0/24")) is [{ Tunnel: not null }]);
        Assert.Equal(isReady ? [] : [Prefix.Parse("10.244.2.0/24")], plan.Waiting);
        Assert.Equal(!isReady, plan.Verdicts.Single(v => v.Node.Name == "near").AwaitsTunnel);
        Assert.Equal("4790 157 10.244.1.1 fd00:10:244:1::1", Text(plan.Tunnel));
        // The native half of the comparison needs no link.
        Assert.True(plan.Wants(Prefix.Parse("10.244.2.0/32")));
    }

    [Theory]
    [InlineData("tunnel=off", "10.244.2.0/24 Tunnel", "")]
    [InlineData("tunnel=auto", "10.244.2.0/24 Native", "")]
    [InlineData("tunnel=auto", "10.244.2.0/24 Compared", "4790 157 10.244.1.1 fd00:10:244:1::1")]
    [InlineData("tunnel=auto tunnel.source=254", "10.244.2.0/24 Tunnel", "4790 157 10.244.1.254 fd00:10:244:1::fe")]
    [InlineData("tunnel=always", "10.244.2.0/24 Native", "4790 157 10.244.1.1 fd00:10:244:1::1")]
    public void There_is_a_link_while_a_peer_may_need_it(string policy, string path, string expected) =>
        Assert.Equal(expected, Text(Plan(Given.Host(Given.Lan), policy, [path], [Near]).Tunnel));

    [Theory]
    [InlineData("", "Tunnel")]
    [InlineData("10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157", "Native")]
    [InlineData("10.244.2.0/24 encap 10.0.0.2 src 10.244.1.1 mtu 1464 dev hostgw0", "Tunnel")]
    public void Until_the_probes_have_decided_the_installed_path_stays(string installed, string path)
    {
        HostState host = Given.Host($"{Host}; {installed}");
        // Without a route, what the plan before had.
        Plan? previous = installed.Length > 0 ? null : Plan(host, "tunnel=auto", ["10.244.2.0/24 Tunnel"], [Near]);
        Plan plan = Planner.Plan(Given.Nodes(Given.Self, Near), host, Given.Policy("tunnel=auto"), previous, Given.Paths());
        Assert.Equal(path == "Tunnel", plan.Verdicts.Single(v => v.Node.Name == "near").Tunnel is not null);
    }

    // An agent may restart in the middle of the way back: its peer's packets may come by the link still.
    [Theory]
    [InlineData("10.244.2.1/32 encap 10.0.0.2 src 10.244.1.1 mtu 1464 dev hostgw0", true)]
    [InlineData("10.244.2.1/32 via 10.0.0.2 dev eth0 proto 157", false)]
    [InlineData("10.244.3.1/32 encap 192.0.2.3 src 10.244.1.1 mtu 1464 dev hostgw0", false)]
    public void Nor_does_a_comparison_end_before_they_have(string installed, bool isCompared)
    {
        HostState host = Given.Host($"{Host}; {installed}");
        Plan plan = Planner.Plan(Given.Nodes(Given.Self, Near), host, Given.Policy("tunnel=auto"), null, Given.Paths());
        Assert.Equal(
            isCompared ? ["10.244.2.0/24", "10.244.2.0/32", "10.244.2.1/32"] : ["10.244.2.0/24"],
            plan.Routes.Select(r => $"{r.Destination}"));
        Assert.Equal(isCompared, plan.Tunnel is not null);
    }

    [Fact]
    public void A_peer_that_lost_its_addresses_keeps_its_tunnel()
    {
        HostState host = Given.Host($"{Host}; 10.244.3.0/24 encap 192.0.2.3 src 10.244.1.1 mtu 1464 dev hostgw0");
        string[] lost = [Given.Self, "far 10.244.3.0/24 -"];
        Reachability paths = Given.Paths("10.244.3.0/24 Tunnel");
        Plan atStart = Planner.Plan(Given.Nodes(lost), host, Given.Policy("tunnel=auto"), null, paths);
        Plan later = Planner.Plan(Given.Nodes(lost), host, Given.Policy("tunnel=auto"), Plan(host, "tunnel=auto", ["10.244.3.0/24 Tunnel"], [Far]), paths);
        foreach (Plan plan in new[] { atStart, later })
            Assert.Equal("192.0.2.3", $"{plan.RoutesTo(Prefix.Parse("10.244.3.0/24"))[0].Tunnel?.Node}");
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("10.244.4.9")]
    public void But_not_to_an_address_that_became_this_hosts_or_a_pods(string last)
    {
        HostState host = Given.Host($"{Host}; 10.244.3.0/24 encap {last} src 10.244.1.1 mtu 1464 dev hostgw0");
        Plan plan = Planner.Plan(Given.Nodes(Given.Self, "far 10.244.3.0/24 -", "b 10.244.4.0/24 10.0.0.4"), host, Given.Policy("tunnel=always"));
        Assert.Empty(plan.RoutesTo(Prefix.Parse("10.244.3.0/24")).ToArray());
    }

    [Fact]
    public void A_tunnelled_route_is_no_native_one_whose_on_link_route_is_gone()
    {
        HostState host = Given.Host($"eth0 10.9.0.1/24; {Link}; 10.244.2.0/24 encap 10.0.0.2 src 10.244.1.1 mtu 1464 dev hostgw0");
        Plan plan = Planner.Plan(Given.Nodes("self 10.244.1.0/24 10.9.0.1", Near), host, Given.Policy("tunnel=auto"), null, Given.Paths("10.244.2.0/24 Native"));
        Assert.Equal(VerdictKind.NotAdjacent, plan.Verdicts.Single(v => v.Node.Name == "near").Kind);
    }

    // The MTU that the kernel has learnt, else that of the interface of the best route that is not HostGw's.
    [Theory]
    [InlineData("eth0 10.0.0.1/24 mtu=9000; default via 10.0.0.254 dev eth0", 8964)]
    [InlineData("eth0 10.0.0.1/24 mtu=9000; wan 10.9.0.1/24 mtu=1400; default via 10.0.0.254 dev eth0; 192.0.2.0/24 via 10.9.0.254 dev wan", 1364)]
    [InlineData("eth0 10.0.0.1/24 mtu=9000; wan 10.9.0.1/24 mtu=1400; default via 10.0.0.254 dev eth0; 192.0.2.0/24 via 10.9.0.254 dev wan proto 157", 8964)]
    [InlineData("eth0 10.0.0.1/24 mtu=9000", 1464)]
    public void The_mtu_is_that_of_the_path_to_the_node_less_the_headers_outside(string host, int expected)
    {
        HostState state = Given.Host($"{host}; hostgw0 10.244.1.1/32");
        Assert.Equal(expected, Mtu(state));
        Assert.Equal(1264, Mtu(state with { NodePaths = [new(Ip.Parse("192.0.2.1"), 1200, 2), new(Ip.Parse("192.0.2.3"), 1300, 2)] }));

        static int Mtu(HostState host) => Planner.Plan(Given.Nodes("self 10.244.1.0/24 10.0.0.1", Far), host, Given.Policy("tunnel=always"))
            .Verdicts.Single(v => v.Node.Name == "far").Tunnel!.Mtu;
    }

    // Peers' guards let in no other address, and the kernel may choose another one: the first of a segment, or one by autoconfiguration.
    [Theory]
    [InlineData("eth0 10.0.0.1/24 10.0.0.11/24", "10.0.0.11", "192.0.2.3", "10.0.0.11")]
    [InlineData("eth0 10.0.0.1/24; lo 10.0.0.11/32", "10.0.0.11", "192.0.2.3", "10.0.0.11")]
    [InlineData("eth0 10.0.0.1/24; eth1 10.1.0.1/24", "10.1.0.1,10.0.0.1", "192.0.2.3", "10.0.0.1")]
    [InlineData("eth0 10.0.0.1/24; eth1 10.1.0.1/24", "10.1.0.1,10.0.0.1", "10.1.0.9", "10.1.0.1")]
    [InlineData("eth0 10.0.0.1/24; eth1 10.1.0.1/24", "10.1.0.1", "192.0.2.3", "10.1.0.1")]
    [InlineData("eth0 10.0.0.1/24 10.0.0.99/24", "10.0.0.99,10.0.0.1", "192.0.2.3", "10.0.0.1")]
    [InlineData("eth0 10.0.0.1/24 10.0.0.99/24", "10.0.0.99", "192.0.2.3", "10.0.0.99")]
    [InlineData("eth0 10.0.0.1/24 203.0.113.1/24", "10.9.9.9 external=203.0.113.1", "10.0.0.3", "203.0.113.1")]
    [InlineData("eth0 10.0.0.1/24", "10.9.9.9", "10.0.0.3", "")]
    [InlineData("eth0 10.0.0.1/24 fd00:aaaa::1/64 fd00:aaaa::77/128", "10.0.0.1,fd00:aaaa::77", "2001:db8::3", "fd00:aaaa::77")]
    [InlineData("eth0 10.0.0.1/24 fd00:aaaa::1/64", "10.0.0.1", "2001:db8::3", "")]
    public void The_source_outside_is_an_address_of_this_Node_that_this_host_holds(string links, string self, string peer, string expected)
    {
        HostState host = Given.Host($"{links}; hostgw0 10.244.1.1/32; default via 10.0.0.254 dev eth0; default6 via fd00:aaaa::fe dev eth0");
        Plan plan = Planner.Plan(
            Given.Nodes($"self 10.244.1.0/24 {self}", $"far 10.244.3.0/24 {peer}", "z - 10.0.0.99"), host, Given.Policy("tunnel=always"));
        Encapsulation tunnel = plan.Verdicts.Single(v => v.Node.Name == "far").Tunnel!;
        Assert.Equal((expected.Length == 0 ? default : Ip.Parse(expected), Ip.Parse(peer)), (tunnel.OuterSource, tunnel.Node));
    }

    [Fact]
    public void Which_interface_leads_to_a_node_the_kernel_knows_best()
    {
        HostState host = Given.Host("eth0 10.0.0.1/24; eth1 10.1.0.1/24; hostgw0 10.244.1.1/32; default via 10.0.0.254 dev eth0");
        host = host with { NodePaths = [new(Ip.Parse("192.0.2.3"), 1500, 3)] };
        Plan plan = Planner.Plan(Given.Nodes("self 10.244.1.0/24 10.0.0.1,10.1.0.1", Far), host, Given.Policy("tunnel=always"));
        Assert.Equal("10.1.0.1", $"{plan.Verdicts.Single(v => v.Node.Name == "far").Tunnel!.OuterSource}");
    }

    [Fact]
    public void IPv6_has_its_least_mtu_also_on_a_narrow_path()
    {
        HostState host = Given.Host(Host) with { NodePaths = [new(Ip.Parse("2001:db8::3"), 1300, 2)] };
        Plan plan = Plan(host, "tunnel=always", [], ["far fd00:10:244:3::/64 2001:db8::3"]);
        Assert.Equal(1280, plan.Verdicts.Single(v => v.Node.Name == "far").Tunnel!.Mtu);
    }

    [Fact]
    public void Without_an_own_podCIDR_of_the_family_there_is_no_tunnel_to_a_peers()
    {
        HostState host = Given.Host($"{Given.Lan}; hostgw0 10.244.1.1/32");
        Plan plan = Planner.Plan(
            Given.Nodes("self 10.244.1.0/24 10.0.0.1,fd00:aaaa::1", "near fd00:10:244:2::/64 fd00:aaaa::2"), host, Given.Policy("tunnel=always"));
        Assert.Equal(["fd00:10:244:2::/64 via fd00:aaaa::2 dev eth0"], Shown.Routes(plan, host));
        Assert.Empty(plan.Waiting);
    }

    // This node's podCIDR is not known at the moment: nobody's traffic is moved to another path.
    [Fact]
    public void While_nothing_is_planned_of_this_node_tunnelled_routes_stay()
    {
        HostState host = Given.Host($"{Host}; 10.244.2.0/24 encap 10.0.0.2 src 10.244.1.1 mtu 1464 dev hostgw0");
        Plan plan = Planner.Plan(Given.Nodes("self - 10.0.0.1", Near), host, Given.Policy("tunnel=auto"), null, Given.Paths("10.244.2.0/24 Tunnel"));
        Assert.Equal(PlanScope.AddRoutes, plan.Scope);
        Assert.Empty(plan.Routes);
        Assert.Equal([Prefix.Parse("10.244.2.0/24")], plan.Waiting);
        Assert.Equal(("", null), (plan.TunnelFault, plan.Tunnel));
    }

    // Else the link, and with it the routes that are to stay, went with each short loss of the uplink.
    [Theory]
    [InlineData("10.244.3.0/24 encap 192.0.2.3 src 10.244.1.1 mtu 1464 dev hostgw0", true)]
    [InlineData("10.244.3.0/24 via 10.0.0.9 dev eth0 proto 157", false)]
    public void While_the_uplink_is_down_tunnelled_routes_keep_their_link(string installed, bool isKept)
    {
        HostState host = Given.Host($"eth0 10.0.0.1/24 down; {Link}; {installed}");
        Plan plan = Plan(host, "tunnel=auto", ["10.244.3.0/24 Tunnel"], [Far]);
        Assert.Equal([Prefix.Parse("10.244.3.0/24")], plan.Waiting);
        Assert.Equal((isKept, isKept), (plan.Tunnel is not null, plan.Guards!.Tunnel is not null));
    }

    public static TheoryData<string, string, string, string> Refusals => new()
    {
        { "a kernel without nf_tables", "tunnel=auto", "no nf_tables", "no nf_tables" },
        { "a foreign link", "tunnel=auto", "foreign", "`ip link set hostgw0 name NEWNAME`" },
        { "a CNI configuration that may give .1 to a pod", "tunnel=auto", "cilium", "05-cilium.conflist of another plugin; if pods never get a certain address of each podCIDR, set tunnel.source to its index, such as 254" },
        { "host-local with another network", "tunnel=auto", "subnets", "gives pods addresses of 10.88.0.0/16, not of this node's podCIDR 10.244.1.0/24: whether a pod gets 10.244.1.1 is not known" },
        { "an index outside", "tunnel=auto tunnel.source=255", "", "tunnel.source 255 lies outside this node's podCIDR 10.244.1.0/24: set it to a lower index" },
        { "an index needs no reservation", "tunnel=auto tunnel.source=254", "cilium", "" },
        { "nor does off", "tunnel=off", "cilium", "" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void A_tunnel_is_refused_with_the_cure_and_everything_else_goes_on(string because, string policy, string obstacle, string expected)
    {
        HostState host = Given.Host(obstacle == "foreign" ? $"{Given.Lan}; hostgw0 10.244.1.1/32 foreign" : Given.Lan) with
        {
            GuardObstacle = obstacle == "no nf_tables" ? "no nf_tables" : "",
            SourceObstacle = obstacle == "cilium" ? "05-cilium.conflist of another plugin" : "",
            ReservedSubnets = obstacle == "subnets" ? [Prefix.Parse("10.88.0.0/16")] : null,
        };
        Plan plan = Plan(host, policy, ["10.244.2.0/24 Tunnel", "10.244.3.0/24 Tunnel"], [Near, Far]);
        if (expected.Length == 0)
        {
            Assert.Equal("", plan.TunnelFault);
            return;
        }
        Assert.True(plan.TunnelFault.Contains(expected, StringComparison.Ordinal), $"{because}: {plan.TunnelFault}");
        Assert.Null(plan.Tunnel);
        Assert.Equal(["10.244.2.0/24 via 10.0.0.2 dev eth0"], Shown.Routes(plan, host));
        Assert.Contains(plan.Verdicts, v => v is { Node.Name: "far", Kind: VerdictKind.NotAdjacent, AwaitsTunnel: false });
        Assert.NotNull(plan.Guards);
    }

    // Another writer of the CNI directory comes while the tunnel runs, and perhaps goes again.
    [Theory]
    [InlineData(Host, true)]
    [InlineData($"{Given.Lan}; hostgw0 10.244.1.1/32 fd00:10:244:1::1/128 noarp down", true)]
    [InlineData($"{Given.Lan}; hostgw0 10.244.1.1/32 noarp", false)]
    [InlineData($"{Given.Lan}; hostgw0 10.244.1.9/32 fd00:10:244:1::9/128 noarp", false)]
    [InlineData(Given.Lan, false)]
    public void Where_the_link_holds_its_addresses_a_CNI_configuration_that_may_give_them_to_pods_is_a_problem_and_no_refusal(
        string host, bool goesOn)
    {
        HostState state = Given.Host(host) with { SourceObstacle = "05-multus.conflist came" };
        Plan plan = Plan(state, "tunnel=auto", ["10.244.3.0/24 Tunnel"], [Far]);
        Assert.Equal((goesOn, !goesOn), (plan.Tunnel is not null, plan.TunnelFault.Length > 0));
        Assert.StartsWith("05-multus.conflist came; if pods never", goesOn ? plan.TunnelDoubt : plan.TunnelFault, StringComparison.Ordinal);
        Assert.Equal("", Plan(state with { SourceObstacle = "" }, "tunnel=auto", ["10.244.3.0/24 Tunnel"], [Far]).TunnelDoubt);
    }

    // The next pass makes it again.
    [Fact]
    public void So_it_is_where_somebody_deletes_the_link_meanwhile()
    {
        Plan before = Plan(Given.Host(Host), "tunnel=auto", ["10.244.3.0/24 Tunnel"], [Far]);
        HostState host = Given.Host(Given.Lan) with { SourceObstacle = "05-multus.conflist came" };
        Plan plan = Planner.Plan(
            Given.Nodes(Given.Self, Far), host, Given.Policy("tunnel=auto"), before, Given.Paths("10.244.3.0/24 Tunnel"));
        Assert.Equal((before.Tunnel, ""), (plan.Tunnel, plan.TunnelFault));
    }

    // It would be told for ever on a cluster where nothing needs it.
    [Fact]
    public void A_tunnel_that_no_peer_needs_is_not_refused()
    {
        HostState host = Given.Host(Given.Lan) with { GuardObstacle = "no nf_tables" };
        Assert.Equal("", Plan(host, "tunnel=auto", ["10.244.2.0/24 Native"], [Near]).TunnelFault);
    }

    [Fact]
    public void Routes_that_compare_paths_hide_no_route_to_a_podCIDR()
    {
        Plan plan = Plan(Given.Host(Host), "tunnel=auto", ["10.244.2.0/24 Compared"], [Near, "z 10.244.4.0/24 10.0.0.4"]);
        Assert.Equal("10.244.2.0/24", $"{plan.PeerRouteOver(Prefix.Parse("10.244.2.128/25"))?.Destination}");
        Assert.Equal("10.244.2.0/24", $"{plan.PeerRouteOver(Prefix.Parse("10.244.2.0/24"))?.Destination}");
        Assert.Null(plan.PeerRouteOver(Prefix.Parse("10.244.3.0/24")));
    }

    [Fact]
    public void An_uplink_stays_one_while_it_exists()
    {
        const string two = $"{Given.Lan}; eth1 10.1.0.11/24", one = Given.Lan, pods = $"{Given.Lan}; eth1 10.244.1.1/24";
        Plan first = Planner.Plan(Given.Nodes("self 10.244.1.0/24 10.1.0.11,10.0.0.1"), Given.Host(two), Given.Policy(""));
        Assert.Equal(["eth0", "eth1"], first.Guards!.Uplinks);
        Assert.Equal(["eth0", "eth1"], After(two));
        Assert.Equal(["eth0"], After(one));
        Assert.Equal(["eth0"], After(pods));

        ImmutableArray<string> After(string host) =>
            Planner.Plan(Given.Nodes("self 10.244.1.0/24 10.0.0.1"), Given.Host(host), Given.Policy(""), first).Guards!.Uplinks;
    }

    // Datagrams of a pod arrive by no uplink: hostgw0 and the pods' bridge are none, docker's bridge neither.
    [Theory]
    [InlineData(Given.Lan, "eth0")]
    [InlineData($"{Given.Lan}; cni0 10.244.1.1/24; docker0 172.17.0.1/16", "eth0")]
    [InlineData($"{Given.Lan}; wan 192.0.2.1/24; 198.51.100.0/24 via 192.0.2.254 dev wan", "eth0 wan")]
    [InlineData("lo 10.0.0.1/32; swp1 10.8.0.1/31; swp2 10.8.0.3/31; docker0 172.17.0.1/16; default via 10.8.0.0 dev swp1 also swp2", "swp1 swp2")]
    [InlineData("eth0 10.0.0.1/24 10.244.1.7/32", "eth0")]
    [InlineData("eth0 10.0.0.1/24; eth1 10.0.9.1/24; hostgw0 10.244.1.1/32", "eth0 eth1")]
    public void Guards_accept_datagrams_of_interfaces_towards_peers_only(string host, string expected)
    {
        HostState state = Given.Host(host);
        Plan plan = Planner.Plan(Given.Nodes("self 10.244.1.0/24 10.0.0.1", "b 10.244.9.0/24 10.0.9.2"), state, Given.Policy("tunnel=always"));
        Assert.Equal(expected.Split(' '), plan.Guards!.Uplinks);
    }

    // WireGuard, PPP, GRE: no next hop is on-link there, and the tunnel's datagrams and all probes come by them. Also an interface that the
    // setting interface leaves out.
    [Theory]
    [InlineData("wg0 10.8.0.1/24 noarp", "10.8.0.2", "", "eth0 wg0")]
    [InlineData("wg0 10.8.0.1/24 noarp", "10.8.0.2", "tunnel=auto", "eth0 wg0")]
    [InlineData("wg0 10.8.0.1/24 noarp; hostgw0 10.244.1.1/32", "10.8.0.2", "tunnel=always", "eth0 wg0")]
    [InlineData("wg0 10.8.0.1/24 noarp", "10.8.0.2 windows", "", "eth0 wg0")]
    [InlineData("wg0 fd08::1/64 noarp", "192.0.2.3,fd08::2", "", "eth0 wg0")]
    [InlineData("wg0 fd08::1/64 noarp; hostgw0 10.244.1.1/32", "fd08::2", "tunnel=always", "eth0 wg0")]
    [InlineData("tun0 10.8.0.2>10.8.0.1/32 p2p; 0.0.0.0/1 dev tun0", "100.64.0.2", "", "eth0 tun0")]
    [InlineData("eth1 10.8.0.1/24", "10.8.0.2", "interface=eth0", "eth0 eth1")]
    [InlineData("wg0 10.8.0.1/24 noarp", "192.0.2.3", "", "eth0")]
    [InlineData("wg0 10.8.0.1/24 noarp", "10.8.0.2 skip", "", "eth0")]
    [InlineData("cni0 10.244.1.1/24; 10.8.0.0/24 dev cni0", "10.8.0.2", "interface=eth0", "eth0")]
    [InlineData("10.8.0.0/24 dev lo", "10.8.0.2", "", "eth0")]
    [InlineData("10.8.0.0/24 blackhole dev eth0", "10.8.0.2", "", "eth0")]
    public void Peers_that_no_native_route_reaches_have_uplinks_too(string more, string peer, string policy, string expected)
    {
        HostState host = Given.Host($"eth0 10.0.0.1/24; default via 10.0.0.254 dev eth0; {more}");
        Plan plan = Planner.Plan(Given.Nodes("self 10.244.1.0/24 10.0.0.1", $"b 10.244.9.0/24 {peer}"), host, Given.Policy(policy));
        Assert.Equal(expected.Split(' '), plan.Guards!.Uplinks);
    }

    [Fact]
    public void Guards_of_the_tunnel_know_all_nodes_and_podCIDRs()
    {
        string[] nodes = [Given.Self, "a 10.244.2.0/24 10.0.0.2,10.0.0.1 external=203.0.113.2", "b 10.244.3.0/24,fd00:10:244:3::/64 192.0.2.3,2001:db8::3",
            "win 10.244.4.0/24 10.0.0.4 windows", "skipped 10.244.5.0/24 10.0.0.5 skip", "refused 10.244.1.0/25 10.0.0.6"];
        Plan plan = Planner.Plan(Given.Nodes(nodes), Given.Host(Given.Lan), Given.Policy("tunnel=auto"), null, Given.Paths("10.244.3.0/24 Compared"));
        Assert.Equal([4790, 9158], plan.Guards!.Ports);
        TunnelGuard guard = plan.Guards.Tunnel!;
        Assert.Equal((4790, 157u), (guard.Port, guard.Vni));
        Assert.Equal("10.0.0.2/32 10.0.0.5/32 10.0.0.6/32 192.0.2.3/32 203.0.113.2/32 2001:db8::3/128", string.Join(' ', guard.Nodes));
        Assert.Equal("10.244.1.0/24 fd00:10:244:1::/64", string.Join(' ', guard.Own));
        Assert.Equal("10.244.2.0/24 10.244.3.0/24 fd00:10:244:3::/64", string.Join(' ', guard.Peers));
    }

    [Theory]
    [InlineData("", "9158")]
    [InlineData("probe=off", "")]
    [InlineData("probe=off tunnel=always", "4790")]
    public void Guards_cover_the_ports_that_are_used(string policy, string expected)
    {
        Plan plan = Plan(Given.Host(Given.Lan), policy, [], [Near]);
        Assert.Equal(expected, plan.Guards is null ? "" : string.Join(' ', plan.Guards.Ports));
        Assert.Equal(policy.Contains("always", StringComparison.Ordinal), plan.Guards?.Tunnel is not null);
    }

    [Fact]
    public void What_leaves_by_the_tunnel_keeps_the_pods_address()
    {
        Plan plan = Plan(Given.Host(Host), "tunnel=auto", ["10.244.3.0/24 Tunnel"], [Far]);
        Assert.Contains(Prefix.Parse("10.244.3.0/24"), plan.Nat!.Exempt);
    }

    private static Plan Plan(HostState host, string policy, string[] paths, string[] peers) =>
        Planner.Plan(Given.Nodes([Given.Self, .. peers]), host, Given.Policy(policy), null, Given.Paths(paths));

    private static string Text(TunnelPlan? plan) => plan is null ? "" : $"{plan.Port} {plan.Vni} {string.Join(' ', plan.Sources)}";
}
