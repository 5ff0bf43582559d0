using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Policy rules as the kernel lists and takes them, and its answers about packets.</summary>
[SupportedOSPlatform("linux")]
public sealed class PolicyRuleTests : IDisposable
{
    private readonly LinuxNamespace _host = new();

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData("rule", "pref 1000 from 10.0.0.0/8 to 192.0.2.0/24 iif eth0 lookup 100", "from 10.0.0.0/8 to 192.0.2.0/24 iif eth0 lookup 100")]
    [InlineData("rule", "pref 1000 not fwmark 0xca6c lookup 51820", "not from all fwmark 0xca6c/0xffffffff lookup 51820")]
    [InlineData("rule", "pref 1000 fwmark 0x80000/0xff0000 unreachable", "from all fwmark 0x80000/0xff0000 unreachable")]
    [InlineData("rule", "pref 1000 lookup main suppress_prefixlength 0", "from all lookup main suppress_prefixlength 0")]
    [InlineData("rule", "pref 1000 ipproto 6 dport 53-54 oif eth0 lookup 7", "from all oif eth0 ipproto tcp dport 53-54 lookup 7")]
    [InlineData("rule", "pref 1000 ipproto sctp sport 7 lookup 7", "from all ipproto sctp sport 7 lookup 7")]
    [InlineData("rule", "pref 1000 uidrange 5-9 lookup 7", "from all uidrange 5-9 lookup 7")]
    [InlineData("rule", "pref 1000 tun_id 5 lookup 7", "from all tun_id 5 lookup 7")]
    [InlineData("rule", "pref 1000 prohibit", "from all prohibit")]
    [InlineData("rule", "pref 1000 goto 32766", "from all goto 32766")]
    [InlineData("-6 rule", "pref 1000 from fd00::/8 iif lo blackhole", "from fd00::/8 iif lo blackhole")]
    public void A_rule_is_read_as_it_was_made_and_its_command_deletes_it(string family, string made, string read)
    {
        Assert.Empty(_host.Read().PolicyRules);

        _host.Shell($"{family} add {made}");

        PolicyRule rule = Assert.Single(_host.Read().PolicyRules, r => !r.IsDefault);
        Assert.Equal((read, 1000u, false), ($"{rule}", rule.Preference, rule.IsOurs));
        string[] words = rule.DeleteCommand.Split(' ');
        _host.Shell(string.Join(' ', words[1..]));
        Assert.Empty(_host.Read().PolicyRules);
    }

    [Fact]
    public void HostGws_rules_are_installed_and_deleted_and_no_others()
    {
        PolicyRule[] ours =
        [
            new() { Preference = 100, To = Prefix.Parse("10.244.0.0/16"), Table = 254, SuppressPrefixLength = 15 },
            new() { IsIPv6 = true, Preference = 100, To = Prefix.Parse("fd00:10:244::/48"), Table = 254, SuppressPrefixLength = 47 },
        ];
        const string Foreign = "pref 100 to 10.244.0.0/16 lookup main suppress_prefixlength 15 protocol static";
        _host.Shell($"rule add {Foreign}");

        Assert.Empty(_host.Apply(new HostChanges { Routes = RouteChanges.None, PolicyRules = new(ours, []) }));
        Assert.Empty(_host.Apply(new HostChanges { Routes = RouteChanges.None, PolicyRules = new(ours, []) }));
        PolicyRule[] installed = [.. _host.Read().PolicyRules.Where(r => r.IsOurs)];
        Assert.Equal(ours.Select(r => r with { IsOurs = true, Protocol = 157 }), installed);

        Assert.Empty(_host.Apply(new HostChanges { Routes = RouteChanges.None, PolicyRules = new([], installed) }));
        Assert.Empty(_host.Apply(new HostChanges { Routes = RouteChanges.None, PolicyRules = new([], installed) }));
        Assert.Equal("from all to 10.244.0.0/16 lookup main suppress_prefixlength 15", $"{_host.Read().PolicyRules.Single(r => !r.IsDefault)}");
    }

    [Theory]
    [InlineData("route add default via 192.0.2.254 table 100", "rule add pref 1000 iif eth0 lookup 100", true, "Route 100 0.0.0.0/0 192.0.2.254")]
    [InlineData("route add default via 192.0.2.254 table 100", "rule add pref 1000 from 192.0.2.1 lookup 100", false, "Route 100 0.0.0.0/0 192.0.2.254")]
    [InlineData("route add 10.244.0.0/16 dev peer0 table 5200", "rule add pref 1000 lookup 5200", false, "Route 5200 10.244.0.0/16 ")]
    [InlineData("route add 10.244.0.0/16 dev peer0 table 52", "rule add pref 1000 fwmark 1 lookup 52", false, "Route 254 10.244.2.0/24 192.0.2.9")]
    [InlineData("route add blackhole 10.244.0.0/16 table 52", "rule add pref 1000 lookup 52", false, "Refused 0  ")]
    [InlineData("route add throw 10.244.0.0/16 table 52", "rule add pref 1000 lookup 52", false, "Route 254 10.244.2.0/24 192.0.2.9")]
    public void The_kernel_says_which_route_a_packet_takes(string route, string rule, bool arrives, string expected)
    {
        _host.Shell("route add 10.244.2.0/24 via 192.0.2.9 dev eth0");
        _host.Network.Sysctl("ipv4/ip_forward", "1");
        _host.Shell(route);
        _host.Shell(rule);
        HostInterface eth0 = _host.Read().Interface(_host.Eth0)!;
        PacketPath path = arrives
            ? new(HostGw.Net.Ip.Parse("192.0.2.77"), HostGw.Net.Ip.Parse("10.244.2.2"), eth0)
            : new(HostGw.Net.Ip.Parse("192.0.2.1"), HostGw.Net.Ip.Parse("10.244.2.2"), null);

        RouteAnswer answer = _host.Network.Run(() =>
        {
            using NetlinkSocket socket = new(Rtnetlink.NETLINK_ROUTE);
            return new LinuxRouteLookup(socket).Ask(path);
        });

        Assert.Equal(expected, $"{answer.Kind} {answer.Table} {answer.Destination} {answer.NextHop}");
    }

    [Theory]
    [InlineData("fwmark 1 lookup 52", "Route 254 fd00:10:244:2::/64 2001:db8::9")]
    [InlineData("lookup 52", "Route 52 fd00:10:244::/48 ")]
    public void The_kernel_says_which_route_an_IPv6_packet_takes(string rule, string expected)
    {
        _host.Shell("-6 route add fd00:10:244:2::/64 via 2001:db8::9 dev eth0");
        _host.Shell("-6 route add fd00:10:244::/48 dev peer0 table 52");
        _host.Shell($"-6 rule add pref 1000 {rule}");

        RouteAnswer answer = _host.Network.Run(() =>
        {
            using NetlinkSocket socket = new(Rtnetlink.NETLINK_ROUTE);
            return new LinuxRouteLookup(socket).Ask(new(HostGw.Net.Ip.Parse("2001:db8::1"), HostGw.Net.Ip.Parse("fd00:10:244:2::2"), null));
        });

        Assert.Equal(expected, $"{answer.Kind} {answer.Table} {answer.Destination} {answer.NextHop}");
    }

    [Fact]
    public void An_IPv6_route_for_certain_sources_is_read()
    {
        _host.Shell("-6 route add fd00:2::/64 from fd00:1::/64 dev eth0 proto static");

        SourceRoute route = Assert.Single(_host.Read().SourceRoutes);
        Assert.Equal(("fd00:1::/64", "fd00:2::/64", 4), ($"{route.Source}", $"{route.Route.Destination}", route.Route.Protocol));
        Assert.DoesNotContain(_host.Read().Routes, r => r.Destination == Prefix.Parse("fd00:2::/64"));
    }
}
