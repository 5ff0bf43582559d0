using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class InterfaceForwardingTests
{
    private const string Host = Given.Lan +
        "; eth1 10.9.0.1/24; cni0 10.244.1.1/24; veth1 10.244.1.1/32; veth2; 10.244.1.7/32 dev veth2; docker0 172.17.0.1/16; tun0" +
        "; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157";

    // Where IPv4 forwarding is off; then where it must be turned on.
    [Theory]
    [InlineData("", "")]
    [InlineData("eth0", "eth0")]
    [InlineData("cni0 veth1 veth2", "cni0 veth1 veth2")]
    [InlineData("docker0 eth1 tun0", "")]
    [InlineData("default", "default")]
    [InlineData("docker0 veth1 default", "veth1 default")]
    public void It_is_turned_on_where_pods_or_peers_use_the_interface(string off, string expected)
    {
        HostChanges changes = Changes(off, new());
        Assert.Equal(expected, string.Join(' ', changes.ForwardIPv4On));
        Assert.Equal(expected.Length > 0, changes.EnableForwardingIPv4);
    }

    [Fact]
    public void Every_interface_with_a_route_to_a_peer_is_used() =>
        Assert.Equal(["eth1"], Changes("eth1 tun0", RouteOverEth1("10.244.3.0/24", "10.9.0.3")).ForwardIPv4On);

    [Fact]
    public void A_route_of_the_other_family_needs_no_IPv4_forwarding() =>
        Assert.Empty(Changes("eth1", RouteOverEth1("fd00:10:244:3::/64", "fd00:9::3")).ForwardIPv4On);

    // Answers to pods come in by the interface with a route to the outside, whichever has this node's address.
    [Theory]
    [InlineData("default via 203.0.113.254 dev wan0", "wan0")]
    [InlineData("default dev wan0", "wan0")]
    [InlineData("172.16.0.0/12 via 203.0.113.254 dev wan0", "wan0")]
    [InlineData("172.16.0.0/12 dev wan0", "")]
    public void The_interface_of_a_route_to_the_outside_is_used(string route, string expected)
    {
        string host = $"wan0 203.0.113.1/24; eth0 10.0.0.1/24; {route}";
        Plan plan = Planner.Plan(Given.Nodes("self 10.244.1.0/24 10.0.0.1", "b 10.244.2.0/24 10.0.0.2"), Given.Host(host), Given.Policy(""));
        Assert.Equal("eth0", plan.InterfaceIPv4.Interface?.Name);
        Assert.Equal(expected, string.Join(' ', Changes("wan0", plan, host: host).ForwardIPv4On));
    }

    [Fact]
    public void Without_forwarding_in_the_plan_nothing_is_turned_on() =>
        Assert.False(Changes("eth0 default", new(), forward: false).EnableForwardingIPv4);

    private static HostChanges Changes(string off, Plan plan, bool forward = true, string host = Host)
    {
        string[] names = off.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        HostState state = Given.Host(host);
        state = state with
        {
            Forwarding = new(true, true),
            NewInterfacesForwardIPv4 = !names.Contains("default"),
            Interfaces = [.. state.Interfaces.Select(i => i with { ForwardsIPv4 = !names.Contains(i.Name) })],
        };
        plan = plan with
        {
            ForwardIPv4 = forward,
            OwnPodCidrs = [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("fd00:10:244:1::/64")],
            InterfaceIPv4 = new(state.Interfaces.Single(i => i.Name == "eth0"), ""),
        };
        return HostDiff.Between(plan, state, new HashSet<RouteKey>(), AdoptMode.None);
    }

    private static Plan RouteOverEth1(string destination, string nextHop) => new()
    {
        Routes = [new(Prefix.Parse(destination), 0, Ip.Parse(nextHop), Given.Host(Host).Interfaces.Single(i => i.Name == "eth1").Index)],
    };
}
