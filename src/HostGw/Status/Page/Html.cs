using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using HostGw.Planning;

namespace HostGw.Status.Page;

/// <summary>
/// HTML, written as interpolated strings: the literal parts are markup, the values between them are text and are escaped.
/// </summary>
internal sealed class Html
{
    // As of an Event's message: a cure may be long, and half a cure does harm.
    private const int MaxText = 1024;

    private readonly StringBuilder _markup = new(16 * 1024);

    public Html Add([InterpolatedStringHandlerArgument("")] Markup markup)
    {
        _ = markup;
        return this;
    }

    /// <summary>A time as "03:04:05 (12 min)", with the complete time as tooltip.</summary>
    public Html AddTime(DateTimeOffset at, DateTimeOffset now)
    {
        string complete = Rfc3339.Text(at);
        return Add($"<time datetime=\"{complete}\" title=\"{complete}\">{TimeText.Short(at, now)} ")
            .Add($"<span class=age>({TimeText.Age(now - at)})</span></time>");
    }

    public byte[] ToUtf8() => Encoding.UTF8.GetBytes(_markup.ToString());

    private void Escape(string text)
    {
        int room = MaxText;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (room-- == 0)
            {
                _markup.Append('…');
                return;
            }
            Escape(rune);
        }
    }

    private void Escape(Rune rune)
    {
        switch (rune.Value)
        {
            case '&': _markup.Append("&amp;"); break;
            case '<': _markup.Append("&lt;"); break;
            case '>': _markup.Append("&gt;"); break;
            case '"': _markup.Append("&quot;"); break;
            case '\'': _markup.Append("&#39;"); break;
            case int value when !Quoted.IsVisible(rune):
                _markup.Append(CultureInfo.InvariantCulture, $"\\u{{{value:x}}}");
                break;
            default: _markup.Append(rune.ToString()); break;
        }
    }

    /// <summary>The compiler passes the parts of an interpolated string to it one by one.</summary>
    [InterpolatedStringHandler]
    internal readonly ref struct Markup
    {
        private readonly Html _html;

        public Markup(int literalLength, int formattedCount, Html html)
        {
            _ = (literalLength, formattedCount);
            _html = html;
        }

        public void AppendLiteral(string markup) => _html._markup.Append(markup);

        public void AppendFormatted(string text) => _html.Escape(text);

        public void AppendFormatted(RawHtml raw) => _html._markup.Append(raw.Markup);

        public void AppendFormatted(int number) => _html._markup.Append(number.ToString("N0", CultureInfo.InvariantCulture));

        public void AppendFormatted(long number) => _html._markup.Append(number.ToString("N0", CultureInfo.InvariantCulture));

        /// <summary>Rounded to a tenth: coordinates and milliseconds.</summary>
        public void AppendFormatted(double number) =>
            _html._markup.Append(Math.Round(number, 1).ToString(CultureInfo.InvariantCulture));

        public void AppendFormatted(Prefix prefix) => AppendFormatted(prefix.ToString());

        public void AppendFormatted(Ip ip) => AppendFormatted(ip.ToString());
    }
}

/// <summary>Markup that is written without escaping. Never made of text from outside.</summary>
internal readonly record struct RawHtml(string Markup);

/// <summary>Times as people read them.</summary>
internal static class TimeText
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

    /// <summary>The time of the day if it is less than a day from now, else the date. UTC.</summary>
    public static string Short(DateTimeOffset at, DateTimeOffset now) => at.UtcDateTime.ToString(
        (now - at).Duration() < TimeSpan.FromDays(1) ? "HH:mm:ss" : "yyyy-MM-dd", CultureInfo.InvariantCulture);
}
