using HostGw.Planning;

namespace HostGw.Tests.Planning;

public class WaitingTests
{
    private const string Peer = "peer 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2";

    // What is away on the host, in which mode, and what is said of each podCIDR.
    public static TheoryData<string, string, string, string, string> Cases => new()
    {
        { "", "the link is down", "eth0 10.0.0.1/24 fd00:aaaa::1/64 down", "waiting: interface eth0 is down",
            "waiting: interface eth0 is down" },
        { "PodGateway", "the link is down", "eth0 10.0.0.1/24 fd00:aaaa::1/64 down", "waiting: interface eth0 is down",
            "waiting: interface eth0 is down" },
        { "", "the link is gone", "eth7", "waiting: no interface holds this node's address 10.0.0.1 or routes to it",
            "waiting: no interface holds this node's address fd00:aaaa::1 or routes to it" },
        { "", "the IPv6 address is gone", "eth0 10.0.0.1/24; default6 via fe80::1 dev eth0", "routed",
            "waiting: interface eth0 has no IPv6 address" },
        { "", "only a link-local address is left", "eth0 10.0.0.1/24 fe80::1/64; default6 via fe80::9 dev eth0", "routed",
            "waiting: interface eth0 has no IPv6 address" },
        { "interface=eth0", "the IPv4 address is gone", "eth0 fd00:aaaa::1/64", "waiting: interface eth0 has no IPv4 address", "routed" },
        { "interface=eth0", "the IPv4 address is gone and a virtual one left", "eth0 192.168.7.7/32 fd00:aaaa::1/64",
            "waiting: 10.0.0.2 is not on this host's segment (eth0), and this node's address 10.0.0.1 is on no interface",
                "routed" },
        { "", "the NIC is gone and another leads to the rest of the world", "eth1 172.16.0.1/24; default via 172.16.0.254 dev eth1",
            "waiting: 10.0.0.2 is not on this host's segment (eth1), and this node's address 10.0.0.1 is on no interface",
            "waiting: no interface holds this node's address fd00:aaaa::1 or routes to it" },
        { "PodGateway", "the NIC is gone and another leads to the rest of the world",
            "eth1 172.16.0.1/24; default via 172.16.0.254 dev eth1",
            "waiting: this node's address 10.0.0.1 is on no interface; if that is right, set interface",
            "waiting: no interface holds this node's address fd00:aaaa::1 or routes to it" },
        { "interface=eth5", "the named interface is gone", "eth0 10.0.0.1/24 fd00:aaaa::1/64",
            "waiting: no usable interface matches 'eth5' (setting interface)",
                "waiting: no usable interface matches 'eth5' (setting interface)" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_this_host_lacks_at_the_moment_is_waited_for(string policy, string because, string host, string expectedV4,
        string expectedV6)
    {
        Plan plan = Planner.Plan(Given.Nodes(Given.Self, Peer), Given.Host(host), Given.Policy(policy));

        string[] expected = [$"peer 10.244.2.0/24 {expectedV4}", $"peer fd00:10:244:2::/64 {expectedV6}"];
        string[] actual = [.. Shown.Verdicts(plan).Where(v => v.StartsWith("peer", StringComparison.Ordinal))];
        Assert.True(expected.SequenceEqual(actual), $"{because}: got\n{string.Join("\n", actual)}");
        Assert.Equal(plan.Verdicts.Where(v => v.Kind == VerdictKind.Waiting).Select(v => v.PodCidr).Order(), plan.Waiting);
    }

    [Fact]
    public void A_first_address_that_is_no_next_hop_does_not_end_the_waiting_for_the_second()
    {
        Plan plan = Planner.Plan(
            Given.Nodes("self 10.244.1.0/24 10.0.0.1", "peer 10.244.2.0/24 10.244.1.7,10.0.0.2"), Given.Host("eth0 fd00:aaaa::1/64"),
                Given.Policy("interface=eth0"));
        Assert.Equal(["10.244.2.0/24"], plan.Waiting.Select(p => p.ToString()));
    }

    [Fact]
    public void A_rejected_podCIDR_is_not_waited_for()
    {
        Plan plan = Planner.Plan(Given.Nodes(Given.Self, "peer 8.8.8.0/24 10.0.0.2"), Given.Host("eth0 10.0.0.1/24 down"),
            Given.Policy(""));
        Assert.Empty(plan.Waiting);
    }

    [Fact]
    public void The_cluster_route_is_waited_for_with_the_interface()
    {
        Plan plan = Planner.Plan(
            Given.Nodes("self 10.244.1.0/24 10.0.0.1", "peer 10.244.2.0/24 10.0.0.2"), Given.Host("eth0 10.0.0.1/24 down"),
            Given.Policy("PodGateway clusterCidrs=10.244.0.0/16"));

        Assert.Empty(plan.Routes);
        Assert.Equal(["10.244.0.0/16", "10.244.2.0/24"], plan.Waiting.Select(p => p.ToString()));
    }
}
