using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Interop;

namespace HostGw.Tests.Platform.Linux;

[SupportedOSPlatform("linux")]
public class DatagramSocketTests
{
    [Theory]
    [InlineData("192.0.2.1", "0200" + "23C6" + "C0000201" + "0000000000000000")]
    [InlineData("2001:db8::1", "0A00" + "23C6" + "00000000" + "20010DB8000000000000000000000001" + "00000000")]
    public void Addresses_lie_where_the_kernel_expects_them(string address, string expected)
    {
        byte[] bytes = new byte[28];
        int length = SocketAddresses.Write(bytes, Ip.Parse(address), 9158);
        Assert.Equal(expected, Convert.ToHexString(bytes[..length]));
        Assert.Equal((Ip.Parse(address), 9158), (SocketAddresses.Read(bytes, out int port), port));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0200")]
    [InlineData("0A0023C600000000")]
    [InlineData("010023C6C00002010000000000000000")]
    public void What_is_no_address_is_none(string hex) => Assert.True(SocketAddresses.Read(Convert.FromHexString(hex), out _).IsNone);

    [Fact]
    public void Source_and_hops_are_control_messages()
    {
        byte[] bytes = new byte[128];
        int length = ControlMessages.WriteSource(bytes, Ip.Parse("10.244.1.0"));
        length += ControlMessages.WriteHops(bytes.AsSpan(length), isIPv4: true, 1);
        Assert.Equal(
            "1C00000000000000" + "00000000" + "08000000" + "00000000" + "0AF40100" + "00000000" + "00000000" +
            "1400000000000000" + "00000000" + "02000000" + "01000000" + "00000000",
            Convert.ToHexString(bytes[..length]));

        length = ControlMessages.WriteSource(bytes, Ip.Parse("fd00::"));
        length += ControlMessages.WriteHops(bytes.AsSpan(length), isIPv4: false, 1);
        Assert.Equal(
            "2400000000000000" + "29000000" + "32000000" + "FD000000000000000000000000000000" + "00000000" + "00000000" +
            "1400000000000000" + "29000000" + "34000000" + "01000000" + "00000000",
            Convert.ToHexString(bytes[..length]));
    }

    // in_pktinfo and in6_pktinfo, behind another message or alone; cut off; of a length that nothing has.
    [Theory]
    [InlineData("1400000000000000" + "00000000" + "02000000" + "01000000" + "00000000" +
        "1C00000000000000" + "00000000" + "08000000" + "02000000" + "0A000001" + "0AF40100", "10.244.1.0")]
    [InlineData("2400000000000000" + "29000000" + "32000000" + "FD000000000000000000000000000001" + "02000000", "fd00::1")]
    [InlineData("1C00000000000000" + "00000000" + "08000000" + "02000000" + "0A000001", "")]
    [InlineData("0000000000000000" + "00000000" + "08000000" + "02000000" + "0A000001" + "0AF40100", "")]
    [InlineData("FFFFFFFFFFFFFF7F" + "00000000" + "08000000" + "02000000" + "0A000001" + "0AF40100", "")]
    [InlineData("", "")]
    public void The_destination_is_read_from_them(string hex, string expected) =>
        Assert.Equal(expected, $"{ControlMessages.ReadDestination(Convert.FromHexString(hex))}");

    // sock_extended_err: error number, origin, type, code; then who sent the message.
    [Theory]
    [InlineData("00000000" + "0B000000", "71000000" + "02" + "0B", true)]
    [InlineData("00000000" + "0B000000", "6F000000" + "02" + "03", false)]
    [InlineData("29000000" + "19000000", "71000000" + "03" + "03", true)]
    [InlineData("29000000" + "19000000", "71000000" + "03" + "01", false)]
    [InlineData("00000000" + "0B000000", "71000000" + "01" + "0B", false)]
    [InlineData("00000000" + "0B000000", "71000000" + "03" + "0B", false)]
    public void Time_exceeded_is_told_apart_with_its_sender(string kind, string error, bool isTimeExceeded)
    {
        string hex = "3000000000000000" + kind + error + "0000" + "0000000000000000" + "02000000" + "0A000002" + "0000000000000000";
        Assert.Equal(new(0, Ip.Parse("10.0.0.2"), isTimeExceeded), ControlMessages.ReadError(Convert.FromHexString(hex)));
        Assert.Equal(default, ControlMessages.ReadError(Convert.FromHexString(hex).AsSpan()[..40]));
    }

    [Theory]
    [InlineData(nameof(msghdr.msg_iov), 16)]
    [InlineData(nameof(msghdr.msg_control), 32)]
    [InlineData(nameof(msghdr.msg_controllen), 40)]
    [InlineData(nameof(msghdr.msg_flags), 48)]
    public void The_message_matches_socket_h(string field, int offset) =>
        Assert.Equal(offset, (int)Marshal.OffsetOf<msghdr>(field));
}
