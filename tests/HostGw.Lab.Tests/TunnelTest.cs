using System.Collections.Immutable;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>A cluster whose agents carry pods' packets through the tunnel where it is needed.</summary>
public abstract class TunnelTest : LabTest
{
    // Nothing on the lab's nodes reserves the gateway address of the podCIDR, which is the usual source.
    private const int SourceIndex = 254;

    private protected static readonly TimeSpan FloodInterval = TimeSpan.FromMilliseconds(10);

    private protected Node One => Cluster.Node(1);

    private protected Node Two => Cluster.Node(2);

    private protected Agent Agent => Cluster.Agent(One);

    /// <param name="firstOnSecondSegment">0: one segment.</param>
    private protected static ClusterSettings Tunnelled(int nodes, int firstOnSecondSegment = 0) =>
        Clusters.ByNodeAddress(nodes) with
        {
            FirstOnSecondSegment = firstOnSecondSegment,
            Agents = Clusters.ByNodeAddress(nodes).Agents with
            {
                More = Flags("auto"),
                AgentOnly = Paced(probeSeconds: 1),
            },
        };

    private protected static ImmutableArray<string> Paced(int probeSeconds) =>
        ["--probe-interval-seconds", $"{probeSeconds}", "--tunnel-native-after-seconds", "10"];

    private protected static ImmutableArray<string> Flags(string mode) =>
        [.. Clusters.Nftables, "--tunnel-mode", mode, "--tunnel-source", $"{SourceIndex}"];

    /// <summary>The source addresses of a node's own packets in the tunnel.</summary>
    private protected static IPAddress[] Sources(Node node) =>
        [IPAddress.Parse($"192.168.{node.Number}.{SourceIndex}"), IPAddress.Parse($"fd00:192:168:{node.Number}::{SourceIndex:x}")];

    /// <summary>Takes effect at the next start.</summary>
    private protected void SetMode(Node node, string mode) =>
        Cluster.Agent(node).Settings = Cluster.Agent(node).Settings with { More = Flags(mode) };

    /// <summary>Waits until the node's only routes to these peers' pods are tunnelled.</summary>
    private protected static async Task TunnelledAsync(Node node, params IEnumerable<Node> peers)
    {
        foreach (string route in peers.SelectMany(peer => Expect.Tunnelled(peer, Sources(node))))
            await Expect.OnlyRouteAsync(node, route);
    }

    /// <summary>Waits until the node's only routes to these peers' pods are native.</summary>
    private protected static async Task NativeAsync(Node node, params IEnumerable<Node> peers)
    {
        foreach (string route in peers.SelectMany(Expect.ByNodeAddress))
            await Expect.OnlyRouteAsync(node, route);
    }

    /// <summary>Waits until nothing of the tunnel is on the node.</summary>
    private protected static Task NoTunnelAsync(Node node) => Eventually.TrueAsync(
        () => !HasLink(node) && OpenPorts(node).Length == 0 &&
            !Expect.Ours(node).Any(route => route.Contains("encap", StringComparison.Ordinal)),
        () => $"{node.Name}: {node.Network.Exec("ip", "-br", "link")}{OpenPorts(node)}{string.Join('\n', Expect.Ours(node))}");

    private protected static bool HasLink(Node node) =>
        node.Network.Exec("ip", "-br", "link").Contains("hostgw0", StringComparison.Ordinal);

    /// <summary>The sockets at the tunnel's UDP port.</summary>
    private protected static string OpenPorts(Node node) => node.Network.Exec("ss", "-Hlun", "sport = 4790");

    /// <summary>
    /// Waits until packets arrive, which begins with the neighbours' addresses, and floods. All that is lost from then on counts.
    /// </summary>
    private protected static async Task<PingFlood> FloodAsync(params IEnumerable<(Node From, Node To)> pairs)
    {
        (NetworkNamespace From, IPAddress To)[] paths =
        [
            .. from pair in pairs
               from way in (((Node From, Node To)[])[pair, (pair.To, pair.From)])
               from address in way.To.Pods[0].Addresses
               select (way.From.Pods[0].Network, address),
        ];
        foreach ((NetworkNamespace from, IPAddress to) in paths)
            await ArrivesAsync(from, to);
        return PingFlood.Start(paths, FloodInterval);
    }

    /// <param name="bytes">Of the packet; 0: a small one.</param>
    private protected static Task<TimeSpan> ArrivesAsync(NetworkNamespace from, IPAddress to, int bytes = 0) => Eventually.TrueAsync(
        () => Ping.Once(from, to, TimeSpan.FromMilliseconds(500), bytes) is not null, () => $"{from.Name} -> {to}: no answer");

    private protected static void NothingLost(PingFlood flood)
    {
        PingFloodResult result = flood.Stop();
        Assert.True(result.Lost == 0, $"{result}");
    }

    /// <summary>Several megabytes in both directions and families, and each byte in its place.</summary>
    private protected static async Task CarriesBulkAsync(Node one, Node other)
    {
        const int Enough = 4 << 20;
        foreach ((Node from, Node to) in (((Node, Node)[])[(one, other), (other, one)]))
        {
            foreach (IPAddress address in to.Pods[0].Addresses)
            {
                using TcpTransfer transfer = TcpTransfer.Start(from.Pods[0].Network, to.Pods[0].Network, address);
                await Eventually.TrueAsync(
                    () => transfer.Received > Enough, () => $"{from.Name} -> {address}: {transfer.Received} bytes arrived");
                (long sent, long arrived) = await transfer.StopAsync();
                Assert.Equal(sent, arrived);
            }
        }
    }

    private protected static void Measured(string what, TimeSpan time) =>
        TestContext.Current.TestOutputHelper?.WriteLine($"measured: {what}: {time.TotalSeconds:0.00} s");
}
