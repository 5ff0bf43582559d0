using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

[SupportedOSPlatform("linux")]
public sealed class LinuxHostReadTests : IDisposable
{
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("hostgw-read");
    private readonly LinuxNamespace _host;

    public LinuxHostReadTests() => _host = new(resolvConf: Path.Combine(_files.FullName, "resolv.conf"));

    public void Dispose()
    {
        _host.Dispose();
        _files.Delete(recursive: true);
    }

    [Theory]
    [InlineData("route add default via 192.0.2.254", "192.0.2.254")]
    [InlineData("route add default via 198.51.100.1 dev eth0 onlink", "198.51.100.1")]
    [InlineData("route add default nexthop via 192.0.2.253 dev eth0 nexthop via 192.0.2.254 dev eth0", "192.0.2.253 192.0.2.254")]
    [InlineData("route add default via inet6 fe80::1 dev eth0", "fe80::1")]
    [InlineData("-6 route add default via fe80::1 dev eth0 proto ra expires 300", "fe80::1")]
    [InlineData("-6 route add default nexthop via 2001:db8::fd dev eth0 nexthop via 2001:db8::fe dev eth0", "2001:db8::fd 2001:db8::fe")]
    [InlineData("route add default dev eth0", "")]
    public void Every_gateway_of_a_default_route_is_protected(string command, string gateways)
    {
        _host.Shell(command);
        Assert.Equal(gateways, string.Join(' ', Protected(ProtectedRole.Gateway).Order()));
    }

    [Fact]
    public void Resolvers_are_protected_and_what_is_no_address_is_passed_over()
    {
        File.WriteAllText(_host.Options.ResolvConf,
            "# nameserver 9.9.9.9\n; x\nnameserver 192.0.2.53\n\tnameserver\t2001:db8::53 \nnameserver fe80::53%eth0\nnameserver not.an.address\nnameserver\noptions ndots:5\n");
        Assert.Equal("192.0.2.53 2001:db8::53 fe80::53", string.Join(' ', Protected(ProtectedRole.Resolver)));

        File.Delete(_host.Options.ResolvConf);
        Assert.Empty(Protected(ProtectedRole.Resolver));
    }

    [Fact]
    public void All_known_addresses_of_the_API_server_are_protected()
    {
        HostGw.Net.Ip[] known = [HostGw.Net.Ip.Parse("198.51.100.6"), HostGw.Net.Ip.Parse("198.51.100.7")];
        Assert.Equal(
            known.Select(a => new ProtectedAddress(a, ProtectedRole.ApiServer)), _host.Network.Run(() => _host.Host.Read(known)).Protected);
    }

    [Fact]
    public async Task An_address_that_another_machine_has_is_none_of_this_host()
    {
        const string address = "fd00:10::11";
        _host.Network.Sysctl("ipv6/conf/eth0/accept_dad", "1");
        _host.Network.Sysctl("ipv6/conf/eth0/dad_transmits", "1");
        _host.Shell($"addr add {address}/64 dev peer0 nodad");
        _host.Shell($"addr add {address}/64 dev eth0");

        await Eventually.TrueAsync(() => !_host.Read().DuplicateAddresses.IsEmpty, () => "the detection does not fail");

        HostState state = _host.Read();
        Assert.Equal((address, _host.Eth0), state.DuplicateAddresses.Select(a => ($"{a.Address}", a.Interface)).Single());
        Assert.DoesNotContain(state.Addresses, a => a.Interface == _host.Eth0 && $"{a.Address}" == address);

        _host.Shell($"addr del {address}/64 dev peer0");
        _host.Shell($"addr del {address}/64 dev eth0");
        _host.Shell($"addr add {address}/64 dev eth0 nodad");
        Assert.Empty(_host.Read().DuplicateAddresses);
    }

    [Fact]
    public void Foreign_routes_of_table_local_are_read_and_no_addresses()
    {
        _host.Shell("addr add 10.9.9.1/24 dev eth0");
        _host.Shell("addr add 10.9.8.1/32 dev lo");
        Assert.Empty(_host.Read().ForeignLocalRoutes);

        _host.Shell("route add local 10.244.2.0/24 dev lo table local");
        _host.Shell("route add local 10.244.3.0/24 dev eth0 table local");
        _host.Shell("route add blackhole 10.244.4.0/24 table local proto static");
        _host.Shell("route add 10.244.5.0/24 tos 0x10 via 192.0.2.9 table local");
        _host.Shell("route add throw 10.244.6.0/24 table local");
        _host.Shell("-6 route add local fd00:2::/64 dev lo table local proto static");

        int lo = _host.Index("lo");
        Assert.Equal(
            [
                $"local 10.244.2.0/24 {lo} 3", $"local 10.244.3.0/24 {_host.Eth0} 3", "blackhole 10.244.4.0/24 0 4",
                $"unicast 10.244.5.0/24 tos 0x10 {_host.Eth0} 3", $"local fd00:2::/64 {lo} 4",
            ],
            _host.Read().ForeignLocalRoutes.Select(r => $"{r} {r.Interface} {r.Protocol}"));
    }

    [Theory]
    [InlineData("-6 rule del pref 32766", "local")]
    [InlineData("-4 rule del pref 32766", "local, default")]
    public void Rules_without_that_of_table_main_are_read(string command, string left)
    {
        Assert.Empty(_host.Read().PolicyRules);
        _host.Shell(command);
        bool ipv6 = command.StartsWith("-6", StringComparison.Ordinal);
        Assert.Equal(left, string.Join(", ", _host.Read().PolicyRules.Where(r => r.IsIPv6 == ipv6).Select(r => RoutingTables.Name(r.Table))));
    }

    [Fact]
    public void Links_and_addresses_are_those_of_the_kernel()
    {
        _host.Shell("addr add 10.9.9.1 peer 10.9.9.2/32 dev peer0");
        _host.Shell("link set peer0 down");
        HostState state = _host.Read();

        Assert.Equal(["eth0 True", "lo True", "peer0 False"], state.Interfaces.Select(i => $"{i.Name} {i.IsUp}").Order());
        Assert.Equal("lo", Assert.Single(state.Interfaces, i => i.IsLoopback).Name);
        Assert.Equal(
            ["10.9.9.1 in 10.9.9.2/32", "127.0.0.1 in 127.0.0.0/8", "192.0.2.1 in 192.0.2.0/24", "2001:db8::1 in 2001:db8::/64", "::1 in ::1/128"],
            state.Addresses.Where(a => !a.Connected.ToString().StartsWith("fe80", StringComparison.Ordinal))
                .Select(a => $"{a.Address} in {a.Connected}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Only_table_main_is_read_sorted_by_key()
    {
        _host.Shell("route add 10.1.0.0/16 dev eth0 table 99");
        _host.Shell("route add 10.3.0.0/16 dev eth0 metric 9");
        _host.Shell("route add 10.3.0.0/16 dev eth0");
        _host.Shell("route add unreachable 10.2.0.0/16");
        RouteKey[] keys = [.. _host.Read().Routes.Select(r => r.Key)];

        Assert.Equal(keys.Order(), keys);
        Assert.Equal(
            ["10.2.0.0/16 0", "10.3.0.0/16 0", "10.3.0.0/16 9", "192.0.2.0/24 0"],
            keys.Where(k => k.Destination.IsIPv4).Select(k => $"{k.Destination} {k.Metric}"));
        Assert.DoesNotContain(_host.Read().Routes, r => r.Destination == Prefix.Parse("127.0.0.0/8") || r.Destination.Length == 128 && !r.IsUnicast);
    }

    // With nexthop_compat_mode=0 a dump names nothing but the object.
    [Theory]
    [InlineData("dev eth0", "10.9.0.0/16", true)]
    [InlineData("via 192.0.2.9 dev eth0", "10.9.0.0/16", false)]
    [InlineData("blackhole", "10.9.0.0/16", false)]
    [InlineData("dev eth0", "2001:db8:9::/64", true)]
    [InlineData("via 2001:db8::9 dev eth0", "2001:db8:9::/64", false)]
    public void The_gateway_and_interface_of_a_nexthop_object_are_those_of_its_routes(string hop, string destination, bool isOnLink)
    {
        bool ipv6 = destination.Contains(':', StringComparison.Ordinal);
        _host.Network.Sysctl("ipv4/nexthop_compat_mode", "0");
        _host.Shell($"{(ipv6 ? "-6" : "-4")} nexthop add id 7 {hop}");
        _host.Shell($"route add {destination} nhid 7");
        HostState state = _host.Read();

        Assert.Equal(
            isOnLink ? [_host.Eth0] : [],
            OnLinkRoutes.Of(state, null).Find(Prefix.Parse(destination).Address.Plus(9)).ToArray()
                .Where(r => r.Fault == LinkFault.None).Select(r => r.Interface));
    }

    [Fact]
    public void A_gateway_by_a_nexthop_object_or_a_group_of_them_is_protected()
    {
        _host.Network.Sysctl("ipv4/nexthop_compat_mode", "0");
        _host.Shell("nexthop add id 7 via 192.0.2.9 dev eth0");
        _host.Shell("nexthop add id 8 group 7");
        _host.Shell("route add default nhid 8");
        Assert.Equal(["192.0.2.9"], Protected(ProtectedRole.Gateway).Select(g => $"{g}"));
    }

    // Datagrams of peers may arrive on each of them: the guards take the first from the route itself.
    [Theory]
    [InlineData("1", "route add default nexthop via 192.0.2.9 dev eth0 nexthop via 198.51.100.9 dev uplink1", "uplink1")]
    [InlineData("1", "route add 10.9.0.0/16 nexthop via 192.0.2.9 dev eth0 nexthop via 198.51.100.9 dev uplink1", "uplink1")]
    [InlineData("1", "route add 10.9.0.0/16 proto 157 nexthop via 192.0.2.9 dev eth0 nexthop via 198.51.100.9 dev uplink1", "")]
    [InlineData("1", "route add 10.9.0.0/16 via 198.51.100.9 dev uplink1", "")]
    [InlineData("0", "route add default nhid 9", "eth0 uplink1")]
    public void The_interfaces_of_a_multipath_route_are_known_and_no_others(string compatible, string route, string expected)
    {
        foreach (int number in (int[])[1, 2])
        {
            _host.Shell($"link add uplink{number} type veth peer name other{number}");
            _host.Shell($"link set uplink{number} up");
            _host.Shell($"link set other{number} up");
            _host.Shell($"addr add 198.51.{99 + number}.1/24 dev uplink{number}");
        }
        _host.Network.Sysctl("ipv4/nexthop_compat_mode", compatible);
        foreach (string nexthop in (string[])["id 7 via 192.0.2.9 dev eth0", "id 8 via 198.51.100.9 dev uplink1", "id 9 group 7/8"])
            _host.Shell($"nexthop add {nexthop}");
        _host.Shell(route);
        HostState state = _host.Read();
        Assert.Equal(expected, string.Join(' ', state.MultipathInterfaces.Select(i => state.Interface(i)!.Name).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Links_without_link_layer_addresses_are_told_apart()
    {
        _host.Shell("tuntap add dev tun0 mode tun");
        _host.Shell("link set peer0 arp off");
        Assert.Equal(
            ["eth0 True False", "lo True False", "peer0 False False", "tun0 False True"],
            _host.Read().Interfaces.Select(i => $"{i.Name} {i.HasNeighbours} {i.IsPointToPoint}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_namespace_that_never_had_a_route_has_none()
    {
        using var empty = new LinuxNamespace(bare: true);

        HostState state = empty.Read();

        Assert.Empty(state.Routes);
        Assert.Equal("lo", Assert.Single(state.Interfaces).Name);
    }

    [Fact]
    public void With_IPv6_disabled_IPv4_goes_on_and_an_IPv6_route_is_refused()
    {
        _host.Network.Sysctl("ipv6/conf/all/disable_ipv6", "1");
        PodRoute[] routes = [_host.Route("10.244.1.0/24", "192.0.2.9"), _host.Route("fd00:1::/64", "2001:db8::9")];

        HostFailure failure = Assert.Single(_host.Apply(c => c.Add.AddRange(routes)));

        Assert.Equal(routes[1].Key, failure.Route);
        Assert.Contains("IPv6", failure.Error.Message, StringComparison.Ordinal);
        Assert.True(routes[0].IsInstalledAs(Assert.Single(_host.Ours())));
    }

    private IEnumerable<HostGw.Net.Ip> Protected(ProtectedRole role) => _host.Read().Protected.Where(p => p.Role == role).Select(p => p.Address);
}
