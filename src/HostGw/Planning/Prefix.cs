using System.Globalization;

namespace HostGw.Planning;

/// <summary>An address and a prefix length, as written: it may be unaligned, which <see cref="IsAligned"/> tells.</summary>
internal readonly record struct Prefix(Ip Address, byte Length) : IComparable<Prefix>
{
    public bool IsIPv4 => Address.IsIPv4;

    public bool IsIPv6 => Address.IsIPv6;

    public bool IsNone => Address.IsNone;

    /// <summary>No bit is set behind the prefix length (RFC 4632).</summary>
    public bool IsAligned => (Address.Value & HostMask) == 0;

    /// <summary>The last address; for IPv4 the broadcast address.</summary>
    public Ip Last => Make(Address, Address.Value | HostMask);

    /// <summary>The same prefix with its host bits cleared.</summary>
    public Prefix Aligned => new(Make(Address, Address.Value & ~HostMask), Length);

    // A shift by 128 would be a shift by 0.
    private UInt128 HostMask =>
        Length >= Address.Bits ? UInt128.Zero : UInt128.MaxValue >> (128 - Address.Bits + Length);

    public static Prefix Host(Ip ip) => new(ip, (byte)ip.Bits);

    public bool Contains(Ip ip) =>
        ip.IsIPv4 == IsIPv4 && ip.IsIPv6 == IsIPv6 && !ip.IsNone && ((ip.Value ^ Address.Value) & ~HostMask & FamilyMask) == 0;

    public bool Contains(Prefix other) => other.Length >= Length && Contains(other.Address);

    public bool Overlaps(Prefix other) => Contains(other.Address) || other.Contains(Address);

    private UInt128 FamilyMask => IsIPv4 ? uint.MaxValue : UInt128.MaxValue;

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
    /// <exception cref="FormatException">The text is no prefix.</exception>
    public static Prefix Parse(string text) =>
        TryParse(text, out Prefix prefix) ? prefix : throw new FormatException($"'{text}' is not a CIDR");

    /// <summary>By family, then address, then length: a prefix comes before everything inside it.</summary>
    public int CompareTo(Prefix other)
    {
        int result = Address.CompareTo(other.Address);
        return result != 0 ? result : Length.CompareTo(other.Length);
    }

    public override string ToString() => IsNone ? "" : string.Create(CultureInfo.InvariantCulture, $"{Address}/{Length}");

    private static Ip Make(Ip like, UInt128 value) => like.IsIPv4 ? Ip.V4((uint)value) : Ip.V6(value);
}
