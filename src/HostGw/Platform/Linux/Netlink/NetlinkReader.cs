using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

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

/// <summary>Walks the messages in what one receive returned. A message whose length lies ends the walk.</summary>
internal ref struct NetlinkMessages(ReadOnlySpan<byte> buffer)
{
    private ReadOnlySpan<byte> _rest = buffer;

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

/// <summary>Walks the attributes of a message or of a nested attribute. An attribute whose length lies ends the walk.</summary>
internal ref struct NetlinkAttributes(ReadOnlySpan<byte> buffer)
{
    private const int HeaderLength = 4;
    private const int TypeMask = 0x3FFF; // without NLA_F_NESTED and NLA_F_NET_BYTEORDER

    private ReadOnlySpan<byte> _rest = buffer;

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

    /// <summary>The value in host byte order; 0 where the attribute is shorter than its type.</summary>
    public readonly T Read<T>() where T : unmanaged =>
        Value.Length >= Unsafe.SizeOf<T>() ? MemoryMarshal.Read<T>(Value) : default;
}
