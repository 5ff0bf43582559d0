using HostGw.Nodes;
using HostGw.Planning;

namespace HostGw.Digest;

/// <summary>Reads a shard as an agent does: all of it, or nothing.</summary>
/// <param name="ownNode">Its line is left out: the own Node comes from a watch of its own, which wins.</param>
/// <param name="selector">Names the labels that the digest must carry.</param>
internal sealed class ShardReader(string ownNode, NodeSelector selector)
{
    private readonly NodeDraft _node = new(selector);
    private readonly string[] _labels = [.. selector.Requirements.Select(r => r.Key).Distinct(StringComparer.Ordinal)];

    /// <param name="known">What the shard held before, sorted by name: a node that did not change keeps its record.</param>
    /// <returns>Its nodes, sorted by name; or null, and why they cannot be used.</returns>
    public (IReadOnlyList<ClusterNode>? Nodes, string Rejection) Read(ShardDraft draft, int shard, IReadOnlyList<ClusterNode> known)
    {
        if ((draft.Rejection(shard) ?? Lacking(draft.Labels)) is { } rejection)
            return (null, rejection);
        List<ClusterNode> nodes = new(known.Count);
        ShardLines lines = new(draft.Nodes);
        string last = "";
        int next = 0;
        while (lines.Read())
        {
            if (ReadLine(lines.Current, shard, last) is { } fault)
                return (null, fault);
            ReadOnlySpan<char> name = _node.Name.Span;
            while (next < known.Count && known[next].Name.AsSpan().SequenceCompareTo(name) < 0)
                next++;
            if (IsOwn(name))
            {
                last = ownNode;
                continue;
            }
            nodes.Add(next < known.Count && _node.Matches(known[next]) ? known[next] : _node.Build());
            last = nodes[^1].Name;
        }
        return lines.Fault is { } broken ? (null, broken) : (nodes, "");
    }

    public bool IsOwn(ReadOnlySpan<char> name) => name.SequenceEqual(ownNode);

    private string? ReadLine(ReadOnlySpan<char> line, int shard, string last)
    {
        _node.Clear();
        return NodeLine.Read(line, _node)
            ?? (ShardFormat.Home(_node.Name.Span) != shard ? "it holds a node of another shard" : null)
            ?? (_node.Name.Span.SequenceCompareTo(last) <= 0 ? "its lines are not sorted, or name a node twice" : null);
    }

    private string? Lacking(ReadOnlySpan<char> carried)
    {
        foreach (string key in _labels)
        {
            if (!Holds(carried, key))
                return $"it does not carry the label {key}, which nodeSelector names: add it to digest.labels";
        }
        return null;
    }

    private static bool Holds(ReadOnlySpan<char> list, string key)
    {
        foreach (Range entry in list.Split(','))
        {
            if (list[entry].SequenceEqual(key))
                return true;
        }
        return false;
    }
}
