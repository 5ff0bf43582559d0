using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace HostGw.Platform.Linux.Interop;

/// <summary>The system calls for datagrams with control messages. No logic here: see <c>DatagramSocket</c> and <c>Epoll</c>.</summary>
/// <remarks>https://man7.org/linux/man-pages/man7/ip.7.html, ipv6.7.html, https://man7.org/linux/man-pages/man2/recv.2.html</remarks>
internal static unsafe partial class LibcDatagrams
{
    private const string Library = "libc";

    public const ushort AF_INET = 2;
    public const ushort AF_INET6 = 10;

    public const int IPPROTO_IP = 0;
    public const int IP_TTL = 2;
    public const int IP_PKTINFO = 8;
    public const int IP_MTU_DISCOVER = 10;
    public const int IP_RECVERR = 11;
    public const int IP_RECVTTL = 12;

    public const int IPPROTO_IPV6 = 41;
    public const int IPV6_MTU_DISCOVER = 23;
    public const int IPV6_RECVERR = 25;
    public const int IPV6_RECVPKTINFO = 49;
    public const int IPV6_PKTINFO = 50;
    public const int IPV6_RECVHOPLIMIT = 51;
    public const int IPV6_HOPLIMIT = 52;
    public const int IPV6_FREEBIND = 78;

    // In both families.
    public const byte PMTUDISC_PROBE = 3;

    public const int MSG_DONTWAIT = 0x40;
    public const int MSG_ERRQUEUE = 0x2000;

    public const byte SO_EE_ORIGIN_ICMP = 2;
    public const byte SO_EE_ORIGIN_ICMP6 = 3;

    public const int EPOLL_CLOEXEC = 0x80000;
    public const int EPOLL_CTL_ADD = 1;
    public const uint EPOLLIN = 1;
    public const uint EPOLLERR = 8;

    public const int EFD_CLOEXEC = 0x80000;
    public const int EFD_NONBLOCK = 0x800;

    [LibraryImport(Library, SetLastError = true)]
    [SupportedOSPlatform("linux")]
    public static partial nint sendmsg(int fd, msghdr* message, int flags);

    [LibraryImport(Library, SetLastError = true)]
    [SupportedOSPlatform("linux")]
    public static partial nint recvmsg(int fd, msghdr* message, int flags);

    [LibraryImport(Library, SetLastError = true)]
    [SupportedOSPlatform("linux")]
    public static partial int epoll_create1(int flags);

    [LibraryImport(Library, SetLastError = true)]
    [SupportedOSPlatform("linux")]
    public static partial int epoll_ctl(int epoll, int operation, int fd, byte* @event);

    [LibraryImport(Library, SetLastError = true)]
    [SupportedOSPlatform("linux")]
    public static partial int epoll_wait(int epoll, byte* events, int most, int timeoutMilliseconds);

    [LibraryImport(Library, SetLastError = true)]
    [SupportedOSPlatform("linux")]
    public static partial int eventfd(uint value, int flags);

    [LibraryImport(Library, SetLastError = true)]
    [SupportedOSPlatform("linux")]
    public static partial nint read(int fd, void* buffer, nint length);

    [LibraryImport(Library, SetLastError = true)]
    [SupportedOSPlatform("linux")]
    public static partial nint write(int fd, void* buffer, nint length);
}

/// <summary>As on 64-bit little-endian systems: of glibc, and of musl, whose lengths are shorter and padded with zeros.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct msghdr
{
    public byte* msg_name;
    public uint msg_namelen;
    public iovec* msg_iov;
    public nint msg_iovlen;
    public byte* msg_control;
    public nint msg_controllen;
    public int msg_flags;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct iovec
{
    public byte* iov_base;
    public nint iov_len;
}

[StructLayout(LayoutKind.Sequential)]
internal struct cmsghdr
{
    public nint cmsg_len;
    public int cmsg_level;
    public int cmsg_type;
}
