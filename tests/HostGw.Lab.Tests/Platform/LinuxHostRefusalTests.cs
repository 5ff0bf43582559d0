using System.Runtime.Versioning;
using HostGw.Lab.Topology;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Cni;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Netlink;

namespace HostGw.Lab.Tests.Platform;

/// <summary>What the kernel refuses comes back per route, in the kernel's words, and keeps nothing else from being done.</summary>
[SupportedOSPlatform("linux")]
public sealed class LinuxHostRefusalTests : IDisposable
{
    private readonly LinuxNamespace _host = new();

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData("10.244.1.0/24", "192.0.2.1", "Nexthop has invalid gateway")]
    [InlineData("fd00:1::/64", "2001:db8::1", "Gateway can not be a local address")]
    public void A_next_hop_of_our_own_is_refused_in_the_kernels_words(string destination, string nextHop, string sentence)
    {
        PodRoute route = _host.Route(destination, nextHop);

        HostFailure failure = Assert.Single(_host.Apply(c => c.Add.Add(route)));

        Assert.Equal(route.Key, failure.Route);
        Assert.Equal(
            $"add route {destination}: Invalid argument ({sentence})", $"{failure.What}: {failure.Error.Message["add route: ".Length..]}");
    }

    [Theory]
    [InlineData("10.244.1.0/24", "192.0.2.9", "via 192.0.2.8 dev eth0")]
    [InlineData("fd00:1::/64", "2001:db8::9", "via 2001:db8::8 dev eth0")]
    public void A_foreign_route_that_came_in_between_is_not_touched(string destination, string nextHop, string foreign)
    {
        _host.Shell($"route add {destination} {foreign}");
        string before = _host.Show(destination);

        HostFailure failure = Assert.Single(_host.Apply(c => c.Add.Add(_host.Route(destination, nextHop))));

        Assert.Equal(Errno.EEXIST, Assert.IsType<NetlinkException>(failure.Error).Errno);
        Assert.Equal(before, _host.Show(destination));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(499)]
    [InlineData(999)]
    public void One_that_is_refused_does_not_block_the_other_999(int bad)
    {
        PodRoute[] routes = [.. LinuxRoutesMany.Of(_host, 1000)];
        routes[bad] = routes[bad] with { NextHop = Ip.Parse("192.0.2.1") };

        HostFailure failure = Assert.Single(_host.Apply(c => c.Add.AddRange(routes)));

        Assert.Equal(routes[bad].Key, failure.Route);
        Assert.Equal(routes.Select(r => r.Key).Where(k => k != routes[bad].Key), _host.Ours().Select(r => r.Key));
    }

    [Theory]
    [InlineData("10.244.1.0/24", "192.0.2.1")]
    [InlineData("fd00:1::/64", "2001:db8::1")]
    public void One_that_is_refused_does_not_keep_the_CNI_configuration_from_being_written(string destination, string nextHop)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("hostgw-refusal");
        CniOptions cni = new() { ConfigDirectory = folder.FullName, BinDirectory = CniRuntime.Plugins };
        using LinuxHost host = _host.Network.Run(() => new LinuxHost(_host.Options with { Cni = cni }));
        PodRoute refused = _host.Route(destination, nextHop), other = _host.Route("10.244.2.0/24", "192.0.2.9");
        RouteChanges routes = new() { Add = [refused, other] };
        HostChanges changes = new() { Routes = routes, ChangesCni = true, Cni = new([Prefix.Parse("10.244.0.0/24")], 1500) };

        ApplyResult result = _host.Network.Run(() => host.Apply(changes, ApplyMode.Change));

        Assert.Equal(refused.Key, Assert.Single(result.Failures).Route);
        Assert.Equal(other.Key, Assert.Single(_host.Ours()).Key);
        Assert.Equal(new CniInUse($"{folder.FullName}/10-hostgw.conflist", IsOurs: true), result.Cni);
        Assert.Contains("\"10.244.0.0/24\"", File.ReadAllText(result.Cni!.File), StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Fact]
    public void When_all_are_refused_each_says_so()
    {
        PodRoute[] routes = [.. LinuxRoutesMany.Of(_host, 1000).Select(r => r with { NextHop = Ip.Parse("192.0.2.1") })];

        IReadOnlyList<HostFailure> failures = _host.Apply(c => c.Add.AddRange(routes));

        Assert.Equal(routes.Select(r => (RouteKey?)r.Key), failures.Select(f => f.Route));
    }

    [Theory]
    [InlineData("link set eth0 down", Errno_ENETDOWN)]
    [InlineData("link delete eth0", Errno_ENODEV)]
    public void An_interface_that_went_between_reading_and_writing_is_named_as_the_cause(string command, int errno)
    {
        PodRoute[] routes = [_host.Route("10.244.1.0/24", "192.0.2.9"), _host.Route("fd00:1::/64", "2001:db8::9")];
        _host.Shell(command);

        IReadOnlyList<HostFailure> failures = _host.Apply(c => c.Add.AddRange(routes));

        Assert.Equal(2, failures.Count);
        Assert.All(failures, f => Assert.Equal(errno, Assert.IsType<NetlinkException>(f.Error).Errno));
    }

    [Fact]
    public void A_renamed_interface_keeps_its_routes_and_takes_new_ones()
    {
        _host.Apply(c => c.Add.Add(_host.Route("10.244.1.0/24", "192.0.2.9")));
        _host.Shell("link set eth0 down");
        _host.Shell("link set eth0 name uplink");
        _host.Shell("link set uplink up");

        PodRoute[] routes = [_host.Route("10.244.2.0/24", "192.0.2.9"), _host.Route("10.244.1.0/24", "192.0.2.9")];
        Assert.Empty(_host.Apply(c => c.Add.AddRange(routes)));

        Assert.Equal("10.244.2.0/24 via 192.0.2.9 dev uplink proto 157 onlink", _host.Show("10.244.2.0/24"));
        Assert.Contains(_host.Read().Interfaces, i => i is { Name: "uplink", IsUp: true } && i.Index == _host.Eth0);
    }

    [Fact]
    public void Without_any_address_on_the_interface_onlink_routes_are_still_installed()
    {
        _host.Shell("addr flush dev eth0");

        Assert.Empty(_host.Apply(c => c.Add.Add(_host.Route("10.244.1.0/24", "192.0.2.9"))));
        Assert.Single(_host.Ours());
    }

    private const int Errno_ENODEV = 19;
    private const int Errno_ENETDOWN = 100;
}
