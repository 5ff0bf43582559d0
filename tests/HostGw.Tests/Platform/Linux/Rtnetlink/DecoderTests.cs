using FsCheck.Fluent;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Platform.Linux.Rtnetlink;

// What a kernel 6.18 answered in a network namespace, byte for byte.
public class DecoderTests
{
    public static TheoryData<string, string> Routes => Load("routes.hex");

    public static TheoryData<string, string> Links => Load("links.hex");

    public static TheoryData<string, string> Addresses => Load("addresses.hex");

    [Theory]
    [MemberData(nameof(Routes))]
    public void A_route_is_read(string meaning, string hex) => Assert.Equal(meaning, Route(Convert.FromHexString(hex)));

    [Theory]
    [MemberData(nameof(Links))]
    public void A_link_is_read(string meaning, string hex) => Assert.Equal(meaning, Link(Convert.FromHexString(hex)));

    [Theory]
    [MemberData(nameof(Addresses))]
    public void An_address_is_read(string meaning, string hex) => Assert.Equal(meaning, Address(Convert.FromHexString(hex)));

    [Fact]
    public void Gateways_are_those_of_default_routes_in_table_main_and_no_others()
    {
        RouteDecoder decoder = new(157);
        foreach ((_, byte[] payload) in Wire.Captured("routes.hex"))
            decoder.TryDecode(payload, 0, out _);

        Assert.Equal(
            ["10.0.0.252", "10.0.0.253", "10.0.0.254", "fe80::8", "fe80::9"],
            decoder.Gateways.Order().Select(g => g.ToString()));
    }

    [Fact]
    public void The_protocol_decides_what_is_ours()
    {
        byte[] payload = Convert.FromHexString("02180000FE9D00010400000008000100" + "0AF40200" + "080005000A0000020800040003000000");
        Assert.True(new RouteDecoder(157).TryDecode(payload, 2, out HostRoute ours) && ours.IsOurs);
        Assert.True(new RouteDecoder(158).TryDecode(payload, 2, out HostRoute foreign) && !foreign.IsOurs);
        Assert.False(new RouteDecoder(157).TryDecode(payload, 10, out _));
    }

    [Theory]
    [InlineData("", RouteExtras.None)]
    [InlineData("08000700" + "0A000001", RouteExtras.Source)] // RTA_PREFSRC
    [InlineData("0C000800" + "08000200" + "14050000", RouteExtras.Metrics)] // RTA_METRICS: mtu 1300
    [InlineData("06001500" + "01000000" + "04001680", RouteExtras.Encapsulation)] // RTA_ENCAP_TYPE, RTA_ENCAP
    [InlineData("05001400" + "00000000", RouteExtras.None)] // RTA_PREF, which every IPv6 route has
    internal void A_source_address_metrics_and_an_encapsulation_are_seen(string attributes, RouteExtras expected)
    {
        const string Route = "02180000FE9D00010400000008000100" + "0AF40200" + "080005000A0000020800040003000000";
        byte[] payload = Convert.FromHexString(Route + attributes);
        Assert.True(new RouteDecoder(157).TryDecode(payload, 2, out HostRoute route));
        Assert.Equal(expected, route.Extras);
    }

    [Fact]
    public void What_is_written_of_a_tunnelled_route_is_what_is_read() => Always.Holds(
        from route in Gen.Elements("10.244.2.0/24", "fd00:2::/64")
        from node in Gen.Elements("198.51.100.10", "fd02::10")
        from vni in Gen.Choose(1, (1 << 24) - 1)
        from mtu in Gen.Choose(576, 65535)
        from hasOuterSource in Gen.Elements(false, true)
        select (route, node, (uint)vni, mtu, hasOuterSource), written =>
        {
            var destination = Prefix.Parse(written.route);
            Ip source = Ip.Parse(destination.IsIPv4 ? "10.244.1.1" : "fd00:1::1"), node = Ip.Parse(written.node);
            Ip outer = !written.hasOuterSource ? default : Ip.Parse(node.IsIPv4 ? "192.0.2.1" : "2001:db8::1");
            PodRoute route = new(destination, 0, node, 7) { Tunnel = new(written.Item3, node, source, written.mtu) { OuterSource = outer } };
            NetlinkWriter writer = new();
            RouteEncoder.Add(writer, route, 157, 1);
            RouteDecoder decoder = new(157);
            Assert.True(decoder.TryDecode(writer.Written[NetlinkWriter.HeaderLength..], 0, out HostRoute read));
            Assert.Equal(route.InstalledBy(157), read);
            Assert.True(route.IsInstalledAs(read));
            Assert.Equal([node], decoder.TunnelNodes);
        });

    [Fact]
    public void The_nodes_of_tunnelled_routes_are_those_of_ours()
    {
        RouteDecoder decoder = new(157);
        foreach ((_, byte[] payload) in Wire.Captured("routes.hex"))
            decoder.TryDecode(payload, 0, out _);

        Assert.Equal(["198.51.100.10", "fd02::10"], decoder.TunnelNodes.Order().Select(n => n.ToString()));
    }

    // rtmsg, then attributes of which something is wrong.
    [Theory]
    [InlineData("02180000FE9D000104000000" + "14000100" + "FD000010024400020000000000000000", "an IPv6 destination in an IPv4 route")]
    [InlineData("0A400000FE9D000104000000" + "08000100" + "0AF40200", "an IPv4 destination in an IPv6 route")]
    [InlineData("02210000FE9D000104000000" + "08000100" + "0AF40200", "a /33")]
    [InlineData("02180000FE9D000104000000" + "07000100" + "0AF402" + "00", "three bytes of address")]
    [InlineData("07180000FE9D000104000000" + "08000100" + "0AF40200", "another family")]
    [InlineData("02180000FE9D000100020000" + "08000100" + "0AF40200", "a cloned route")]
    [InlineData("02180000FE9D000104000000" + "08000100" + "0AF40200" + "08000F00" + "64000000", "table 100 in the attribute")]
    [InlineData("021800000A9D000104000000" + "08000100" + "0AF40200", "table 10 in the header")]
    public void Is_no_route_of_ours_or_anybody_in_table_main(string hex, string because) =>
        Assert.False(new RouteDecoder(157).TryDecode(Convert.FromHexString(hex), 0, out _), because);

    [Fact]
    public void The_default_gateways_of_other_tables_are_nobodys_business()
    {
        // default table 100, multipath via 10.9.9.9 and 10.9.9.8
        RouteDecoder decoder = new(157);
        byte[] payload = Convert.FromHexString(
            "0200000064BA000100000000" + "24000900" +
            "1000000003000000" + "08000500" + "0A090909" + "1000000203000000" + "08000500" + "0A090908");
        Assert.False(decoder.TryDecode(payload, 0, out _));
        Assert.Empty(decoder.Gateways);
    }

    // An empty RTA_MULTIPATH, next hops whose length is 0, less than a header, and more than there is.
    [Theory]
    [InlineData("04000900", 0)]
    [InlineData("0C000900" + "0000000003000000", 0)]
    [InlineData("0C000900" + "0700000003000000", 0)]
    [InlineData("0C000900" + "FF00000003000000", 0)]
    [InlineData("0C000900" + "0800000003000000", 1)]
    [InlineData("14000900" + "0800000003000000" + "0000000003000000", 1)]
    public void Next_hops_that_lie_about_their_length_end_the_walk(string multipath, int hops)
    {
        byte[] payload = Convert.FromHexString("02180000FE9D000100000000" + "08000100" + "0AF40200" + multipath);
        Assert.True(new RouteDecoder(157).TryDecode(payload, 2, out HostRoute route));
        Assert.Equal(hops, route.NextHopCount);
    }

    [Fact]
    public void A_message_cut_anywhere_is_read_as_far_as_it_goes_or_not_at_all()
    {
        foreach (string file in (string[])["routes.hex", "links.hex", "addresses.hex"])
        {
            foreach ((_, byte[] payload) in Wire.Captured(file))
            {
                for (int length = 0; length <= payload.Length; length++)
                    DecodeAll(payload[..length]);
            }
        }
    }

    [Fact]
    public void No_byte_can_be_changed_so_that_reading_fails()
    {
        foreach (string file in (string[])["routes.hex", "addresses.hex"])
        {
            foreach ((_, byte[] payload) in Wire.Captured(file))
            {
                for (int i = 0; i < payload.Length; i++)
                {
                    foreach (byte value in (byte[])[0, 1, 3, 0x7F, 0x80, 0xFF])
                    {
                        byte[] changed = [.. payload];
                        changed[i] = value;
                        DecodeAll(changed);
                    }
                }
            }
        }
    }

    [Fact]
    public void Random_bytes_are_read_without_harm() => Always.Holds(
        Gen.ArrayOf(Gen.Choose(0, 255).Select(i => (byte)i)).Select(bytes => (byte[])[2, 24, 0, 0, 254, 157, 0, 1, 0, 0, 0, 0, .. bytes]),
        DecodeAll, count: 5000);

    private static void DecodeAll(byte[] payload)
    {
        if (new RouteDecoder(157).TryDecode(payload, 0, out HostRoute route))
        {
            Assert.True(!route.Destination.IsNone && route.Destination.Length <= route.Destination.Address.Bits);
            Assert.True(route.Tunnel is not { } tunnel ||
                (route is { IsOurs: true, Extras: RouteExtras.None, IsOnLink: false, NextHopCount: 1 } && route.NextHop == tunnel.Node &&
                tunnel.Mtu > 0 && tunnel.Source.IsIPv4 == route.Destination.IsIPv4));
        }
        if (LinkMessages.TryDecodeLink(payload, out HostInterface? link))
            Assert.NotEqual("", link!.Name);
        if (LinkMessages.TryDecodeAddress(payload, out HostAddress address))
            Assert.True(!address.Address.IsNone && address.Connected.IsAligned && address.Connected.Length <= address.Address.Bits);
    }

    [Theory]
    [InlineData("C0", false)]
    [InlineData("80", false)]
    [InlineData("C8", true)]
    public void An_address_for_which_duplicate_address_detection_failed_is_marked(string flags, bool isDuplicate)
    {
        byte[] payload = Convert.FromHexString($"0A40{flags}000900000014000100FD00AAAA000000000000000000000001");
        Assert.True(LinkMessages.TryDecodeAddress(payload, out HostAddress address));
        Assert.Equal(("fd00:aaaa::1", isDuplicate), ($"{address.Address}", address.IsDuplicate));
    }

    private static string Route(byte[] payload)
    {
        if (!new RouteDecoder(157).TryDecode(payload, 0, out HostRoute r))
            return "none";
        return r.Destination + (r.NextHop.IsNone ? "" : $" via {r.NextHop}") + $" dev {r.Interface} proto {r.Protocol}" +
            (r.Metric == 0 ? "" : $" metric {r.Metric}") + (r.Tos == 0 ? "" : $" tos {r.Tos}") +
            (r.NextHopCount == 1 ? "" : $" hops {r.NextHopCount}") + (r.IsOnLink ? " onlink" : "") + (r.Extras == RouteExtras.None ? "" : $" {r.Extras}") +
            (r.Tunnel is { } tunnel ? $" encap {TunnelText.Of(tunnel)}" : "") + (r.IsUnicast ? "" : " special") + (r.IsConnected ? " connected" : "") + (r.IsOurs ? " ours" : "");
    }

    private static string Link(byte[] payload) => LinkMessages.TryDecodeLink(payload, out HostInterface? link)
        ? $"{link!.Index} {link.Name}{(link.IsUp ? " up" : "")}{(link.IsLoopback ? " loopback" : "")}" +
            $"{(link.ForwardsIPv4 ? " forwards" : "")}{(link.AcceptRa > 0 ? $" accept_ra={link.AcceptRa}" : "")}"
        : "none";

    private static string Address(byte[] payload) =>
        LinkMessages.TryDecodeAddress(payload, out HostAddress a) ? $"{a.Address} connected {a.Connected} dev {a.Interface}" : "none";

    private static TheoryData<string, string> Load(string file)
    {
        TheoryData<string, string> rows = [];
        foreach ((string meaning, byte[] payload) in Wire.Captured(file))
            rows.Add(meaning, Convert.ToHexString(payload));
        return rows;
    }
}
