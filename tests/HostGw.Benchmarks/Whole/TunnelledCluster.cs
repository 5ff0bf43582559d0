using System.Text.Json;
using HostGw.Lab;
using HostGw.Lab.Topology;

namespace HostGw.Benchmarks.Whole;

/// <summary>Four nodes with pods on the lab's segment, whose switch can drop pods' packets; agents with tunnel.mode: auto.</summary>
internal sealed class TunnelledCluster : IAsyncDisposable
{
    private const int Nodes = 4;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50), Patience = TimeSpan.FromMinutes(2);

    private readonly Cluster _cluster;

    private TunnelledCluster(Cluster cluster) => _cluster = cluster;

    public Segment Segment => _cluster.Segment;

    /// <summary>Each with each other.</summary>
    public IEnumerable<(Node One, Node Other)> Pairs =>
        from one in _cluster.Nodes from other in _cluster.Nodes where one.Number < other.Number select (one, other);

    public static async Task<TunnelledCluster> CreateAsync()
    {
        Cluster cluster = await Cluster.CreateAsync(new()
        {
            Nodes = Nodes,
            WindowsNode = 0,
            Agents = new("NodeAddress", Addressing.ClusterCidrs,
                // No CNI configuration keeps the gateway's address from pods.
                ["--nat-backend", "nftables", "--tunnel-mode", "auto", "--tunnel-source", "254"])
            {
                // The least: the way back to native routes is not measured.
                AgentOnly = ["--tunnel-native-after-seconds", "10"],
            },
        });
        await cluster.StartAgentsAsync();
        return new(cluster);
    }

    public Node Node(int number) => _cluster.Node(number);

    /// <summary>Waits until both say this of each other's pods, in both families.</summary>
    public async Task BecomeAsync(Node one, Node other, Func<JsonElement, bool> state)
    {
        foreach ((Node node, Node peer) in ((Node, Node)[])[(one, other), (other, one)])
        {
            string seen = "";
            await Eventually.TrueAsync(
                async () =>
                {
                    await Task.Delay(Pause);
                    JsonElement[] podCidrs = await PodCidrsAsync(node, peer);
                    seen = string.Join('\n', podCidrs);
                    return podCidrs.Length == 2 && Array.TrueForAll(podCidrs, p => state(p));
                },
                () => $"{node.Name} says of {peer.Name}: {seen}", Patience);
        }
    }

    public static bool IsNative(JsonElement podCidr) => Is(podCidr, "path", "native") && Is(podCidr, "reachability", "reachable");

    public static bool IsTunnelled(JsonElement podCidr) => Is(podCidr, "path", "tunnel") && Is(podCidr, "reachability", "reachable");

    /// <summary>The verdict on the native path, whatever path packets take.</summary>
    public static bool IsDropped(JsonElement podCidr) =>
        Is(podCidr, "reachability", "podTrafficDropped") || Is(podCidr, "nativeReachability", "podTrafficDropped");

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    private static bool Is(JsonElement podCidr, string property, string value) => podCidr.GetProperty(property).GetString() == value;

    private async Task<JsonElement[]> PodCidrsAsync(Node node, Node peer) =>
    [
        .. from known in (await _cluster.Agent(node).StatusAsync()).GetProperty("nodes").EnumerateArray()
           where known.GetProperty("name").GetString() == peer.Name
           from podCidr in known.GetProperty("podCidrs").EnumerateArray()
           select podCidr,
    ];
}
