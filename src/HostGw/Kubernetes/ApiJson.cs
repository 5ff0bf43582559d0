using System.Text.Json;
using System.Text.Json.Serialization;
using k8s.Models;

namespace HostGw.Kubernetes;

/// <summary>The API objects that are read and written as JSON, and no others: each costs every agent file size and memory.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(ApiTimeConverter)])]
[JsonSerializable(typeof(Corev1Event))]
[JsonSerializable(typeof(V1Node))]
[JsonSerializable(typeof(V1ServiceCIDRList))]
[JsonSerializable(typeof(V1EndpointSlice))]
internal sealed partial class ApiJson : JsonSerializerContext;

/// <summary>metav1.Time: RFC 3339, written in UTC to the second.</summary>
internal sealed class ApiTimeConverter : JsonConverter<DateTime>
{
    public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset().UtcDateTime;

    public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Rfc3339.Text(value));
}
