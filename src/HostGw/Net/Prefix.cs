using System.Globalization;
using System.Runtime.CompilerServices;

namespace HostGw.Net;

/// <summary>An address and a prefix length, as written: host bits may be set (see <see cref="IsAligned"/>).</summary>
internal readonly record struct Prefix : IComparable<Prefix>
{
    // Not an Ip: with its padding the structure would be a third larger, and every node has several.
    private readonly ulong _high, _low;
    private readonly byte _family;

    public Prefix(Ip address, byte length) =>
        (_family, _high, _low, Length) = (address.Family, address.High, address.Low, length);

    public byte Length { get; }

    public Ip Address => new(_family, _high, _low);

    public bool IsIPv4 => _family == 4;

    public bool IsIPv6 => _family == 6;

    public bool IsNone => _family == 0;

    /// <summary>/32 in IPv4, /128 in IPv6.</summary>
    public bool IsOneAddress => Length == Address.Bits;

    /// <summary>No host bit is set (RFC 4632).</summary>
    public bool IsAligned => IsIPv4 ? (uint)(_low << Length) == 0 : (Address.Value & HostMask) == 0;

    /// <summary>The last address; for IPv4 the broadcast address.</summary>
    public Ip Last => Make(Address.Value | HostMask);

    /// <summary>The same prefix with its host bits cleared.</summary>
    public Prefix Aligned => IsAligned ? this : new(Make(Address.Value & ~HostMask), Length);

    // A shift by 128 would be a shift by 0.
    private UInt128 HostMask =>
        Length >= Address.Bits ? UInt128.Zero : UInt128.MaxValue >> (128 - Address.Bits + Length);

    public static Prefix Host(Ip ip) => new(ip, (byte)ip.Bits);

    public bool Contains(Ip ip) => ip.Family == _family && Covers(ip.High, ip.Low);

    public bool Contains(Prefix other) => other.Length >= Length && other._family == _family && Covers(other._high, other._low);

    public bool Overlaps(Prefix other) => Contains(other) || other.Contains(this);

    // A shift by the width of the type would be a shift by 0.
    private bool Covers(ulong high, ulong low) => _family switch
    {
        4 => Length == 0 || (uint)(low ^ _low) >> (32 - Length) == 0,
        6 when Length > 64 => high == _high && (low ^ _low) >> (128 - Length) == 0,
        6 => Length == 0 || (high ^ _high) >> (64 - Length) == 0,
        _ => false,
    };

    /// <summary>Accepts ADDRESS/LENGTH in the strict text of <see cref="Ip.TryParse"/>; does not require alignment.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Prefix prefix)
    {
        prefix = default;
        int slash = text.IndexOf('/');
        if (slash < 0 || !Ip.TryParse(text[..slash], out Ip address))
            return false;

        ReadOnlySpan<char> length = text[(slash + 1)..];
        bool shaped = length.Length is >= 1 and <= 3 && (length.Length == 1 || length[0] != '0') && IpText.IsDigits(length);
        if (!shaped || !byte.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out byte bits) || bits > address.Bits)
            return false;

        prefix = new(address, bits);
        return true;
    }

    /// <inheritdoc cref="TryParse"/>
    /// <exception cref="FormatException">The text is not a prefix.</exception>
    public static Prefix Parse(string text) =>
        TryParse(text, out Prefix prefix) ? prefix : throw new FormatException($"'{text}' is not a CIDR");

    /// <summary>By family, then address, then length: a prefix comes before everything inside it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int CompareTo(Prefix other)
    {
        if (_family != other._family)
            return _family < other._family ? -1 : 1;
        if (_high != other._high)
            return _high < other._high ? -1 : 1;
        return _low != other._low ? _low < other._low ? -1 : 1 : Length - other.Length;
    }

    public override int GetHashCode() => HashCode.Combine(_high, _low, Length);

    public override string ToString() => IsNone ? "" : string.Create(CultureInfo.InvariantCulture, $"{Address}/{Length}");

    private Ip Make(UInt128 value) => IsIPv4 ? Ip.V4((uint)value) : Ip.V6(value);
}
