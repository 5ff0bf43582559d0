using System.Globalization;
using System.Text;

namespace HostGw;

/// <summary>Text of unknown origin, fit for a terminal and a log.</summary>
internal static class Quoted
{
    private const int MaxValue = 80;
    private const int MaxSentence = 240;

    /// <summary>In quotes, at most 80 characters of it, and nothing in it that a terminal would obey or not show.</summary>
    public static string From(string text) => $"'{Show(text, MaxValue)}'";

    /// <summary>The same for a sentence or a path: without quotes, at most 240 characters.</summary>
    public static string Plain(string text) => Show(text, MaxSentence);

    /// <summary>The same, however long.</summary>
    public static string Visible(string text) => Show(text, int.MaxValue);

    private static string Show(string text, int most)
    {
        var shown = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (shown.Length >= most)
                return shown.Append('…').ToString();
            if (IsVisible(rune))
                shown.Append(rune);
            else
                shown.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
        }
        return shown.ToString();
    }

    /// <summary>Whether a reader sees it, and nothing but it.</summary>
    // Format covers the bidirectional overrides, which make a line read as another.
    public static bool IsVisible(Rune rune) => Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
