using System.Collections.Immutable;
using System.Text;
using HostGw.Planning;
using k8s.Models;

namespace HostGw.Digest;

/// <summary>
/// The shards as the Nodes require them. Of each shard its nodes and the sum of its text are kept; the text is made when it is written.
/// A change of one Node computes one shard again.
/// </summary>
/// <param name="labels">As <see cref="ShardFormat.Labels"/> writes them.</param>
internal sealed class WantedShards(string labels)
{
    private static readonly string NoNodes = ShardFormat.Sum([]);

    // Sorted by name, as the lines are.
    private readonly List<ClusterNode>?[] _nodes = new List<ClusterNode>?[ShardFormat.Count];
    private readonly string[] _sums = [.. Enumerable.Repeat(NoNodes, ShardFormat.Count)];
    private readonly StringBuilder _text = new();
    private ImmutableArray<ClusterNode> _seen = [];

    /// <summary>How many nodes there are.</summary>
    public int Count => _seen.Length;

    /// <param name="nodes">Sorted by name, ordinal. A Node that did not change is the same object as before.</param>
    public void Take(ImmutableArray<ClusterNode> nodes)
    {
        if (nodes == _seen)
            return;
        SortedSet<int> changed = [];
        for (int before = 0, now = 0; before < _seen.Length || now < nodes.Length;)
        {
            int order = before == _seen.Length ? 1
                : now == nodes.Length ? -1
                : string.CompareOrdinal(_seen[before].Name, nodes[now].Name);
            if (order < 0)
                changed.Add(Remove(_seen[before]));
            else if (order > 0 || !ReferenceEquals(_seen[before], nodes[now]))
                changed.Add(Place(nodes[now]));
            before += order <= 0 ? 1 : 0;
            now += order >= 0 ? 1 : 0;
        }
        _seen = nodes;
        foreach (int shard in changed)
            _sums[shard] = ShardFormat.Sum(Encoding.UTF8.GetBytes(Nodes(shard)));
    }

    /// <summary>SHA-256 of the shard's lines.</summary>
    public string Sum(int shard) => _sums[shard];

    /// <summary>Whether agents read from it what the Nodes require.</summary>
    public bool IsIn(int shard, StoredShard stored) =>
        stored.IsValid && stored.Sum == _sums[shard] && stored.Labels == labels;

    /// <summary>The ConfigMap to write.</summary>
    /// <param name="source">The resourceVersion of the Nodes.</param>
    public V1ConfigMap Make(int shard, string source) => new()
    {
        ApiVersion = V1ConfigMap.KubeApiVersion,
        Kind = V1ConfigMap.KubeKind,
        Metadata = new()
        {
            Name = ShardFormat.Name(shard),
            NamespaceProperty = ShardFormat.Namespace,
            Labels = new Dictionary<string, string> { [ShardFormat.LabelKey] = ShardFormat.LabelValue },
        },
        Data = new Dictionary<string, string>
        {
            [ShardFormat.FormatKey] = ShardFormat.Version,
            [ShardFormat.ShardKey] = ShardFormat.Number(shard),
            [ShardFormat.SourceKey] = source,
            [ShardFormat.LabelsKey] = labels,
            [ShardFormat.SumKey] = _sums[shard],
            [ShardFormat.NodesKey] = Nodes(shard),
        },
    };

    private string Nodes(int shard)
    {
        _text.Clear();
        foreach (ClusterNode node in _nodes[shard] ?? [])
        {
            NodeLine.Write(_text, node);
            _text.Append('\n');
        }
        return _text.ToString();
    }

    // Returns its shard.
    private int Place(ClusterNode node)
    {
        int shard = ShardFormat.Home(node.Name);
        List<ClusterNode> nodes = _nodes[shard] ??= new(4);
        int index = Find(nodes, node.Name);
        if (index < 0)
            nodes.Insert(~index, node);
        else
            nodes[index] = node;
        return shard;
    }

    private int Remove(ClusterNode node)
    {
        int shard = ShardFormat.Home(node.Name);
        List<ClusterNode> nodes = _nodes[shard]!;
        nodes.RemoveAt(Find(nodes, node.Name));
        return shard;
    }

    // A shard has few nodes.
    private static int Find(List<ClusterNode> nodes, string name)
    {
        int index = 0;
        while (index < nodes.Count && string.CompareOrdinal(nodes[index].Name, name) < 0)
            index++;
        return index < nodes.Count && nodes[index].Name == name ? index : ~index;
    }
}
