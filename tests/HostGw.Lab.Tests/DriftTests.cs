using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Somebody changes what the agent of node 1 made.</summary>
public sealed class DriftTests : LabTest
{
    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private IEnumerable<string> LogLines => Cluster.Agent(One).Log.Lines;

    private Node One => Cluster.Node(1);

    [Theory]
    [InlineData("route delete 192.168.2.0/24")]
    [InlineData("route delete fd00:192:168:2::/64")]
    [InlineData("route replace 192.168.2.0/24 via 10.0.0.13 dev eth0")]
    [InlineData("route replace 192.168.2.0/24 via 10.0.0.13 dev eth0 proto 157")]
    [InlineData("route replace fd00:192:168:2::/64 via fd00:10::13 dev eth0")]
    [InlineData("route replace 192.168.2.0/24 dev cni0")]
    [InlineData("route replace fd00:192:168:2::/64 dev cni0")]
    [InlineData("route replace 192.168.2.0/24 nexthop via 10.0.0.12 dev eth0 nexthop via 10.0.0.13 dev eth0")]
    [InlineData("route append fd00:192:168:2::/64 via fd00:10::13 dev eth0 proto 157")]
    [InlineData("route flush proto 157")]
    public async Task A_route_changed_by_hand_is_put_right(string byHand)
    {
        await StartFirstAgentAsync();

        One.Network.Exec("ip", byHand.Split(' '));

        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
        await Expect.OnlyRouteAsync(One, Expect.ByNodeAddress(Cluster.Node(2))[0]);
        await Expect.OnlyRouteAsync(One, Expect.ByNodeAddress(Cluster.Node(2))[1]);
    }

    // All within the minute after which repairs are forgotten.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_uplink_that_goes_down_and_up_or_is_plugged_in_again_and_again_is_blamed_on_no_program(bool isPluggedIn)
    {
        await StartFirstAgentAsync();
        int before = Settings();
        for (int i = 1; i <= 8; i++)
        {
            if (isPluggedIn)
            {
                One.Network.Configure(["link delete eth0"]);
                Cluster.Segment.Attach(One.Network, One.Addresses);
            }
            else
            {
                One.Network.Configure(["link set eth0 down", "link set eth0 up", $"address add {One.Addresses[1]}/64 dev eth0 nodad"]);
            }
            await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
            await Eventually.TrueAsync(() => One.Network.Sysctl("ipv6/conf/eth0/accept_ra") == "2", () => "accept_ra is not 2");
            Assert.Equal(before + (isPluggedIn ? i : 0), Settings());
        }
        Assert.DoesNotContain(LogLines, l => l.Contains("another program", StringComparison.Ordinal));

        int Settings() => LogLines.Count(l => l.Contains("Set accept_ra of eth0", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("-4", "192.168.2.0/24 via 10.0.0.12", "src 10.0.0.11", "a source address (src)")]
    [InlineData("-4", "192.168.2.0/24 via 10.0.0.12", "encap ip id 7 dst 10.0.0.9", "an encapsulation (encap)")]
    [InlineData("-6", "fd00:192:168:2::/64 via fd00:10::12", "mtu 1400", "metrics such as mtu")]
    public async Task A_route_given_a_source_an_mtu_or_an_encapsulation_is_made_plain_again(
        string family, string route, string extra, string said)
    {
        await StartFirstAgentAsync();
        string before = Shown();

        One.Network.Exec("ip", $"{family} route change {route} dev eth0 onlink proto 157 {extra}".Split(' '));

        await Eventually.TrueAsync(() => LogLines.Any(l => l.Contains($"(it had {said})", StringComparison.Ordinal)), Shown);
        await Eventually.TrueAsync(() => Shown() == before, Shown);

        string Shown() => One.Network.Exec("ip", family, "route", "show", route.Split(' ')[0]);
    }

    [Theory]
    [InlineData("192.168.2.0/24", "metric 50", 0)]
    [InlineData("fd00:192:168:2::/64", "metric 2000", 1)]
    public async Task A_route_given_another_metric_by_hand_is_made_again_with_its_own(string prefix, string metric, int family)
    {
        await StartFirstAgentAsync();
        IPAddress peer = Cluster.Node(2).Addresses[family];

        One.Network.Configure([$"route delete {prefix}", $"route add {prefix} via {peer} dev eth0 {metric}"]);

        await Expect.RouteAsync(One, Expect.ByNodeAddress(Cluster.Node(2))[family]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Routes_return_after_the_interface_went_down_and_up(bool keepsItsIPv6Address)
    {
        One.Network.Sysctl("ipv6/conf/eth0/keep_addr_on_down", keepsItsIPv6Address ? "1" : "0");
        await StartFirstAgentAsync();

        One.Network.Configure(["link set eth0 down"]);
        await Expect.RoutesAsync(One);
        One.Network.Configure(["link set eth0 up"]);
        if (!keepsItsIPv6Address)
            One.Network.Configure([$"address add {One.Addresses[1]}/64 dev eth0 nodad"]);

        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
    }

    [Fact]
    public async Task A_deleted_NAT_table_comes_back()
    {
        await StartFirstAgentAsync();
        string before = NatTable();

        One.Network.Exec("nft", "delete", "table", "inet", "hostgw");

        await Eventually.TrueAsync(() => NatTable() == before, () => $"expected\n{before}\nseen\n{NatTable()}");
    }

    [Theory]
    [InlineData("ipv4/ip_forward")]
    [InlineData("ipv4/conf/eth0/forwarding")]
    [InlineData("ipv4/conf/cni0/forwarding")]
    [InlineData("ipv4/conf/default/forwarding")]
    [InlineData("ipv6/conf/all/forwarding")]
    public async Task Forwarding_turned_off_is_turned_on_again(string sysctl)
    {
        await StartFirstAgentAsync();

        One.Network.Sysctl(sysctl, "0");

        await Eventually.TrueAsync(() => One.Network.Sysctl(sysctl) == "1", () => $"{sysctl} is still 0");
    }

    private string NatTable() => One.Network.Exec("nft", "list", "ruleset");
}
