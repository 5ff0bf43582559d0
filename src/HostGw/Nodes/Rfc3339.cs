using System.Globalization;

namespace HostGw.Nodes;

/// <summary>Time stamps as the API writes them.</summary>
internal static class Rfc3339
{
    /// <summary>Unix seconds; long.MaxValue for what cannot be read.</summary>
    public static long ToUnixSeconds(ReadOnlySpan<char> text) =>
        DateTimeOffset.TryParseExact(
            text, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time.ToUnixTimeSeconds()
            : long.MaxValue;
}
