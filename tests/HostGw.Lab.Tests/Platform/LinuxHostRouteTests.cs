using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

[SupportedOSPlatform("linux")]
public sealed class LinuxHostRouteTests : IDisposable
{
    private const string Off = "via 192.0.2.9 dev eth0 proto 157 onlink";
    private readonly LinuxNamespace _host = new();

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData("10.244.1.0/24", "192.0.2.9", "10.244.1.0/24 via 192.0.2.9 dev eth0 proto 157 onlink")]
    [InlineData("10.244.1.0/24", "10.244.1.1", "10.244.1.0/24 via 10.244.1.1 dev eth0 proto 157 onlink")]
    [InlineData("10.244.0.0/16", "", "10.244.0.0/16 dev eth0 proto 157 scope link")]
    [InlineData("fd00:1::/64", "2001:db8::9", "fd00:1::/64 via 2001:db8::9 dev eth0 proto 157 metric 1024 onlink pref medium")]
    [InlineData("fd00:1::/64", "2001:db9::9", "fd00:1::/64 via 2001:db9::9 dev eth0 proto 157 metric 1024 onlink pref medium")]
    [InlineData("fd00:1::/64", "fe80::9", "fd00:1::/64 via fe80::9 dev eth0 proto 157 metric 1024 onlink pref medium")]
    [InlineData("fd00::/48", "", "fd00::/48 dev eth0 proto 157 metric 1024 pref medium")]
    public void What_was_added_is_in_the_kernel_and_is_read_back_as_installed(string destination, string nextHop, string shown)
    {
        PodRoute route = _host.Route(destination, nextHop);

        Assert.Empty(_host.Apply(c => c.Add.Add(route)));

        Assert.Equal(shown, _host.Show(destination));
        Assert.True(route.IsInstalledAs(Assert.Single(_host.Ours())));
    }

    [Theory]
    [InlineData("10.244.1.0/24", "192.0.2.8", "via 192.0.2.9 dev eth0 proto 157")]
    [InlineData("10.244.1.0/24", "192.0.2.8", "dev peer0 proto 157")]
    [InlineData("10.244.1.0/24", "192.0.2.8", "via 192.0.2.8 dev eth0 proto boot")]
    [InlineData("10.244.1.0/24", "192.0.2.8", "nexthop via 192.0.2.8 dev eth0 nexthop via 192.0.2.9 dev eth0")]
    [InlineData("10.244.1.0/24", "192.0.2.8", "blackhole")]
    [InlineData("10.244.0.0/16", "", "via 192.0.2.9 dev eth0")]
    [InlineData("fd00:1::/64", "2001:db8::8", "via 2001:db8::9 dev eth0 proto 157")]
    [InlineData("fd00:1::/64", "2001:db8::8", "dev peer0 proto 157")]
    [InlineData("fd00:1::/64", "2001:db8::8", "via 2001:db8::8 dev eth0 proto boot")]
    [InlineData("fd00:1::/64", "2001:db8::8", "nexthop via 2001:db8::8 dev eth0 nexthop via 2001:db8::9 dev eth0")]
    [InlineData("fd00:1::/64", "2001:db8::8", "blackhole")]
    [InlineData("fd00:1::/64", "2001:db8::8", "via 2001:db8::8 dev eth0 proto 157 expires 300")]
    public void Whatever_holds_the_key_is_replaced_in_place(string destination, string nextHop, string before)
    {
        _host.Shell(before == "blackhole" ? $"route add blackhole {destination}" : $"route add {destination} {before}");
        PodRoute route = _host.Route(destination, nextHop);
        HostRoute installed = Assert.Single(_host.Read().Routes, r => r.Destination == route.Destination);

        Assert.Empty(_host.Apply(c => c.Replace.Add(new(route, installed, CorrectionCause.Differs))));

        HostRoute after = Assert.Single(_host.Read().Routes, r => r.Destination == route.Destination);
        Assert.True(route.IsInstalledAs(after), _host.Show(destination));
    }

    [Theory]
    [InlineData("10.244.1.0/24", new[]
    {
        Off, "via 192.0.2.8 dev eth0 proto 157 onlink", "via 192.0.2.9 dev eth0 onlink", "via 192.0.2.9 dev peer0 proto 157 onlink",
        $"{Off} metric 5", $"tos 8 {Off}", "via 192.0.2.9 dev eth0 metric 6", "via 192.0.2.9 dev eth0 proto 99 metric 7",
    })]
    [InlineData("fd00:1::/64", new[]
    {
        "via 2001:db8::9 dev eth0 proto 157", "via 2001:db8::9 dev eth0 proto 157 metric 5",
        "via 2001:db8::9 dev eth0 metric 6", "via 2001:db8::9 dev eth0 proto 99 metric 7",
    })]
    public void Of_several_routes_to_one_destination_exactly_the_meant_one_goes(string destination, string[] routes)
    {
        foreach (string route in routes)
        {
            bool hasTos = route.StartsWith("tos", StringComparison.Ordinal);
            _host.Shell(hasTos ? $"route append {route[..5]} {destination} {route[6..]}" : $"route append {destination} {route}");
        }
        List<HostRoute> installed = To(destination);
        Assert.Equal(routes.Length, installed.Count);

        while (installed.Count > 0)
        {
            HostRoute gone = installed[installed.Count / 2];
            Assert.Empty(_host.Apply(c => c.Delete.Add(gone)));
            installed.Remove(gone);
            Assert.Equal(installed, To(destination));
        }
    }

    [Fact]
    public void A_multipath_route_of_ours_goes_as_a_whole()
    {
        _host.Shell("route add 10.244.1.0/24 proto 157 nexthop via 192.0.2.8 dev eth0 nexthop via 192.0.2.9 dev eth0");
        _host.Shell("route add fd00:1::/64 proto 157 nexthop via 2001:db8::8 dev eth0 nexthop via 2001:db8::9 dev eth0");
        HostRoute[] ours = [.. _host.Ours()];
        Assert.Equal([2, 2], ours.Select(r => r.NextHopCount));

        Assert.Empty(_host.Apply(c => c.Delete.AddRange(ours)));
        Assert.Empty(_host.Ours());
    }

    [Theory]
    [InlineData("10.244.1.0/24", "192.0.2.9", "7")]
    [InlineData("10.244.1.0/24", "192.0.2.9", "8 group")]
    [InlineData("fd00:1::/64", "2001:db8::9", "7")]
    [InlineData("fd00:1::/64", "2001:db8::9", "8 group")]
    public void A_route_of_our_protocol_with_a_nexthop_object_differs_and_is_deleted(string destination, string nextHop, string kind)
    {
        _host.Shell($"nexthop add id 7 via {nextHop} dev eth0");
        if (kind.EndsWith("group", StringComparison.Ordinal))
            _host.Shell("nexthop add id 8 group 7");
        _host.Shell($"route add {destination} nhid {kind.Split(' ')[0]} proto 157");
        HostRoute installed = Assert.Single(_host.Ours());
        Assert.False((_host.Route(destination, nextHop) with { Metric = installed.Metric }).IsInstalledAs(installed));

        Assert.Empty(_host.Apply(c => c.Delete.Add(installed)));

        Assert.Empty(_host.Ours());
    }

    [Fact]
    public void Deleting_what_is_gone_is_success()
    {
        PodRoute[] routes = [_host.Route("10.244.1.0/24", "192.0.2.9"), _host.Route("fd00:1::/64", "2001:db8::9")];
        _host.Apply(c => c.Add.AddRange(routes));
        HostRoute[] installed = [.. _host.Ours()];
        _host.Apply(c => c.Delete.AddRange(installed));

        Assert.Empty(_host.Apply(c => c.Delete.AddRange(installed)));
    }

    [Theory]
    [InlineData("10.244.1.0/24", "192.0.2.9", "via 192.0.2.9 dev eth0 proto static")]
    [InlineData("10.244.1.0/24", "192.0.2.9", "via 192.0.2.8 dev eth0 proto 157")]
    [InlineData("10.244.1.0/24", "192.0.2.9", "via 192.0.2.9 dev peer0 proto 157 onlink")]
    [InlineData("fd00:1::/64", "2001:db8::9", "via 2001:db8::9 dev eth0 proto static")]
    [InlineData("fd00:1::/64", "2001:db8::9", "via 2001:db8::8 dev eth0 proto 157")]
    [InlineData("fd00:1::/64", "2001:db8::9", "dev peer0 proto 157 metric 1024")]
    public void A_stale_delete_leaves_the_route_that_took_the_place(string destination, string nextHop, string successor)
    {
        _host.Apply(c => c.Add.Add(_host.Route(destination, nextHop)));
        HostRoute stale = Assert.Single(_host.Ours());
        _host.Shell($"route replace {destination} {successor}");

        Assert.Empty(_host.Apply(c => c.Delete.Add(stale)));

        string expected = $"{destination} {string.Join(' ', successor.Split(' ')[..2])}";
        Assert.StartsWith(expected, _host.Show(destination), StringComparison.Ordinal);
    }

    private List<HostRoute> To(string destination) =>
        [.. _host.Read().Routes.Where(r => r.Destination == Prefix.Parse(destination)).OrderBy(r => (r.Metric, r.Tos))];
}
