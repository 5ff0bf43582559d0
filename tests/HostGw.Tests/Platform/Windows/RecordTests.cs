using System.Runtime.InteropServices;
using HostGw.Planning;
using HostGw.Platform.Windows;
using HostGw.Platform.Windows.Interop;

namespace HostGw.Tests.Platform.Windows;

public class RecordTests
{
    [Theory]
    [InlineData("10.244.2.0/24 10.0.0.2 0006008001000000")]
    [InlineData("10.244.1.0/24 on-link 0006008001000000")]
    [InlineData("fd00:10:244:2::/64 fd00:aaaa::2 ffffffffffffffff")]
    public void A_route_reads_as_it_was_written(string line)
    {
        Assert.True(OwnedRoute.TryParse(line, out OwnedRoute route));
        Assert.Equal(line, route.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("10.244.2.0/24")]
    [InlineData("10.244.2.0/24 10.0.0.2")]
    [InlineData("10.244.2.0/24 10.0.0.2 1 2")]
    [InlineData("10.244.2.0/24 fd00::1 1")]
    [InlineData("10.244.2.0/33 10.0.0.2 1")]
    [InlineData("10.244.2.0/24 10.0.0.2 g")]
    public void What_is_no_route_is_not_read(string line) => Assert.False(OwnedRoute.TryParse(line, out _));

    [Theory]
    [InlineData(2, "hostgw-routes 2", "10.244.2.0/24 10.0.0.2 1")]
    [InlineData(1, "hostgw-routes 1", "10.244.2.0/24 10.0.0.2 1", "x", "adopted 10.244.3.0/24 10.0.0.3 1")]
    [InlineData(0, "hostgw-routes 1")]
    public void What_cannot_be_read_is_counted(int unreadable, params string[] lines) => Assert.Equal(unreadable, new OwnedRoutes().Read(lines));

    [Fact]
    public void What_was_adopted_is_kept_in_mind()
    {
        OwnedRoutes routes = new();
        Assert.True(OwnedRoute.TryParse("10.244.2.0/24 10.0.0.2 1", out OwnedRoute route));
        Assert.True(routes.Add(route));
        Assert.True(routes.Add(route, adopted: true));
        Assert.False(routes.Add(route));
        Assert.False(routes.Remove(route));
        Assert.False(routes.Keep(_ => false));
        Assert.True(routes.Contains(route));
        Assert.Equal(["hostgw-routes 1", "adopted 10.244.2.0/24 10.0.0.2 0000000000000001"], routes.Write());
    }

    [Theory]
    [InlineData("192.0.2.2", "0200" + "0000" + "C0000202" + "00000000000000000000000000000000" + "00000000")]
    [InlineData("2001:db8::2", "1700" + "0000" + "00000000" + "20010DB8000000000000000000000002" + "00000000")]
    public void Addresses_lie_where_winsock_expects_them(string text, string hex)
    {
        Ip ip = Ip.Parse(text);
        SOCKADDR_INET address = InetAddress.Of(ip, ip.IsIPv6);
        Assert.Equal(hex, Convert.ToHexString(MemoryMarshal.AsBytes(new ReadOnlySpan<SOCKADDR_INET>(in address))));
        Assert.Equal(ip, InetAddress.Read(address));
    }

    [Fact]
    public void No_next_hop_is_the_unspecified_address_of_the_family()
    {
        Assert.Equal((ushort)23, InetAddress.Of(default, ipv6: true).si_family);
        Assert.True(InetAddress.ReadNextHop(InetAddress.Of(default, ipv6: true)).IsNone);
        Assert.True(InetAddress.ReadNextHop(InetAddress.Of(default, ipv6: false)).IsNone);
    }
}
