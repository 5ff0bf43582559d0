using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Tests.Platform.Linux.Rtnetlink;

public class LocalRouteMessagesTests
{
    [Fact]
    public void An_IPv4_probe_address_is_prepended() => Wire.Equal(
        "2C00000018000504" + "07000000" + "00000000" +      // RTM_NEWROUTE; request, ack, create: neither EXCL nor APPEND nor REPLACE
        "02200000" + "FF9DFE02" + "00000000" +              // inet /32, table local, protocol 157, scope host, type local
        "08000100" + "0AF40100" + "08000400" + "01000000",  // RTA_DST, RTA_OIF lo
        w => LocalRouteMessages.Add(w, Ip.Parse("10.244.1.0"), 157, 7));

    [Fact]
    public void An_IPv6_one() => Wire.Equal(
        "3800000018000504" + "07000000" + "00000000" + "0A800000" + "FF9DFE02" + "00000000" +
        "14000100" + "FD000010024400010000000000000000" + "08000400" + "01000000",
        w => LocalRouteMessages.Add(w, Ip.Parse("fd00:10:244:1::"), 157, 7));

    [Fact]
    public void Only_HostGws_is_deleted() => Wire.Equal(
        "3400000019000500" + "07000000" + "00000000" + "02200004" + "FF9DFF00" + "00000000" +
        "08000100" + "0AF40100" + "08000600" + "07000000" + "08000400" + "03000000",
        w => LocalRouteMessages.Delete(w, new(Prefix.Parse("10.244.1.0/32"), 7, 4, 3), 157, 7));

    [Fact]
    public void The_kernel_is_asked_for_this_table_alone() => Wire.Equal(
        "240000001A000103" + "07000000" + "00000000" + "02000000" + "FF000000" + "00000000" + "08000F00" + "FF000000",
        w => LocalRouteMessages.Dump(w, AF_INET, 7));

    // RTN_* 1: unicast, 2: local, 3: broadcast, 6: blackhole, 9: throw.
    [Theory]
    [InlineData(2, 3, true)]
    [InlineData(1, 4, true)]
    [InlineData(6, 3, true)]
    [InlineData(3, 4, true)]
    [InlineData(9, 4, false)]
    [InlineData(2, 2, false)]
    [InlineData(2, 0, false)] // the kernel's of IPv6, before 4.20
    [InlineData(2, 157, false)]
    public void Another_programs_is_foreign_over_any_interface_and_wakes_a_pass(byte type, byte protocol, bool isForeign)
    {
        byte[] payload = Payload("08000400 02000000", type);
        payload[5] = protocol;
        Assert.True(LocalRouteMessages.TryDecode(payload, out LocalRoute route));
        Assert.Equal(isForeign, route.IsForeign(157));
        Assert.Equal(isForeign || protocol == 157, LocalRouteMessages.Concerns(payload, [], 157));
    }

    /// <summary>Attributes after the destination, the type, and whether it is as HostGw installs it.</summary>
    [Theory]
    [InlineData("08000400 01000000", 2, true)]
    [InlineData("08000400 02000000", 2, false)]
    [InlineData("", 2, false)]
    [InlineData("08000400 01000000", 1, false)]
    [InlineData("08000400 01000000", 6, false)]
    [InlineData("08000400 01000000 08000700 0A000001", 2, false)]
    [InlineData("08000400 01000000 0C000800 08000200 78050000", 2, false)]
    [InlineData("08000400 01000000 08000500 0A000001", 2, false)]
    [InlineData("08000400 01000000 08001E00 01000000", 2, false)]
    public void A_route_that_says_more_is_not_as_HostGw_installs_it(string attributes, int type, bool isPlain)
    {
        Assert.True(LocalRouteMessages.TryDecode(Payload(attributes, (byte)type), out LocalRoute route));
        Assert.Equal(("10.244.1.0/32", 157, type, isPlain), ($"{route.Route.Destination}", route.Protocol, route.Type, route.Route.IsPlain));
    }

    [Fact]
    public void Of_other_tables_none_is_read()
    {
        byte[] payload = Payload("08000400 01000000", 2);
        payload[4] = RT_TABLE_MAIN;
        Assert.False(LocalRouteMessages.TryDecode(payload, out _));
        Assert.False(LocalRouteMessages.Concerns(payload, [Ip.Parse("10.244.1.0")], 157));
    }

    private static byte[] Payload(string attributes, byte type) => Convert.FromHexString(
        $"02200000FF9DFE{type:X2}0000000008000F00FF000000080001000AF40100{attributes.Replace(" ", "", StringComparison.Ordinal)}");
}
