using System.Globalization;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Encoders;

/// <summary>Cells that several kinds share.</summary>
internal static class Cells
{
    public static string Name(JsonObject content) => At(content, "metadata.name", "");

    public static string Age(JsonObject content) => Since(At(content, "metadata.creationTimestamp", ""));

    public static string LastSeen(JsonObject content) =>
        Since(new[] { "series.lastObservedTime", "lastTimestamp", "eventTime" }.Select(p => At(content, p, "")).FirstOrDefault(t => t.Length > 0) ?? "");

    public static string At(JsonObject content, string path, string absent) =>
        JsonFields.At(content, path) is { Length: > 0 } text ? text : absent;

    private static string Since(string timestamp)
    {
        if (!DateTimeOffset.TryParse(timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset then))
            return "<unknown>";
        return Short(DateTimeOffset.UtcNow - then);
    }

    /// <summary>A duration as kubectl shows it: 5s, 3m20s, 25m, 3h12m, 20h, 4d3h, 40d, 2y30d, 9y.</summary>
    /// <remarks>k8s.io/apimachinery/pkg/util/duration, HumanDuration.</remarks>
    internal static string Short(TimeSpan age)
    {
        long seconds = Math.Max(0, (long)age.TotalSeconds), minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
        return seconds < 120 ? $"{seconds}s"
            : minutes < 10 ? Pair(minutes, "m", seconds % 60, "s")
            : minutes < 180 ? $"{minutes}m"
            : hours < 8 ? Pair(hours, "h", minutes % 60, "m")
            : hours < 48 ? $"{hours}h"
            : hours < 192 ? Pair(days, "d", hours % 24, "h")
            : days < 730 ? $"{days}d"
            : days < 2920 ? Pair(days / 365, "y", days % 365, "d")
            : $"{days / 365}y";
    }

    private static string Pair(long large, string unit, long small, string smallUnit) =>
        small == 0 ? $"{large}{unit}" : $"{large}{unit}{small}{smallUnit}";
}
