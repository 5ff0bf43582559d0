using HostGw.Planning;
using HostGw.Platform.Linux.Rtnetlink;

namespace HostGw.Tests.Platform.Linux.Rtnetlink;

public class TunnelMessagesTests
{
    // What `strace ip link add hostgw0 group 157 type vxlan external gpe vnifilter dstport 4790` shows, with NLA_F_NESTED and NLM_F_ACK.
    [Fact]
    public void The_link_is_created_down_and_for_no_VNI() => Wire.Equal(
        "6A00000010000506" + "07000000" + "00000000" +                              // RTM_NEWLINK; request, ack, excl, create
        "0000000000000000" + "0000000000000000" +                                   // ifinfomsg: neither IFF_UP nor an index
        "0C000300" + "686F737467773000" +                                           // IFLA_IFNAME hostgw0
        "08001B00" + "9D000000" +                                                   // IFLA_GROUP 157
        "36001280" + "09000100" + "76786C616E000000" +                              // IFLA_LINKINFO: IFLA_INFO_KIND vxlan
        "26000280" + "05001900" + "01000000" + "04001B00" + "05001E00" + "01000000" + // COLLECT_METADATA, GPE, VNIFILTER
        "05000700" + "00000000" + "06000F00" + "12B6",                              // LEARNING off, PORT 4790
        w => TunnelMessages.Create(w, ("hostgw0", 0), 4790, 7));

    [Fact]
    public void It_becomes_ours_and_gets_no_address_by_itself()
    {
        Wire.Equal(
            "3400000010000500" + "07000000" + "00000000" + "0000000002000000" + "0000000000000000" + "0A001400" + "686F737467770000" +
            "08001B00" + "9D000000", // IFLA_IFALIAS hostgw, IFLA_GROUP 157
            w => TunnelMessages.Mark(w, 2, 7));
        Wire.Equal(
            "2D00000010000500" + "07000000" + "00000000" + "0000000002000000" + "0000000000000000" +
            "0D001A80" + "09000A80" + "0500080001", // IFLA_AF_SPEC, AF_INET6, IFLA_INET6_ADDR_GEN_MODE none
            w => TunnelMessages.SetAddrGenMode(w, 2, 7));
    }

    [Theory]
    [InlineData(true, "0100000001000000")]
    [InlineData(false, "0000000001000000")]
    public void It_is_brought_up_and_taken_down(bool up, string flags) => Wire.Equal(
        "2000000010000500" + "07000000" + "00000000" + "0000000002000000" + flags,
        w => TunnelMessages.Turn(w, 2, up, 7));

    [Fact]
    public void Its_MTU_is_set() => Wire.Equal(
        "2800000010000500" + "07000000" + "00000000" + "0000000002000000" + "0000000000000000" + "08000400" + "DC050000",
        w => TunnelMessages.SetMtu(w, 2, 1500, 7));

    [Fact]
    public void It_is_deleted_by_its_index_alone() => Wire.Equal(
        "2000000011000500" + "07000000" + "00000000" + "0000000002000000" + "0000000000000000",
        w => TunnelMessages.Delete(w, 2, 7));

    [Fact]
    public void It_is_asked_for_by_its_index_or_its_name()
    {
        Wire.Equal(
            "2800000012000500" + "07000000" + "00000000" + "0000000002000000" + "0000000000000000" + "08001D0008000000",
            w => TunnelMessages.Ask(w, 2, 7));
        Wire.Equal(
            "3400000012000500" + "07000000" + "00000000" + "0000000000000000" + "0000000000000000" + "0C000300686F737467773000" +
            "08001D0008000000",
            w => TunnelMessages.Ask(w, "hostgw0", 7));
    }

    // As `bridge vni` sends them.
    [Fact]
    public void VNIs_are_listed_let_in_and_kept_out()
    {
        Wire.Equal("180000007A000103" + "07000000" + "00000000" + "0700000002000000", w => TunnelMessages.DumpVnis(w, 2, 7));
        Wire.Equal(
            "2400000078000500" + "07000000" + "00000000" + "0700000002000000" + "0C000180" + "080001009D000000",
            w => TunnelMessages.AddVni(w, 2, 157, 7));
        Wire.Equal(
            "2400000079000500" + "07000000" + "00000000" + "0700000002000000" + "0C000180" + "080001009D000000",
            w => TunnelMessages.DeleteVni(w, 2, 157, 7));
    }

    [Fact]
    public void Addresses_are_added_and_deleted()
    {
        Wire.Equal(
            "2800000014000506" + "07000000" + "00000000" + "0220000002000000" + "080002000AF40101" + "080001000AF40101",
            w => TunnelMessages.AddAddress(w, 2, Ip.Parse("10.244.1.1"), 7));
        Wire.Equal(
            "4800000014000506" + "07000000" + "00000000" + "0A80000002000000" + "14000200FD000001000000000000000000000001" +
            "0800080002020000" + "14000100FD000001000000000000000000000001", // IFA_FLAGS: nodad, noprefixroute
            w => TunnelMessages.AddAddress(w, 2, Ip.Parse("fd00:1::1"), 7));
        Wire.Equal(
            "2800000015000500" + "07000000" + "00000000" + "0218000002000000" + "080002000AF40101" + "080001000AF40100",
            w => TunnelMessages.DeleteAddress(w, new(Ip.Parse("10.244.1.1"), Prefix.Parse("10.244.1.0/24"), 2), 7));
    }

    [Fact]
    public void The_link_is_read()
    {
        Assert.True(TunnelMessages.TryDecodeLink(Captured("hostgw0"), out TunnelLink? link));
        Assert.Equal(new TunnelLink(2) { IsOurs = true, IsUp = true, IsVxlanGpe = true, Port = 4790, FiltersVnis = true }, link);
        Assert.True(LinkMessages.TryDecodeLink(Captured("hostgw0"), out HostInterface? listed));
        Assert.Equal((2, "hostgw0", true, false), (listed!.Index, listed.Name, listed.IsTunnel, listed.HasNeighbours));
    }

    /// <summary>Bytes of the captured message, what is there instead, and what is read.</summary>
    [Theory]
    [InlineData("686F737467770000", "686F737467780000", "another alias")]         // the group says whose it is
    [InlineData("0B001400686F737467770000", "0B001400686F737467320000", "another alias")]
    [InlineData("08001B009D000000", "08001B0000000000", "group 0")]               // the alias does
    [InlineData("FEFF02000000D1100100", "FEFF02000000D0100100", "down")]
    [InlineData("76786C616E000000", "76786C616F000000", "no VXLAN-GPE, port 0, all VNIs")]
    [InlineData("0500190001000000", "0500190000000000", "no VXLAN-GPE")]           // COLLECT_METADATA
    [InlineData("04001B00", "04007B00", "no VXLAN-GPE")]                           // GPE
    [InlineData("06000F0012B60000", "06000F0012B50000", "port 4789")]
    [InlineData("05001E0001000000", "05001E0000000000", "all VNIs")]
    [InlineData("0500080001000000", "0500080003000000", "addrgenmode")]
    [InlineData("0000000001000000010000000100000002000000", "0100000001000000010000000100000001000000",
        "ipv4 accept_redirects 1, ipv4 rp_filter 1")]
    [InlineData("DC0500000000000000000000", "DC0500000200000001000000", "ipv6 accept_ra 2, ipv6 accept_redirects 1")]
    [InlineData("C0011A008C000200", "C0011A008C000300", "")]                       // a kernel without IPv4
    [InlineData("30010A00", "30010B00", "")]                                       // a kernel without IPv6
    public void What_is_not_as_HostGw_makes_it_is_seen(string bytes, string instead, string expected)
    {
        string hex = Convert.ToHexString(Captured("hostgw0"));
        Assert.Contains(bytes, hex, StringComparison.Ordinal);
        byte[] changed = Convert.FromHexString(hex.Replace(bytes, instead, StringComparison.Ordinal));

        Assert.True(TunnelMessages.TryDecodeLink(changed, out TunnelLink? link));

        Assert.Equal(expected, string.Join(", ", ((string[])
        [
            link.IsOurs ? "" : "foreign", link.IsUp ? "" : "down", link.IsVxlanGpe ? "" : "no VXLAN-GPE",
            link.Port == 4790 ? "" : $"port {link.Port}", link.FiltersVnis ? "" : "all VNIs", link.WrongSetting,
        ]).Where(w => w.Length > 0)));
    }

    // Of a link of another kind the group says nothing: anybody may give it one.
    [Theory]
    [InlineData("76786C616E000000", "76786C616F000000")]
    [InlineData("0500190001000000", "0500190000000000")]
    [InlineData("08001B009D000000", "08001B009E000000")]
    public void Without_its_alias_a_link_of_another_kind_or_group_is_foreign(string bytes, string instead)
    {
        string hex = Convert.ToHexString(Captured("hostgw0")).Replace("686F737467770000", "686F737467780000", StringComparison.Ordinal);
        byte[] changed = Convert.FromHexString(hex.Replace(bytes, instead, StringComparison.Ordinal));
        Assert.True(TunnelMessages.TryDecodeLink(changed, out TunnelLink? link));
        Assert.True(LinkMessages.TryDecodeLink(changed, out HostInterface? listed));
        Assert.Equal((false, false), (link.IsOurs, listed!.IsTunnel));
    }

    // Somebody's note at an interface of another kind; HostGw deletes its links under other names.
    [Theory]
    [InlineData("76786C616E000000", "76786C616F000000", false)]
    [InlineData("04001B00", "04007B00", false)]
    [InlineData("06000F0012B60000", "06000F0012B50000", true)]
    public void Under_another_name_only_a_link_of_its_kind_is_HostGws(string bytes, string instead, bool isOurs)
    {
        string hex = Convert.ToHexString(Captured("hostgw0")).Replace("686F737467773000", "686F737467773100", StringComparison.Ordinal);
        byte[] changed = Convert.FromHexString(hex.Replace(bytes, instead, StringComparison.Ordinal));
        Assert.True(LinkMessages.TryDecodeLink(changed, out HostInterface? listed));
        Assert.Equal(("hostgw1", isOurs), (listed!.Name, listed.IsTunnel));
    }

    [Fact]
    public void VNIs_are_read_single_and_in_ranges()
    {
        List<uint> vnis = [];
        TunnelMessages.AddVnis(Captured("157 200 201 202"), vnis);
        Assert.Equal([157u, 200u, 201u, 202u], vnis);
        Assert.Equal(2, TunnelMessages.LinkOf(Captured("157 200 201 202")));
    }

    [Fact]
    public void A_long_range_is_read_in_part()
    {
        List<uint> vnis = [];
        TunnelMessages.AddVnis(Convert.FromHexString("0700000002000000" + "14000180" + "0800010001000000" + "08000200FFFFFFFF"), vnis);
        Assert.Equal((1000, 1u), (vnis.Count, vnis[0]));
    }

    [Fact]
    public void A_message_cut_short_is_no_link_and_has_no_VNI()
    {
        foreach (string name in (string[])["hostgw0", "157 200 201 202"])
        {
            byte[] whole = Captured(name);
            for (int length = 0; length < whole.Length; length++)
            {
                TunnelMessages.TryDecodeLink(whole.AsSpan(0, length), out _);
                TunnelMessages.AddVnis(whole.AsSpan(0, length), []);
            }
        }
        Assert.False(TunnelMessages.TryDecodeLink(new byte[15], out _));
        Assert.Equal(0, TunnelMessages.LinkOf(new byte[7]));
    }

    private static byte[] Captured(string name) => Wire.Captured("tunnel.hex").Single(c => c.Meaning == name).Payload;
}
