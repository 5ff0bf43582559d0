using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace HostGw.Platform.Linux.Interop;

/// <summary>The system calls that .NET does not offer, under their native names. No logic here: see <c>NetlinkSocket</c>.</summary>
/// <remarks>https://man7.org/linux/man-pages/man7/netlink.7.html</remarks>
[SupportedOSPlatform("linux")]
internal static unsafe partial class Libc
{
    private const string Library = "libc";

    public const int AF_NETLINK = 16;
    public const int SOCK_RAW = 3;
    public const int SOCK_CLOEXEC = 0x80000;
    public const int SOCK_NONBLOCK = 0x800;

    public const int SOL_SOCKET = 1;
    public const int SO_RCVTIMEO = 20;
    public const int SO_ATTACH_FILTER = 26;
    public const int SO_SNDBUFFORCE = 32;
    public const int SO_RCVBUFFORCE = 33;

    public const int SOL_NETLINK = 270;
    public const int NETLINK_ADD_MEMBERSHIP = 1;
    public const int NETLINK_CAP_ACK = 10;
    public const int NETLINK_EXT_ACK = 11;
    public const int NETLINK_GET_STRICT_CHK = 12;

    public const int MSG_TRUNC = 0x20;

    public const int AT_FDCWD = -100;
    public const uint STATX_UID = 0x8;
    public const uint STATX_INO = 0x100;
    public const uint STATX_BTIME = 0x800;

    public const ulong ST_RDONLY = 0x1;

    [LibraryImport(Library, SetLastError = true)]
    public static partial int socket(int domain, int type, int protocol);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int close(int fd);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int bind(int fd, sockaddr_nl* address, uint length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getsockname(int fd, sockaddr_nl* address, uint* length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setsockopt(int fd, int level, int option, void* value, uint length);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint sendto(int fd, byte* buffer, nint length, int flags, sockaddr_nl* address, uint addressLength);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint recvfrom(int fd, byte* buffer, nint length, int flags, sockaddr_nl* address, uint* addressLength);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int statfs(string path, statfs* status);

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int statx(int folder, string path, int flags, uint mask, statx* status);
}

[StructLayout(LayoutKind.Sequential)]
internal struct sockaddr_nl
{
    public ushort nl_family;
    public ushort nl_pad;
    public uint nl_pid;
    public uint nl_groups;
}

/// <summary>An instruction of the classic BPF, https://docs.kernel.org/networking/filter.html.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct sock_filter
{
    public ushort code;
    public byte jt;
    public byte jf;
    public uint k;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct sock_fprog
{
    public ushort len;
    public sock_filter* filter;
}

[StructLayout(LayoutKind.Sequential)]
internal struct timeval
{
    public nint tv_sec;
    public nint tv_usec;
}

/// <summary>The same on every architecture, unlike stat; only the fields in use are declared.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct statx
{
    [FieldOffset(20)] public uint stx_uid;
    [FieldOffset(32)] public ulong stx_ino;
    [FieldOffset(80)] public long stx_btime_sec;
    [FieldOffset(88)] public uint stx_btime_nsec;
}

/// <summary>As on all 64-bit architectures; only the fields in use are declared.</summary>
[StructLayout(LayoutKind.Explicit, Size = 120)]
internal struct statfs
{
    [FieldOffset(80)] public ulong f_flags;
}
