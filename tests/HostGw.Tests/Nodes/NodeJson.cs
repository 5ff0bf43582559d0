using System.Text;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;

namespace HostGw.Tests.Nodes;

/// <summary>Decodes JSON in pieces and writes what came out as lines of text.</summary>
internal static class NodeJson
{
    public static readonly NodeSelector Selector = NodeSelector.Parse("pool,zone!=z9");

    /// <summary>A node in one line; fields with their usual value are left out.</summary>
    public static string Text(ClusterNode node)
    {
        var line = new StringBuilder(node.Name);
        Add(line, "uid", node.Uid);
        Add(line, "at", node.CreatedAt == long.MaxValue ? "" : node.CreatedAt.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Add(line, "os", node.OperatingSystem == "linux" ? "" : node.OperatingSystem);
        Add(line, "cidrs", string.Join(',', node.PodCidrs));
        Add(line, "bad", string.Join('|', node.UnreadablePodCidrs));
        Add(line, "int", string.Join(',', node.InternalIPs));
        Add(line, "ext", string.Join(',', node.ExternalIPs));
        if (node.NextHopOverride is { } hops)
            line.Append(" hop=").AppendJoin(',', hops);
        Add(line, "skip", node.Skip switch { true => "yes", false => "", null => "unreadable" });
        Add(line, "labels", string.Join(',', node.Labels.Select(l => $"{l.Key}:{l.Value}")));
        return line.ToString();
    }

    public static string[] Events(string frames, params int[] cuts) => Events(Encoding.UTF8.GetBytes(frames), cuts);

    /// <summary>The events of a watch, as "TYPE version node".</summary>
    public static string[] Events(byte[] frames, params int[] cuts)
    {
        List<string> lines = [];
        var decoder = new NodeJsonDecoder(JsonPlace.Event, new(Selector), (type, draft) => lines.Add($"{type} {draft.ResourceVersion} {Text(Built(draft))}"));
        Feed(decoder, frames, cuts);
        return [.. lines];
    }

    /// <summary>The nodes of a list, then "version/continue".</summary>
    public static string[] List(string json, params int[] cuts)
    {
        List<string> lines = [];
        var decoder = new NodeJsonDecoder(JsonPlace.List, new(Selector), (_, draft) => lines.Add(Text(Built(draft))));
        byte[] bytes = Encoding.UTF8.GetBytes(json);
        decoder.Decode(bytes.AsSpan(Feed(decoder, bytes, cuts)), isFinal: true);
        NodeListPage page = decoder.Page();
        return [.. lines, $"{page.ResourceVersion}/{page.Continue}"];
    }

    public static string Node(string json) => Node(Encoding.UTF8.GetBytes(json));

    public static string Node(byte[] json)
    {
        string text = "";
        var decoder = new NodeJsonDecoder(JsonPlace.List, new(Selector), (_, draft) => text = Text(Built(draft)));
        decoder.Decode([.. """{"items":["""u8, .. json, .. "]}"u8], isFinal: true);
        return text;
    }

    public static ApiResponse Response(byte[] json) => new(new HttpResponseMessage { Content = new ByteArrayContent(json) }, new MemoryStream(json));

    public static ClusterNode Built(NodeDraft draft)
    {
        ClusterNode node = draft.Build();
        Assert.True(draft.Matches(node), node.Name);
        return node;
    }

    // The bytes up to each cut, then all: what a piece leaves over comes again with the next.
    public static int Feed(INodeDecoder decoder, byte[] bytes, int[] cuts)
    {
        int start = 0;
        foreach (int end in cuts.Order().Append(bytes.Length))
            start += decoder.Decode(bytes.AsSpan(start, end - start), isFinal: false);
        return start;
    }

    private static void Add(StringBuilder line, string key, string value)
    {
        if (value.Length > 0)
            line.Append(' ').Append(key).Append('=').Append(value);
    }
}
