using System.Buffers.Binary;
using System.Net.Sockets;

namespace HostGw.Planning;

/// <summary>An IPv4 or IPv6 address as a value: compared, hashed and stored without allocation. The default value is no address.</summary>
internal readonly record struct Ip : IComparable<Ip>
{
    internal Ip(byte family, ulong high, ulong low) => (Family, High, Low) = (family, high, low);

    /// <summary>4, 6, or 0 for no address.</summary>
    internal byte Family { get; }

    /// <summary>The upper 64 bits; 0 for IPv4.</summary>
    public ulong High { get; }

    /// <summary>The lower 64 bits; an IPv4 address is its 32 bits here.</summary>
    public ulong Low { get; }

    public bool IsNone => Family == 0;

    public bool IsIPv4 => Family == 4;

    public bool IsIPv6 => Family == 6;

    /// <summary>Length of an address of this family in bits: 32 or 128.</summary>
    public int Bits => IsIPv4 ? 32 : 128;

    public UInt128 Value => new(High, Low);

    /// <summary>RFC 4291 2.5.5.2: an IPv4 address dressed as IPv6, which routes differently than it reads.</summary>
    public bool IsIPv4Mapped => IsIPv6 && High == 0 && Low >> 32 == 0xFFFF;

    public static Ip V4(uint value) => new(4, 0, value);

    public static Ip V6(UInt128 value) => new(6, (ulong)(value >> 64), (ulong)value);

    /// <summary>Reads 4 or 16 bytes in network order; any other length is no address.</summary>
    public static Ip FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        4 => V4(BinaryPrimitives.ReadUInt32BigEndian(bytes)),
        16 => V6(BinaryPrimitives.ReadUInt128BigEndian(bytes)),
        _ => default,
    };

    /// <summary>Null is no address.</summary>
    public static Ip From(IPAddress? address)
    {
        if (address is null)
            return default;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        return FromBytes(bytes[..length]);
    }

    /// <summary>Writes the address in network order and returns how many bytes that took: 4 or 16.</summary>
    public int WriteBytes(Span<byte> destination)
    {
        if (IsIPv4)
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)Low);
        else
            BinaryPrimitives.WriteUInt128BigEndian(destination, Value);
        return Bits / 8;
    }

    /// <summary>Accepts dotted decimal (no leading zeros) and RFC 4291 text (no zone), and nothing else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Ip ip) => IpText.TryParse(text, out ip);

    /// <inheritdoc cref="TryParse"/>
    /// <exception cref="FormatException">The text is no address.</exception>
    public static Ip Parse(string text) =>
        TryParse(text, out Ip ip) ? ip : throw new FormatException($"'{text}' is not an IP address");

    /// <summary>The address <paramref name="offset"/> further; wraps at the end of the family.</summary>
    public Ip Plus(uint offset) => IsIPv4 ? V4((uint)Low + offset) : V6(Value + offset);

    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        return new IPAddress(bytes[..WriteBytes(bytes)]);
    }

    public AddressFamily AddressFamily => IsIPv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;

    public int CompareTo(Ip other)
    {
        if (Family != other.Family)
            return Family.CompareTo(other.Family);
        return High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);
    }

    public override int GetHashCode() => HashCode.Combine(High, Low);

    public override string ToString() => IsNone ? "" : ToIPAddress().ToString();
}
