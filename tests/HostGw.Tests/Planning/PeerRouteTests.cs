using HostGw.Planning;

namespace HostGw.Tests.Planning;

public class PeerRouteTests
{
    // Each case reads as a sentence: the policy, the nodes besides our own, then the routes.
    public static TheoryData<string, string, string[], string[]> Cases => new()
    {
        { "a peer is reached over its address", "",
            ["peer 10.244.2.0/24 10.0.0.2"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0"] },
        { "there is no route to ourselves", "", [], [] },
        { "in PodGateway mode a Linux peer is reached over the first address of its pod subnet", "PodGateway",
            ["peer 10.244.2.0/24 10.0.0.2"],
            ["10.244.2.0/24 via 10.244.2.1 dev eth0"] },
        { "a Windows peer over the second", "PodGateway",
            ["peer 10.244.2.0/24 10.0.0.2 windows"],
            ["10.244.2.0/24 via 10.244.2.2 dev eth0"] },
        { "a /26 begins where it begins", "PodGateway",
            ["a 10.244.3.64/26 10.0.0.2", "b 10.244.3.128/26 10.0.0.3 windows"],
            ["10.244.3.64/26 via 10.244.3.65 dev eth0", "10.244.3.128/26 via 10.244.3.130 dev eth0"] },
        { "a /30 has room for both", "PodGateway",
            ["a 10.244.3.4/30 10.0.0.2", "b 10.244.3.8/30 10.0.0.3 windows"],
            ["10.244.3.4/30 via 10.244.3.5 dev eth0", "10.244.3.8/30 via 10.244.3.10 dev eth0"] },
        { "a gateway inside the pod subnet needs no address of the peer", "PodGateway",
            ["peer 10.244.2.0/24 -"],
            ["10.244.2.0/24 via 10.244.2.1 dev eth0"] },
        { "an IPv6 podCIDR goes over the peer's address in both modes", "PodGateway",
            ["peer fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2"],
            ["fd00:10:244:2::/64 via fd00:aaaa::2 dev eth0"] },
        { "dual stack pairs each podCIDR with the address of its family", "",
            ["peer 10.244.2.0/24,fd00:10:244:2::/64 fd00:aaaa::2,10.0.0.2"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0", "fd00:10:244:2::/64 via fd00:aaaa::2 dev eth0"] },
        { "a family without an address keeps the other", "",
            ["peer 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0"] },
        { "several podCIDRs of one family all get a route", "",
            ["peer 10.244.2.0/24,10.244.3.0/25,10.9.0.0/16 10.0.0.2"],
            ["10.9.0.0/16 via 10.0.0.2 dev eth0", "10.244.2.0/24 via 10.0.0.2 dev eth0", "10.244.3.0/25 via 10.0.0.2 dev eth0"] },
        { "a podCIDR listed twice gets one route", "",
            ["peer 10.244.2.0/24,10.244.2.0/24 10.0.0.2"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0"] },
        { "the external address serves where there is no internal one", "",
            ["peer 10.244.2.0/24 - external=10.0.0.2"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0"] },
        { "the external address of the podCIDR's family, not the internal one of the other", "",
            ["peer 10.244.2.0/24 fd00:aaaa::2 external=10.0.0.2"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0"] },
        { "the internal address comes before the external one", "",
            ["peer 10.244.2.0/24 10.0.0.2 external=10.0.0.3"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0"] },
        { "the second address serves when the first is not on the segment", "",
            ["peer 10.244.2.0/24 172.16.0.2,10.0.0.2"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0"] },
        { "or lies inside another node's podCIDR", "",
            ["other 10.244.3.0/24 10.0.0.3", "peer 10.244.2.0/24 10.244.3.7,10.0.0.2"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0", "10.244.3.0/24 via 10.0.0.3 dev eth0"] },
        { "or is an address of this host", "",
            ["peer 10.244.2.0/24 10.0.0.1,10.0.0.2"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0"] },
        { "annotated next hop", "",
            ["peer 10.244.2.0/24 10.0.0.2 hop=10.0.0.9"],
            ["10.244.2.0/24 via 10.0.0.9 dev eth0"] },
        { "annotated next hop for one family leaves the other alone", "",
            ["peer 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2 hop=fd00:aaaa::9"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0", "fd00:10:244:2::/64 via fd00:aaaa::9 dev eth0"] },
        { "annotated next hops for both families", "",
            ["peer 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2 hop=10.0.0.9,fd00:aaaa::9"],
            ["10.244.2.0/24 via 10.0.0.9 dev eth0", "fd00:10:244:2::/64 via fd00:aaaa::9 dev eth0"] },
        { "an annotated next hop wins over the gateway in the pod subnet", "PodGateway",
            ["peer 10.244.2.0/24 10.0.0.2 hop=10.0.0.9"],
            ["10.244.2.0/24 via 10.0.0.9 dev eth0"] },
        { "an annotation that cannot be read costs the peer its route and nobody else", "",
            ["peer 10.244.2.0/24 10.0.0.2 hop=-", "other 10.244.3.0/24 10.0.0.3"],
            ["10.244.3.0/24 via 10.0.0.3 dev eth0"] },
        { "a skipped peer gets no route", "",
            ["peer 10.244.2.0/24 10.0.0.2 skip"], [] },
        { "a skipped peer still holds its podCIDR", "",
            ["peer 10.244.2.0/24 10.0.0.2 skip", "thief 10.244.2.0/24 10.0.0.3"], [] },
        { "a peer that the selector leaves out gets no route", "selector=zone!=b",
            ["a 10.244.2.0/24 10.0.0.2 labels=zone:a", "b 10.244.3.0/24 10.0.0.3 labels=zone:b"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0"] },
        { "a node still without a podCIDR gets none and harms nobody", "",
            ["peer - 10.0.0.2", "other 10.244.3.0/24 10.0.0.3"],
            ["10.244.3.0/24 via 10.0.0.3 dev eth0"] },
        { "one unreadable podCIDR does not cost a node the others", "",
            ["peer 10.244.2.0/24,banana 10.0.0.2"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0"] },
        { "two peers may share an address", "",
            ["a 10.244.2.0/24 10.0.0.2", "b 10.244.3.0/24 10.0.0.2"],
            ["10.244.2.0/24 via 10.0.0.2 dev eth0", "10.244.3.0/24 via 10.0.0.2 dev eth0"] },
        { "the seed documents' example", "PodGateway clusterCidrs=192.168.0.0/16",
            ["win 192.168.1.0/24 10.0.0.2 windows", "lin 192.168.2.0/24 10.0.0.3"],
            ["192.168.0.0/16 dev eth0", "192.168.1.0/24 via 192.168.1.2 dev eth0", "192.168.2.0/24 via 192.168.2.1 dev eth0"] },
    };

    // In whatever order the kernel lists them; it refuses such a route, and a refusal is a failure of this host.
    [Theory]
    [InlineData("eth0 10.0.0.1/16 10.0.5.1/24", "10.0.5.255")]
    [InlineData("eth0 10.0.5.1/24 10.0.0.1/16", "10.0.5.255")]
    [InlineData("eth0 10.0.0.1/16 10.0.5.1/24", "10.0.5.0")]
    public void The_broadcast_address_of_a_prefix_inside_another_is_no_next_hop(string host, string address)
    {
        Plan plan = Planner.Plan(Given.Nodes("self 10.244.1.0/24 10.0.0.1", $"peer 10.244.2.0/24 {address}"), Given.Host(host),
            Given.Policy(""));
        Assert.Contains($"peer 10.244.2.0/24 noAddress: its address {address} is the network or broadcast address of 10.0.5.0/24",
            Shown.Verdicts(plan));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Peers_get_routes(string because, string policy, string[] peers, string[] expected)
    {
        HostState host = Given.Host(Given.Lan);
        string self = policy.Contains("192.168.0.0/16", StringComparison.Ordinal) ? "self 192.168.9.0/24 10.0.0.1" : Given.Self;
        Plan plan = Planner.Plan(Given.Nodes([self, .. peers]), host, Given.Policy(policy));

        Assert.Empty(plan.Faults);
        string[] actual = Shown.Routes(plan, host);
        Assert.True(expected.SequenceEqual(actual), $"{because}: got [{string.Join(", ", actual)}]");
    }

    [Fact]
    public void Metrics_are_the_kernels_defaults_and_the_routes_are_sorted()
    {
        Plan plan = Planner.Plan(
            Given.Nodes(Given.Self, "b fd00:10:244:2::/64,10.244.2.0/24 10.0.0.2,fd00:aaaa::2", "a 10.244.3.0/24 10.0.0.3"),
            Given.Host(Given.Lan), Given.Policy(""));

        Assert.Equal([0u, 0u, 1024u], plan.Routes.Select(r => r.Metric));
        Assert.Equal(plan.Routes.OrderBy(r => r.Key).ToArray(), plan.Routes);
        Assert.True(plan.Wants(Prefix.Parse("10.244.3.0/24")));
        Assert.False(plan.Wants(Prefix.Parse("10.244.1.0/24")));
    }

    [Theory]
    [InlineData("10.244.3.64/26", "10.244.3.65", "10.244.3.66")]
    [InlineData("192.168.1.0/24", "192.168.1.1", "192.168.1.2")]
    [InlineData("10.244.0.0/16", "10.244.0.1", "10.244.0.2")]
    [InlineData("10.244.3.4/30", "10.244.3.5", "10.244.3.6")]
    [InlineData("10.244.3.4/31", "", "")]
    [InlineData("10.244.3.4/32", "", "")]
    public void The_gateway_is_the_first_address_on_Linux_and_the_second_on_Windows(string podCidr, string linux, string windows)
    {
        Assert.Equal(linux, PodGateway.Of(Prefix.Parse(podCidr), isWindows: false).ToString());
        Assert.Equal(windows, PodGateway.Of(Prefix.Parse(podCidr), isWindows: true).ToString());
    }
}
