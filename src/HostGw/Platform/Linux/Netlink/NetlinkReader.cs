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
