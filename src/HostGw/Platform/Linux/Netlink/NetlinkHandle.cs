using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Interop;

namespace HostGw.Platform.Linux.Netlink;

/// <summary>An open netlink descriptor and its port id.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class NetlinkHandle : IDisposable
{
    private const int ReceiveBufferBytes = 8 * 1024 * 1024;

    private NetlinkHandle(int fd) => Fd = fd;

    public int Fd { get; private set; }

    public uint PortId { get; private set; }

    /// <exception cref="NetlinkException">The kernel has no such protocol, or forbids the socket.</exception>
    public static NetlinkHandle Open(int protocol, bool blocking)
    {
        int type = Libc.SOCK_RAW | Libc.SOCK_CLOEXEC | (blocking ? 0 : Libc.SOCK_NONBLOCK);
        var handle = new NetlinkHandle(Check(Libc.socket(Libc.AF_NETLINK, type, protocol)));
        handle.TrySetOption(Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, ReceiveBufferBytes);
        handle.Bind();
        return handle;
    }

    /// <summary>Older kernels lack some options, and all of them only improve what is done without.</summary>
    public bool TrySetOption<T>(int level, int option, T value) where T : unmanaged =>
        Libc.setsockopt(Fd, level, option, &value, (uint)sizeof(T)) == 0;

    /// <summary>Announcements of changes that were made from this port end inside the kernel, and wake nobody: thousands of routes are thousands of them.</summary>
    public bool TryLeaveOut(uint port)
    {
        const ushort LoadWord = 0x20, JumpIfEqual = 0x15, Return = 0x06;
        const uint PortOffset = 12; // nlmsghdr.nlmsg_pid, which a filter reads as if it were in network order
        ReadOnlySpan<sock_filter> filter =
        [
            new() { code = LoadWord, k = PortOffset },
            new() { code = JumpIfEqual, jf = 1, k = (uint)IPAddress.HostToNetworkOrder((int)port) },
            new() { code = Return, k = 0 },
            new() { code = Return, k = uint.MaxValue },
        ];
        fixed (sock_filter* first = filter)
            return TrySetOption(Libc.SOL_SOCKET, Libc.SO_ATTACH_FILTER, new sock_fprog { len = (ushort)filter.Length, filter = first });
    }

    /// <summary>Receives one datagram. Longer than the buffer: it was cut. Negative: see the last P/Invoke error.</summary>
    public nint Receive(Span<byte> buffer, out uint senderPortId)
    {
        sockaddr_nl from = default;
        uint fromLength = (uint)sizeof(sockaddr_nl);
        fixed (byte* data = buffer)
        {
            nint length = Libc.recvfrom(Fd, data, buffer.Length, Libc.MSG_TRUNC, &from, &fromLength);
            senderPortId = from.nl_pid;
            return length;
        }
    }

    public void Dispose()
    {
        if (Fd >= 0)
            Libc.close(Fd);
        Fd = -1;
    }

    private void Bind()
    {
        sockaddr_nl address = new() { nl_family = Libc.AF_NETLINK };
        uint length = (uint)sizeof(sockaddr_nl);
        Check(Libc.bind(Fd, &address, length));
        Check(Libc.getsockname(Fd, &address, &length));
        PortId = address.nl_pid;
    }

    private static int Check(int result) =>
        result >= 0 ? result : throw new NetlinkException("open a netlink socket", Marshal.GetLastPInvokeError());
}
