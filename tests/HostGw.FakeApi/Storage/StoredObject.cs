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
