using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>One segment whose switch begins to drop pods' packets, and later lets them through again.</summary>
[Trait("Speed", "slow")]
public sealed class TunnelFabricTests : TunnelTest
{
    private const int Pace = 10;

    private protected override ClusterSettings Settings => Tunnelled(3);

    private Node Three => Cluster.Node(3);

    private (Node, Node)[] Pairs => [(One, Two), (Two, Three), (Three, One)];

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, Pace)]
    public async Task Dropped_packets_take_the_tunnel_and_those_of_a_healed_network_return_to_it_with_nothing_lost(
        int rpFilter, int probeSeconds)
    {
        SetReversePathFilter(rpFilter);
        await StartAsync(probeSeconds);
        using (PingFlood flood = await FloodAsync(Pairs))
        {
            Cluster.Segment.DropPodAddresses();
            long dropped = Stopwatch.GetTimestamp();
            await EveryoneAsync(TunnelledAsync);
            foreach ((NetworkNamespace from, IPAddress to) in Paths.BetweenNeighbours(Cluster))
                await ArrivesAsync(from, to);
            Measured(
                $"rp_filter {rpFilter}: from the first dropped packet until all pods reach all others",
                Stopwatch.GetElapsedTime(dropped));
            PingFloodResult result = flood.Stop();
            Measured($"rp_filter {rpFilter}: the longest time without an answer", result.LongestGap);
            Assert.InRange(result.LongestGap, TimeSpan.Zero, Expect.Patience);
        }
        // Why it is so stays visible: nativeReachability.
        Assert.Contains("podTrafficDropped", $"{await Agent.StatusAsync()}", StringComparison.Ordinal);

        using PingFlood second = await FloodAsync(Pairs);
        Cluster.Segment.DropNothing();
        await EveryoneAsync(NativeAsync);
        foreach (Node node in Cluster.Nodes)
            await NoTunnelAsync(node);
        NothingLost(second);
        await Verdicts.AllBecomeAsync(Cluster, "reachable");
        await Verdicts.NoProblemAsync(Agent);
    }

    [Fact]
    public async Task With_a_strict_reverse_path_filter_the_way_back_costs_no_more_than_a_moment()
    {
        await StartAsync(Pace);
        Cluster.Segment.DropPodAddresses();
        await EveryoneAsync(TunnelledAsync);

        using PingFlood flood = await FloodAsync(Pairs);
        Cluster.Segment.DropNothing();
        await EveryoneAsync(NativeAsync);
        foreach ((NetworkNamespace from, IPAddress to) in Paths.BetweenNeighbours(Cluster))
            await ArrivesAsync(from, to);
        PingFloodResult result = flood.Stop();
        Measured($"strict rp_filter, back to native: the longest time without an answer ({result.Lost} lost)", result.LongestGap);
        Assert.InRange(result.LongestGap, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Where_one_nodes_packets_are_dropped_both_directions_take_the_tunnel_and_other_peers_stay_native()
    {
        await StartAsync();
        Cluster.Segment.DropPodAddressesFrom(One);
        await TunnelledAsync(One, Two, Three);
        await TunnelledAsync(Two, One);
        await TunnelledAsync(Three, One);
        using PingFlood flood = await FloodAsync(Pairs);
        await NativeAsync(Two, Three);
        await NativeAsync(Three, Two);

        Cluster.Segment.DropNothing();
        await EveryoneAsync(NativeAsync);
        flood.Stop();
        foreach (Node node in Cluster.Nodes)
            await NoTunnelAsync(node);
    }

    [Fact]
    public async Task A_long_connection_goes_on_from_native_to_tunnel_and_back()
    {
        SetReversePathFilter(2);
        await StartAsync();
        Pod to = Two.Pods[0];
        using TcpTransfer transfer = TcpTransfer.Start(One.Pods[0].Network, to.Network, to.Addresses[0]);

        Cluster.Segment.DropPodAddresses();
        await EveryoneAsync(TunnelledAsync);
        await MoreArrivesAsync();
        Cluster.Segment.DropNothing();
        await EveryoneAsync(NativeAsync);
        await MoreArrivesAsync();

        (long sent, long arrived) = await transfer.StopAsync();
        Assert.Equal(sent, arrived);

        Task MoreArrivesAsync()
        {
            long before = transfer.Received;
            return Eventually.TrueAsync(() => transfer.Received > before + (1 << 20), () => $"{transfer.Received - before} bytes arrived");
        }
    }

    // Answers to the address of the other path would be lost. The kernel forgets a masqueraded connection whose packets leave by another
    // interface (nf_nat_oif_changed), and its next packet begins a new one.
    [Fact]
    public async Task A_masqueraded_connection_begins_anew_on_the_other_path()
    {
        await StartAsync();
        string port = $"udp dport {SourceEcho.Port}";
        One.Network.Exec("nft", "table ip proxy { chain services { type nat hook prerouting priority dstnat; " +
            $"ip daddr {One.Addresses[0]} {port} ct mark set 1 dnat to {Two.Pods[0].Addresses[0]}; }}; " +
            "chain ports { type nat hook postrouting priority srcnat - 1; ct mark 1 masquerade; }; }");
        using Socket client = Cluster.Outside.Network.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        client.ReceiveTimeout = 500;
        client.Connect(One.Addresses[0], SourceEcho.Port);
        await SeenAsync(One.Addresses[0]);

        Cluster.Segment.DropPodAddresses();
        await EveryoneAsync(TunnelledAsync);
        await SeenAsync(Sources(One)[0]);

        Cluster.Segment.DropNothing();
        await EveryoneAsync(NativeAsync);
        await SeenAsync(One.Addresses[0]);

        Task SeenAsync(IPAddress source)
        {
            string seen = "";
            return Eventually.TrueAsync(() => (seen = Ask()) == $"{source}", () => $"the pod sees '{seen}', not {source}");
        }

        string Ask()
        {
            byte[] answer = new byte[64];
            try
            {
                client.Send("who am I?"u8);
                return Encoding.ASCII.GetString(answer, 0, client.Receive(answer));
            }
            catch (SocketException)
            {
                return "";
            }
        }
    }

    // By default agents probe every 10 s, which is how soon they find what the switch drops; where that does not matter, they need not.
    private async Task StartAsync(int probeSeconds = 1)
    {
        foreach (Agent agent in Cluster.Agents)
            agent.Settings = agent.Settings with { AgentOnly = Paced(probeSeconds) };
        await Cluster.StartAgentsAsync();
        await EveryoneAsync(NativeAsync);
        await Verdicts.AllBecomeAsync(Cluster, "reachable");
        foreach (Node node in Cluster.Nodes)
            await NoTunnelAsync(node);
    }

    private async Task EveryoneAsync(Func<Node, IEnumerable<Node>, Task> become)
    {
        foreach (Node node in Cluster.Nodes)
            await become(node, Cluster.Nodes.Where(peer => peer != node));
    }

    private void SetReversePathFilter(int value)
    {
        foreach (Node node in Cluster.Nodes)
        {
            foreach (string name in (string[])["all", "default", "eth0", "cni0", "pod1"])
                node.Network.Sysctl($"ipv4/conf/{name}/rp_filter", $"{value}");
        }
    }
}
