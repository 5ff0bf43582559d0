using System.Runtime.Versioning;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;

namespace HostGw.Lab.Tests.Platform;

/// <summary>The link hostgw0 as the kernel makes, lists and loses it.</summary>
[SupportedOSPlatform("linux")]
public sealed class TunnelLinkTests : IDisposable
{
    private const string V4 = "10.244.1.1", V6 = "fd00:1::1";
    private static readonly Plan Both = new()
    {
        Tunnel = new(4790, 157, [HostGw.Net.Ip.Parse(V4), HostGw.Net.Ip.Parse(V6)]),
        OwnPodCidrs = [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("fd00:1::/64")],
    };

    private readonly LinuxNamespace _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void It_is_created_with_its_addresses_and_nothing_is_written_again()
    {
        string before = Surroundings();

        ApplyResult created = Pass();

        Assert.Equal($"missing (UDP port 4790, VNI 157); without address {V4}; without address {V6}", created.TunnelChange);
        string link = _host.Shell("-d link show dev hostgw0");
        foreach (string part in (string[])["UP", "vxlan external vnifilter", "dstport 4790", " gpe ", "udpcsum", "alias hostgw"])
            Assert.Contains(part, link, StringComparison.Ordinal);
        Assert.DoesNotContain("id 157", link, StringComparison.Ordinal);
        Assert.Equal(["inet", V4, "inet6", V6], Addresses());
        Assert.DoesNotContain("deprecated", _host.Shell("addr show dev hostgw0"), StringComparison.Ordinal);
        Assert.DoesNotContain("tentative", _host.Shell("addr show dev hostgw0"), StringComparison.Ordinal);
        Assert.Equal(["2", "0", "0", "0"], Settings());
        Assert.Equal(before, Surroundings());
        TunnelLink read = _host.Read().Tunnel!;
        Assert.Equal(
            new TunnelLink(read.Index) { IsOurs = true, IsUp = true, IsVxlanGpe = true, Port = 4790, Vnis = [157], FiltersVnis = true },
            read);
        Assert.Equal((0L, ""), Pass() is var second ? (second.NetlinkWrites, second.TunnelChange) : default);
    }

    [Fact]
    public void It_goes_with_the_plan_and_nothing_of_it_is_left()
    {
        string before = Surroundings();
        Pass();
        Assert.Equal("not needed", Pass(new()).TunnelChange);
        Assert.DoesNotContain("hostgw0", _host.Shell("link"), StringComparison.Ordinal);
        Assert.Equal(before, Surroundings());
        Assert.Equal((0L, ""), Pass(new()) is var second ? (second.NetlinkWrites, second.TunnelChange) : default);
    }

    [Theory]
    [InlineData("link set hostgw0 down", "down")]
    [InlineData("link del hostgw0", "missing")]
    [InlineData("link set hostgw0 name other", "named other")]
    [InlineData("link set hostgw0 addrgenmode eui64", "addrgenmode")]
    [InlineData("link set hostgw0 alias other", "another alias")]
    [InlineData("link set hostgw0 group 7", "group 7")]
    [InlineData("link set hostgw0 mtu 1000", "without IPv6")]
    [InlineData("sysctl ipv6/conf/hostgw0/disable_ipv6 1", "without IPv6")]
    [InlineData("addr del 10.244.1.1/32 dev hostgw0", "without address 10.244.1.1")]
    [InlineData("-6 addr del fd00:1::1/128 dev hostgw0", "without address fd00:1::1")]
    [InlineData("addr flush dev hostgw0", "without address fd00:1::1")]
    [InlineData("addr add 10.244.1.9/32 dev hostgw0", "with address 10.244.1.9, which is not needed")]
    [InlineData("addr add 10.244.1.1/24 dev hostgw0", "with address 10.244.1.1/24, which is not needed")]
    [InlineData("-6 addr add fd00:1::1:7/64 dev hostgw0", "with address fd00:1::1:7/64, which is not needed")]
    [InlineData("bridge vni add dev hostgw0 vni 158-160", "VNI 157 158 159 160")]
    [InlineData("bridge vni delete dev hostgw0 vni 157", "VNI none")]
    [InlineData("sysctl ipv4/conf/hostgw0/rp_filter 1", "ipv4 rp_filter 1")]
    [InlineData("sysctl ipv4/conf/hostgw0/accept_redirects 1", "ipv4 accept_redirects 1")]
    [InlineData("sysctl ipv6/conf/hostgw0/accept_ra 2", "ipv6 accept_ra 2")]
    [InlineData("sysctl ipv6/conf/hostgw0/accept_redirects 1", "ipv6 accept_redirects 1")]
    public void What_somebody_changes_is_put_right(string byHand, string found)
    {
        Pass();
        string right = Shown();
        ByHand(byHand);

        ApplyResult repaired = Pass();

        Assert.Contains(found, repaired.TunnelChange, StringComparison.Ordinal);
        Assert.Equal(right, Shown());
        Assert.Equal((0L, ""), Pass() is var second ? (second.NetlinkWrites, second.TunnelChange) : default);
    }

    [Theory]
    [InlineData("link add hostgw0 type vxlan external dstport 4790", "no VXLAN-GPE")]
    [InlineData("link add hostgw0 type vxlan id 157 dev eth0 dstport 4790", "no VXLAN-GPE")]
    [InlineData("link add hostgw0 type vxlan external gpe vnifilter dstport 4791", "on UDP port 4791")]
    [InlineData("link add hostgw0 type veth peer name hostgw1", "no VXLAN-GPE")]
    public void A_link_of_another_kind_or_port_that_is_ours_is_replaced(string other, string found)
    {
        _host.Shell(other);
        _host.Shell("link set hostgw0 alias hostgw up");
        ApplyResult result = Pass();
        Assert.Contains(found, result.TunnelChange, StringComparison.Ordinal);
        Assert.Equal(["inet", V4, "inet6", V6], Addresses());
        Assert.Equal((0L, ""), Pass() is var second ? (second.NetlinkWrites, second.TunnelChange) : default);
    }

    // What an agent leaves that is killed after its first request, its second and so on; with the last one everything is done.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void One_that_a_killed_agent_has_not_finished_is_put_in_order_by_the_next(int requests)
    {
        Pass();
        string right = Shown();
        _host.Shell("link del hostgw0");
        CreateOnly();
        foreach (string request in ((string[])
        [
            "link set hostgw0 alias hostgw", "link set hostgw0 addrgenmode none", "bridge vni add dev hostgw0 vni 157",
            "link set hostgw0 up", "addr add 10.244.1.1/32 dev hostgw0",
        ]).Take(requests - 1))
            ByHand(request);

        Assert.True(_host.Read().Tunnel!.IsOurs);
        Pass();
        Assert.Equal(right, Shown());
        Assert.Equal((0L, ""), Pass() is var second ? (second.NetlinkWrites, second.TunnelChange) : default);
    }

    [Fact]
    public void Where_no_tunnel_is_planned_any_more_one_that_was_only_created_goes()
    {
        CreateOnly();
        Assert.Equal("not needed", Pass(new()).TunnelChange);
        Assert.DoesNotContain("hostgw0", _host.Shell("link"), StringComparison.Ordinal);
    }

    // A setting that cannot be written: the link is there, and is not up.
    [Fact]
    public void One_whose_making_failed_is_finished_by_the_next_pass()
    {
        using LinuxHost other = _host.Network.Run(() => new LinuxHost(_host.Options with { ProcSysNet = new("/nonexistent") }));
        HostChanges changes = Changes(Both);
        HostFailure failure = Assert.Single(_host.Network.Run(() => other.Apply(changes, ApplyMode.Change)).Failures);
        Assert.Equal((HostPart.Tunnel, false), (failure.Part, _host.Read().Tunnel!.IsUp));
        Pass();
        Assert.Equal(["inet", V4, "inet6", V6], Addresses());
    }

    [Theory]
    [InlineData("link add hostgw0 type bridge")]
    [InlineData("link add hostgw0 type vxlan external gpe dstport 4791")]
    public void Ours_goes_where_somebody_renames_it_and_takes_its_name(string foreign)
    {
        Pass();
        _host.Shell("link set hostgw0 name other");
        _host.Shell(foreign);

        ApplyResult result = Pass();

        Assert.Equal("another one, named other", result.TunnelChange);
        Assert.DoesNotContain("other", _host.Shell("-br link"), StringComparison.Ordinal);
        Assert.Equal("", _host.Network.Exec("ss", "-Hlun", "sport = 4790"));
        Assert.False(_host.Read().Tunnel!.IsOurs);
        Assert.Equal((0L, ""), Pass() is var second ? (second.NetlinkWrites, second.TunnelChange) : default);
    }

    [Theory]
    [InlineData("link add uplink7 type bridge")]
    [InlineData("link add uplink7 type veth peer name other")]
    [InlineData("link add uplink7 type vxlan id 5 dstport 4789 local 192.0.2.1")]
    public void A_link_of_another_kind_with_its_alias_and_group_stays(string foreign)
    {
        _host.Shell(foreign);
        _host.Shell("link set uplink7 alias hostgw group 157 up");
        Pass();
        Pass(new());
        Assert.Contains("uplink7", _host.Shell("-br link"), StringComparison.Ordinal);
    }

    // It keeps the port of this network.
    [Fact]
    public void One_that_somebody_moved_to_another_network_is_named_and_made_again_when_it_is_gone()
    {
        Pass();
        using LinuxNamespace elsewhere = new();
        _host.Shell($"link set hostgw0 netns {elsewhere.Network.Name}");
        HostFailure failure = Assert.Single(Apply(Both).Failures);
        Assert.Contains("UDP port 4790 is used by another program", failure.Error.Message, StringComparison.Ordinal);
        Assert.Contains("in another network namespace", failure.Error.Message, StringComparison.Ordinal);
        elsewhere.Shell("link del hostgw0");
        Pass();
        Assert.Equal(["inet", V4, "inet6", V6], Addresses());
    }

    [Fact]
    public void A_host_that_gives_new_interfaces_no_IPv6_gives_it_one()
    {
        _host.Network.Sysctl("ipv6/conf/default/disable_ipv6", "1");
        Pass();
        Assert.Equal(["inet", V4, "inet6", V6], Addresses());
    }

    // As a kernel before 5.18 makes it.
    [Fact]
    public void A_link_without_vnifilter_is_kept()
    {
        _host.Shell("link add hostgw0 type vxlan external gpe dstport 4790");
        _host.Shell("link set hostgw0 alias hostgw");
        Pass();
        TunnelLink read = _host.Read().Tunnel!;
        Assert.Equal((true, false, true), (read.IsUp, read.FiltersVnis, read.Vnis.IsEmpty));
        Assert.Equal((0L, ""), Pass() is var second ? (second.NetlinkWrites, second.TunnelChange) : default);
    }

    // As where the kernel has none: below 1280 bytes a link has no IPv6.
    [Fact]
    public void Without_IPv6_it_is_put_in_order_as_well()
    {
        Plan v4 = Both with { Tunnel = Both.Tunnel! with { Sources = [HostGw.Net.Ip.Parse(V4)] } };
        Pass(v4);
        _host.Shell("link set hostgw0 mtu 1000");
        _host.Shell("link set hostgw0 down");
        Assert.Equal("down", Pass(v4).TunnelChange);
        Assert.Equal((0L, ""), Pass(v4) is var second ? (second.NetlinkWrites, second.TunnelChange) : default);
    }

    [Theory]
    [InlineData("link add hostgw0 type vxlan external gpe vnifilter dstport 4790")]
    [InlineData("link add hostgw0 type veth peer name hostgw1")]
    public void A_foreign_link_of_that_name_is_neither_changed_nor_deleted(string foreign)
    {
        _host.Shell(foreign);
        _host.Shell("link set hostgw0 alias hostgw2");
        _host.Shell("addr add 10.244.1.9/32 dev hostgw0");
        string before = _host.Shell("-d link show dev hostgw0") + _host.Shell("addr show dev hostgw0");
        foreach (Plan plan in (Plan[])[Both, new()])
        {
            Assert.Equal("", Pass(plan).TunnelChange);
            Assert.False(_host.Read().Tunnel!.IsOurs);
            Assert.Equal((0L, ""), Pass(plan) is var second ? (second.NetlinkWrites, second.TunnelChange) : default);
        }
        Assert.Equal(before, _host.Shell("-d link show dev hostgw0") + _host.Shell("addr show dev hostgw0"));
    }

    [Theory]
    [InlineData("type vxlan external dstport 4790")]
    [InlineData("type vxlan external gpe dstport 4790")]
    public void Where_the_port_is_taken_the_failure_names_it_with_its_cure_and_a_later_pass_brings_it_up(string other)
    {
        _host.Shell($"link add other up {other}");

        ApplyResult refused = Apply(Both);

        HostFailure failure = Assert.Single(refused.Failures);
        Assert.Equal(HostPart.Tunnel, failure.Part);
        Assert.Contains("UDP port 4790 is used by another program", failure.Error.Message, StringComparison.Ordinal);
        Assert.Contains("ss -ulnp", failure.Error.Message, StringComparison.Ordinal);
        Assert.Contains("tunnel.port", failure.Error.Message, StringComparison.Ordinal);
        Assert.Equal("", refused.TunnelChange);
        Assert.Equal((true, false), _host.Read().Tunnel is { } link ? (link.IsOurs, link.IsUp) : default);
        Assert.Single(Apply(Both).Failures);
        _host.Shell("link set other down");
        Pass();
        Assert.Equal(["inet", V4, "inet6", V6], Addresses());
        Assert.Equal((0L, ""), Pass() is var last ? (last.NetlinkWrites, last.TunnelChange) : default);
    }

    [Fact]
    public void A_program_that_holds_the_port_is_the_same()
    {
        using System.Net.Sockets.UdpClient program = _host.Network.Run(() => new System.Net.Sockets.UdpClient(4790));
        HostFailure failure = Assert.Single(Apply(Both).Failures);
        Assert.Contains("UDP port 4790 is used by another program", failure.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_preview_writes_nothing_and_says_the_same()
    {
        string before = Surroundings();
        HostChanges changes = Changes(Both);
        ApplyResult preview = _host.Network.Run(() => _host.Host.Apply(changes, ApplyMode.Preview));
        Assert.Equal((0L, $"{changes.Tunnel}"), (preview.NetlinkWrites, preview.TunnelChange));
        Assert.Equal(before, Surroundings());
        Pass();
        preview = _host.Network.Run(() => _host.Host.Apply(Changes(new()), ApplyMode.Preview));
        Assert.Equal((0L, "not needed"), (preview.NetlinkWrites, preview.TunnelChange));
        Assert.Equal(["inet", V4, "inet6", V6], Addresses());
    }

    [Fact]
    public void Others_networks_outside_of_the_podCIDRs_are_left()
    {
        Pass();
        _host.Shell("addr add 10.9.9.9/24 dev hostgw0");
        Assert.Equal((0L, ""), Pass() is var second ? (second.NetlinkWrites, second.TunnelChange) : default);
    }

    [Fact]
    public void A_new_SOURCE_comes_before_the_old_one_goes()
    {
        Pass();
        Plan moved = Both with { Tunnel = new(4790, 157, [HostGw.Net.Ip.Parse("10.244.1.254"), HostGw.Net.Ip.Parse(V6)]) };
        Assert.Equal($"without address 10.244.1.254; with address {V4}, which is not needed", Pass(moved).TunnelChange);
        Assert.Equal(["inet", "10.244.1.254", "inet6", V6], Addresses());
    }

    [Fact]
    public void Another_VNI_is_let_in_without_a_new_link()
    {
        Pass();
        int index = _host.Read().Tunnel!.Index;
        Assert.Equal("VNI 157", Pass(Both with { Tunnel = Both.Tunnel! with { Vni = 16777215 } }).TunnelChange);
        Assert.Equal((index, 16777215u), _host.Read().Tunnel is { Vnis: [var vni] } link ? (link.Index, vni) : default);
    }

    private ApplyResult Pass() => Pass(Both);

    private ApplyResult Pass(Plan plan)
    {
        ApplyResult result = Apply(plan);
        Assert.Empty(result.Failures);
        return result;
    }

    private ApplyResult Apply(Plan plan)
    {
        HostChanges changes = Changes(plan);
        return _host.Network.Run(() => _host.Host.Apply(changes, ApplyMode.Change));
    }

    private HostChanges Changes(Plan plan)
    {
        HostState state = _host.Read();
        return new()
        {
            Plan = plan,
            Host = state,
            Routes = RouteChanges.None,
            Tunnel = TunnelChanges.Between(plan, state),
            ChangesGuards = true,
            Guards = plan.Tunnel is null ? null : GuardPlans.Tunnel,
        };
    }

    private void CreateOnly() => _host.Network.Run(() =>
    {
        using NetlinkSocket socket = new(0);
        NetlinkWriter request = new();
        TunnelMessages.Create(request, ("hostgw0", 0), 4790, socket.NextSequence());
        socket.Execute("create it", request, (_, error) => throw error);
        return 0;
    });

    private void ByHand(string command)
    {
        string[] words = command.Split(' ');
        if (words[0] == "sysctl")
            _host.Network.Sysctl(words[1], words[2]);
        else if (words[0] == "bridge")
            _host.Network.Exec("bridge", words[1..]);
        else
            _host.Shell(command);
    }

    private string[] Addresses() =>
    [
        .. from line in _host.Shell("-br -4 addr show dev hostgw0").Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(2)
           where line.Contains('.', StringComparison.Ordinal)
           from word in (string[])["inet", line.TrimEnd('\n').Replace("/32", "", StringComparison.Ordinal)]
           select word,
        .. from line in _host.Shell("-br -6 addr show dev hostgw0").Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(2)
           where line.Contains(':', StringComparison.Ordinal)
           from word in (string[])["inet6", line.TrimEnd('\n').Replace("/128", "", StringComparison.Ordinal)]
           select word,
    ];

    private string[] Settings() =>
    [
        _host.Network.Sysctl("ipv4/conf/hostgw0/rp_filter"), _host.Network.Sysctl("ipv4/conf/hostgw0/accept_redirects"),
        _host.Network.Sysctl("ipv6/conf/hostgw0/accept_ra"), _host.Network.Sysctl("ipv6/conf/hostgw0/accept_redirects"),
    ];

    // What is right of the link, without the index of one that was created again.
    private string Shown() => string.Join('\n',
    [
        string.Join(' ', _host.Shell("-d link show dev hostgw0").Split('\n')[0].Split(' ').Skip(1)),
        .. _host.Shell("-d link show dev hostgw0").Split('\n').Skip(1), .. Addresses(), .. Settings(),
        _host.Network.Exec("bridge", "vni", "show", "dev", "hostgw0"), Surroundings(),
    ]);

    // What others read of routes, beside the link itself.
    private string Surroundings() =>
        string.Concat(((string[])["route show table main", "-6 route show table main", "rule show"]).Select(_host.Shell));
}
