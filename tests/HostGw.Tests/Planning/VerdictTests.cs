using HostGw.Planning;

namespace HostGw.Tests.Planning;

public class VerdictTests
{
    private const string V4Guarded =
        "eth0 10.0.0.1/24; stor0 10.50.0.9/24; default via 10.0.0.254 dev eth0; resolver 10.7.7.7; api 10.6.0.10";

    // The policy, the host, the peer, and what is said of it.
    public static TheoryData<string, string, string, string> Cases => new()
    {
        { "", Given.Lan, "peer 10.244.2.0/24 10.0.0.2", "routed" },
        { "", Given.Lan, "peer 10.244.2.1/24 10.0.0.2", "rejected: is not aligned: 10.244.2.0/24 would be" },
        { "", Given.Lan, "peer 10.244.2.0/31 10.0.0.2", "rejected: has a prefix length outside /16 to /30" },
        { "", Given.Lan, "peer 10.244.2.0/32 10.0.0.2", "rejected: has a prefix length outside /16 to /30" },
        { "", Given.Lan, "peer 10.244.2.0/30 10.0.0.2", "routed" },
        { "", Given.Lan, "peer 10.10.0.0/15 10.0.0.2", "rejected: has a prefix length outside /16 to /30" },
        { "", Given.Lan, "peer 10.10.0.0/16 10.0.0.2", "routed" },
        { "", Given.Lan, "peer 0.0.0.0/0 10.0.0.2", "rejected: has a prefix length outside /16 to /30" },
        { "", Given.Lan, "peer 0.0.0.0/1 10.0.0.2", "rejected: has a prefix length outside /16 to /30" },
        { "", Given.Lan, "peer 128.0.0.0/1 10.0.0.2", "rejected: has a prefix length outside /16 to /30" },
        { "", Given.Lan, "peer ::/0 fd00:aaaa::2", "rejected: has a prefix length outside /48 to /126" },
        { "", Given.Lan, "peer fd00:10:1::/47 fd00:aaaa::2", "rejected: is not aligned: fd00:10::/47 would be" },
        { "", Given.Lan, "peer fd00:20:2::/47 fd00:aaaa::2", "rejected: has a prefix length outside /48 to /126" },
        { "", Given.Lan, "peer fd00:20:2::/48 fd00:aaaa::2", "routed" },
        { "", Given.Lan, "peer fd00:20:2::/126 fd00:aaaa::2", "routed" },
        { "", Given.Lan, "peer fd00:20:2::/127 fd00:aaaa::2", "rejected: has a prefix length outside /48 to /126" },

        { "", Given.Lan, "peer 8.8.8.0/24 10.0.0.2",
            "rejected: is not private address space, and clusterCidrs, which would allow it, is not set" },
        { "", Given.Lan, "peer 172.32.0.0/16 10.0.0.2", "rejected: is not private address space" },
        { "", Given.Lan, "peer 172.31.0.0/16 10.0.0.2", "routed" },
        { "", Given.Lan, "peer 100.64.0.0/16 10.0.0.2", "routed" },
        { "", Given.Lan, "peer 100.128.0.0/16 10.0.0.2", "rejected: is not private address space" },
        { "", Given.Lan, "peer 2001:db8::/64 fd00:aaaa::2", "rejected: is not private address space" },
        { "clusterCidrs=8.8.0.0/16,10.244.0.0/16,fd00:10:244::/48", Given.Lan, "peer 8.8.8.0/24 10.0.0.2", "routed" },
        { "clusterCidrs=10.244.0.0/16,fd00:10:244::/48", Given.Lan, "peer 10.245.2.0/24 10.0.0.2",
            "rejected: lies outside clusterCidrs (10.244.0.0/16, fd00:10:244::/48)" },
        { "clusterCidrs=10.244.0.0/16,fd00:10:244::/48,10.9.0.0/24", Given.Lan, "peer 10.9.0.0/16 10.0.0.2",
            "rejected: lies outside clusterCidrs" },
        { "clusterCidrs=0.0.0.0/0,::/0", "eth0 192.0.2.1/24 2001:db8::1/64", "peer 8.8.8.0/24 192.0.2.2 hop=192.0.2.2",
            "waiting: its address 192.0.2.2 lies inside clusterCidrs" },
        { "PodGateway clusterCidrs=0.0.0.0/0,::/0", "eth0 192.0.2.1/24 2001:db8::1/64", "peer 8.8.8.0/24 -", "routed" },

        { "clusterCidrs=0.0.0.0/0,::/0", Given.Lan, "peer 127.1.0.0/16 10.0.0.2", "rejected: lies in the loopback range 127.0.0.0/8" },
        { "clusterCidrs=0.0.0.0/0,::/0", Given.Lan, "peer 169.254.0.0/16 10.0.0.2",
            "rejected: lies in the link-local range 169.254.0.0/16" },
        { "clusterCidrs=0.0.0.0/0,::/0", Given.Lan, "peer 169.254.169.252/30 10.0.0.2",
            "rejected: lies in the link-local range 169.254.0.0/16" },
        { "clusterCidrs=0.0.0.0/0,::/0", Given.Lan, "peer 224.0.0.0/24 10.0.0.2", "rejected: lies in the multicast range 224.0.0.0/4" },
        { "clusterCidrs=0.0.0.0/0,::/0", Given.Lan, "peer 239.255.255.0/24 10.0.0.2", "rejected: lies in the multicast range 224.0.0.0/4" },
        { "clusterCidrs=0.0.0.0/0,::/0", Given.Lan, "peer 255.255.255.0/24 10.0.0.2",
            "rejected: lies in the limited broadcast range 255.255.255.255/32" },
        { "clusterCidrs=0.0.0.0/0,::/0", Given.Lan, "peer 0.1.0.0/16 10.0.0.2", "rejected: lies in the 'this network' range 0.0.0.0/8" },
        { "PodGateway clusterCidrs=240.0.0.0/8,10.244.0.0/16,fd00:10:244::/48", Given.Lan, "peer 240.10.0.0/24 10.0.0.2", "routed" },
        { "", Given.Lan, "peer 240.10.0.0/24 10.0.0.2", "rejected: is not private address space" },
        { "clusterCidrs=0.0.0.0/0,::/0", Given.Lan, "peer ::/48 10.0.0.2",
            "rejected: lies in the loopback and IPv4-compatible range ::/96" },
        { "clusterCidrs=0.0.0.0/0,::/0", Given.Lan, "peer ::ffff:10.244.2.0/120 10.0.0.2",
            "rejected: lies in the IPv4-mapped range ::ffff:0:0/96" },
        { "clusterCidrs=0.0.0.0/0,::/0", Given.Lan, "peer fe80::/64 10.0.0.2", "rejected: lies in the link-local range fe80::/10" },
        { "clusterCidrs=0.0.0.0/0,::/0", Given.Lan, "peer ff02::/64 10.0.0.2", "rejected: lies in the multicast range ff00::/8" },

        { "serviceCidrs=10.96.0.0/12", Given.Lan, "peer 10.100.2.0/24 10.0.0.2", "rejected: overlaps the service CIDR 10.96.0.0/12" },
        { "serviceCidrs=10.9.2.128/25", Given.Lan, "peer 10.9.2.0/24 10.0.0.2", "rejected: overlaps the service CIDR 10.9.2.128/25" },
        { "", V4Guarded, "peer 10.0.0.0/24 10.0.0.2", "rejected: overlaps 10.0.0.0/24, which is connected to this host's interface eth0" },
        { "", V4Guarded, "peer 10.0.0.128/25 10.0.0.2",
            "rejected: overlaps 10.0.0.0/24, which is connected to this host's interface eth0" },
        { "", V4Guarded, "peer 10.50.0.0/16 10.0.0.2",
            "rejected: overlaps 10.50.0.0/24, which is connected to this host's interface stor0" },
        { "", V4Guarded, "peer 10.0.0.252/30 10.0.0.2", "rejected: overlaps 10.0.0.0/24" },
        { "", V4Guarded, "peer 10.7.0.0/16 10.0.0.2", "rejected: covers 10.7.7.7, a DNS resolver of this host" },
        { "", V4Guarded, "peer 10.6.0.0/24 10.0.0.2", "rejected: covers 10.6.0.10, the API server's address" },
        { "", "eth0 10.0.0.1/32; default via 172.31.1.1 dev eth0", "peer 172.31.1.0/24 10.0.0.2",
            "rejected: covers 172.31.1.1, a gateway of this host" },
        { "", "eth0 10.0.0.1/24; tun0 172.16.5.1>10.8.0.1/32", "peer 172.16.5.0/24 10.0.0.2",
            "rejected: overlaps 172.16.5.1/32, an address of this host's interface tun0" },
        { "", "eth0 10.0.0.1/24; tun0 172.16.5.1>10.8.0.1/32", "peer 10.8.0.0/24 10.0.0.2",
            "rejected: overlaps 10.8.0.1/32, which is connected to this host's interface tun0" },
        { "", "eth0 10.0.0.1/24; lo 10.77.0.1/32", "peer 10.77.0.0/24 10.0.0.2", "rejected: overlaps 10.77.0.1/32" },

        { "", Given.Lan, "peer 10.244.2.0/24 -", "noAddress: the node has no IPv4 address" },
        { "", Given.Lan, "peer 10.244.2.0/24 fd00:aaaa::2", "noAddress: the node has no IPv4 address" },
        { "", Given.Lan, "peer fd00:10:244:2::/64 10.0.0.2", "noAddress: the node has no IPv6 address" },
        { "", Given.Lan, "peer 10.244.2.0/24 10.0.1.2", "notAdjacent: 10.0.1.2 is not on this host's segment (eth0)" },
        { "", Given.Lan, "peer 10.244.2.0/24 203.0.113.7", "notAdjacent: 203.0.113.7 is not on this host's segment (eth0)" },
        { "", "eth0 10.0.0.1/24; eth1 10.1.0.1/24", "peer 10.244.2.0/24 10.1.0.2", "routed" },
        { "interface=eth0", "eth0 10.0.0.1/24; eth1 10.1.0.1/24", "peer 10.244.2.0/24 10.1.0.2",
            "notAdjacent: 10.1.0.2 is on eth1, which the setting interface leaves out" },
        { "", "eth0 10.0.0.1/24 10.1.0.1/24", "peer 10.244.2.0/24 10.1.0.2", "routed" },
        { "", Given.Lan, "peer 10.244.2.0/24 10.0.0.1", "noAddress: its address 10.0.0.1 is an address of this host" },
        { "", "eth0 10.0.0.1/24; eth1 10.0.0.77/24", "peer 10.244.2.0/24 10.0.0.77",
            "noAddress: its address 10.0.0.77 is an address of this host" },
        { "", Given.Lan, "peer 10.244.2.0/24 10.0.0.0",
            "noAddress: its address 10.0.0.0 is the network or broadcast address of 10.0.0.0/24" },
        { "", Given.Lan, "peer 10.244.2.0/24 10.0.0.255",
            "noAddress: its address 10.0.0.255 is the network or broadcast address of 10.0.0.0/24" },
        { "", "eth0 10.0.0.1/31", "peer 10.244.2.0/24 10.0.0.0", "routed" },
        { "", Given.Lan, "peer fd00:10:244:2::/64 fd00:aaaa::",
            "noAddress: its address fd00:aaaa:: is the routers' anycast address of fd00:aaaa::/64" },
        { "", Given.Lan, "peer 10.244.2.0/24 0.0.0.0", "notAdjacent" },
        { "", Given.Lan, "peer 10.244.2.0/24 127.0.0.1", "noAddress: its address 127.0.0.1 is an address of this host" },
        { "", Given.Lan, "peer 10.244.2.0/24 127.0.0.9", "notAdjacent" },
        { "", Given.Lan, "peer 10.244.2.0/24 224.0.0.1", "notAdjacent" },
        { "", Given.Lan, "peer 10.244.2.0/24 255.255.255.255", "notAdjacent" },
        { "", Given.Lan, "peer 10.244.2.0/24 169.254.1.1", "notAdjacent" },
        { "", Given.Lan, "peer fd00:10:244:2::/64 ::ffff:10.0.0.2", "notAdjacent" },
        { "", Given.Lan, "peer fd00:10:244:2::/64 fe80::2", "notAdjacent" },
        { "", Given.Lan, "peer 10.244.2.0/24 10.0.0.254", "routed: warning: 10.0.0.254 is also a gateway of this host" },
        { "clusterCidrs=10.0.0.0/8,fd00:10:244::/48", Given.Lan, "peer 10.244.2.0/24 10.0.0.2",
            "waiting: its address 10.0.0.2 lies inside clusterCidrs, where pods live" },
        { "", Given.Lan, "peer 10.244.2.0/24 10.244.1.7",
            "noAddress: its address 10.244.1.7 lies inside 10.244.1.0/24, where the pods of self live" },
        { "", Given.Lan, "peer 10.244.2.0/24 10.0.0.2 hop=10.0.9.9", "notAdjacent: 10.0.9.9 is not on this host's segment (eth0)" },
        { "", Given.Lan, "peer 10.244.2.0/24 10.0.0.2 hop=10.0.0.1", "noAddress: its address 10.0.0.1 is an address of this host" },
        { "", Given.Lan, "peer 10.244.2.0/24 10.0.0.2 hop=-",
            "noAddress: its annotation hostgw.io/next-hop holds no address, or two of one family" },
        { "", Given.Lan, "peer 10.244.2.0/24 10.0.0.2 skip", "skipped: annotation hostgw.io/skip" },
        { "", Given.Lan, "peer 10.244.2.0/24 10.0.0.2 skip=yes",
            "routed: not skipped: its annotation hostgw.io/skip is neither \"true\" nor \"false\"" },
        { "", Given.Lan, "peer 10.244.2.0/24 10.0.0.254 skip=yes",
            "routed: warning: 10.0.0.254 is also a gateway of this host; " +
            "not skipped: its annotation hostgw.io/skip is neither \"true\" nor \"false\"" },
        { "selector=zone=a", Given.Lan, "peer 10.244.2.0/24 10.0.0.2", "skipped: the setting nodeSelector does not select it" },
        { "", Given.Lan, "peer 10.244.1.0/24 10.0.0.2 skip", "rejected: overlaps 10.244.1.0/24 of this host's own node" },
        { "", Given.Lan, "peer - 10.0.0.2", "noPodCidr: the node has no podCIDR yet" },
        { "", Given.Lan, "peer 10.244.2.0 10.0.0.2", "rejected: podCIDR '10.244.2.0' is not a CIDR" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_peer_is_judged(string policy, string host, string peer, string expected)
    {
        bool dualStack = host.Contains(':') || policy.Contains(':');
        string self = dualStack ? Given.Self : "self 10.244.1.0/24 10.0.0.1";
        if (host.Contains("192.0.2.1", StringComparison.Ordinal))
            self = "self 10.244.1.0/24 192.0.2.1,2001:db8::1";
        Plan plan = Planner.Plan(Given.Nodes(self, peer), Given.Host(host), Given.Policy(policy));

        Verdict verdict = Assert.Single(plan.Verdicts, v => v.Node.Name == "peer");
        string actual = VerdictNames.Of(verdict.Kind) + (verdict.Reason.Length == 0 ? "" : ": " + verdict.Reason);
        Assert.StartsWith(expected, actual, StringComparison.Ordinal);
        Assert.Equal(verdict.Kind == VerdictKind.Routed, plan.Wants(verdict.PodCidr));
        Assert.Equal(verdict.Kind == VerdictKind.Routed, !verdict.NextHop.IsNone);
    }

    [Fact]
    public void Our_own_podCIDR_may_hold_connected_prefixes_of_this_host()
    {
        HostState host = Given.Host(Given.Lan + "; cni0 10.244.1.1/24 fd00:10:244:1::1/64; veth1 10.244.1.9/32");
        Plan plan = Planner.Plan(Given.Nodes(Given.Self, "peer 10.244.2.0/24 10.0.0.2", "thief 10.244.1.0/25 10.0.0.3"), host,
            Given.Policy(""));

        Assert.Contains("self 10.244.1.0/24 self", Shown.Verdicts(plan));
        Assert.Contains("peer 10.244.2.0/24 routed", Shown.Verdicts(plan));
        Assert.Contains("thief 10.244.1.0/25 rejected: overlaps 10.244.1.0/24 of this host's own node", Shown.Verdicts(plan));
    }

    // The policy, more of the host, the peer's podCIDR, and what the cure begins with.
    [Theory]
    [InlineData("", "veth1 10.244.7.1/32; 10.244.7.5/32 dev veth1", "10.244.7.0/24", "delete the pods of this host that still have addresses")]
    [InlineData("clusterCidrs=10.244.0.0/16", "cni0 10.244.7.1/24", "10.244.7.0/24", "if that interface is the bridge of this host's pods")]
    [InlineData("clusterCidrs=10.0.0.0/8", "docker0 10.17.0.1/16", "10.17.7.0/24", "if that interface is the bridge of this host's pods")]
    [InlineData("", "stor0 10.50.0.1/24", "10.50.0.0/24", "re-create the Node")]
    [InlineData("clusterCidrs=10.0.0.0/8", "", "10.0.0.0/24", "re-create the Node")]
    [InlineData("clusterCidrs=10.244.0.0/16", "cni0 10.244.7.1/24", "10.245.7.0/24", "re-create the Node")]
    public void A_peer_that_something_of_this_host_displaces_is_not_told_to_change(string policy, string more, string podCidr, string cure)
    {
        Plan plan = Planner.Plan(
            Given.Nodes("self 10.244.1.0/24 10.0.0.1", $"peer {podCidr} 10.0.0.2"), Given.Host($"{Given.Lan}; {more}"), Given.Policy(policy));

        Verdict verdict = Assert.Single(plan.Verdicts, v => v.Node.Name == "peer");
        Assert.Equal(VerdictKind.Rejected, verdict.Kind);
        Assert.StartsWith(cure, HostGw.Problems.Cures.Of(verdict, plan.Policy), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_podCIDR_of_every_node_has_one_verdict()
    {
        Plan plan = Planner.Plan(
            Given.Nodes(Given.Self, "a 10.244.2.0/24,banana,8.8.8.0/24,fd00:10:244:2::/64 10.0.0.2", "b - -"), Given.Host(Given.Lan),
                Given.Policy(""));

        Assert.Equal(
            [
                "a - rejected: podCIDR 'banana' is not a CIDR",
                "a 10.244.2.0/24 routed",
                "a 8.8.8.0/24 rejected: is not private address space, and clusterCidrs, which would allow it, is not set",
                "a fd00:10:244:2::/64 noAddress: the node has no IPv6 address",
                "b - noPodCidr: the node has no podCIDR yet",
                "self 10.244.1.0/24 self",
                "self fd00:10:244:1::/64 self",
            ],
            Shown.Verdicts(plan));
    }
}
