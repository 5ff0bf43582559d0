using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace HostGw.FakeApi.Storage;

/// <summary>Reading and writing the few fields that every object has.</summary>
internal static class JsonFields
{
    public static JsonObject Metadata(JsonObject content) => Child(content, "metadata");

    /// <summary>The object under a name, put there if it is missing or no object.</summary>
    public static JsonObject Child(JsonObject content, string name)
    {
        if (content[name] is JsonObject child)
            return child;
        child = [];
        content[name] = child;
        return child;
    }

    public static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Time(DateTimeOffset value) => value.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <summary>The value at a dotted path as a selector compares it; absent is "".</summary>
    public static string At(JsonNode? node, string path)
    {
        foreach (string step in path.Split('.'))
            node = (node as JsonObject)?[step];
        return node switch
        {
            null => "",
            JsonValue value when value.GetValueKind() is JsonValueKind.True => "true",
            JsonValue value when value.GetValueKind() is JsonValueKind.False => "false",
            _ => Text(node) ?? node.ToJsonString(),
        };
    }
}
