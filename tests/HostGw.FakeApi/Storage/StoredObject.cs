using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Resources;

namespace HostGw.FakeApi.Storage;

/// <summary>One version of one object: serialised once, then only copied.</summary>
internal sealed class StoredObject(string key, long revision, ReadOnlyMemory<byte> json, int typeLength)
{
    private IReadOnlyDictionary<string, string>? _labels;
    private byte[]? _encoded;

    public string Key { get; } = key;

    public long Revision { get; } = revision;

    /// <summary>The whole object with kind and apiVersion, as get and watch send it.</summary>
    public ReadOnlyMemory<byte> Json { get; } = json;

    /// <summary>What follows the opening brace in a list item: the real server leaves kind and apiVersion out of those.</summary>
    public ReadOnlyMemory<byte> ItemTail => Json[(1 + typeLength)..];

    public IReadOnlyDictionary<string, string> Labels => _labels ??= ReadLabels();

    public static StoredObject From(ResourceKind kind, string key, long revision, JsonObject content)
    {
        JsonFields.Metadata(content)["resourceVersion"] = JsonFields.Number(revision);
        byte[] json = ObjectJson.Serialize(kind, content);
        return new StoredObject(key, revision, json, ObjectJson.TypeLength(kind));
    }

    /// <summary>Bytes kept as they are, valid or not.</summary>
    public static StoredObject Raw(string key, long revision, ReadOnlyMemory<byte> json) => new(key, revision, json, 0);

    /// <summary>A search key: equal to every version of the object with this key.</summary>
    public static StoredObject Probe(string key) => new(key, 0, default, 0);

    /// <summary>In another encoding, of which there is one at most; made when first asked for.</summary>
    public ReadOnlyMemory<byte> Encoded(Func<JsonObject, byte[]> encode) => _encoded ??= encode(ParseOrEmpty());

    /// <summary>The same content under another revision; what does not parse keeps its bytes.</summary>
    public StoredObject WithRevision(ResourceKind kind, long revision) =>
        ParseOrEmpty() is { Count: > 0 } content ? From(kind, Key, revision, content) : Raw(Key, revision, Json);

    /// <summary>The object parsed, or an empty one: a hostile object may be anything.</summary>
    public JsonObject ParseOrEmpty()
    {
        try
        {
            return JsonNode.Parse(Json.Span, documentOptions: ObjectJson.Deep) as JsonObject ?? [];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return [];
        }
    }

    private Dictionary<string, string> ReadLabels() =>
        (ParseOrEmpty()["metadata"] as JsonObject)?["labels"] is JsonObject labels
            ? labels.ToDictionary(l => l.Key, l => JsonFields.Text(l.Value) ?? "", StringComparer.Ordinal)
            : [];
}

/// <summary>Objects to bytes, kind and apiVersion always first so that a list can leave them out without parsing.</summary>
internal static class ObjectJson
{
    public static readonly JsonDocumentOptions Deep = new() { MaxDepth = 256, AllowDuplicateProperties = false };

    private static readonly JsonWriterOptions Compact = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 256,
    };

    /// <summary>The length of <c>"kind":"Node","apiVersion":"v1",</c>.</summary>
    public static int TypeLength(ResourceKind kind) => Encoding.UTF8.GetByteCount($"\"kind\":\"{kind.Kind}\",\"apiVersion\":\"{kind.ApiVersion}\",");

    public static byte[] Serialize(ResourceKind kind, JsonObject content)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            writer.WriteStartObject();
            writer.WriteString("kind", kind.Kind);
            writer.WriteString("apiVersion", kind.ApiVersion);
            foreach ((string name, JsonNode? value) in content)
            {
                if (name is "kind" or "apiVersion")
                    continue;
                writer.WritePropertyName(name);
                if (value is null)
                    writer.WriteNullValue();
                else
                    value.WriteTo(writer);
            }
            writer.WriteEndObject();
        }
        return buffer.ToArray();
    }

    public static byte[] Serialize(JsonNode node)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Compact))
            node.WriteTo(writer);
        return buffer.ToArray();
    }
}

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
