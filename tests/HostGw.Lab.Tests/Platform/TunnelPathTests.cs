using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

/// <summary>
/// A host, a router, and a node behind it: what is known of the path between them, and packets while their path changes. The router
/// knows nothing of pods, except where the path is to be native.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class TunnelPathTests : IDisposable
{
    private static int _count;

    private readonly LinuxNamespace _host = new(bare: true);
    private readonly NetworkNamespace _router, _node;

    public TunnelPathTests()
    {
        int number = Interlocked.Increment(ref _count);
        (_router, _node) = (new($"path-router{number}"), new($"path-node{number}"));
        NetworkNamespace.Create([_router.Name, _node.Name]);
        _host.Network.Sysctl("ipv6/conf/default/accept_dad", "0");
        _host.Network.Configure(
        [
            "link set lo up", $"link add eth0 type veth peer name host0 netns {_router.Name}", "link set eth0 up",
            "addr add 192.0.2.1/24 dev eth0", "addr add 2001:db8::1/64 dev eth0",
        ]);
        _router.Configure(
        [
            "link set host0 up", "addr add 192.0.2.254/24 dev host0", "addr add 2001:db8::fe/64 dev host0",
            $"link add node0 type veth peer name eth0 netns {_node.Name}", "link set node0 up",
            "addr add 198.51.100.254/24 dev node0", "addr add fd02::fe/64 dev node0",
        ]);
        _node.Configure(["link set eth0 up", "addr add 198.51.100.10/24 dev eth0", "addr add fd02::10/64 dev eth0"]);
        _host.Network.Configure(["route add default via 192.0.2.254", "route add default via 2001:db8::fe"]);
        _node.Configure(["route add default via 198.51.100.254", "route add default via fd02::fe"]);
        _router.Sysctl("ipv4/ip_forward", "1");
        _router.Sysctl("ipv6/conf/all/forwarding", "1");
        _host.Network.Configure(TunnelLinks.Made("10.244.1.1/32", "fd00:1::1/128"));
        _node.Configure(TunnelLinks.Made("10.244.2.1/32", "fd00:2::1/128"));
    }

    public void Dispose()
    {
        NetworkNamespace.Delete([_router.Name, _node.Name]);
        _host.Dispose();
    }

    [Fact]
    public void Without_a_tunnelled_route_no_path_is_asked_for()
    {
        Assert.Empty(_host.Apply(c => c.Add.Add(Native("10.244.2.0/24", "192.0.2.254"))));
        Assert.Empty(_host.Read().NodePaths);
    }

    [Theory]
    [InlineData("198.51.100.10", "10.244.2.0/24", "")]
    [InlineData("fd02::10", "fd00:2::/64", "-6 ")]
    public async Task The_MTU_of_a_path_is_what_the_kernel_has_learnt(string node, string podCidr, string family)
    {
        Add(podCidr, node);
        Assert.Equal($"{node} 1500", Paths());

        _host.Shell("link set eth0 mtu 1480");
        Assert.Equal($"{node} 1480", Paths());
        _host.Shell("link set eth0 mtu 1500");

        _router.Configure(["link set node0 mtu 1300"]);
        await Eventually.TrueAsync(() => !Ping($"{family}-M do -c 1 -W 1 -s 1400 {node}") && Paths() == $"{node} 1300", Paths);
    }

    [Theory]
    [InlineData("route add 198.51.100.10/32 via 192.0.2.254 mtu 1400", 1400)]
    [InlineData("route add 198.51.100.10/32 via 192.0.2.254 mtu 9000", 1500)]
    [InlineData("rule add pref 1000 to 198.51.100.0/24 lookup 100", 1350)]
    public void So_is_that_of_a_route_or_a_policy_rule(string command, int mtu)
    {
        _host.Shell("route add default via 192.0.2.254 table 100 mtu 1350");
        Add("10.244.2.0/24", "198.51.100.10");
        _host.Shell(command);
        Assert.Equal($"198.51.100.10 {mtu}", Paths());
    }

    [Fact]
    public void A_node_without_a_path_is_left_out_and_the_others_are_sorted()
    {
        string[] nodes = ["203.0.113.9", "198.51.100.10", "fd02::10", "198.51.100.7", "fd03::1"];
        for (int i = 0; i < nodes.Length; i++)
            Add($"10.244.{i + 2}.0/24", nodes[i]);
        Add("10.244.99.0/24", "198.51.100.10");
        _host.Shell("route add unreachable 203.0.113.0/24");
        _host.Shell("-6 route add blackhole fd03::/64");

        Assert.Equal("198.51.100.7 1500, 198.51.100.10 1500, fd02::10 1500", Paths());
    }

    [Fact]
    public void More_nodes_than_one_send_has_room_for_are_all_asked_for()
    {
        PodRoute[] routes = [.. Enumerable.Range(0, 2_000).Select(i => TunnelLinks.Route(
            $"10.{64 + i / 256}.{i % 256}.0/24", $"198.51.{i / 250}.{i % 250 + 1}", _host.Index("hostgw0"), 1364))];
        Assert.Empty(_host.Apply(c => c.Add.AddRange(routes)));

        ImmutableArray<NodePath> paths = _host.Read().NodePaths;

        Assert.Equal(routes.Select(r => r.NextHop).Order(), paths.Select(p => p.Node));
        Assert.All(paths, p => Assert.Equal((1500, _host.Index("eth0")), (p.Mtu, p.Interface)));
    }

    // The router knows the pods' networks, so that both paths carry packets; the node answers by the tunnel. An earlier version's route
    // names no source outside.
    [Theory]
    [InlineData("10.244.2.0/24", "10.244.2.1", "198.51.100.10", "192.0.2.254")]
    [InlineData("fd00:2::/64", "fd00:2::1", "fd02::10", "2001:db8::fe")]
    public async Task No_packet_is_lost_while_native_and_tunnelled_route_replace_each_other(string podCidr, string pod, string node, string gateway)
    {
        _router.Configure(
        [
            "route add 10.244.2.0/24 via 198.51.100.10", "route add fd00:2::/64 via fd02::10",
            "route add 10.244.1.0/24 via 192.0.2.1", "route add fd00:1::/64 via 2001:db8::1",
        ]);
        _node.Configure(
        [
            "route add 10.244.1.0/24 encap ip id 157 dst 192.0.2.1 csum dev hostgw0 src 10.244.2.1",
            "route add fd00:1::/64 encap ip id 157 dst 192.0.2.1 csum dev hostgw0 src fd00:2::1",
        ]);
        // In a moment without either route no default route may carry them.
        _host.Network.Configure(["route add unreachable 10.244.0.0/16", "route add unreachable fd00::/16"]);
        PodRoute native = Native(podCidr, gateway), earlier = TunnelLinks.Route(podCidr, node, _host.Index("hostgw0"), 1364);
        HostGw.Net.Ip outer = HostGw.Net.Ip.Parse(earlier.NextHop.IsIPv4 ? "192.0.2.1" : "2001:db8::1");
        PodRoute[] routes = [earlier, earlier with { Tunnel = earlier.Tunnel! with { OuterSource = outer } }, native];
        string source = $"{earlier.Tunnel!.Source}";
        Assert.Empty(_host.Apply(c => c.Add.Add(native)));
        await Eventually.TrueAsync(() => Ping($"-c 1 -W 1 -I {source} {pod}"), () => _host.Show(podCidr));

        Task<string> pings = Task.Run(() => _host.Network.Exec("ping", $"-q -i 0.002 -c 1500 -W 10 -I {source} {pod}".Split(' ')));
        for (int i = 0; !pings.IsCompleted; i++)
        {
            HostRoute instead = Assert.Single(_host.Ours());
            Assert.Empty(_host.Apply(c => c.Replace.Add(new(routes[i % routes.Length], instead, CorrectionCause.Differs))));
        }

        Assert.Contains(" 1500 received, 0% packet loss", await pings, StringComparison.Ordinal);
    }

    private void Add(string podCidr, string node) =>
        Assert.Empty(_host.Apply(c => c.Add.Add(TunnelLinks.Route(podCidr, node, _host.Index("hostgw0"), 1364))));

    private PodRoute Native(string podCidr, string nextHop)
    {
        Prefix prefix = Prefix.Parse(podCidr);
        return new(prefix, prefix.IsIPv4 ? 0u : 1024u, HostGw.Net.Ip.Parse(nextHop), _host.Index("eth0"));
    }

    private string Paths() => string.Join(", ", _host.Read().NodePaths.Select(p => $"{p.Node} {p.Mtu}"));

    private bool Ping(string arguments)
    {
        try
        {
            _host.Network.Exec("ping", arguments.Split(' '));
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
