using System.Runtime.Versioning;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Tests.Planning;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Routes into the tunnel as the kernel takes, lists and loses them.</summary>
[SupportedOSPlatform("linux")]
public sealed class TunnelledRouteTests : IDisposable
{
    private readonly LinuxNamespace _host = new();
    private readonly int _link;

    public TunnelledRouteTests()
    {
        _host.Network.Configure(TunnelLinks.Made("10.244.1.1/32", "fd00:1::1/128"));
        _link = _host.Index("hostgw0");
    }

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData("10.244.2.0/24", "198.51.100.10", "10.244.2.0/24 encap ip id 157 src 0.0.0.0 dst 198.51.100.10 ttl 0 tos 0 csum dev hostgw0 " +
        "proto 157 scope link src 10.244.1.1 mtu 1364")]
    [InlineData("10.244.2.0/24", "fd02::10", "10.244.2.0/24 encap ip6 id 157 src :: dst fd02::10 hoplimit 64 tc 0 csum dev hostgw0 " +
        "proto 157 scope link src 10.244.1.1 mtu 1364")]
    [InlineData("fd00:2::/64", "198.51.100.10", "fd00:2::/64 encap ip id 157 src 0.0.0.0 dst 198.51.100.10 ttl 0 tos 0 csum " +
        "via fe80::9d dev hostgw0 proto 157 src fd00:1::1 metric 1024 mtu 1364 pref medium")]
    [InlineData("fd00:2::/64", "fd02::10", "fd00:2::/64 encap ip6 id 157 src :: dst fd02::10 hoplimit 64 tc 0 csum " +
        "via fe80::9d dev hostgw0 proto 157 src fd00:1::1 metric 1024 mtu 1364 pref medium")]
    public void What_was_added_is_in_the_kernel_is_read_back_as_installed_and_goes(string destination, string node, string shown)
    {
        PodRoute route = Tunnelled(destination, node);

        Assert.Empty(_host.Apply(c => c.Add.Add(route)));

        Assert.Equal(shown, _host.Show(destination));
        HostRoute installed = Assert.Single(_host.Ours());
        Assert.Equal(route.InstalledBy(LinuxNamespace.Protocol), installed);
        Assert.True(route.IsInstalledAs(installed));
        Assert.Empty(_host.Apply(c => c.Delete.Add(installed)));
        Assert.Empty(_host.Ours());
    }

    [Theory]
    [InlineData("10.244.2.0/24", "198.51.100.10", "192.0.2.1")]
    [InlineData("10.244.2.0/24", "fd02::10", "2001:db8::1")]
    [InlineData("fd00:2::/64", "198.51.100.10", "192.0.2.1")]
    [InlineData("fd00:2::/64", "fd02::10", "2001:db8::1")]
    public void The_source_outside_comes_in_place_of_a_route_without_one_is_kept_and_goes_with_it(
        string destination, string node, string outer)
    {
        PodRoute earlier = Tunnelled(destination, node);
        PodRoute route = earlier with { Tunnel = earlier.Tunnel! with { OuterSource = HostGw.Net.Ip.Parse(outer) } };
        _host.Apply(c => c.Add.Add(earlier));
        HostRoute instead = Assert.Single(_host.Ours());
        Assert.False(route.IsInstalledAs(instead));

        Assert.Empty(_host.Apply(c => c.Replace.Add(new(route, instead, CorrectionCause.Differs))));

        Assert.Contains($" id 157 src {outer} dst {node} ", _host.Show(destination), StringComparison.Ordinal);
        HostRoute installed = Assert.Single(_host.Ours());
        Assert.True(route.IsInstalledAs(installed));
        Assert.Empty(_host.Apply(c => c.Delete.Add(installed)));
        Assert.Empty(_host.Ours());
    }

    [Theory]
    [InlineData("10.244.2.0/24", "198.51.100.10", "192.0.2.9")]
    [InlineData("10.244.2.0/24", "fd02::10", "192.0.2.9")]
    [InlineData("fd00:2::/64", "198.51.100.10", "2001:db8::9")]
    [InlineData("fd00:2::/64", "fd02::10", "2001:db8::9")]
    public void Native_and_tunnelled_routes_replace_each_other_in_place(string destination, string node, string nextHop)
    {
        PodRoute native = _host.Route(destination, nextHop), tunnelled = Tunnelled(destination, node);
        PodRoute other = tunnelled with { Tunnel = tunnelled.Tunnel! with { Mtu = 1300 } };
        _host.Apply(c => c.Add.Add(native));
        foreach (PodRoute route in (PodRoute[])[tunnelled, native, tunnelled, other, tunnelled, native])
        {
            HostRoute instead = Assert.Single(_host.Ours());
            Assert.Empty(_host.Apply(c => c.Replace.Add(new(route, instead, CorrectionCause.Differs))));
            Assert.True(route.IsInstalledAs(Assert.Single(_host.Ours())), _host.Show(destination));
        }
    }

    // Each is what somebody made of the right route; the protocol number is still HostGw's.
    [Theory]
    [InlineData("10.244.2.0/24", "encap ip id 157 dst 198.51.100.10 csum", "src 10.244.1.1 mtu 1400")]
    [InlineData("10.244.2.0/24", "encap ip id 157 dst 198.51.100.10 csum", "src 192.0.2.1 mtu 1364")]
    [InlineData("10.244.2.0/24", "encap ip id 157 dst 198.51.100.10 csum", "mtu 1364")]
    [InlineData("10.244.2.0/24", "encap ip id 157 dst 198.51.100.10 csum", "src 10.244.1.1")]
    [InlineData("10.244.2.0/24", "encap ip id 157 dst 198.51.100.10 csum", "src 10.244.1.1 mtu 1364 advmss 1000")]
    [InlineData("10.244.2.0/24", "encap ip id 157 dst 198.51.100.10", "src 10.244.1.1 mtu 1364")]
    [InlineData("10.244.2.0/24", "encap ip id 157 dst 198.51.100.10 ttl 3 csum", "src 10.244.1.1 mtu 1364")]
    [InlineData("10.244.2.0/24", "encap ip id 158 dst 198.51.100.10 csum", "src 10.244.1.1 mtu 1364")]
    [InlineData("10.244.2.0/24", "encap ip id 157 dst 198.51.100.11 csum", "src 10.244.1.1 mtu 1364")]
    [InlineData("10.244.2.0/24", "encap ip id 157 src 192.0.2.1 dst 198.51.100.10 csum", "src 10.244.1.1 mtu 1364")]
    [InlineData("10.244.2.0/24", "", "src 10.244.1.1 mtu 1364")]
    [InlineData("fd00:2::/64", "encap ip id 157 dst 198.51.100.10 csum via fe80::9d", "src fd00:1::1 mtu 1400")]
    [InlineData("fd00:2::/64", "encap ip id 157 dst 198.51.100.10 csum via fe80::9d", "src 2001:db8::1 mtu 1364")]
    [InlineData("fd00:2::/64", "encap ip id 157 dst 198.51.100.10 via fe80::9d", "src fd00:1::1 mtu 1364")]
    [InlineData("fd00:2::/64", "encap ip id 157 dst 198.51.100.10 tos 8 csum via fe80::9d", "src fd00:1::1 mtu 1364")]
    [InlineData("fd00:2::/64", "encap ip id 157 dst 198.51.100.10 csum", "src fd00:1::1 mtu 1364")]
    [InlineData("fd00:2::/64", "encap ip id 157 dst 198.51.100.10 csum via fe80::1", "src fd00:1::1 mtu 1364")]
    [InlineData("fd00:2::/64", "", "src fd00:1::1 mtu 1364")]
    public void A_route_that_somebody_changed_is_seen_and_put_right(string destination, string encap, string rest)
    {
        PodRoute route = Tunnelled(destination, "198.51.100.10");
        _host.Apply(c => c.Add.Add(route));

        _host.Shell($"route replace {destination} {encap} dev hostgw0 {rest} proto 157".Replace("  ", " ", StringComparison.Ordinal));

        HostRoute changed = Assert.Single(_host.Ours());
        Assert.False(route.IsInstalledAs(changed));
        Assert.Empty(_host.Apply(c => c.Replace.Add(new(route, changed, CorrectionCause.Differs))));
        Assert.True(route.IsInstalledAs(Assert.Single(_host.Ours())), _host.Show(destination));
    }

    [Fact]
    public void A_stale_delete_leaves_the_IPv4_route_that_leads_to_another_node()
    {
        PodRoute route = Tunnelled("10.244.2.0/24", "198.51.100.10"), successor = Tunnelled("10.244.2.0/24", "198.51.100.11");
        _host.Apply(c => c.Add.Add(route));
        HostRoute stale = Assert.Single(_host.Ours());
        _host.Apply(c => c.Replace.Add(new(successor, stale, CorrectionCause.Differs)));

        Assert.Empty(_host.Apply(c => c.Delete.Add(stale)));

        Assert.True(successor.IsInstalledAs(Assert.Single(_host.Ours())));
    }

    [Theory]
    [InlineData("10.244.2.0/24", "encap ip id 157 dst 198.51.100.10 ttl 9 dev hostgw0 proto 157")]
    [InlineData("10.244.2.0/24", "encap ip id 157 dst 198.51.100.10 via 192.0.2.9 dev eth0 proto 157")]
    [InlineData("fd00:2::/64", "encap ip id 157 dst 198.51.100.10 ttl 9 dev hostgw0 proto 157")]
    public void A_route_of_ours_with_another_encapsulation_is_deleted(string destination, string route)
    {
        _host.Shell($"route add {destination} {route}");
        HostRoute installed = Assert.Single(_host.Ours());
        Assert.Equal((RouteExtras.Encapsulation, null), (installed.Extras, installed.Tunnel));

        Assert.Empty(_host.Apply(c => c.Delete.Add(installed)));
        Assert.Empty(_host.Ours());
    }

    [Theory]
    [InlineData("10.244.2.0/24 encap ip id 157 dst 198.51.100.10 csum dev hostgw0 src 10.244.1.1 mtu 1364 proto 99")]
    [InlineData("fd00:2::/64 encap ip6 id 157 dst fd02::10 hoplimit 64 csum dev hostgw0 src fd00:1::1 mtu 1364 proto 99")]
    public void A_foreign_route_is_never_read_as_one_of_HostGws(string route)
    {
        _host.Shell($"route add {route}");
        HostRoute foreign = Assert.Single(_host.Read().Routes, r => r.Protocol == 99);
        Assert.Equal(
            (RouteExtras.Encapsulation | RouteExtras.Source | RouteExtras.Metrics, null, true), (foreign.Extras, foreign.Tunnel, foreign.NextHop.IsNone));
    }

    // A pod that scans a peer's podCIDR would fill the kernel's table, which all namespaces share.
    [Theory]
    [InlineData("10.244.2.0/24", "198.51.100.10", "-4", "10.244.2.")]
    [InlineData("fd00:2::/64", "fd02::10", "-6", "fd00:2::")]
    public void Many_destinations_are_one_neighbour(string destination, string node, string family, string pods)
    {
        _host.Apply(c => c.Add.Add(Tunnelled(destination, node)));

        foreach (int pod in Enumerable.Range(1, 20))
            Ping.Once(_host.Network, IPAddress.Parse($"{pods}{pod}"), TimeSpan.FromMilliseconds(1));

        string[] neighbours = _host.Shell($"{family} neigh show nud all dev hostgw0").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Single(neighbours, n => !n.StartsWith("ff", StringComparison.Ordinal));
    }

    // The kernel searches the routes of one scope one after the other.
    [Theory]
    [InlineData(0, "link")]
    [InlineData(100, "252")]
    [InlineData(19_999, "54")]
    [InlineData(20_000, "link")]
    public void Of_many_routes_each_hundred_has_a_scope_that_changes_no_packets_way(int index, string scope)
    {
        PodRoute[] routes = [.. Many(20_001)];
        Assert.Empty(_host.Apply(c => c.Add.AddRange(routes)));
        PodRoute route = routes[index];
        Assert.Contains($" scope {scope} ", _host.Show(route.Destination.ToString()), StringComparison.Ordinal);
        Assert.True(route.IsInstalledAs(_host.Read().OwnRouteTo(route.Destination)!.Value));

        _host.Network.Sysctl("ipv4/conf/all/rp_filter", "1");
        _host.Network.Sysctl("ipv4/ip_forward", "1");
        HostGw.Net.Ip pod = route.Destination.Address.Plus(5), other = routes[(index + 150) % routes.Length].Destination.Address.Plus(5);
        string encap = $"encap ip id 157 src 0.0.0.0 dst {route.NextHop} ttl 0 tos 0 csum";
        Assert.StartsWith($"{pod} {encap} dev hostgw0 src 10.244.1.1", Way($"{pod}"), StringComparison.Ordinal);
        Assert.StartsWith($"{pod} from {other} {encap} dev hostgw0", Way($"{pod} from {other} iif hostgw0"), StringComparison.Ordinal);
        Assert.StartsWith($"{pod} from 192.0.2.1 {encap}", Way($"{pod} from 192.0.2.1"), StringComparison.Ordinal);
    }

    private string Way(string packet) => _host.Shell($"route get {packet}").Replace("  ", " ", StringComparison.Ordinal);

    private PodRoute Tunnelled(string destination, string node) => TunnelLinks.Route(destination, node, _link, 1364);

    private IEnumerable<PodRoute> Many(int count) =>
        LinuxRoutesMany.Of(_host, count).Select(r => r with { Interface = _link, Tunnel = new(157, r.NextHop, HostGw.Net.Ip.Parse("10.244.1.1"), 1364) });
}

/// <summary>What kernels announce of tunnelled routes that go with their link or with their source.</summary>
[SupportedOSPlatform("linux")]
public sealed class TunnelledRouteWatchTests : LinuxWatchTest
{
    [Theory]
    [InlineData("link set hostgw0 down", 0)]
    [InlineData("link del hostgw0", 0)]
    [InlineData("addr del 10.244.1.1/32 dev hostgw0", 1)]
    [InlineData("addr del fd00:1::1/128 dev hostgw0", 1)]
    [InlineData("route del 10.244.2.0/24", 1)]
    [InlineData("-6 route del fd00:2::/64", 1)]
    [InlineData("route replace 10.244.2.0/24 encap ip id 157 dst 198.51.100.10 dev hostgw0 proto 157", 1)]
    public void A_loss_or_a_change_wakes(string change, int left)
    {
        Space.Network.Configure(TunnelLinks.Made("10.244.1.1/32", "fd00:1::1/128"));
        int link = Space.Index("hostgw0");
        PodRoute[] routes =
            [TunnelLinks.Route("10.244.2.0/24", "198.51.100.10", link, 1364), TunnelLinks.Route("fd00:2::/64", "fd02::10", link, 1364)];
        Space.Expect(new Plan { Routes = [.. routes] });
        Assert.Empty(Space.Apply(c => c.Add.AddRange(routes)));
        Assert.Equal(2, Space.Ours().Count());
        Watched.AfterUpToRule(() => { });

        // In IPv6 the route that loses its source stays, without one.
        WakeCauses woken = Watched.AfterUpToRule(() => Space.Shell(change));

        Assert.NotEqual(WakeCauses.None, woken & (WakeCauses.Routes | WakeCauses.Links | WakeCauses.Addresses));
        Assert.Equal(left, routes.Count(r => Space.Ours().Any(r.IsInstalledAs)));
    }
}

[SupportedOSPlatform("linux")]
internal static class TunnelLinks
{
    /// <summary>The commands that make hostgw0 with these addresses.</summary>
    public static IEnumerable<string> Made(params string[] sources) =>
    [
        "link add hostgw0 type vxlan external gpe dstport 4790", "link set hostgw0 addrgenmode none", "link set hostgw0 up",
        // Without nodad an IPv6 address is no valid source for a moment.
        .. sources.Select(s => $"addr add {s} dev hostgw0{(s.Contains(':', StringComparison.Ordinal) ? " nodad" : "")}"),
    ];

    /// <summary>With the first address of a podCIDR 10.244.1.0/24 or fd00:1::/64 as the source.</summary>
    public static PodRoute Route(string destination, string node, int link, int mtu)
    {
        Prefix prefix = Prefix.Parse(destination);
        HostGw.Net.Ip source = HostGw.Net.Ip.Parse(prefix.IsIPv4 ? "10.244.1.1" : "fd00:1::1");
        return new(prefix, prefix.IsIPv4 ? 0u : 1024u, HostGw.Net.Ip.Parse(node), link) { Tunnel = new(157, HostGw.Net.Ip.Parse(node), source, mtu) };
    }
}
