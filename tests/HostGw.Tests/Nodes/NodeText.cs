using System.Text;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;

namespace HostGw.Tests.Nodes;

/// <summary>Decoded nodes as lines of text.</summary>
internal static class NodeText
{
    public static readonly NodeSelector Selector = NodeSelector.Parse("pool,zone!=z9");

    /// <summary>A node in one line; fields with their usual value are left out.</summary>
    public static string Text(ClusterNode node)
    {
        var line = new StringBuilder(node.Name);
        Add(line, "uid", node.Uid.ToString());
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

    public static ClusterNode Built(NodeDraft draft)
    {
        ClusterNode node = draft.Build();
        Assert.True(draft.Matches(node), node.Name);
        return node;
    }

    // The bytes up to each cut, then all: what a piece leaves over comes again with the next.
    public static int Feed(ListWatchDecoder decoder, byte[] bytes, int[] cuts)
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
