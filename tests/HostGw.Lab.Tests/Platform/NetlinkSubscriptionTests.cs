using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Lab.Tests.Platform;

[SupportedOSPlatform("linux")]
public sealed class NetlinkSubscriptionTests : IDisposable
{
    private readonly LinuxNamespace _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task Changes_from_one_port_are_left_out_by_the_kernel_and_those_of_others_are_not()
    {
        using NetlinkSocket ours = _host.Network.Run(() => new NetlinkSocket(NETLINK_ROUTE));
        using NetlinkSubscription news = _host.Network.Run(() => new NetlinkSubscription(NETLINK_ROUTE, [RTNLGRP_IPV4_ROUTE], ours.PortId));
        var batch = new NetlinkWriter();
        RouteEncoder.Add(batch, LinuxRoutesMany.Of(_host, 1).Single(), 157, ours.NextSequence());
        ours.Execute("add", batch, (_, failure) => throw failure);
        _host.Network.Configure(["route add 10.99.0.0/24 dev eth0"]);

        ReadOnlyMemory<byte>? first = await news.ReceiveAsync(TestContext.Current.CancellationToken);

        Assert.True(PortOf(first!.Value.Span) is var port && port != ours.PortId, $"port {port} is ours");
    }

    private static uint PortOf(ReadOnlySpan<byte> datagram)
    {
        var messages = new NetlinkMessages(datagram);
        Assert.True(messages.Next());
        return messages.Header.PortId;
    }
}
