using System.Globalization;
using System.Text;
using HostGw.Digest;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Storms.Readers;

namespace HostGw.Storms;

/// <summary>What every reader should know, computed afresh from the Nodes: nothing of it comes from the digest.</summary>
/// <param name="Shards">As <see cref="ShardHashes.Hash"/>.</param>
/// <param name="Nodes">A hash of each Node's line, by its name.</param>
internal sealed record ExpectedState(ulong Shards, IReadOnlyDictionary<string, ulong> Nodes)
{
    /// <summary>Lists all Nodes.</summary>
    public static async Task<ExpectedState> ComputeAsync(ApiClient client)
    {
        NodeStore store = new();
        ListWatch<NodeDraft> api = new(client, "/api/v1/nodes", new(NodeSelector.Everything), NamedObject.Node(""), TimeProvider.System);
        await api.ListAsync(store, from: null, CancellationToken.None);
        return Of(store.Snapshot.Nodes);
    }

    /// <param name="nodes">Sorted by name.</param>
    public static ExpectedState Of(IReadOnlyCollection<ClusterNode> nodes)
    {
        ILookup<int, ClusterNode> homes = nodes.ToLookup(node => ShardFormat.Home(node.Name));
        ulong shards = 0;
        for (int shard = 0; shard < ShardFormat.Count; shard++)
            shards += ShardHashes.Of(shard, Encoding.UTF8.GetBytes(string.Concat(homes[shard].Select(node => Line(node) + "\n"))));
        return new(shards, nodes.ToDictionary(node => node.Name, HashOf));
    }

    public bool Has(ClusterNode node) => Nodes.TryGetValue(node.Name, out ulong hash) && hash == HashOf(node);

    public static ExpectedState Read(string path)
    {
        string[] lines = File.ReadAllLines(path);
        return new(Number(lines[0]), lines[1..].Select(line => line.Split(' ')).ToDictionary(words => words[0], words => Number(words[1])));

        static ulong Number(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    public void Write(string path) => File.WriteAllLines(path, [$"{Shards:x}", .. Nodes.Select(node => $"{node.Key} {node.Value:x}")]);

    private static ulong HashOf(ClusterNode node) => StableHash.Of(Encoding.UTF8.GetBytes(Line(node)));

    private static string Line(ClusterNode node)
    {
        StringBuilder line = new();
        NodeLine.Write(line, node);
        return line.ToString();
    }
}
