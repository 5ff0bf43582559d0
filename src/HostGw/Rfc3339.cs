using System.Globalization;

namespace HostGw;

/// <summary>Time stamps as the API writes them.</summary>
internal static class Rfc3339
{
    /// <summary>In UTC, to the second.</summary>
    public const string Format = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    public static string Text(DateTimeOffset at) => at.UtcDateTime.ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>Unix seconds; long.MaxValue for what cannot be read.</summary>
    public static long ToUnixSeconds(ReadOnlySpan<char> text) =>
        DateTimeOffset.TryParseExact(
            text, "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            ? time.ToUnixTimeSeconds()
            : long.MaxValue;
}
