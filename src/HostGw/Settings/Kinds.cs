using System.Collections.Immutable;
using System.Globalization;
using HostGw.Planning;

namespace HostGw.Settings;

/// <summary>The kinds of values that more than one setting could have.</summary>
internal static class Kinds
{
    /// <summary>Reads one value and says whether it could.</summary>
    public delegate bool TryParse<T>(string text, out T value);

    public static Kind<bool> Switch { get; } =
        Choice(("true", true), ("false", false)) with { IsSwitch = true };

    /// <summary>A file or folder; need not exist yet.</summary>
    public static Kind<string> AbsolutePath { get; } = Make(
        "path", "an absolute path", static (string text, out string path) =>
            ((path = text).StartsWith('/') || (OperatingSystem.IsWindows() && Path.IsPathFullyQualified(text))) && !text.Any(char.IsControl));

    /// <summary>A file; empty for none.</summary>
    public static Kind<string?> OptionalPath { get; } = Make(
        "file", "a file name", static (string text, out string? path) =>
        {
            path = text.Length == 0 ? null : text;
            return !text.Any(char.IsControl);
        });

    /// <summary>A folder, or none.</summary>
    public static Kind<string?> OptionalDirectory { get; } = Make(
        "path|none", "an absolute path, or none", static (string text, out string? path) =>
        {
            path = text == "none" ? null : text;
            return path is null || ((text.StartsWith('/') || Path.IsPathFullyQualified(text)) && !text.Any(char.IsControl));
        });

    /// <summary>A name that means the same in a document, a path and an interface's alias.</summary>
    public static Kind<string> Word { get; } = Make(
        "name", "a name of letters, digits, '-', '_' and '.'", static (string text, out string name) =>
            (name = text).Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'));

    public static Kind<NodeSelector> Selector { get; } = Make(
        "selector", "a label selector such as pool=a,tier!=db,!virtual,zone in (x,y)", static (string text, out NodeSelector selector) =>
        {
            selector = NodeSelector.Everything;
            try
            {
                selector = NodeSelector.Parse(text);
                return true;
            }
            catch (FormatException)
            {
                return false;
            }
        });

    public static Kind<int> Number(int least, int most, string unit)
    {
        string allowed = $"a whole number from {least} to {most}";
        return Make(unit, allowed, (string text, out int value) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most);
    }

    public static Kind<T> Choice<T>(params (string Text, T Value)[] choices)
    {
        string[] texts = [.. choices.Select(c => c.Text)];
        return Make(string.Join('|', texts), $"{string.Join(", ", texts[..^1])} or {texts[^1]}", (string text, out T value) =>
        {
            int index = Array.IndexOf(texts, text);
            value = choices[Math.Max(index, 0)].Value;
            return index >= 0;
        }) with
        { Choices = [.. texts] };
    }

    public static Kind<T> Make<T>(string placeholder, string allowed, TryParse<T> tryParse) => new(placeholder, allowed, text =>
        tryParse(text, out T value) ? value : throw new BadValueException(text, $"must be {allowed}"));

    /// <summary>The elements of a list setting; none for an empty text.</summary>
    public static ImmutableArray<T> Elements<T>(string text, Func<string, T> parse) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(parse)];
}
