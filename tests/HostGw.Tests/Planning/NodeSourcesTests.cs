using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Tests.Planning;

public class NodeSourcesTests
{
    private const string TwoSegments =
        "eth0 10.0.0.12/24; eth1 10.1.0.12/24; default via 10.0.0.254 dev eth0; 10.9.0.0/16 via 10.1.0.254 dev eth1";

    // The host, the addresses of its Node and of the peer's, the peer's address that is asked, and from which one.
    [Theory]
    [InlineData("eth0 10.0.0.11/24", "10.0.0.100,10.0.0.11", "10.0.0.2", "10.0.0.2", "10.0.0.11")] // a virtual address that is elsewhere
    [InlineData("eth0 10.0.0.11/24 10.0.0.100/32", "10.0.0.100,10.0.0.11", "10.0.0.2", "10.0.0.2", "10.0.0.100")]
    [InlineData("eth0 10.0.0.11/24 10.0.0.100/32", "10.0.0.100,10.0.0.11", "10.0.0.2,10.0.0.100", "10.0.0.2", "10.0.0.11")]
    [InlineData("eth0 10.0.0.100/24", "10.0.0.100,10.0.0.11", "10.0.0.2,10.0.0.100", "10.0.0.2", "10.0.0.100")]
    [InlineData("eth0 10.0.0.5/24 10.0.0.11/24", "10.0.0.11", "10.0.0.2", "10.0.0.2", "10.0.0.11")] // not one that is not listed
    [InlineData("eth0 10.0.0.11/24", "10.0.0.100", "10.0.0.2", "10.0.0.2", "none")]
    [InlineData("eth0 10.0.0.11/24 fd00:aaaa::1/64", "10.0.0.11,fd00:aaaa::1", "fd00:aaaa::2", "fd00:aaaa::2", "fd00:aaaa::1")]
    [InlineData("eth0 10.0.0.11/24", "10.0.0.11,fd00:aaaa::1", "fd00:aaaa::2", "fd00:aaaa::2", "none")]
    [InlineData(TwoSegments, "10.1.0.12,10.0.0.12", "10.0.0.2", "10.0.0.2", "10.0.0.12")]
    [InlineData(TwoSegments, "10.1.0.12,10.0.0.12", "10.1.0.2,10.0.0.2", "10.1.0.2", "10.1.0.12")]
    [InlineData(TwoSegments, "10.1.0.12,10.0.0.12", "10.1.0.2,10.0.0.2", "10.0.0.2", "10.0.0.12")]
    [InlineData(TwoSegments, "10.0.0.12,10.1.0.12", "10.9.0.2", "10.9.0.2", "10.1.0.12")] // by routers
    [InlineData(TwoSegments, "10.1.0.12,10.0.0.12", "10.7.0.2", "10.7.0.2", "10.0.0.12")]
    [InlineData(TwoSegments + "; eth2 10.2.0.12/24", "10.1.0.12,10.2.0.12", "10.0.0.2", "10.0.0.2", "10.1.0.12")] // another interface
    [InlineData("eth0 10.0.0.12/24; eth1 10.1.0.12/24 down", "10.1.0.12,10.0.0.12", "10.0.0.2", "10.0.0.2", "10.0.0.12")]
    public void A_peer_is_asked_from_a_listed_address_that_this_host_holds_on_the_interface_towards_it(
        string host, string own, string peers, string peer, string expected)
    {
        Plan plan = Planner.Plan(
            Given.Nodes($"self 10.244.1.0/24,fd00:10:244:1::/64 {own}", $"a 10.244.2.0/24,fd00:10:244:2::/64 {peers}"), Given.Host(host),
            Given.Policy(""));
        Ip source = plan.NodeSources.To(Ip.Parse(peer));
        Assert.Equal(expected, source.IsNone ? "none" : source.ToString());
    }

    [Fact]
    public void A_peer_that_lost_its_addresses_is_asked_from_the_same_one()
    {
        HostState host = Given.Host(TwoSegments);
        const string self = "self 10.244.1.0/24 10.1.0.12,10.0.0.12";
        Plan before = Planner.Plan(Given.Nodes(self, "a 10.244.2.0/24 10.0.0.2"), host, Given.Policy(""));
        Plan plan = Planner.Plan(Given.Nodes(self, "a 10.244.2.0/24 -"), host, Given.Policy(""), before);
        Assert.Equal("10.0.0.12", plan.NodeSources.To(Ip.Parse("10.0.0.2")).ToString());
    }

    // Both interfaces stay uplinks of this host.
    [Theory]
    [InlineData("10.1.0.12,10.0.0.12", false)]
    [InlineData("10.0.0.12", true)]
    public void A_plan_is_made_again_when_a_route_to_a_peer_moves_to_another_interface_that_holds_an_address(string own, bool same)
    {
        PlanCache cache = new(Given.Policy(""));
        ImmutableArray<ClusterNode> nodes = Given.Nodes($"self 10.244.1.0/24 {own}", "a 10.244.2.0/24 10.9.0.2");
        Plan first = cache.Plan(nodes, [], Given.Host($"{TwoSegments}; 10.8.0.0/16 via 10.1.0.254 dev eth1"), Reachability.Off);
        Plan second = cache.Plan(
            nodes, [],
            Given.Host($"{TwoSegments}; 10.8.0.0/16 via 10.1.0.254 dev eth1; 10.9.0.0/24 via 10.0.0.254 dev eth0"), Reachability.Off);
        Assert.Equal(same, ReferenceEquals(first, second));
        Assert.Equal("10.0.0.12", second.NodeSources.To(Ip.Parse("10.9.0.2")).ToString());
    }
}
