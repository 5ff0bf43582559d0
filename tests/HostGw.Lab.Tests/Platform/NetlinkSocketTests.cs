using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Lab.Tests.Platform;

[SupportedOSPlatform("linux")]
public sealed class NetlinkSocketTests : IDisposable
{
    private readonly LinuxNamespace _host = new();
    private readonly NetlinkSocket _socket;

    public NetlinkSocketTests() => _socket = _host.Network.Run(() => new NetlinkSocket(NETLINK_ROUTE));

    public void Dispose()
    {
        _socket.Dispose();
        _host.Dispose();
    }

    [Fact]
    public void A_dump_that_the_kernel_interrupted_is_repeated_until_it_is_complete()
    {
        _host.Network.Configure(Enumerable.Range(0, 5000).Select(i => $"addr add 10.{i / 250}.{i % 250}.1/32 dev peer0"));

        (int attempts, List<Ip> addresses) = DumpAddresses(attempt => attempt == 1);

        Assert.Equal(2, attempts);
        Assert.Equal(addresses.Distinct(), addresses);
        Assert.Equal(_host.Read().Addresses.Length, addresses.Count);
    }

    [Fact]
    public void A_dump_that_is_always_interrupted_ends_all_the_same()
    {
        _host.Network.Configure(Enumerable.Range(0, 5000).Select(i => $"addr add 10.{i / 250}.{i % 250}.1/32 dev peer0"));

        (int attempts, List<Ip> addresses) = DumpAddresses(_ => true);

        Assert.Equal(5, attempts);
        Assert.True(addresses.Count > 5000);
    }

    [Fact]
    public void A_read_of_the_host_is_one_dump_each_of_what_there_is()
    {
        _host.Apply(c => c.Add.AddRange([.. LinuxRoutesMany.Of(_host, 2000), .. LinuxRoutesMany.OfIPv6(_host, 2000)]));
        byte protocol = _host.Options.RouteProtocol;
        var reader = new LinuxHostReader(_socket, _host.Options, new(_socket, protocol), new(_socket, protocol));
        uint before = _socket.NextSequence();

        HostState state = reader.Read([]);

        Assert.Equal(4000, state.Routes.Count(r => r.IsOurs));
        // Of either family routes and table local; links, addresses, policy rules.
        Assert.Equal(before + 8, _socket.NextSequence());
        Assert.NotSame(state.Routes, reader.Read([]).Routes);
    }

    [Fact]
    public void What_an_abandoned_dump_left_in_the_socket_disturbs_no_later_exchange()
    {
        _host.Apply(c => c.Add.AddRange(LinuxRoutesMany.Of(_host, 3000)));
        Assert.Throws<InvalidOperationException>(() => DumpRoutes(_ => throw new InvalidOperationException()));

        int routes = 0;
        DumpRoutes(_ => routes++);

        Assert.Equal(_host.Read().Routes.Count(r => r.Destination.IsIPv4), routes);
    }

    [Fact]
    public void Every_message_that_changes_something_counts_as_a_write_and_no_dump_does()
    {
        Assert.Equal(0, Apply(RouteChanges.None));
        Assert.Equal(250, Apply(new() { Add = [.. LinuxRoutesMany.Of(_host, 250)] }));

        long Apply(RouteChanges routes) => _host.Network.Run(() => _host.Host.Apply(new() { Routes = routes }, ApplyMode.Change)).NetlinkWrites;
    }

    [Fact]
    public async Task The_kernel_sends_no_notifications_of_changes_from_the_excepted_port_and_all_others()
    {
        using NetlinkSubscription subscription = _host.Network.Run(
            () => new NetlinkSubscription(NETLINK_ROUTE, [RTNLGRP_IPV4_ROUTE], exceptPort: _socket.PortId));
        var batch = new NetlinkWriter();
        RouteEncoder.Add(batch, LinuxRoutesMany.Of(_host, 1).Single(), 157, _socket.NextSequence());
        _socket.Execute("add", batch, (_, failure) => throw failure);
        _host.Network.Configure(["route add 10.99.0.0/24 dev eth0"]);

        ReadOnlyMemory<byte>? first = await subscription.ReceiveAsync(TestContext.Current.CancellationToken);

        Assert.True(PortOf(first!.Value.Span) is var port && port != _socket.PortId, $"port {port} is ours");
    }

    // Changes an address after the first message of an attempt: the kernel has by then filled two of many datagrams.
    private (int Attempts, List<Ip> Addresses) DumpAddresses(Func<int, bool> disturbs)
    {
        int attempts = 0;
        List<Ip> addresses = [];
        var request = new NetlinkWriter();
        LinkMessages.DumpAddresses(request, _socket.NextSequence());
        _socket.Dump("list addresses", request, () => { attempts++; addresses.Clear(); }, (_, payload) =>
        {
            if (addresses.Count == 0 && disturbs(attempts))
                _host.Shell(attempts % 2 == 1 ? "addr add 172.31.0.1/32 dev peer0" : "addr del 172.31.0.1/32 dev peer0");
            Assert.True(LinkMessages.TryDecodeAddress(payload, out HostAddress address));
            addresses.Add(address.Address);
        });
        return (attempts, addresses);
    }

    private void DumpRoutes(Action<ushort> onMessage)
    {
        var request = new NetlinkWriter();
        RouteEncoder.Dump(request, AF_INET, _socket.NextSequence());
        _socket.Dump("list routes", request, () => { }, (type, _) => onMessage(type));
    }

    private static uint PortOf(ReadOnlySpan<byte> datagram)
    {
        var messages = new NetlinkMessages(datagram);
        Assert.True(messages.Next());
        return messages.Header.PortId;
    }
}
