using System.Globalization;
using HostGw.Planning;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class RouterAdvertisementsTests
{
    private const string Host =
        "eth0 2001:db8::1/64; eth1; cni0; veth1; tun0; fd00:244:1::/64 dev cni0; fd00:244:1::9/128 dev veth1; 10.244.1.7/32 dev tun0; fd00:244:2::/64 dev eth0";

    // "interface=accept_ra", '*' where a route was once learnt over it; then the changes.
    [Theory]
    [InlineData("eth0=1", "eth0=2")]
    [InlineData("eth0=0 eth1*=0", "")]
    [InlineData("eth0=2 eth1*=2", "")]
    [InlineData("eth1=1", "")]
    [InlineData("eth1*=1", "eth1=2")]
    [InlineData("cni0=1 veth1=2 tun0=1", "cni0=0 veth1=0 tun0=0")]
    [InlineData("cni0*=1", "cni0=0")]
    [InlineData("cni0=0", "")]
    public void An_uplink_keeps_its_routes_and_a_pod_gives_the_host_none(string before, string changes) =>
        Assert.Equal(changes, Changes(before, new() { ForwardIPv6 = true }));

    [Fact]
    public void The_interface_towards_peers_is_an_uplink_even_where_pods_share_it() =>
        Assert.Equal("eth0=2", Changes("eth0=1", new() { ForwardIPv6 = true }, "; fd00:244:1::/80 dev eth0"));

    // eth1 leads to a peer; so does the bridge of pods, with an address inside.
    [Theory]
    [InlineData("eth1=1", "")]
    [InlineData("eth1*=1", "eth1=2")]
    [InlineData("cni0=1", "cni0=0")]
    [InlineData("cni0=2", "cni0=0")]
    public void What_a_Node_lists_as_its_address_makes_no_interface_an_uplink(string before, string changes)
    {
        HostState host = Given.Host(Host);
        Plan plan = new()
        {
            ForwardIPv6 = true,
            Routes =
            [
                .. host.Interfaces.Where(i => i.Name is "eth0" or "eth1" or "cni0")
                    .Select((link, i) => new PodRoute(Prefix.Parse($"fd00:244:{i + 2}::/64"), 1024, Ip.Parse($"fd00:10::{i + 2}"), link.Index)),
            ],
        };
        Assert.Equal(changes, Changes(before, plan));
    }

    [Fact]
    public void Without_IPv6_forwarding_in_the_plan_all_are_left_alone() => Assert.Equal("", Changes("eth0=1 cni0=1", new()));

    [Fact]
    public void A_host_without_IPv6_is_left_alone() =>
        Assert.Equal("", Changes("eth0=1", new() { ForwardIPv6 = true }, hasIPv6: false));

    private static string Changes(string before, Plan plan, string more = "", bool hasIPv6 = true)
    {
        HostState state = Given.Host(Host + more);
        Dictionary<string, string> settings = before.Split(' ').Select(w => w.Split('=')).ToDictionary(w => w[0], w => w[1]);
        state = state with
        {
            Forwarding = new(true, hasIPv6 ? false : null),
            Interfaces = [.. state.Interfaces.Select(i => i with
            {
                AcceptRa = int.Parse(settings.GetValueOrDefault(i.Name) ?? settings.GetValueOrDefault(i.Name + "*") ?? "0", CultureInfo.InvariantCulture),
                HasLearntRoute = settings.ContainsKey(i.Name + "*"),
            })],
        };
        plan = plan with
        {
            OwnPodCidrs = [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("fd00:244:1::/64")],
            InterfaceIPv6 = new(state.Interfaces.Single(i => i.Name == "eth0"), ""),
        };
        return string.Join(' ', RouterAdvertisements.Between(plan, state).Select(c => $"{c.Interface}={c.Value}"));
    }
}
