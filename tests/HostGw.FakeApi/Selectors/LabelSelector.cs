using HostGw.FakeApi.Http;

namespace HostGw.FakeApi.Selectors;

/// <summary>A labelSelector: comma-separated requirements that must all hold.</summary>
internal sealed class LabelSelector
{
    private readonly List<Func<IReadOnlyDictionary<string, string>, bool>> _requirements = [];

    public bool IsEmpty => _requirements.Count == 0;

    /// <exception cref="ApiException">400, the text is no selector.</exception>
    public static LabelSelector Parse(string? text)
    {
        var selector = new LabelSelector();
        foreach (string requirement in Split(text ?? ""))
            selector._requirements.Add(Requirement(requirement.Trim()));
        return selector;
    }

    public bool Matches(IReadOnlyDictionary<string, string> labels) => _requirements.TrueForAll(r => r(labels));

    // Commas inside "in (a,b)" separate values, not requirements.
    private static IEnumerable<string> Split(string text)
    {
        int depth = 0, start = 0;
        for (int i = 0; i < text.Length; i++)
        {
            depth += text[i] switch { '(' => 1, ')' => -1, _ => 0 };
            if (text[i] != ',' || depth != 0)
                continue;
            yield return text[start..i];
            start = i + 1;
        }
        if (start < text.Length)
            yield return text[start..];
    }

    private static Func<IReadOnlyDictionary<string, string>, bool> Requirement(string text)
    {
        int open = text.IndexOf('(', StringComparison.Ordinal);
        if (open >= 0)
            return SetRequirement(text, open);
        if (Cut(text, "!=") is var (unequal, other))
            return labels => !labels.TryGetValue(unequal, out string? value) || value != other;
        if ((Cut(text, "==") ?? Cut(text, "=")) is var (equal, wanted))
            return labels => labels.TryGetValue(equal, out string? value) && value == wanted;
        if (text.StartsWith('!'))
            return labels => !labels.ContainsKey(text[1..].Trim());
        return text.Length > 0 && !text.Contains(' ', StringComparison.Ordinal)
            ? labels => labels.ContainsKey(text)
            : throw ApiException.BadRequest($"unable to parse requirement: found '{text}', expected: identifier");
    }

    private static Func<IReadOnlyDictionary<string, string>, bool> SetRequirement(string text, int open)
    {
        string[] head = text[..open].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (head is not [string key, "in" or "notin"] || !text.EndsWith(')'))
            throw ApiException.BadRequest($"unable to parse requirement: found '{text}', expected: in, notin, =, ==, !=, gt, lt");
        HashSet<string> values = [.. text[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries)];
        return head[1] == "in"
            ? labels => labels.TryGetValue(key, out string? value) && values.Contains(value)
            : labels => !labels.TryGetValue(key, out string? value) || !values.Contains(value);
    }

    private static (string Key, string Value)? Cut(string text, string sign)
    {
        int at = text.IndexOf(sign, StringComparison.Ordinal);
        return at <= 0 ? null : (text[..at].Trim(), text[(at + sign.Length)..].Trim());
    }
}
