using System.Text.Json.Nodes;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Patching;

/// <summary>
/// Which manager owns which fields: who applies a field, or changed it last. Only writers that name themselves (fieldManager), as kubectl
/// and helm do, own fields. A field that a manager no longer applies is kept, unlike in the real server.
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/using-api/server-side-apply/</remarks>
internal sealed class ManagedFields
{
    private static readonly HashSet<string> Unmanaged =
    [
        "apiVersion", "kind", "status", "metadata.name", "metadata.namespace", "metadata.uid", "metadata.resourceVersion",
        "metadata.generation", "metadata.creationTimestamp", "metadata.managedFields",
    ];

    private readonly IReadOnlyDictionary<string, string> _mergeKeys;
    private readonly List<Entry> _entries;

    /// <param name="old">As it was before the write; null on create.</param>
    public ManagedFields(JsonObject? old, IReadOnlyDictionary<string, string> mergeKeys)
    {
        _mergeKeys = mergeKeys;
        IEnumerable<JsonObject> entries = (old?["metadata"]?["managedFields"] as JsonArray ?? []).OfType<JsonObject>();
        _entries = [.. entries.Select(e => new Entry((JsonObject)e.DeepClone()))];
    }

    /// <summary>A create, update or patch takes over what it changes.</summary>
    public void Updated(JsonObject? old, JsonObject content, string manager)
    {
        Dictionary<FieldPath, JsonNode?> before = Leaves(old ?? []), after = Leaves(content);
        FieldPath[] changed =
            [.. before.Keys.Union(after.Keys).Where(p => !JsonNode.DeepEquals(before.GetValueOrDefault(p), after.GetValueOrDefault(p)))];
        if (changed.Length == 0)
            return;
        _entries.ForEach(e => e.Fields.ExceptWith(changed));
        Of(manager, "Update", content).Fields.UnionWith(changed.Where(after.ContainsKey));
        Write(content);
    }

    /// <summary>An apply owns what it names; what others own it may share, but change only by force.</summary>
    /// <exception cref="ApiException">409: it would change fields of others.</exception>
    public void Applied(JsonObject? old, JsonObject applied, JsonObject merged, PatchKind how)
    {
        Dictionary<FieldPath, JsonNode?> before = Leaves(old ?? []), wanted = Leaves(applied);
        Entry mine = Of(how.FieldManager, "Apply", applied);
        (Entry Owner, FieldPath Field)[] conflicts =
        [
            .. from owner in _entries.Except([mine]).OrderBy(e => e.Manager, StringComparer.Ordinal)
               from field in owner.Fields.OrderBy(f => f.ToString(), StringComparer.Ordinal)
               where wanted.ContainsKey(field) && !JsonNode.DeepEquals(before.GetValueOrDefault(field), wanted[field])
               select (owner, field),
        ];
        if (conflicts.Length > 0 && !how.Force)
            throw Refusal(conflicts);
        foreach ((Entry owner, FieldPath field) in conflicts)
            owner.Fields.Remove(field);
        if (!mine.Fields.SetEquals(wanted.Keys))
            mine.Renew(wanted.Keys);
        Write(merged);
    }

    private static ApiException Refusal((Entry Owner, FieldPath Field)[] conflicts)
    {
        IEnumerable<string> sentences = conflicts is [(Entry only, FieldPath field)]
            ? [$"conflict with {only}: {field}"]
            : conflicts.GroupBy(c => $"{c.Owner}").SelectMany(g => g.Select(c => $"- {c.Field}").Prepend($"conflicts with {g.Key}:"));
        string count = conflicts.Length == 1 ? "1 conflict" : $"{conflicts.Length} conflicts";
        string message = $"Apply failed with {count}: {string.Join('\n', sentences)}";
        JsonNode[] causes = [.. conflicts.Select(c => new JsonObject
        {
            ["reason"] = "FieldManagerConflict",
            ["message"] = $"conflict with {c.Owner}",
            ["field"] = $"{c.Field}",
        })];
        return new(409, "Conflict", message, new JsonObject { ["causes"] = new JsonArray(causes) });
    }

    private Entry Of(string manager, string operation, JsonObject content)
    {
        if (_entries.Find(e => e.Manager == manager && e.Operation == operation) is not { } entry)
        {
            entry = new(new JsonObject
            {
                ["manager"] = manager,
                ["operation"] = operation,
                ["apiVersion"] = JsonFields.Text(content["apiVersion"]) ?? "v1",
                ["time"] = JsonFields.Time(DateTimeOffset.UtcNow),
                ["fieldsType"] = "FieldsV1",
            });
            _entries.Add(entry);
        }
        return entry;
    }

    private void Write(JsonObject content)
    {
        JsonNode[] entries = [.. _entries.Where(e => e.Fields.Count > 0).Select(e => e.ToJson())];
        JsonFields.Metadata(content)["managedFields"] = new JsonArray(entries);
    }

    private Dictionary<FieldPath, JsonNode?> Leaves(JsonObject content)
    {
        Dictionary<FieldPath, JsonNode?> leaves = [];
        Collect(content, new(""), "", leaves);
        return leaves;
    }

    private void Collect(JsonObject content, FieldPath at, string place, Dictionary<FieldPath, JsonNode?> leaves)
    {
        foreach ((string name, JsonNode? value) in content)
        {
            string below = place.Length == 0 ? name : $"{place}.{name}";
            FieldPath field = at.Below($"f:{name}");
            if (Unmanaged.Contains(below))
                continue;
            if (value is JsonObject { Count: > 0 } inner)
                Collect(inner, field, below, leaves);
            else if (value is JsonArray list && _mergeKeys.GetValueOrDefault(below) is { Length: > 0 } key)
                foreach (JsonObject element in list.OfType<JsonObject>())
                    Collect(element, field.Below(KeyOf(element, key)), below, leaves);
            else
                leaves[field] = value;
        }
    }

    private static string KeyOf(JsonObject element, string key) =>
        $"k:{new JsonObject { [key] = element[key]?.DeepClone() }.ToJsonString()}";

    /// <summary>Steps as in FieldsV1, each with a line end before it; as text as in a conflict: .spec.containers[name="a"].image.</summary>
    private readonly record struct FieldPath(string Steps)
    {
        public FieldPath Below(string step) => new($"{Steps}\n{step}");

        public IEnumerable<string> All => Steps.Split('\n').Skip(1);

        public override string ToString() => string.Concat(All.Select(Text));

        private static string Text(string step) => step[0] switch
        {
            'k' => $"[{string.Join(',', JsonNode.Parse(step[2..])!.AsObject().Select(k => $"{k.Key}={k.Value?.ToJsonString()}"))}]",
            _ => $".{step[2..]}",
        };
    }

    private sealed class Entry
    {
        private readonly JsonObject _json;

        public Entry(JsonObject json)
        {
            _json = json;
            Read(json["fieldsV1"] as JsonObject ?? [], new(""));
        }

        public string Manager => JsonFields.Text(_json["manager"]) ?? "";

        public string Operation => JsonFields.Text(_json["operation"]) ?? "";

        public HashSet<FieldPath> Fields { get; } = [];

        public void Renew(IEnumerable<FieldPath> fields)
        {
            Fields.Clear();
            Fields.UnionWith(fields);
            _json["time"] = JsonFields.Time(DateTimeOffset.UtcNow);
        }

        public JsonObject ToJson()
        {
            JsonObject root = [];
            foreach (FieldPath field in Fields)
                _ = field.All.Aggregate(root, JsonFields.Child);
            _json["fieldsV1"] = root;
            return _json;
        }

        public override string ToString() =>
            Operation == "Update" ? $"\"{Manager}\" using {JsonFields.Text(_json["apiVersion"])}" : $"\"{Manager}\"";

        private void Read(JsonObject fields, FieldPath at)
        {
            foreach ((string step, JsonNode? below) in fields)
            {
                if (below is JsonObject { Count: > 0 } inner)
                    Read(inner, at.Below(step));
                else if (step != ".")
                    Fields.Add(at.Below(step));
            }
        }
    }
}
