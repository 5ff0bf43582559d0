using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace HostGw.Platform.Linux.Netlink;

/// <summary>nlmsghdr, https://man7.org/linux/man-pages/man7/netlink.7.html.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct NetlinkHeader
{
    public readonly uint Length;
    public readonly ushort Type;
    public readonly ushort Flags;
    public readonly uint Sequence;
    public readonly uint PortId;
}

/// <summary>Iterates over the messages of one datagram. A message with a wrong length ends the iteration.</summary>
internal ref struct NetlinkMessages(ReadOnlySpan<byte> datagram)
{
    private ReadOnlySpan<byte> _rest = datagram;

    public NetlinkHeader Header { get; private set; }

    public ReadOnlySpan<byte> Payload { get; private set; }

    public bool Next()
    {
        if (!MemoryMarshal.TryRead(_rest, out NetlinkHeader header) ||
            header.Length < NetlinkWriter.HeaderLength || header.Length > _rest.Length)
            return false;

        Header = header;
        Payload = _rest[NetlinkWriter.HeaderLength..(int)header.Length];
        _rest = _rest[Math.Min(((int)header.Length + 3) & ~3, _rest.Length)..];
        return true;
    }
}

/// <summary>Iterates over the attributes of a message or of a nested attribute. One with a wrong length ends the iteration.</summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> attributes)
{
    private const int HeaderLength = 4;
    private const int TypeMask = 0x3FFF; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER

    private ReadOnlySpan<byte> _rest = attributes;

    public ushort Type { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public bool Next()
    {
        if (_rest.Length < HeaderLength)
            return false;

        int length = MemoryMarshal.Read<ushort>(_rest);
        if (length < HeaderLength || length > _rest.Length)
            return false;

        Type = (ushort)(MemoryMarshal.Read<ushort>(_rest[2..]) & TypeMask);
        Value = _rest[HeaderLength..length];
        _rest = _rest[Math.Min((length + 3) & ~3, _rest.Length)..];
        return true;
    }

    /// <summary>The value in host byte order (rtnetlink); 0 if the attribute is shorter than its type.</summary>
    public readonly T Read<T>() where T : unmanaged =>
        Value.Length >= Unsafe.SizeOf<T>() ? MemoryMarshal.Read<T>(Value) : default;

    /// <summary>The value in network byte order (nfnetlink); 0 if the attribute is too short.</summary>
    public readonly uint ReadBigEndian() => ReadBigEndian(Value);

    public readonly string ReadString() => ReadString(Value);

    /// <summary>The value of the first attribute of this type; empty if there is none.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> attributes, ushort type)
    {
        var all = new NetlinkAttributes(attributes);
        while (all.Next())
        {
            if (all.Type == type)
                return all.Value;
        }
        return default;
    }

    /// <inheritdoc cref="ReadBigEndian()"/>
    public static uint ReadBigEndian(ReadOnlySpan<byte> value) =>
        BinaryPrimitives.TryReadUInt32BigEndian(value, out uint result) ? result : 0;

    /// <summary>A string without its terminating zeros.</summary>
    public static string ReadString(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value.TrimEnd((byte)0));
}

/// <summary>The kernel answered a netlink request with an error.</summary>
internal sealed class NetlinkException(string request, int errno, string? explanation = null)
    : HostNetworkException(Describe(request, errno, explanation))
{
    /// <summary>What was asked of the kernel, in words.</summary>
    public string Request { get; } = request;

    public int Errno { get; } = errno;

    /// <summary>The kernel's own sentence, if it sent one.</summary>
    public string? Explanation { get; } = explanation;

    // Deleting an absent route is ESRCH; an absent link, rule or table is ENOENT.
    public override bool IsNotFound => Errno is Linux.Netlink.Errno.ENOENT or Linux.Netlink.Errno.ESRCH;

    private static string Describe(string request, int errno, string? explanation)
    {
        string reason = Marshal.GetPInvokeErrorMessage(errno);
        return explanation is null ? $"{request}: {reason}" : $"{request}: {reason} ({explanation})";
    }
}

/// <summary>Decodes nlmsgerr: an error number and, with NETLINK_EXT_ACK, the kernel's own sentence.</summary>
/// <remarks>https://docs.kernel.org/userspace-api/netlink/intro.html#ext-ack</remarks>
internal static class NetlinkAck
{
    private const ushort NLM_F_CAPPED = 0x100;
    private const ushort NLM_F_ACK_TLVS = 0x200;
    private const ushort NLMSGERR_ATTR_MSG = 1;
    private const int ErrorLength = 4;

    /// <param name="what">The request, in words.</param>
    /// <param name="flags">Of the message's header.</param>
    /// <param name="payload">Of NLMSG_ERROR, or of NLMSG_DONE, which may have no error number.</param>
    /// <returns>Null: success.</returns>
    public static NetlinkException? Failure(string what, ushort flags, ReadOnlySpan<byte> payload)
    {
        int error = payload.Length >= ErrorLength ? MemoryMarshal.Read<int>(payload) : 0;
        return error >= 0 ? null : new NetlinkException(what, -error, Explanation(flags, payload));
    }

    private static string? Explanation(ushort flags, ReadOnlySpan<byte> payload)
    {
        if ((flags & NLM_F_ACK_TLVS) == 0)
            return null;

        // The attributes follow the echoed request: its header alone if capped, otherwise all of it.
        int echoed = ErrorLength + NetlinkWriter.HeaderLength;
        if ((flags & NLM_F_CAPPED) == 0 && payload.Length >= echoed)
            echoed = ErrorLength + (int)((MemoryMarshal.Read<uint>(payload[ErrorLength..]) + 3) & ~3u);
        if (echoed < 0 || echoed > payload.Length)
            return null;

        var attributes = new NetlinkAttributes(payload[echoed..]);
        while (attributes.Next())
        {
            if (attributes.Type == NLMSGERR_ATTR_MSG)
                return Encoding.UTF8.GetString(attributes.Value).TrimEnd('\0');
        }
        return null;
    }
}

/// <summary>The error numbers that the program distinguishes (asm-generic/errno.h).</summary>
internal static class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int ESRCH = 3;
    public const int EINTR = 4;
    public const int EAGAIN = 11;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int ENODEV = 19;
    public const int EINVAL = 22;
    public const int EPROTONOSUPPORT = 93;
    public const int EOPNOTSUPP = 95;
    public const int EAFNOSUPPORT = 97;
    public const int EADDRINUSE = 98;
    public const int EADDRNOTAVAIL = 99;
    public const int ENETUNREACH = 101;
    public const int ENOBUFS = 105;
}
