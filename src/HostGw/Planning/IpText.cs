using System.Globalization;

namespace HostGw.Planning;

/// <summary>Strict address text: what the Kubernetes API accepts, without the shorthands of inet_aton and without allocation.</summary>
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
        // A leading zero is octal to some readers and decimal to others (CVE-2021-29923): neither here.
        bool shaped = text.Length is >= 1 and <= 3 && (text.Length == 1 || text[0] != '0');
        return shaped && IsDigits(text) && uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out octet) && octet <= 255;
    }

    /// <summary>The framework's parsers take a number that is followed by NUL characters.</summary>
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
