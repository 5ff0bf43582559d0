using System.Globalization;
using HostGw.Planning;

namespace HostGw.Platform.Windows;

/// <summary>What names a route on Windows.</summary>
/// <param name="NextHop">None for a route whose destinations are neighbours.</param>
/// <param name="Luid">Its interface.</param>
internal readonly record struct OwnedRoute(Prefix Destination, Ip NextHop, ulong Luid)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Destination} {(NextHop.IsNone ? "on-link" : NextHop.ToString())} {Luid:x16}");

    public static bool TryParse(ReadOnlySpan<char> text, out OwnedRoute route)
    {
        route = default;
        Span<Range> words = stackalloc Range[4];
        if (text.Split(words, ' ') != 3 || !Prefix.TryParse(text[words[0]], out Prefix destination))
            return false;
        ReadOnlySpan<char> hop = text[words[1]];
        Ip nextHop = default;
        if (hop is not "on-link" && (!Ip.TryParse(hop, out nextHop) || nextHop.IsIPv4 != destination.IsIPv4))
            return false;
        if (!ulong.TryParse(text[words[2]], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong luid))
            return false;
        route = new(destination, nextHop, luid);
        return true;
    }
}
