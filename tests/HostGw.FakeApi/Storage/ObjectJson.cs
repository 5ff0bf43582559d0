using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Resources;

namespace HostGw.FakeApi.Storage;

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
