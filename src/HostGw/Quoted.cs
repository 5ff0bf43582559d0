using System.Globalization;
using System.Text;

namespace HostGw;

/// <summary>Makes untrusted text safe to print on a terminal and in a log.</summary>
internal static class Quoted
{
    private const int MaxValue = 80;
    private const int MaxSentence = 240;

    /// <summary>In quotes, at most 80 characters, control and invisible characters escaped.</summary>
    public static string From(string text) => $"'{Show(text, MaxValue)}'";

    /// <summary>The same for a sentence or a path: without quotes, at most 240 characters.</summary>
    public static string Plain(string text) => Show(text, MaxSentence);

    /// <summary>The same, without a limit.</summary>
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

    /// <summary>False for control, format and other invisible characters.</summary>
    // Format covers the bidirectional overrides, which change the order in which a line reads.
    public static bool IsVisible(Rune rune) => Rune.GetUnicodeCategory(rune) is not
        (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
