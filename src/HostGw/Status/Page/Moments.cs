using System.Globalization;

namespace HostGw.Status.Page;

/// <summary>Times as a person reads them who was just woken.</summary>
internal static class Moments
{
    /// <summary>"12 s", "3 min", "5 h", "2 d".</summary>
    public static string Age(TimeSpan age) => age switch
    {
        { TotalSeconds: < 1 } => "now",
        { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalSeconds} s"),
        { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalMinutes} min"),
        { TotalDays: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalHours} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalDays} d"),
    };

    public static string Clock(DateTimeOffset at) => at.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>The clock's time within a day, else the date.</summary>
    public static string Short(DateTimeOffset at, DateTimeOffset now) =>
        (now - at).Duration() < TimeSpan.FromDays(1) ? Clock(at) : at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>"03:04:05 (12 min)", and all of it for who points at it.</summary>
    public static Html AddTime(this Html html, DateTimeOffset at, DateTimeOffset now) =>
        html.Add($"<time datetime=\"{Rfc3339.Text(at)}\" title=\"{Rfc3339.Text(at)}\">{Short(at, now)} <span class=age>({Age(now - at)})</span></time>");
}
