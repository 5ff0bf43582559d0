using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;

namespace HostGw.Net;

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

    /// <summary>RFC 4291 2.5.5.2: an IPv4 address written as IPv6.</summary>
    public bool IsIPv4Mapped => IsIPv6 && High == 0 && Low >> 32 == 0xFFFF;

    /// <summary>RFC 4291 2.5.6: fe80::/10.</summary>
    public bool IsIPv6LinkLocal => IsIPv6 && High >> 54 == 0xFE80 >> 6;

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

    /// <summary>Accepts only dotted decimal (no leading zeros) and RFC 4291 text (no zone).</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Ip ip) => IpText.TryParse(text, out ip);

    /// <inheritdoc cref="TryParse"/>
    /// <exception cref="FormatException">The text is not an address.</exception>
    public static Ip Parse(string text) =>
        TryParse(text, out Ip ip) ? ip : throw new FormatException($"'{text}' is not an IP address");

    /// <summary>The address plus <paramref name="offset"/>; wraps at the end of the family.</summary>
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

/// <summary>Strict address text as the Kubernetes API accepts it, without the short forms of inet_aton. Does not allocate.</summary>
internal static class IpText
{
    private const int Groups = 8;

    public static bool TryParse(ReadOnlySpan<char> text, out Ip ip)
    {
        if (text.Contains(':'))
            return TryParseV6(text, out ip);

        bool parsed = TryParseV4(text, out uint value);
        ip = parsed ? Ip.V4(value) : default;
        return parsed;
    }

    private static bool TryParseV4(ReadOnlySpan<char> text, out uint value)
    {
        value = 0;
        int parts = 0;
        foreach (Range range in text.Split('.'))
        {
            if (++parts > 4 || !TryParseOctet(text[range], out uint octet))
                return false;
            value = (value << 8) | octet;
        }
        return parts == 4;
    }

    private static bool TryParseOctet(ReadOnlySpan<char> text, out uint octet)
    {
        octet = 0;
        // Some parsers take a leading zero for octal, others for decimal (CVE-2021-29923): refused.
        bool shaped = text.Length is >= 1 and <= 3 && (text.Length == 1 || text[0] != '0');
        return shaped && IsDigits(text) && uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out octet) && octet <= 255;
    }

    /// <summary>Whether all characters are ASCII digits.</summary>
    // Checked before every number: the framework's parsers ignore NUL characters after one.
    public static bool IsDigits(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiDigit(c))
                return false;
        }
        return true;
    }

    // RFC 4291 2.2: eight groups, or fewer with one "::" in place of zeros; the last two may be dotted decimal.
    private static bool TryParseV6(ReadOnlySpan<char> text, out Ip ip)
    {
        ip = default;
        Span<ushort> head = stackalloc ushort[Groups];
        Span<ushort> tail = stackalloc ushort[Groups];
        int gap = text.IndexOf("::", StringComparison.Ordinal);

        if (gap < 0)
        {
            bool whole = TryParseGroups(text, head, mayEndInV4: true, out int count) && count == Groups;
            ip = whole ? Ip.V6(Join(head)) : default;
            return whole;
        }

        if (!TryParseGroups(text[..gap], head, mayEndInV4: false, out int before) ||
            !TryParseGroups(text[(gap + 2)..], tail, mayEndInV4: true, out int after))
            return false;
        if (before + after >= Groups)
            return false;

        tail[..after].CopyTo(head[(Groups - after)..]);
        ip = Ip.V6(Join(head));
        return true;
    }

    private static bool TryParseGroups(ReadOnlySpan<char> text, Span<ushort> groups, bool mayEndInV4, out int count)
    {
        count = 0;
        if (text.IsEmpty)
            return true;

        int remaining = text.Count(':') + 1;
        foreach (Range range in text.Split(':'))
        {
            ReadOnlySpan<char> part = text[range];
            if (--remaining == 0 && mayEndInV4 && part.Contains('.'))
            {
                if (count > Groups - 2 || !TryParseV4(part, out uint v4))
                    return false;
                groups[count++] = (ushort)(v4 >> 16);
                groups[count++] = (ushort)v4;
                return true;
            }
            if (count == Groups || part.Length is 0 or > 4 || part.Contains('\0') ||
                !ushort.TryParse(part, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out groups[count++]))
                return false;
        }
        return true;
    }

    private static UInt128 Join(ReadOnlySpan<ushort> groups)
    {
        UInt128 value = 0;
        foreach (ushort group in groups)
            value = (value << 16) | group;
        return value;
    }
}
