using HostGw.Planning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Platform.Linux.Rtnetlink;

public class EncoderTests
{
    private static readonly PodRoute V4 = new(Prefix.Parse("10.244.2.0/24"), 0, Ip.Parse("10.0.0.2"), 2);
    private static readonly PodRoute V6 = new(Prefix.Parse("fd00:10:244:2::/64"), 1024, Ip.Parse("fd00:aaaa::2"), 3);
    private static readonly PodRoute Cluster = new(Prefix.Parse("10.244.0.0/16"), 0, default, 2);

    private static readonly PodRoute Tunnelled = V4 with
    {
        NextHop = Ip.Parse("198.51.100.10"),
        Interface = 9,
        Tunnel = new(157, Ip.Parse("198.51.100.10"), Ip.Parse("10.244.1.1"), 1364),
    };

    private static readonly PodRoute TunnelledV6 = V6 with
    {
        NextHop = Ip.Parse("fd02::10"),
        Interface = 9,
        Tunnel = new(157, Ip.Parse("fd02::10"), Ip.Parse("fd00:1::1"), 1364),
    };

    private static readonly HostRoute Installed = new()
    {
        Destination = V4.Destination,
        NextHop = V4.NextHop,
        Interface = 2,
        NextHopCount = 1,
        Protocol = 157,
        IsUnicast = true,
        IsOurs = true,
    };

    [Fact]
    public void An_IPv4_route_is_added() => Wire.Equal(
        "34000000" + "1800" + "0506" + "07000000" + "00000000" + // nlmsghdr: 52 bytes, RTM_NEWROUTE, REQUEST|ACK|EXCL|CREATE
        "02180000" + "FE9D0001" + "04000000" +                   // rtmsg: inet /24, table main, proto 157, universe, unicast, onlink
        "08000100" + "0AF40200" +                                // RTA_DST 10.244.2.0
        "08000500" + "0A000002" +                                // RTA_GATEWAY 10.0.0.2
        "08000400" + "02000000",                                 // RTA_OIF 2
        w => RouteEncoder.Add(w, V4, 157, 7));

    [Fact]
    public void An_IPv4_route_is_replaced() => Wire.Equal(
        "34000000" + "1800" + "0505" + "07000000" + "00000000" + // REQUEST|ACK|REPLACE|CREATE
        "02180000" + "FE9D0001" + "04000000" +
        "08000100" + "0AF40200" +
        "08000500" + "0A000002" +
        "08000400" + "02000000",
        w => RouteEncoder.Replace(w, V4, 157, 7));

    [Fact]
    public void An_IPv6_route_is_added() => Wire.Equal(
        "54000000" + "1800" + "0506" + "07000000" + "00000000" +
        "0A400000" + "FEC80001" + "04000000" +                   // rtmsg: inet6 /64, table main, proto 200
        "14000100" + "FD000010024400020000000000000000" +        // RTA_DST fd00:10:244:2::
        "08000600" + "00040000" +                                // RTA_PRIORITY 1024
        "14000500" + "FD00AAAA000000000000000000000002" +        // RTA_GATEWAY fd00:aaaa::2
        "08000400" + "03000000",
        w => RouteEncoder.Add(w, V6, 200, 7));

    [Fact]
    public void An_IPv6_route_is_replaced() => Wire.Equal(
        "54000000" + "1800" + "0505" + "07000000" + "00000000" +
        "0A400000" + "FE9D0001" + "04000000" +
        "14000100" + "FD000010024400020000000000000000" +
        "08000600" + "00040000" +
        "14000500" + "FD00AAAA000000000000000000000002" +
        "08000400" + "03000000",
        w => RouteEncoder.Replace(w, V6, 157, 7));

    [Fact]
    public void The_cluster_route_has_no_gateway_and_reaches_the_link() => Wire.Equal(
        "2C000000" + "1800" + "0506" + "07000000" + "00000000" +
        "02100000" + "FE9DFD01" + "00000000" +                   // scope link, not onlink
        "08000100" + "0AF40000" +
        "08000400" + "02000000",
        w => RouteEncoder.Add(w, Cluster, 157, 7));

    [Fact]
    public void A_tunnelled_IPv4_route_is_added() => Wire.Equal(
        "68000000" + "1800" + "0506" + "07000000" + "00000000" +
        "02180000" + "FE9DFD01" + "00000000" +                   // rtmsg: scope link, not onlink
        "08000100" + "0AF40200" +                                // RTA_DST 10.244.2.0
        "1E001680" +                                             // RTA_ENCAP
        "0C000100" + "000000000000009D" +                        // LWTUNNEL_IP_ID 157
        "08000200" + "C633640A" +                                // LWTUNNEL_IP_DST 198.51.100.10
        "06000600" + "00010000" +                                // LWTUNNEL_IP_FLAGS TUNNEL_CSUM, padding
        "06001500" + "02000000" +                                // RTA_ENCAP_TYPE LWTUNNEL_ENCAP_IP, padding
        "08000400" + "09000000" +                                // RTA_OIF 9
        "08000700" + "0AF40101" +                                // RTA_PREFSRC 10.244.1.1
        "0C000880" + "08000200" + "54050000",                    // RTA_METRICS: RTAX_MTU 1364
        w => RouteEncoder.Add(w, Tunnelled, 157, 7));

    [Fact]
    public void An_IPv6_route_is_replaced_by_a_tunnelled_one_over_IPv6() => Wire.Equal(
        "B0000000" + "1800" + "0505" + "07000000" + "00000000" +
        "0A400000" + "FE9DFD01" + "00000000" +
        "14000100" + "FD000010024400020000000000000000" +
        "08000600" + "00040000" +                                // RTA_PRIORITY 1024
        "14000500" + "FE80000000000000000000000000009D" +        // RTA_GATEWAY fe80::9d
        "32001680" +                                             // RTA_ENCAP
        "0C000100" + "000000000000009D" +
        "14000200" + "FD020000000000000000000000000010" +        // LWTUNNEL_IP6_DST fd02::10
        "05000400" + "40000000" +                                // LWTUNNEL_IP6_HOPLIMIT 64, padding
        "06000600" + "00010000" +
        "06001500" + "04000000" +                                // RTA_ENCAP_TYPE LWTUNNEL_ENCAP_IP6
        "08000400" + "09000000" +
        "14000700" + "FD000001000000000000000000000001" +        // RTA_PREFSRC fd00:1::1
        "0C000880" + "08000200" + "54050000",
        w => RouteEncoder.Replace(w, TunnelledV6, 157, 7));

    [Fact]
    public void A_tunnelled_route_is_deleted_by_its_encapsulation() => Wire.Equal(
        "54000000" + "1900" + "0500" + "07000000" + "00000000" +
        "02180000" + "FE9DFF01" + "00000000" +
        "08000100" + "0AF40200" +
        "1E001680" + "0C000100" + "000000000000009D" + "08000200" + "C633640A" + "06000600" + "00010000" +
        "06001500" + "02000000" +
        "08000400" + "09000000",
        w => RouteEncoder.Delete(w, Tunnelled.InstalledBy(157), 7));

    // 253 is link: of a route without a gateway the scope says how far the destination is, at most.
    [Theory]
    [InlineData(0, "00", "FD")]
    [InlineData(1, "01", "FC")]
    [InlineData(199, "C7", "36")]
    public void Routes_with_a_next_hop_differ_in_scope_where_asked(byte step, string native, string tunnelled)
    {
        Assert.Equal((native, tunnelled, "FD"), (Scope(V4), Scope(Tunnelled), Scope(Cluster)));

        string Scope(PodRoute route)
        {
            NetlinkWriter writer = new();
            RouteEncoder.Add(writer, route, 157, 7, step);
            return Convert.ToHexString(writer.Written[22..23]);
        }
    }

    [Fact]
    public void An_IPv4_route_is_deleted_by_all_that_distinguishes_it() => Wire.Equal(
        "34000000" + "1900" + "0500" + "07000000" + "00000000" + // RTM_DELROUTE, REQUEST|ACK
        "02180000" + "FE9DFF01" + "00000000" +                   // scope nowhere: any
        "08000100" + "0AF40200" +
        "08000500" + "0A000002" +
        "08000400" + "02000000",
        w => RouteEncoder.Delete(w, Installed, 7));

    [Fact]
    public void Metric_and_type_of_service_belong_to_what_is_deleted() => Wire.Equal(
        "3C000000" + "1900" + "0500" + "07000000" + "00000000" +
        "02180010" + "FE9DFF01" + "00000000" +                   // tos 16
        "08000100" + "0AF40200" +
        "08000600" + "FFFFFFFF" +
        "08000500" + "0A000002" +
        "08000400" + "02000000",
        w => RouteEncoder.Delete(w, Installed with { Tos = 16, Metric = uint.MaxValue }, 7));

    [Fact]
    public void The_cluster_route_is_deleted() => Wire.Equal(
        "2C000000" + "1900" + "0500" + "07000000" + "00000000" +
        "02100000" + "FE9DFF01" + "00000000" +
        "08000100" + "0AF40000" +
        "08000400" + "02000000",
        w => RouteEncoder.Delete(w, Installed with { Destination = Cluster.Destination, NextHop = default }, 7));

    [Fact]
    public void A_multipath_route_is_deleted_as_a_whole() => Wire.Equal(
        "38000000" + "1900" + "0500" + "07000000" + "00000000" +
        "0A400000" + "FE9DFF01" + "00000000" +
        "14000100" + "FD000010024400020000000000000000" +
        "08000600" + "00040000",
        w => RouteEncoder.Delete(
            w, Installed with { Destination = V6.Destination, Metric = 1024, NextHop = V6.NextHop, NextHopCount = 2 }, 7));

    [Fact]
    public void A_next_hop_of_the_other_family_is_named_as_such() => Wire.Equal(
        "44000000" + "1900" + "0500" + "07000000" + "00000000" +
        "02180000" + "FE9DFF01" + "00000000" +
        "08000100" + "0AF40200" +
        "16001200" + "0A00" + "FD00AAAA000000000000000000000002" + "0000" + // RTA_VIA: inet6, the address, padding
        "08000400" + "02000000",
        w => RouteEncoder.Delete(w, Installed with { NextHop = V6.NextHop }, 7));

    [Fact]
    public void All_routes_of_table_main_are_asked_for()
    {
        Wire.Equal(
            "24000000" + "1A00" + "0103" + "07000000" + "00000000" + // RTM_GETROUTE, REQUEST|DUMP
            "02000000" + "FE000000" + "00000000" +
            "08000F00" + "FE000000",                                 // RTA_TABLE main
            w => RouteEncoder.Dump(w, 2, 7));
        Wire.Equal(
            "24000000" + "1A00" + "0103" + "07000000" + "00000000" +
            "0A000000" + "FE000000" + "00000000" +
            "08000F00" + "FE000000",
            w => RouteEncoder.Dump(w, 10, 7));
    }

    [Fact]
    public void Links_and_addresses_are_asked_for()
    {
        Wire.Equal(
            "28000000" + "1200" + "0103" + "07000000" + "00000000" + // RTM_GETLINK
            "00000000" + "00000000" + "00000000" + "00000000" +      // ifinfomsg
            "08001D00" + "08000000",                                 // IFLA_EXT_MASK RTEXT_FILTER_SKIP_STATS
            w => LinkMessages.DumpLinks(w, 7));
        Wire.Equal(
            "18000000" + "1600" + "0103" + "07000000" + "00000000" + // RTM_GETADDR
            "00000000" + "00000000",                                 // ifaddrmsg
            w => LinkMessages.DumpAddresses(w, 7));
    }

    [Fact]
    public void A_neighbour_is_forgotten()
    {
        Wire.Equal(
            "24000000" + "1D00" + "0500" + "07000000" + "00000000" + // RTM_DELNEIGH, REQUEST|ACK
            "02000000" + "02000000" + "00000000" +                   // ndmsg: inet, interface 2
            "08000100" + "0AF40201",                                 // NDA_DST 10.244.2.1
            w => NeighbourMessages.Delete(w, new(Ip.Parse("10.244.2.1"), 2), 7));
        Wire.Equal(
            "30000000" + "1D00" + "0500" + "07000000" + "00000000" +
            "0A000000" + "02000000" + "00000000" +
            "14000100" + "FD00AAAA000000000000000000000002",
            w => NeighbourMessages.Delete(w, new(V6.NextHop, 2), 7));
        Wire.Equal(
            "24000000" + "1C00" + "0504" + "07000000" + "00000000" + // RTM_NEWNEIGH, REQUEST|ACK|CREATE
            "02000000" + "02000000" + "0000" + "01" + "00" +         // ndmsg: inet, interface 2, NTF_USE
            "08000100" + "0AF40201",                                 // NDA_DST 10.244.2.1
            w => NeighbourMessages.Use(w, new(Ip.Parse("10.244.2.1"), 2), 7));
    }

    [Theory]
    [InlineData(
        "02000000" + "02000000" + "0200" + "0001" + "08000100" + "0A000002" + "0A000200" + "0200000000020000",
        "10.0.0.2 2 2 02:00:00:00:00:02")]
    [InlineData("02000000" + "03000000" + "2000" + "0001" + "08000100" + "0A000003", "10.0.0.3 3 32 ")]
    [InlineData("07000000" + "02000000" + "0200" + "0000" + "0A000200" + "0200000000020000", null)] // a bridge's
    [InlineData("02000000" + "02000000", null)]
    public void A_neighbour_is_read(string payload, string? read)
    {
        bool isOne = NeighbourMessages.TryDecode(Convert.FromHexString(payload), out Neighbour neighbour, out ushort state, out string mac);
        Assert.Equal(read, isOne ? $"{neighbour.Address} {neighbour.Interface} {state} {mac}" : null);
    }

    [Fact]
    public void Many_messages_in_one_growing_buffer_are_each_the_same_as_alone()
    {
        NetlinkWriter many = Wire.Dirty();
        for (uint i = 0; i < 500; i++)
            RouteEncoder.Add(many, V6 with { Interface = (int)i }, 157, i);

        Assert.Equal(500, many.Count);
        for (uint i = 0; i < 500; i++)
        {
            NetlinkWriter alone = new();
            RouteEncoder.Add(alone, V6 with { Interface = (int)i }, 157, i);
            Assert.Equal(Convert.ToHexString(alone.Written), Convert.ToHexString(many.Messages((int)i, (int)i + 1)));
        }
        Assert.Equal(500 * 0x54, many.Messages(0, 500).Length);
    }
}
