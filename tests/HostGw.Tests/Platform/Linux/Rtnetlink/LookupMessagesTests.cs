using System.Runtime.InteropServices;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Tests.Platform.Linux.Rtnetlink;

public class LookupMessagesTests
{
    private const byte Throw = 9;

    // RTM_F_LOOKUP_TABLE and RTM_F_FIB_MATCH: IPv6 under strict checking refuses any other flag than the latter.
    [Theory]
    [InlineData("10.244.1.2", "10.244.2.2", 0x3000u)]
    [InlineData("fd00:10:244:1::2", "fd00:10:244:2::2", 0x2000u)]
    public void The_question_has_the_flags_of_its_family(string source, string destination, uint flags)
    {
        NetlinkWriter writer = Wire.Dirty();
        LookupMessages.Ask(writer, new(Ip.Parse(source), Ip.Parse(destination), null), 7);
        Assert.Equal(flags, MemoryMarshal.Read<rtmsg>(writer.Written[16..]).rtm_flags);
    }

    // RTA_IP_PROTO, RTA_SPORT and RTA_DPORT: ports in network order.
    [Fact]
    public void Protocol_and_ports_are_asked_for_where_a_rule_names_them()
    {
        PacketPath path = new(Ip.Parse("10.244.1.2"), Ip.Parse("10.244.2.2"), null) { Protocol = 6, SourcePort = 258, DestinationPort = 443 };
        NetlinkWriter writer = Wire.Dirty();
        LookupMessages.Ask(writer, path, 7);
        Assert.EndsWith(
            "05001B00" + "06000000" + "06001C00" + "01020000" + "06001D00" + "01BB", Convert.ToHexString(writer.Written), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.244.0.0/16 throw; 10.0.0.0/8", "10.244.2.2", "")]
    [InlineData("10.244.0.0/16 throw; 10.244.2.0/24", "10.244.2.2", "10.244.2.0/24")]
    [InlineData("10.244.0.0/16 throw; 10.0.0.0/8", "10.9.9.9", "10.0.0.0/8")]
    [InlineData("10.244.2.0/24 from 10.244.1.0/24; 10.0.0.0/8", "10.244.2.2", "10.0.0.0/8")]
    public void A_throw_route_that_is_the_longest_match_leads_to_the_next_rule(string table, string destination, string expected)
    {
        List<RouteAnswer> routes = [];
        foreach (string[] words in table.Split("; ").Select(r => r.Split(' ')))
        {
            Prefix prefix = Prefix.Parse(words[0]);
            byte[] payload = Payload(new()
            {
                rtm_family = AF_INET,
                rtm_dst_len = prefix.Length,
                rtm_src_len = (byte)(words.Contains("from") ? 24 : 0),
                rtm_table = 52,
                rtm_type = words.Contains("throw") ? Throw : (byte)1,
            }, prefix.Address);
            if (LookupMessages.TryDecode(payload, 52, out RouteAnswer route))
                routes.Add(route);
        }
        Assert.Equal(expected, $"{RouteAnswer.LongestMatch(routes, Ip.Parse(destination))?.Destination}");
    }

    // A kernel 6.18's question takes no flag: with RTM_F_FIB_MATCH it would answer the route of the table, without what it has learnt.
    [Theory]
    [InlineData("198.51.100.10", "24000000" + "1A00" + "0500" + "07000000" + "00000000" + "02200000" + "00000000" + "00000000" + "08000100" + "C633640A")]
    [InlineData("fd02::10", "30000000" + "1A00" + "0500" + "07000000" + "00000000" + "0A800000" + "00000000" + "00000000" +
        "14000100" + "FD020000000000000000000000000010")]
    public void A_path_is_asked_for(string node, string message) =>
        Wire.Equal(message, w => LookupMessages.AskPath(w, Ip.Parse(node), 7));

    [Theory]
    [InlineData("0220000000000001" + "00000000" + "08000400" + "03000000", "3 0")]
    [InlineData("0220000000000001" + "00000000" + "08000400" + "03000000" + "0C000800" + "08000200" + "78050000", "3 1400")]
    [InlineData("0220000000000001" + "00000000" + "08000400" + "03000000" + "14000800" + "08000100" + "04000000" + "08000200" + "78050000", "3 1400")]
    [InlineData("0220000000000001" + "00000000" + "08000400" + "03000000" + "0C000800" + "08000800" + "78050000", "3 0")]
    [InlineData("0220000000000001" + "00000000" + "08000400" + "03000000" + "08000800" + "04000200", "3 0")]
    [InlineData("0220000000000007" + "00000000" + "08000400" + "03000000", null)] // unreachable
    [InlineData("0220000000000002" + "00000000" + "08000400" + "03000000", null)] // local
    [InlineData("0220000000000001" + "00000000", null)]
    [InlineData("0220", null)]
    public void The_answer_has_the_interface_and_the_MTU_that_the_kernel_has_learnt(string payload, string? read) => Assert.Equal(
        read, LookupMessages.TryDecodePath(Convert.FromHexString(payload), out int link, out int mtu) ? $"{link} {mtu}" : null);

    private static byte[] Payload(rtmsg header, Ip destination)
    {
        NetlinkWriter writer = Wire.Dirty();
        writer.Begin(RTM_NEWROUTE, 0, 7);
        writer.Write(header);
        writer.Attribute(RTA_DST, destination);
        writer.End();
        return writer.Written[16..].ToArray();
    }
}
