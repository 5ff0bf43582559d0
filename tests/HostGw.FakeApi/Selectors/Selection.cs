using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Selectors;

/// <summary>Which objects a list, watch or deletecollection is about.</summary>
internal sealed record Selection(string? Namespace, LabelSelector Labels, FieldSelector Fields)
{
    /// <summary>Of the only object that can match; null: several can.</summary>
    public string? Key { get; private init; }

    /// <summary>With no selector the server may say how many items remain.</summary>
    public bool IsAll => Labels.IsEmpty && Fields.IsEmpty;

    /// <param name="name">Of the object that the path names; null: it names a collection.</param>
    public static Selection From(ResourceKind kind, string? ns, string? name, IQueryCollection query)
    {
        FieldSelector fields = FieldSelector.Parse(name is null ? query["fieldSelector"] : $"metadata.name={name}", kind);
        bool isOne = fields.Name is not null && (!kind.Namespaced || ns is not null);
        return new(ns, LabelSelector.Parse(query["labelSelector"]), fields) { Key = isOne ? kind.Key(ns, fields.Name!) : null };
    }

    /// <summary>What matches, in the order of its keys.</summary>
    public IEnumerable<StoredObject> In(TableSnapshot table)
    {
        if (Key is null)
            return table.Objects.Where(Matches);
        return table.Find(Key) is { } found && Matches(found) ? [found] : [];
    }

    public bool Matches(StoredObject candidate) =>
        (Namespace is null || candidate.Key.StartsWith(Namespace + "/", StringComparison.Ordinal))
        && (Labels.IsEmpty || Labels.Matches(candidate.Labels))
        && Fields.Matches(candidate);
}

/// <summary>A fieldSelector: path=value and path!=value, for the paths the kind allows.</summary>
internal sealed class FieldSelector
{
    private readonly List<(string Path, string Value, bool Equal)> _terms = [];

    public bool IsEmpty => _terms.Count == 0;

    /// <summary>The one name that can match, if the selector says so: saves looking at the rest.</summary>
    public string? Name => _terms.Find(t => t is { Path: "metadata.name", Equal: true }).Value;

    /// <exception cref="ApiException">400, no selector or not a selectable field.</exception>
    public static FieldSelector Parse(string? text, ResourceKind kind)
    {
        var selector = new FieldSelector();
        foreach (string term in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            bool unequal = term.Contains("!=", StringComparison.Ordinal);
            string[] sides = term.Split(unequal ? "!=" : term.Contains("==", StringComparison.Ordinal) ? "==" : "=", 2);
            if (sides.Length != 2)
                throw ApiException.BadRequest($"invalid selector: '{text}'; can't understand '{term}'");
            if (sides[0] is not ("metadata.name" or "metadata.namespace") && !kind.SelectableFields.Contains(sides[0]))
                throw ApiException.BadRequest($"field label not supported: {sides[0]}");
            selector._terms.Add((sides[0], sides[1], !unequal));
        }
        return selector;
    }

    public bool Matches(StoredObject candidate)
    {
        if (IsEmpty)
            return true;
        if (Name is { } name && !candidate.Key.AsSpan(candidate.Key.LastIndexOf('/') + 1).SequenceEqual(name))
            return false;
        if (Name is not null && _terms.Count == 1)
            return true;
        System.Text.Json.Nodes.JsonObject content = candidate.ParseOrEmpty();
        return _terms.TrueForAll(t => Same(t.Path, JsonFields.At(content, t.Path), t.Value) == t.Equal);
    }

    // An absent boolean is false.
    private static bool Same(string path, string actual, string wanted) =>
        actual == wanted || (path == "spec.unschedulable" && actual.Length == 0 && wanted == "false");
}

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
