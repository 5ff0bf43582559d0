using HostGw.Planning;
using HostGw.Probes;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Probes;

public class ProbePlanTests
{
    // The policy, a peer, and whom this node probes: "PROBE ADDRESS by NODE ADDRESS [not on-link | not next hop] [and N more]".
    public static TheoryData<string, string, string, string[]> Peers => new()
    {
        { "both families", "", "a 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2",
            ["10.244.2.0 by 10.0.0.2", "fd00:10:244:2:: by fd00:aaaa::2"] },
        { "the address that is the next hop", "", "a 10.244.2.0/24 10.9.9.9,10.0.0.2", ["10.244.2.0 by 10.0.0.2"] },
        { "a gateway inside the podCIDR is no node address", "PodGateway", "a 10.244.2.0/24 10.0.0.2",
            ["10.244.2.0 by 10.0.0.2 not next hop"] },
        { "nor is an annotated router", "", "a 10.244.2.0/24 10.0.0.2 hop=10.0.0.200",
            ["10.244.2.0 by 10.0.0.2 not next hop"] },
        { "an external address", "", "a 10.244.2.0/24 - external=10.0.0.2", ["10.244.2.0 by 10.0.0.2"] },
        { "a peer of another segment", "", "a 10.244.2.0/24 10.1.0.2", ["10.244.2.0 by 10.1.0.2 not on-link"] },
        { "the first podCIDR speaks for all of its family", "", "a 10.244.2.0/24,10.244.3.0/24,10.244.4.0/24 10.0.0.2",
            ["10.244.2.0 by 10.0.0.2 and 2 more"] },
        { "not where the first one is refused", "", "a 10.0.0.0/24,10.244.3.0/24 10.0.0.2", [] },
        { "a Windows peer at its host endpoint, which has no IPv6 address", "",
            "a 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2 windows", ["10.244.2.2 by 10.0.0.2 by echo only"] },
        { "no Windows peer whose podCIDR has no room for one", "", "a 10.244.2.2/31 10.0.0.2 windows", [] },
        { "no skipped peer", "", "a 10.244.2.0/24 10.0.0.2 skip", [] },
        { "no peer without an address of the family", "", "a fd00:10:244:2::/64 10.0.0.2", [] },
        { "no address of this host itself or of many hosts", "",
            "a 10.244.2.0/24,fd00:10:244:2::/64 224.0.0.1,255.255.255.255,127.0.0.1,0.0.0.0,ff02::1,::1,fe80::1,::ffff:10.0.0.2", [] },
        { "the first that may be a node's", "", "a 10.244.2.0/24 224.0.0.1,10.1.0.2", ["10.244.2.0 by 10.1.0.2 not on-link"] },
        { "a podCIDR without room", "", "a 10.244.2.2/31,fd00:10:244:2::/127 10.0.0.2,fd00:aaaa::2", [] },
        { "the smallest podCIDRs", "", "a 10.244.2.4/30,fd00:10:244:2::/126 10.0.0.2,fd00:aaaa::2",
            ["10.244.2.4 by 10.0.0.2", "fd00:10:244:2:: by fd00:aaaa::2"] },
    };

    [Theory]
    [MemberData(nameof(Peers))]
    public void Targets(string because, string policy, string peer, string[] expected)
    {
        string[] actual = [.. Of(policy, peer).Targets.Select(Text)];
        Assert.True(expected.SequenceEqual(actual), $"{because}: [{string.Join(", ", actual)}]");
    }

    // Its pods are reached through the tunnel alone.
    [Theory]
    [InlineData("Auto", "a fd00:10:244:2::/64 10.0.0.2", "fd00:10:244:2:: by 10.0.0.2 not on-link")]
    [InlineData("Auto", "a 10.244.2.0/24 fd00:aaaa::2", "10.244.2.0 by fd00:aaaa::2 not on-link")]
    [InlineData("Auto", "a fd00:10:244:2::/64 10.0.0.2 hop=10.0.0.3", "")]
    [InlineData("Auto", "a fd00:10:244:2::/64 127.0.0.1", "")]
    [InlineData("Auto", "a fd00:10:244:2::/64 10.0.0.2 windows", "")]
    [InlineData("Off", "a fd00:10:244:2::/64 10.0.0.2", "")]
    public void A_Node_without_an_address_of_the_podCIDRs_family_is_asked_at_another(string mode, string peer, string expected)
    {
        Plan plan = Planner.Plan(Given.Nodes(Given.Self, peer), Given.Host(Given.Lan), Given.Policy(""));
        ProbePlan probes = ProbePlan.Of(plan, plan.ProbeAddresses, new() { Mode = Enum.Parse<TunnelMode>(mode) });
        Assert.Equal(expected, string.Join(", ", probes.Targets.Select(Text)));
    }

    [Fact]
    public void This_node_asks_from_its_first_InternalIP_and_its_own_probe_address()
    {
        ProbePlan plan = Of("", "a 10.244.2.0/24 10.0.0.2");
        Assert.Equal(new(Ip.Parse("10.244.1.0"), true), plan.IPv4);
        Assert.Equal(new(Ip.Parse("fd00:10:244:1::"), true), plan.IPv6);
        Assert.Equal("10.0.0.1", plan.NodeSources.To(Ip.Parse("10.0.0.2")).ToString());
        Assert.Equal("fd00:aaaa::1", plan.NodeSources.To(Ip.Parse("fd00:aaaa::2")).ToString());
    }

    [Fact]
    public void A_family_in_which_this_node_has_no_podCIDR_is_not_probed()
    {
        Plan plan = Planner.Plan(
            Given.Nodes("self 10.244.1.0/24 10.0.0.1,fd00:aaaa::1", "a 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2"),
            Given.Host(Given.Lan), Given.Policy(""));
        Assert.Equal(["10.244.2.0 by 10.0.0.2"], ProbePlan.Of(plan, []).Targets.Select(Text));
    }

    [Fact]
    public void A_probe_address_without_its_local_route_is_known_as_such()
    {
        Plan plan = Planner.Plan(Given.Nodes(Given.Self), Given.Host(Given.Lan), Given.Policy(""));
        ProbePlan probes = ProbePlan.Of(plan, [Ip.Parse("10.244.1.0")]);
        Assert.Equal((true, false), (probes.IPv4.IsHeld, probes.IPv6.IsHeld));
    }

    // It receives no ICMP message, whoever the peer is.
    [Fact]
    public void A_Windows_node_asks_from_its_host_endpoint_by_echo_only()
    {
        HostState host = Given.Host(Given.Lan + "; cbr0 10.244.1.2/24");
        Plan plan = Planner.Plan(
            Given.Nodes($"{Given.Self} windows external=203.0.113.1", "a 10.244.2.0/24 10.0.0.2", "b fd00:10:244:3::/64 10.0.0.3"), host,
            Given.Policy("tunnel=auto"));
        ProbePlan probes = ProbePlan.Of(plan, plan.EndpointAddresses, new() { Mode = TunnelMode.Auto });
        Assert.Equal(["10.244.2.0 by 10.0.0.2 by echo only"], probes.Targets.Select(Text));
        Assert.Equal(
            (Ip.Parse("10.0.0.1"), Ip.Parse("10.244.1.2"), true),
            (probes.NodeSources.To(Ip.Parse("10.0.0.2")), probes.IPv4.Pod, probes.IPv4.IsHeld));
        Assert.True(probes.IPv6.IsNone);
        Assert.Equal("10.0.0.1 fd00:aaaa::1 203.0.113.1 10.244.1.2", string.Join(' ', probes.Own));
    }

    [Fact]
    public void The_unspecified_address_is_none_of_this_nodes()
    {
        Plan plan = Planner.Plan(Given.Nodes("self 10.244.1.0/24 0.0.0.0,10.0.0.1,10.0.0.1,::"), Given.Host(Given.Lan), Given.Policy(""));
        Assert.Equal("10.0.0.1 10.244.1.0", string.Join(' ', ProbePlan.Of(plan, plan.ProbeAddresses).Own));
    }

    [Theory]
    [InlineData("10.0.0.2", true)]
    [InlineData("10.244.2.0", true)]
    [InlineData("10.244.2.1", true)]
    [InlineData("fd00:10:244:2::", true)]
    [InlineData("fd00:10:244:2::1", true)]
    [InlineData("fd00:aaaa::2", true)]
    [InlineData("203.0.113.2", true)]
    [InlineData("10.244.2.2", false)]
    [InlineData("10.244.2.255", false)]
    [InlineData("10.0.0.1", false)]
    [InlineData("10.244.1.0", false)]
    [InlineData("10.0.0.4", true)]
    [InlineData("10.244.4.2", true)]
    [InlineData("10.244.4.0", false)]
    [InlineData("10.244.4.1", false)]
    [InlineData("192.0.2.0", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::", false)]
    public void Questions_are_answered_that_come_from_node_probe_or_gateway_addresses_of_peers(string from, bool expected)
    {
        ProbePlan plan = Of(
            "clusterCidrs=10.244.0.0/16,fd00:10:244::/48", "a 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2 external=203.0.113.2",
            "b 192.0.2.0/24 10.0.0.3", "c 10.244.4.0/24 10.0.0.4 windows", "d - 10.0.0.5");
        Assert.Equal(expected, plan.Known.IndexOf(Ip.Parse(from)) >= 0);
    }

    // The address, and the node path's address of the peer that it belongs to.
    [Theory]
    [InlineData("10.0.0.2", "10.0.0.2")]
    [InlineData("203.0.113.2", "10.0.0.2")]
    [InlineData("10.244.2.0", "10.0.0.2")]
    [InlineData("10.244.2.1", "10.0.0.2")]
    [InlineData("10.244.20.1", "10.0.0.2")]
    [InlineData("fd00:10:244:2::1", "fd00:aaaa::2")]
    [InlineData("fd00:aaaa::2", "fd00:aaaa::2")]
    [InlineData("10.0.0.3", "disputed")]
    [InlineData("10.0.0.33", "10.0.0.33")]
    [InlineData("fd00:aaaa::3", "")]
    [InlineData("10.244.3.1", "10.0.0.33")]
    [InlineData("10.0.0.9", "")]
    public void An_address_is_that_of_the_peer_with_the_best_claim(string from, string expected)
    {
        // The first one and the last one claim what is others'.
        ProbePlan plan = Of(
            "", "_ 10.244.4.0/24 10.0.0.4,10.0.0.2,10.244.2.0,10.244.2.1,10.244.3.1",
            "a 10.244.2.0/24,10.244.20.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2 external=203.0.113.2",
            "b 10.244.3.0/24 10.0.0.3,10.0.0.33,fd00:aaaa::3", "z 10.244.5.0/24 10.0.0.5,10.0.0.3,10.244.3.1,fd00:aaaa::2");
        int target = plan.Known.TargetOf(Ip.Parse(from));
        Assert.Equal(expected, target == KnownAddresses.Disputed ? "disputed" : target < 0 ? "" : plan.Targets[target].NodeAddress.ToString());
    }

    // Which address of the podCIDR is SOURCE; that and the one that is asked with one hop to live.
    [Theory]
    [InlineData("10.244.2.0/24", 0, "10.244.2.1", "10.244.2.254")]
    [InlineData("10.244.2.0/24", 254, "10.244.2.254", "10.244.2.253")]
    [InlineData("10.244.2.0/24", 7, "10.244.2.7", "10.244.2.254")]
    [InlineData("10.244.2.0/24", 255, "::", "10.244.2.254")] // the broadcast address
    [InlineData("10.244.2.0/25", 254, "::", "10.244.2.126")]
    [InlineData("10.244.2.4/31", 0, "::", "10.244.2.4")]
    [InlineData("10.244.2.4/30", 0, "10.244.2.5", "10.244.2.6")]
    [InlineData("fd00:10:244:2::/120", 255, "fd00:10:244:2::ff", "fd00:10:244:2::fe")]
    [InlineData("fd00:10:244:2::/64", 0, "fd00:10:244:2::1", "fd00:10:244:2:ffff:ffff:ffff:ffff")]
    public void SOURCE_is_not_asked_with_one_hop_to_live(string podCidr, int tunnelSource, string source, string beyond)
    {
        Ip actual = TunnelSource.Of(Prefix.Parse(podCidr), tunnelSource);
        Assert.Equal((source, beyond), (actual.IsNone ? "::" : actual.ToString(), ProbeAddress.Beyond(Prefix.Parse(podCidr), tunnelSource).ToString()));
    }

    // Routes, and what they say of the peer.
    [Theory]
    [InlineData("", "native")]
    [InlineData("10.244.2.1/32 tunnel, 10.244.2.0/32", "native, asked")]
    [InlineData("10.244.2.1/32 tunnel, 10.244.2.0/32, 10.244.2.0/24 tunnel", "native, asked, tunnelled")]
    [InlineData("10.244.2.1/32 tunnel, 10.244.2.0/24 tunnel", "asked, tunnelled")]
    [InlineData("10.244.2.0/24 tunnel", "asked, tunnelled")] // as with tunnel.mode always: its SOURCE is inside
    [InlineData("10.244.2.0/32", "native")]
    public void The_routes_of_the_plan_say_what_can_be_asked(string routes, string expected)
    {
        Plan plan = Planner.Plan(Given.Nodes(Given.Self, "a 10.244.2.0/24 10.0.0.2"), Given.Host(Given.Lan), Given.Policy(""));
        List<PodRoute> all = [.. plan.Routes];
        foreach (string[] words in routes.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(r => r.Split(' ')))
        {
            all.RemoveAll(r => r.Destination == Prefix.Parse(words[0]));
            all.Add(new(Prefix.Parse(words[0]), 0, Ip.Parse("10.0.0.2"), 2)
            {
                Tunnel = words.Length == 1 ? null : new(157, Ip.Parse("10.0.0.2"), Ip.Parse("10.244.1.1"), 1464),
            });
        }
        plan = plan with { Routes = [.. all.OrderBy(r => r.Destination)] };
        ProbeTarget without = Assert.Single(ProbePlan.Of(plan, plan.ProbeAddresses).Targets);
        Assert.Equal((true, false, false), (without.HasNativePath, without.HasTunnelPath, without.IsTunnelled));

        ProbePlan with = ProbePlan.Of(plan with { Tunnel = new(4790, 157, [Ip.Parse("10.244.1.1")]) }, plan.ProbeAddresses);
        ProbeTarget target = Assert.Single(with.Targets);
        string[] said = [target.HasNativePath ? "native" : "", target.HasTunnelPath ? "asked" : "", target.IsTunnelled ? "tunnelled" : ""];
        Assert.Equal(expected, string.Join(", ", said.Where(s => s.Length > 0)));
        Assert.Equal((Ip.Parse("10.244.1.1"), true), (with.IPv4.Tunnel, with.IPv6.Tunnel.IsNone));
    }

    // Its last next hop is kept, and the tunnel can only lead to an address that it has.
    [Fact]
    public void A_peer_that_lost_its_addresses_of_one_family_is_probed_at_the_other()
    {
        const string peer = "a 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2";
        HostState host = Given.Host("eth0 10.0.0.1/24 fd00:aaaa::1/64");
        Policy policy = Given.Policy("tunnel=auto");
        Plan before = Planner.Plan(Given.Nodes(Given.Self, $"{peer},fd00:aaaa::2 uid=1"), host, policy);
        Plan plan = Planner.Plan(Given.Nodes(Given.Self, $"{peer} uid=1"), host, policy, before);

        Assert.Equal(Ip.Parse("fd00:aaaa::2"), plan.Verdicts.Single(v => v.PodCidr == Prefix.Parse("fd00:10:244:2::/64")).NextHop);
        ProbePlan probes = ProbePlan.Of(plan, plan.ProbeAddresses, new() { Mode = TunnelMode.Auto });
        Assert.Equal([Ip.Parse("10.0.0.2"), Ip.Parse("10.0.0.2")], probes.Targets.Select(t => t.NodeAddress));
    }

    [Fact]
    public void What_hostile_Nodes_say_makes_no_two_targets_with_one_podCIDR()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            (System.Collections.Immutable.ImmutableArray<ClusterNode> nodes, HostState host, Policy policy) = Nasty(new(seed));
            ProbePlan plan = ProbePlan.Of(Planner.Plan(nodes, host, policy), []);
            Assert.Equal(plan.Targets.Length, plan.Targets.Select(t => t.PodCidr).Distinct().Count());
        }
    }

    private static (System.Collections.Immutable.ImmutableArray<ClusterNode>, HostState, Policy) Nasty(Random random)
    {
        string[] podCidrs =
        [
            "10.244.2.0/24", "10.244.2.0/24", "10.244.2.5/24", "10.244.2.0/25", "10.244.3.0/24", "0.0.0.0/0", "10.244.3.0/32", "::/0",
            "fd00:10:244:2::/64", "fd00:10:244:2::1/64", "fd00:10:244::/48", "10.244.0.0/16", "bad",
        ];
        string[] addresses = ["10.0.0.2", "10.0.0.1", "10.244.2.0", "fd00:aaaa::2", "fe80::1", "127.0.0.1", "::1", "8.8.8.8", "0.0.0.0"];
        string Some(string[] of) => string.Join(',', Enumerable.Range(0, random.Next(1, 6)).Select(_ => of[random.Next(of.Length)]));
        string[] peers = [.. Enumerable.Range(0, 6).Select(i => $"p{i} {Some(podCidrs)} {Some(addresses)} age={random.Next(3)}")];
        return (Given.Nodes([Given.Self, .. peers]), Given.Host(Given.Lan), Given.Policy(""));
    }

    private static ProbePlan Of(string policy, params string[] peers)
    {
        Plan plan = Planner.Plan(Given.Nodes([Given.Self, .. peers]), Given.Host(Given.Lan), Given.Policy(policy));
        return ProbePlan.Of(plan, plan.ProbeAddresses);
    }

    private static string Text(ProbeTarget target)
    {
        int more = System.Numerics.BitOperations.PopCount(target.PodCidrs) - 1;
        return $"{target.PodAddress} by {target.NodeAddress}" +
            $"{(!target.IsOnLink ? " not on-link" : !target.IsNextHop ? " not next hop" : "")}" +
            (target.IsEchoOnly ? " by echo only" : "") + (more > 0 ? $" and {more} more" : "");
    }
}
