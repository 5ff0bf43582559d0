using System.Text.Json;

namespace HostGw.Status;

/// <summary>Events in the core form: kubelet's own, of which every kubectl shows count and age, and whose count and message may change.</summary>
/// <remarks>https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ describes the other form, in which series alone may.</remarks>
internal static class EventJson
{
    private const string Component = "hostgw";

    public static byte[] Create(NodeEvent notice, DateTimeOffset now) => JsonForm.Object(json =>
    {
        json.WriteString("kind", "Event");
        json.WriteString("apiVersion", "v1");
        json.WriteStartObject("metadata");
        json.WriteString("name", notice.Name);
        json.WriteString("namespace", EventWriter.Namespace);
        json.WriteEndObject();
        json.WriteStartObject("involvedObject");
        json.WriteString("kind", "Node");
        json.WriteString("apiVersion", "v1");
        json.WriteString("name", notice.Node);
        json.WriteString("uid", notice.NodeUid);
        json.WriteEndObject();
        json.WriteString("type", "Warning");
        json.WriteString("reason", notice.Problem.Reason);
        json.WriteStartObject("source");
        json.WriteString("component", Component);
        json.WriteString("host", notice.Node);
        json.WriteEndObject();
        json.WriteString("reportingComponent", Component);
        json.WriteString("reportingInstance", notice.Node);
        json.WriteString("firstTimestamp", Rfc3339.Text(now));
        WriteOccurrence(json, notice, 1, now);
    }).ToArray();

    /// <param name="count">Null: as it stands.</param>
    public static byte[] Patch(NodeEvent notice, int? count, DateTimeOffset now) => JsonForm.Object(json => WriteOccurrence(json, notice, count, now)).ToArray();

    /// <summary>How often it was seen, from an answer; 1 where it does not say.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static async Task<int> CountAsync(Stream body, CancellationToken cancellationToken)
    {
        using JsonDocument document = await JsonDocument.ParseAsync(body, default, cancellationToken);
        return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("count", out JsonElement value) &&
            value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int count) ? Math.Max(1, count) : 1;
    }

    private static void WriteOccurrence(Utf8JsonWriter json, NodeEvent notice, int? count, DateTimeOffset now)
    {
        json.WriteString("message", notice.Message);
        json.WriteString("lastTimestamp", Rfc3339.Text(now));
        if (count is not null)
            json.WriteNumber("count", count.Value);
    }
}
