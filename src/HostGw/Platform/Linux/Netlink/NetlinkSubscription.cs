using System.Net.Sockets;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Interop;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux.Netlink;

/// <summary>Receives the kernel's notifications: multicast groups of one netlink protocol, without a thread of its own.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NetlinkSubscription : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly Socket _socket;

    /// <param name="groups">RTNLGRP_* or NFNLGRP_* numbers; those that this kernel does not have are skipped.</param>
    /// <param name="exceptPort">
    /// Of rtnetlink: the kernel drops notifications of changes made from this port, other than those of links and addresses. Old kernels
    /// may still deliver them.
    /// </param>
    /// <exception cref="NetlinkException">The kernel has no such protocol, or forbids the socket.</exception>
    public NetlinkSubscription(int protocol, ReadOnlySpan<int> groups, uint? exceptPort = null)
    {
        NetlinkHandle handle = NetlinkHandle.Open(protocol, blocking: false);
        if (exceptPort is { } port)
            DropMessagesOf(handle, port);
        foreach (int group in groups)
            handle.TrySetOption(Libc.SOL_NETLINK, Libc.NETLINK_ADD_MEMBERSHIP, group);
        _socket = new Socket(new SafeSocketHandle(handle.Fd, ownsHandle: true)) { Blocking = false };
    }

    /// <summary>Null if the kernel has no such protocol, or forbids the socket.</summary>
    public static NetlinkSubscription? TryOpen(int protocol, ReadOnlySpan<int> groups)
    {
        try
        {
            return new(protocol, groups);
        }
        catch (NetlinkException)
        {
            return null;
        }
    }

    /// <summary>
    /// Waits for the next datagram, which is valid until the next call. Null: the receive buffer overran, and all messages up to
    /// now are lost.
    /// </summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync(CancellationToken cancellationToken)
    {
        try
        {
            return _buffer.AsMemory(0, await _socket.ReceiveAsync(_buffer, SocketFlags.None, cancellationToken));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
        {
            Drain();
            return null;
        }
    }

    public void Dispose() => _socket.Dispose();

    // After an overrun the kernel drops new messages without a further error until the last old one is read
    // (NETLINK_S_CONGESTED): a pass that read the host before that would miss these changes.
    private void Drain()
    {
        SocketError error;
        do
            _socket.Receive(_buffer, SocketFlags.None, out error);
        while (error is SocketError.Success or SocketError.NoBufferSpaceAvailable);
    }

    // A filter inside the kernel: a change of thousands of routes would otherwise wake the process thousands of times.
    private static unsafe void DropMessagesOf(NetlinkHandle handle, uint port)
    {
        const ushort LoadWord = 0x20, LoadHalf = 0x28, JumpIfEqual = 0x15, JumpIfNotBelow = 0x35, Return = 0x06;
        // nlmsghdr.nlmsg_type and nlmsg_pid, which a filter reads as if they were in network byte order.
        const uint TypeOffset = 4, PortOffset = 12;
        ReadOnlySpan<sock_filter> filter =
        [
            new() { code = LoadWord, k = PortOffset },
            new() { code = JumpIfEqual, jf = 3, k = (uint)IPAddress.HostToNetworkOrder((int)port) },
            new() { code = LoadHalf, k = TypeOffset },
            // Types are below 256. Those of links and addresses come first.
            new() { code = JumpIfNotBelow, jf = 1, k = (ushort)IPAddress.HostToNetworkOrder((short)RTM_NEWROUTE) },
            new() { code = Return, k = 0 },
            new() { code = Return, k = uint.MaxValue },
        ];
        fixed (sock_filter* first = filter)
            handle.TrySetOption(Libc.SOL_SOCKET, Libc.SO_ATTACH_FILTER, new sock_fprog { len = (ushort)filter.Length, filter = first });
    }
}
