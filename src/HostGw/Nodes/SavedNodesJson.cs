using System.Collections.Immutable;
using System.Text.Json;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>Nodes as the NodeList of which they were read: what planning reads of a Node, and nothing else.</summary>
internal static class SavedNodesJson
{
    // What is buffered on its way to the disk.
    private const int FlushAt = 64 * 1024;

    public static void Write(Stream stream, SavedNodes saved)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("kind", "NodeList");
        json.WriteString("apiVersion", "v1");
        json.WriteStartObject("metadata");
        json.WriteString("resourceVersion", saved.ResourceVersion);
        json.WriteEndObject();
        json.WriteStartArray("items");
        foreach (ClusterNode node in saved.Nodes)
        {
            Write(json, node);
            if (json.BytesPending > FlushAt)
                json.Flush();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <exception cref="NodeStreamException">It is no list of nodes.</exception>
    public static SavedNodes Read(ReadOnlyMemory<byte> json, NodeSelector selector)
    {
        Dictionary<string, ClusterNode> nodes = new(StringComparer.Ordinal);
        NodeDraft draft = new(selector);
        NodeJsonDecoder decoder = new(JsonPlace.List, draft, (_, read) =>
        {
            if (!read.Name.IsEmpty)
                nodes[read.Name.ToString()] = read.Build();
        });
        decoder.Decode(json.Span, isFinal: true);
        NodeListPage page = decoder.Page();
        return new([.. nodes.Values.OrderBy(n => n.Name, StringComparer.Ordinal)], page.ResourceVersion, default, default);
    }

    private static void Write(Utf8JsonWriter json, ClusterNode node)
    {
        json.WriteStartObject();
        WriteMetadata(json, node);
        json.WriteStartObject("spec");
        Texts(json, "podCIDRs", node.PodCidrs.Select(p => p.ToString()).Concat(node.UnreadablePodCidrs));
        json.WriteEndObject();
        json.WriteStartObject("status");
        json.WriteStartObject("nodeInfo");
        json.WriteString("operatingSystem", node.OperatingSystem);
        json.WriteEndObject();
        json.WriteStartArray("addresses");
        WriteAddresses(json, "InternalIP", node.InternalIPs);
        WriteAddresses(json, "ExternalIP", node.ExternalIPs);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteMetadata(Utf8JsonWriter json, ClusterNode node)
    {
        json.WriteStartObject("metadata");
        json.WriteString("name", node.Name);
        json.WriteString("uid", node.Uid);
        // A time that could not be read is left out, and cannot be read again.
        if (node.CreatedAt != long.MaxValue)
            json.WriteString("creationTimestamp", Rfc3339.Text(DateTimeOffset.FromUnixTimeSeconds(node.CreatedAt)));
        if (!node.Labels.IsEmpty)
        {
            json.WriteStartObject("labels");
            foreach ((string key, string value) in node.Labels)
                json.WriteString(key, value);
            json.WriteEndObject();
        }
        json.WriteStartObject("annotations");
        if (node.NextHopOverride is { } nextHops)
            json.WriteString(NodeDraft.NextHopAnnotation, string.Join(',', nextHops));
        if (node.Skip != false)
            json.WriteString(NodeDraft.SkipAnnotation, node.Skip is null ? "unclear" : "true");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteAddresses(Utf8JsonWriter json, string type, ImmutableArray<Ip> addresses)
    {
        foreach (Ip address in addresses)
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteString("address", address.ToString());
            json.WriteEndObject();
        }
    }

    private static void Texts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
