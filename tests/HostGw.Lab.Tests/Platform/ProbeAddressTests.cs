using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Lab.Tests.Platform;

/// <summary>The local routes of probe addresses as the kernel takes, lists and announces them.</summary>
[SupportedOSPlatform("linux")]
public sealed class ProbeAddressTests : IDisposable
{
    private const string V4 = "10.244.1.0", V6 = "fd00:1::";
    private static readonly Plan Both = new() { ProbeAddresses = [HostGw.Net.Ip.Parse(V4), HostGw.Net.Ip.Parse(V6)] };

    private readonly LinuxNamespace _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void They_are_this_hosts_and_nothing_else_changes()
    {
        string before = Surroundings();

        Assert.Equal((2, 0), Pass());

        Assert.Equal($"local {V4} dev lo proto 157 scope host", Shown(V4));
        Assert.Equal($"local {V6} dev lo proto 157 metric 1024 pref medium", Shown(V6));
        Assert.StartsWith($"local {V4} ", _host.Shell($"route get {V4}"), StringComparison.Ordinal);
        Assert.StartsWith($"local {V6} ", _host.Shell($"-6 route get {V6}"), StringComparison.Ordinal);
        Assert.Equal(before, Surroundings());
        Assert.Equal((0, 0), Pass());
        Assert.Equal((0, 2), Pass(new()));
        Assert.Equal("", Shown(V4) + Shown(V6));
        Assert.Equal(before, Surroundings());
    }

    // An address on lo would become the source of the host's own packets.
    [Fact]
    public void Where_the_uplink_has_no_address_the_hosts_packets_do_not_get_it()
    {
        _host.Shell("addr flush dev eth0");
        _host.Shell("route add 198.51.100.0/24 dev eth0");
        _host.Shell("-6 route add 2001:db8:7::/64 dev eth0");
        string before = Sources();
        Pass();
        Assert.Equal(before, Sources());

        string Sources() => _host.Shell("route get 198.51.100.7") + _host.Shell("-6 route get 2001:db8:7::7");
    }

    [Theory]
    [InlineData("route del 10.244.1.0 table local")]
    [InlineData("-6 route del fd00:1:: table local")]
    [InlineData("route replace unreachable 10.244.1.0/32 table local proto 157")]
    [InlineData("route replace local 10.244.1.0/32 dev eth0 table local proto 157")]
    [InlineData("route replace local 10.244.1.0/32 dev lo src 192.0.2.1 table local proto 157")]
    [InlineData("route replace local 10.244.1.0/32 dev lo mtu 1400 table local proto 157")]
    [InlineData("route add local 10.244.1.0/32 dev lo table local proto 157 metric 7")]
    [InlineData("route add local 10.244.1.0/32 dev lo table local proto 157 tos 4")]
    [InlineData("route append local 10.244.1.0/32 dev lo src 192.0.2.1 table local proto 157")]
    [InlineData("route append unicast 10.244.1.0/32 dev eth0 table local proto 157 scope link")]
    [InlineData("route add local 10.244.7.0/24 dev lo table local proto 157")]
    [InlineData("-6 route replace local fd00:1::/128 dev eth0 table local proto 157")]
    [InlineData("-6 route replace blackhole fd00:1::/128 table local proto 157")]
    [InlineData("-6 route replace local fd00:1::/128 dev lo mtu 1400 table local proto 157")]
    [InlineData("-6 route add local fd00:1::/128 dev lo metric 7 table local proto 157")]
    [InlineData("-6 route add local fd00:7::/64 dev lo table local proto 157")]
    [InlineData("link set lo down")]
    public void What_somebody_changes_is_put_right(string byHand)
    {
        Pass();
        string right = All();
        _host.Shell(byHand);
        if (byHand == "link set lo down")
            _host.Shell("link set lo up");
        Assert.True(byHand == "link set lo down" || right != All(), "nothing was changed");

        Assert.NotEqual((0, 0), Pass());

        Assert.Equal(right, All());
        Assert.Equal((0, 0), Pass());
    }

    // As in IPv6, where the kernel makes an anycast entry of the first address of each prefix of a host that forwards.
    [Fact]
    public void The_kernels_own_entries_of_the_same_key_are_no_obstacle()
    {
        _host.Network.Sysctl("ipv6/conf/all/forwarding", "1");
        _host.Shell("addr add 10.244.1.1/24 dev peer0");
        _host.Shell("-6 addr add fd00:1::1/64 dev peer0 nodad");
        // Of kernels before 5.14.
        _host.Shell("route add broadcast 10.244.1.0 dev peer0 table local proto kernel scope link src 10.244.1.1");
        Assert.StartsWith("broadcast ", _host.Shell($"route get {V4}"), StringComparison.Ordinal);
        Assert.Contains("anycast fd00:1:: dev peer0", _host.Shell("-6 route show table local"), StringComparison.Ordinal);

        Assert.Equal((2, 0), Pass());

        Assert.StartsWith("local ", _host.Shell($"route get {V4}"), StringComparison.Ordinal);
        Assert.Equal((0, 0), Pass());
        _host.Shell("addr del 10.244.1.1/24 dev peer0");
        _host.Shell("-6 addr del fd00:1::1/64 dev peer0");
        Assert.Equal((0, 0), Pass());
        Assert.StartsWith("local ", _host.Shell($"route get {V4}"), StringComparison.Ordinal);
        Assert.StartsWith("local ", _host.Shell($"-6 route get {V6}"), StringComparison.Ordinal);
    }

    // flannel's vxlan gives its interface this address.
    [Theory]
    [InlineData("10.244.1.0/32", V4)]
    [InlineData("fd00:1::/128", V6)]
    public void An_address_of_another_program_is_left_and_may_go(string address, string probe)
    {
        _host.Shell($"addr add {address} dev peer0");
        Assert.Equal((2, 0), Pass());
        Assert.Contains(probe, _host.Shell("addr show dev peer0"), StringComparison.Ordinal);
        _host.Shell($"addr del {address} dev peer0");
        Assert.Equal((0, 0), Pass());
        Assert.StartsWith("local ", _host.Shell($"route get {probe}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("blackhole 10.244.1.0/32 proto static", "blackhole", V4)]
    [InlineData("prohibit 10.244.1.0/32", "prohibit", V4)]
    [InlineData("unicast 10.244.1.0/32 dev eth0 proto 4 scope link", "unicast", V4)]
    [InlineData("throw 10.244.1.0/32 proto 4", "throw", V4)]
    [InlineData("blackhole fd00:1::/128 metric 1 proto static", "blackhole", V6)]
    [InlineData("unreachable fd00:1::/128 metric 2000 proto static", "unreachable", V6)]
    public void A_foreign_route_in_the_place_of_one_is_left_and_the_command_of_the_problem_cures_it(string route, string type, string probe)
    {
        string family = probe == V6 ? "-6 " : "";
        _host.Shell($"{family}route add {route} table local");
        string before = _host.Shell($"{family}route show table local");

        (int added, _) = Pass();

        Assert.Equal(1, added);
        ProbeObstacle obstacle = Assert.Single(_obstacles);
        Assert.Equal(probe, $"{obstacle.Address}");
        Assert.Contains($"the {type} route {probe}/", obstacle.What, StringComparison.Ordinal);
        Assert.Equal(before, _host.Shell($"{family}route show table local"));
        Assert.Equal((1, 0), Wanted());
        Assert.Equal(0, Pass().Added);

        _host.Shell(obstacle.Removal["ip ".Length..]);
        Assert.Equal((1, 0), Pass());
        Assert.Empty(_obstacles);
    }

    [Fact]
    public void A_foreign_route_that_comes_before_an_installed_one_is_told()
    {
        Pass();
        _host.Shell($"route prepend blackhole {V4}/32 table local proto static");
        Assert.Equal((0, 0), Pass());
        ProbeObstacle obstacle = Assert.Single(_obstacles);
        _host.Shell(obstacle.Removal["ip ".Length..]);
        Assert.Equal((0, 0), Pass());
        Assert.Empty(_obstacles);
    }

    [Fact]
    public void A_wider_route_that_drops_packets_is_no_obstacle()
    {
        _host.Shell("route add unreachable 10.244.0.0/16");
        _host.Shell("-6 route add unreachable fd00::/16");
        Assert.Equal((2, 0), Pass());
        Assert.Empty(_obstacles);
    }

    [Fact]
    public void A_preview_writes_nothing_and_finds_the_same()
    {
        _host.Shell("route add blackhole 10.244.1.0/32 table local");
        string before = All();
        _host.Network.Run(() => _host.Host.Apply(Changes(Both), ApplyMode.Preview));
        Assert.Equal(before, All());
        ApplyResult preview = _host.Network.Run(() => _host.Host.Apply(Changes(Both), ApplyMode.Preview));
        Assert.Equal((V4, 0L), ($"{Assert.Single(preview.ProbeObstacles).Address}", preview.NetlinkWrites));
    }

    // kube-proxy's ipvs mode gives the host an address for each Service.
    [Fact]
    public void Of_thousands_of_addresses_none_is_kept()
    {
        _host.Network.Configure(Enumerable.Range(0, 2000).Select(i => $"addr add 10.{i / 250}.{i % 250}.1/32 dev peer0"));
        Pass();
        using NetlinkSocket socket = _host.Network.Run(() => new NetlinkSocket(NETLINK_ROUTE));
        LinuxProbeAddress table = new(socket, LinuxNamespace.Protocol);
        _host.Network.Run(table.Read);

        (long bytes, string routes) = _host.Network.Run(() =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            (ImmutableArray<ProbeRoute> ours, ImmutableArray<ForeignLocalRoute> foreign) = table.Read();
            return (GC.GetAllocatedBytesForCurrentThread() - before, $"{string.Join(' ', ours.Select(r => r.Destination))}, {foreign.Length}");
        });

        Assert.Equal($"{V4}/32 {V6}/128, 0", routes);
        Assert.InRange(bytes, 0, 10_000);
    }

    private IReadOnlyList<ProbeObstacle> _obstacles = [];

    private (int Added, int Deleted) Pass() => Pass(Both);

    private (int Added, int Deleted) Pass(Plan plan)
    {
        HostChanges changes = Changes(plan);
        ApplyResult result = _host.Network.Run(() => _host.Host.Apply(changes, ApplyMode.Change));
        Assert.Empty(result.Failures);
        _obstacles = result.ProbeObstacles;
        ProbeRouteChanges made = changes.Without(result).ProbeRoutes;
        return (made.Add.Count, made.Delete.Count);
    }

    private (int Add, int Delete) Wanted() => Changes(Both).ProbeRoutes is var wanted ? (wanted.Add.Count, wanted.Delete.Count) : default;

    private HostChanges Changes(Plan plan)
    {
        HostState state = _host.Read();
        return new() { Plan = plan, Host = state, Routes = RouteChanges.None, ProbeRoutes = ProbeRouteChanges.Between(plan, state) };
    }

    private string Shown(string address) => _host.Network
        .Exec("ip", address.Contains(':', StringComparison.Ordinal) ? "-6" : "-4", "route", "show", "table", "local", "exact", address).Trim();

    // Byte for byte: what others read of addresses and routes.
    private string Surroundings() => string.Concat(((string[])
        ["addr show", "-6 addr show", "route show table main", "-6 route show table main", "rule show"]).Select(_host.Shell)) +
        _host.Network.Exec("ip", "-j", "addr");

    // Sorted: in which order the kernel's trees are listed depends on how they grew.
    private string All() => string.Join('\n', (_host.Shell("route show table local") + _host.Shell("-6 route show table local"))
        .Split('\n').Order(StringComparer.Ordinal));
}

/// <summary>What the kernel announces of them.</summary>
[SupportedOSPlatform("linux")]
public sealed class ProbeAddressWatchTests : IAsyncLifetime
{
    private LinuxWatched _watched = null!;

    public ValueTask InitializeAsync()
    {
        _watched = new();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _watched.DisposeAsync();

    [Fact]
    public void Changes_by_somebody_else_wake_a_pass_and_our_own_and_other_addresses_do_not()
    {
        Plan plan = new() { ProbeAddresses = [HostGw.Net.Ip.Parse("10.244.1.0"), HostGw.Net.Ip.Parse("fd00:1::")] };
        HostChanges add = new() { Plan = plan, Routes = RouteChanges.None, ProbeRoutes = new(plan.ProbeAddresses, []) };
        Wakes(WakeCauses.None, () => _watched.Space.Network.Run(() => _watched.Space.Host.Apply(add, ApplyMode.Change)));

        foreach (string change in (string[])
        [
            "route del 10.244.1.0 table local", "-6 route del fd00:1:: table local",
            "route add blackhole 10.244.1.0 table local", "-6 route add local fd00:1::/128 dev eth0 table local",
            "route add local 10.9.9.9 dev lo table local proto 157",
            "route add local 10.9.9.10 dev lo table local", "route del local 10.9.9.10 dev lo table local",
            "route add local 10.9.9.11 dev eth0 table local", "route add blackhole 10.9.8.0/24 table local",
            "route add 10.9.7.0/24 via 192.0.2.9 table local",
        ])
            Wakes(WakeCauses.Routes, () => _watched.Space.Shell(change));
        foreach (string change in (string[])
        [
            "route add local 10.9.9.12 dev eth0 table local proto kernel", "route del local 10.9.9.12 dev eth0 table local",
            "route add 10.244.1.0/32 dev eth0 table 99",
        ])
            Wakes(WakeCauses.None, () => _watched.Space.Shell(change));
    }

    private void Wakes(WakeCauses expected, Action change) => Assert.Equal(expected, _watched.After(change));
}
