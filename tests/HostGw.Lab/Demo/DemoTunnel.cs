using System.Diagnostics;
using System.Text.Json;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Demo;

/// <summary>The last part: where the network does not carry pods' packets, the tunnel does.</summary>
internal sealed partial class DemoRun
{
    private const int Beyond = 6;

    private Node[] LinuxNodes => [.. cluster.Nodes.Where(node => !node.IsWindows)];

    private (Node From, Node To)[] Disturbed => [(cluster.Node(2), cluster.Node(3)), (cluster.Node(3), cluster.Node(2))];

    private async Task LetANodeJoinBeyondAsync()
    {
        screen.Step("A node on another segment joins",
            "tunnel.mode: auto on Linux nodes. The routers between the two segments know no pod network.");
        await CheckAsync("All Linux agents restarted and ready", Agent(2), UseTunnelAsync);
        Node[] near = LinuxNodes;
        Node far = cluster.AddMachine(Beyond);
        Configure(far);
        await CheckAsync("Its own agent is ready", Agent(far), () =>
        {
            cluster.Announce(far);
            return TimeAsync(Agent(far).StartAndWaitAsync);
        });
        await CheckAsync("Its pods' routes take the tunnel, once that has answered probes", Agent(far), () =>
            TimeAsync(() => Eventually.TrueAsync(
                () => Array.TrueForAll(near, node => Tunnels(node, far) && Tunnels(far, node)),
                () => string.Join('\n', far.Network.Exec("ip", "route"), near[0].Network.Exec("ip", "route")))));
        screen.Text();
        screen.Faint($"Routes of {near[0].Name} to {far.Name}'s pods:");
        foreach (KernelRoute route in RoutesTo(near[0], far))
            screen.Quote($"{route}");
        screen.Text();
        PingMatrix matrix = await CheckLinuxPingsAsync();
        await CheckAsync("Through the tunnel, too, everyone sees the pod's own address", Agent(far),
            () => Nothing("the pod's address", matrix.ForeignSources));
        await CheckAsync($"Windows has no tunnel, and node1 says so: {far.Name} is notAdjacent", Agent(1),
            () => SaysAsync(1, far, "verdict", "notAdjacent"));
    }

    private async Task DropPodTrafficAsync()
    {
        screen.Step("The fabric drops pods' packets between node2 and node3",
            "As clouds that check source addresses do. probe.intervalSeconds: 1, tunnel.nativeAfterSeconds: 10.");
        using (PingFlood flood = DisturbedFlood())
        {
            cluster.Segment.DropPodAddressesBetween(cluster.Node(2), cluster.Node(3));
            await CheckAsync("Both take the tunnel instead, from the first dropped packet on", Agent(2),
                () => TimeAsync(() => BecomeAsync(Tunnels)));
            await CheckInterruptionAsync(flood);
        }
        await CheckAsync("node2 says why: podTrafficDropped", Agent(2),
            () => SaysAsync(2, cluster.Node(3), "nativeReachability", "podTrafficDropped"));
        await CheckAsync("Between each of them and node4 packets stay native", Agent(4), () => Nothing("native routes",
            from pair in (int[][])[[2, 4], [3, 4], [4, 2], [4, 3]]
            where !IsNative(cluster.Node(pair[0]), cluster.Node(pair[1]))
            select $"node{pair[0]} to node{pair[1]}: {string.Join(", ", RoutesTo(cluster.Node(pair[0]), cluster.Node(pair[1])))}"));

        using PingFlood second = DisturbedFlood();
        cluster.Segment.DropNothing();
        await CheckAsync("The fabric delivers again: native, after 10 s of answers", Agent(2),
            () => TimeAsync(() => BecomeAsync(IsNative)));
        await CheckFloodAsync(second);
        await CheckLinuxPingsAsync();
    }

    private Task<TimeSpan?> UseTunnelAsync() => TimeAsync(async () =>
    {
        Node[] nodes = LinuxNodes;
        Array.ForEach(nodes, Configure);
        await Task.WhenAll(nodes.Select(node => Agent(node).StopAsync()));
        await cluster.StartAgentsAsync();
    });

    // Nothing in the lab reserves the gateway's address, which the source would be by itself; systemd sets rp_filter so.
    private void Configure(Node node)
    {
        node.Network.Sysctl("ipv4/conf/all/rp_filter", "2");
        AgentSettings native = Agent(1).Settings;
        Agent(node).Settings = native with
        {
            More = [.. native.More, "--tunnel-mode", "auto", "--tunnel-source", "254"],
            AgentOnly = ["--probe-interval-seconds", "1", "--tunnel-native-after-seconds", "10"],
        };
    }

    private async Task<PingMatrix> CheckLinuxPingsAsync()
    {
        var matrix = PingMatrix.Measure(LinuxNodes.SelectMany(node => node.Pods), Patience);
        await CheckAsync($"All {matrix.Pings} pings between the pods of Linux nodes were answered", Agent(Beyond),
            () => Nothing("a reply to every ping", matrix.Unanswered));
        return matrix;
    }

    private PingFlood DisturbedFlood() => PingFlood.Start(
        from way in Disturbed from address in way.To.Pods[0].Addresses select (way.From.Pods[0].Network, address), FloodInterval);

    // What was lost on the way is told, and no failure: what counts is that packets arrive again.
    private async Task CheckInterruptionAsync(PingFlood flood)
    {
        string[] unanswered = [.. PingMatrix.Measure(Disturbed.Select(way => way.From.Pods[0]), Patience).Unanswered];
        PingFloodResult result = flood.Stop();
        await CheckAsync($"Their pods reach each other again; {result.Lost} of {result.Sent} pings lost, longest silence", Agent(2), () =>
        {
            Expect("a reply to every ping", unanswered);
            return Task.FromResult<TimeSpan?>(result.LongestGap);
        });
    }

    private Task<TimeSpan> BecomeAsync(Func<Node, Node, bool> state) => Eventually.TrueAsync(
        () => Array.TrueForAll(Disturbed, way => state(way.From, way.To)),
        () => string.Join('\n', Disturbed.SelectMany(way => RoutesTo(way.From, way.To))));

    private static bool Tunnels(Node node, Node peer) =>
        RoutesTo(node, peer) is [{ Device: "hostgw0", Protocol: Report.OurProtocol }, { Device: "hostgw0", Protocol: Report.OurProtocol }];

    private static bool IsNative(Node node, Node peer) => RoutesTo(node, peer) is [{ Device: "eth0" } v4, { Device: "eth0" } v6]
        && peer.Addresses.SequenceEqual([v4.Gateway!, v6.Gateway!]);

    private static KernelRoute[] RoutesTo(Node node, Node peer) =>
        [.. peer.PodCidrs.SelectMany(cidr => KernelRoute.To(node.Network, cidr))];

    // Waits until the agent's status says this of both of the peer's podCIDRs.
    private async Task<TimeSpan?> SaysAsync(int number, Node peer, string property, string value)
    {
        string seen = "";
        return await Eventually.TrueAsync(
            async () =>
            {
                JsonElement status = await Agent(number).StatusAsync();
                string[] said =
                [
                    .. from node in status.GetProperty("nodes").EnumerateArray()
                       where node.GetProperty("name").GetString() == peer.Name
                       from podCidr in node.GetProperty("podCidrs").EnumerateArray()
                       select podCidr.GetProperty(property).GetString(),
                ];
                seen = $"expected: {property} {value}\nseen: {string.Join(", ", said)}";
                return said.Length == 2 && Array.TrueForAll(said, s => s == value);
            },
            () => seen);
    }

    private static async Task<TimeSpan?> TimeAsync(Func<Task> deed)
    {
        long started = Stopwatch.GetTimestamp();
        await deed();
        return Stopwatch.GetElapsedTime(started);
    }
}
