using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Selectors;

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
        if (Name is { } name && name != candidate.Key[(candidate.Key.LastIndexOf('/') + 1)..])
            return false;
        System.Text.Json.Nodes.JsonObject content = candidate.ParseOrEmpty();
        return _terms.TrueForAll(t => Same(t.Path, JsonFields.At(content, t.Path), t.Value) == t.Equal);
    }

    // An absent boolean is false.
    private static bool Same(string path, string actual, string wanted) =>
        actual == wanted || (path == "spec.unschedulable" && actual.Length == 0 && wanted == "false");
}
