using System.Buffers;
using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>One requirement of a label selector: the key's value is, or is not, one of the values; without values: the key exists, or does not.</summary>
internal sealed record LabelRequirement(string Key, bool Negated, ImmutableArray<string> Values)
{
    // What labels consist of. A text with anything else would be a key that no node has, and select none.
    private static readonly SearchValues<char> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./");

    public bool Holds(ImmutableArray<KeyValuePair<string, string>> labels)
    {
        foreach (KeyValuePair<string, string> label in labels)
        {
            if (label.Key == Key)
                return (Values.IsEmpty || Values.Contains(label.Value)) != Negated;
        }
        return Negated;
    }

    /// <exception cref="FormatException">The text is no requirement.</exception>
    public static LabelRequirement Parse(string text)
    {
        string[] words = text.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words is [string setKey, "in" or "notin", ['(', .., ')'] set])
            return Make(text, setKey, words[1] == "notin", set[1..^1].Split(',', StringSplitOptions.TrimEntries));

        int not = text.IndexOf("!=", StringComparison.Ordinal);
        if (not > 0)
            return Make(text, text[..not], negated: true, text[(not + 2)..].Trim());

        int equals = text.IndexOf('=');
        if (equals > 0)
            return Make(text, text[..equals], negated: false, text[(equals + 1)..].TrimStart('=').Trim());

        return text.StartsWith('!') ? Make(text, text[1..], negated: true) : Make(text, text, negated: false);
    }

    private static LabelRequirement Make(string text, string key, bool negated, params string[] values)
    {
        key = key.Trim();
        if (key.Length == 0 || key.AsSpan().ContainsAnyExcept(Plain) || values.Any(v => v.AsSpan().ContainsAnyExcept(Plain)))
            throw new FormatException($"'{text}' is not a label requirement (write key=value, key!=value, key, !key, key in (a,b))");
        return new(key, negated, [.. values]);
    }
}
