using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using HostGw.Planning;

namespace HostGw.Status.Page;

/// <summary>Markup that is written as interpolated strings: what stands in them is ours, what is put into them is text and is escaped.</summary>
internal sealed class Html
{
    private const int MaxText = 400;

    private readonly StringBuilder _markup = new(16 * 1024);

    public Html Add([InterpolatedStringHandlerArgument("")] Markup markup)
    {
        _ = markup;
        return this;
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

    /// <summary>Takes an interpolated string apart.</summary>
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

        public void AppendFormatted(Own own) => _html._markup.Append(own.Markup);

        public void AppendFormatted(int number) => _html._markup.Append(number.ToString("N0", CultureInfo.InvariantCulture));

        public void AppendFormatted(long number) => _html._markup.Append(number.ToString("N0", CultureInfo.InvariantCulture));

        /// <summary>A place in a picture.</summary>
        public void AppendFormatted(double place) => _html._markup.Append(Math.Round(place, 1).ToString(CultureInfo.InvariantCulture));

        public void AppendFormatted(Prefix prefix) => AppendFormatted(prefix.ToString());

        public void AppendFormatted(Ip ip) => AppendFormatted(ip.ToString());
    }
}
