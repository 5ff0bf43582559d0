using System.Net.Sockets;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Interop;

namespace HostGw.Platform.Linux.Netlink;

/// <summary>Listens to multicast groups of one netlink protocol without a thread of its own.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NetlinkSubscription : IDisposable
{
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly Socket _socket;

    /// <param name="groups">RTNLGRP_* or NFNLGRP_* numbers; those that this kernel lacks are left out.</param>
    /// <param name="exceptPort">Changes made from this port are of no interest; they may come all the same.</param>
    /// <exception cref="NetlinkException">The kernel has no such protocol, or forbids the socket.</exception>
    public NetlinkSubscription(int protocol, ReadOnlySpan<int> groups, uint? exceptPort = null)
    {
        NetlinkHandle handle = NetlinkHandle.Open(protocol, blocking: false);
        if (exceptPort is { } port)
            handle.TryLeaveOut(port);
        foreach (int group in groups)
            handle.TrySetOption(Libc.SOL_NETLINK, Libc.NETLINK_ADD_MEMBERSHIP, group);
        _socket = new Socket(new SafeSocketHandle(handle.Fd, ownsHandle: true)) { Blocking = false };
    }

    /// <summary>Null where the kernel has no such protocol, or forbids it.</summary>
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

    /// <summary>Waits for the next messages. Null: more came than the receive buffer holds, and all up to now are lost.</summary>
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

    // Until the last message is taken the kernel drops new ones without a further error (NETLINK_S_CONGESTED): who read the
    // host before that would never hear of them.
    private void Drain()
    {
        SocketError error;
        do
            _socket.Receive(_buffer, SocketFlags.None, out error);
        while (error is SocketError.Success or SocketError.NoBufferSpaceAvailable);
    }

    public void Dispose() => _socket.Dispose();
}
