using System.Buffers.Binary;
using HostGw.Planning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;
using HostGw.Tests.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Linux;

public class ConntrackTests
{
    private const int SourceNat = 0x10;
    private static readonly NatPlan Plan = Nat.Plan();
    private static readonly HashSet<Ip> Local = [Ip.Parse("10.0.0.1"), Ip.Parse("fd00::1")];

    // Original source and destination, reply source and destination, status.
    [Theory]
    [InlineData("a pod to the outside, not masqueraded", "10.244.1.5", "198.51.100.1", "198.51.100.1", "10.244.1.5", 0, true)]
    [InlineData("the same over IPv6", "fd00:10:244:1::5", "2001:db8::1", "2001:db8::1", "fd00:10:244:1::5", 0, true)]
    [InlineData("masqueraded", "10.244.1.5", "198.51.100.1", "198.51.100.1", "10.0.0.1", SourceNat, false)]
    [InlineData("masqueraded, known by the reply alone", "10.244.1.5", "198.51.100.1", "198.51.100.1", "10.0.0.1", 0, false)]
    [InlineData("to another pod", "10.244.1.5", "10.244.2.5", "10.244.2.5", "10.244.1.5", 0, false)]
    [InlineData("to a service, which another pod answers", "10.244.1.5", "10.96.0.1", "10.244.2.5", "10.244.1.5", 0, false)]
    [InlineData("to a service that somebody outside answers", "10.244.1.5", "10.96.0.1", "198.51.100.1", "10.244.1.5", 0, true)]
    [InlineData("to this host", "10.244.1.5", "10.0.0.1", "10.0.0.1", "10.244.1.5", 0, false)]
    [InlineData("multicast", "10.244.1.5", "239.1.1.1", "239.1.1.1", "10.244.1.5", 0, false)]
    [InlineData("of the host itself", "10.0.0.1", "198.51.100.1", "198.51.100.1", "10.0.0.1", 0, false)]
    [InlineData("of another node's pod", "10.244.2.5", "198.51.100.1", "198.51.100.1", "10.244.2.5", 0, false)]
    public void Contains(
        string because, string source, string destination, string replySource, string replyDestination, int status, bool expected)
    {
        byte[] payload = Entry([source, destination], [replySource, replyDestination], status);
        var flows = new UnmasqueradedFlows(Plan, Plan.Sources, Local);
        Assert.True(expected == flows.Contains(new ConntrackEntry(payload)), because);
    }

    [Fact]
    public void Of_a_family_that_is_not_masqueraded_nothing_is_forgotten()
    {
        var flows = new UnmasqueradedFlows(Plan with { IPv6 = false }, Plan.Sources, Local);
        byte[] payload = Entry(["fd00:10:244:1::5", "2001:db8::1"], ["2001:db8::1", "fd00:10:244:1::5"], 0);
        Assert.False(flows.Contains(new ConntrackEntry(payload)));
    }

    [Fact]
    public void The_deletion_names_the_very_connection()
    {
        byte[] payload = Entry(["10.244.1.5", "198.51.100.1"], ["198.51.100.1", "10.244.1.5"], 0);
        NetlinkWriter writer = new();
        new ConntrackEntry(payload).WriteKey(writer);

        Assert.Equal(
            "18000180" + "14000180" +                                // CTA_TUPLE_ORIG, CTA_TUPLE_IP
            "08000100" + "0AF40105" + "08000200" + "C6336401" +      // source, destination
            "06001200" + "00070000" +                                // CTA_ZONE 7
            "08000C00" + "0000002A",                                 // CTA_ID
            Convert.ToHexString(writer.Written));
    }

    [Fact]
    public void A_message_cut_short_is_no_connection_of_ours() =>
        Assert.False(new UnmasqueradedFlows(Plan, Plan.Sources, Local).Contains(new ConntrackEntry([2, 0])));

    private static byte[] Entry(string[] original, string[] reply, int status)
    {
        NetlinkWriter writer = new();
        writer.Write(new NfGenMsg((byte)(original[0].Contains(':') ? 10 : 2)));
        Tuple(writer, 1, original);
        Tuple(writer, 2, reply);
        writer.AttributeBigEndian(3, (uint)status);
        writer.Attribute(18, BinaryPrimitives.ReverseEndianness((ushort)7));
        writer.AttributeBigEndian(12, 42u);
        return writer.Written.ToArray();
    }

    private static void Tuple(NetlinkWriter writer, ushort type, string[] addresses)
    {
        int tuple = writer.BeginNested(type);
        int ip = writer.BeginNested(1);
        int first = addresses[0].Contains(':') ? 3 : 1;
        writer.Attribute((ushort)first, Ip.Parse(addresses[0]));
        writer.Attribute((ushort)(first + 1), Ip.Parse(addresses[1]));
        writer.EndNested(ip);
        writer.EndNested(tuple);
    }
}
