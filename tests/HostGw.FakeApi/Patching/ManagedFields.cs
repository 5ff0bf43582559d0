using System.Text.Json.Nodes;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Patching;

/// <summary>Who applied which fields: only what a reader of metadata.managedFields would look for. Ownership is never enforced.</summary>
internal static class ManagedFields
{
    public static void Record(JsonObject content, JsonObject applied, string manager, IReadOnlyDictionary<string, string> mergeKeys)
    {
        JsonObject metadata = JsonFields.Metadata(content);
        JsonArray entries = metadata["managedFields"] is JsonArray present ? (JsonArray)present.DeepClone() : [];
        JsonObject fields = Fields(applied, "", mergeKeys);
        JsonNode? mine = entries.FirstOrDefault(e => JsonFields.Text(e?["manager"]) == manager && JsonFields.Text(e?["operation"]) == "Apply");

        // Applying the same fields again must leave the object as it is, time included.
        if (mine is not null && JsonNode.DeepEquals(mine["fieldsV1"], fields))
            return;
        if (mine is not null)
            entries.Remove(mine);
        entries.Add(new JsonObject
        {
            ["manager"] = manager,
            ["operation"] = "Apply",
            ["apiVersion"] = JsonFields.Text(applied["apiVersion"]),
            ["time"] = JsonFields.Time(DateTimeOffset.UtcNow),
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = fields,
        });
        metadata["managedFields"] = entries;
    }

    private static JsonObject Fields(JsonObject applied, string path, IReadOnlyDictionary<string, string> mergeKeys)
    {
        var fields = new JsonObject();
        foreach ((string name, JsonNode? value) in applied)
        {
            string below = path.Length == 0 ? name : $"{path}.{name}";
            if (below is "apiVersion" or "kind" or "metadata.name" or "metadata.namespace")
                continue;
            fields[$"f:{name}"] = value switch
            {
                JsonObject inner => Fields(inner, below, mergeKeys),
                JsonArray list when mergeKeys.GetValueOrDefault(below) is { Length: > 0 } key => Elements(list, below, key, mergeKeys),
                _ => new JsonObject(),
            };
        }
        return fields;
    }

    private static JsonObject Elements(JsonArray list, string path, string key, IReadOnlyDictionary<string, string> mergeKeys)
    {
        var fields = new JsonObject();
        foreach (JsonObject element in list.OfType<JsonObject>())
            fields[$"k:{new JsonObject { [key] = element[key]?.DeepClone() }.ToJsonString()}"] = Fields(element, path, mergeKeys);
        return fields;
    }
}
