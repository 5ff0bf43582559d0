using System.Diagnostics;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Demo;

/// <summary>The demo from the first line to the last.</summary>
internal sealed partial class DemoRun(Cluster cluster, Screen screen)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FloodInterval = TimeSpan.FromMilliseconds(5);
    // A late effect of a change must not be missed.
    private static readonly TimeSpan FloodsOn = TimeSpan.FromSeconds(1);

    /// <summary>True if every check passed.</summary>
    public static async Task<bool> RunAsync(Screen screen)
    {
        long started = Stopwatch.GetTimestamp();
        screen.Title(
            "HostGw: pod networking by plain routes, and a tunnel only where the network drops pods' packets",
            "A Kubernetes cluster in a box on this machine: every node is a network namespace with the real agent",
            "in it. The kernels, the packets and the API calls are real. Nothing outside the box is changed.");

        await using Cluster cluster = await Cluster.CreateAsync(new() { FirstOnSecondSegment = Beyond });
        var demo = new DemoRun(cluster, screen);
        TimeSpan built = Stopwatch.GetElapsedTime(started);
        Func<Task>[] steps =
        [
            () => demo.ShowTheClusterAsync(built), demo.StartTheAgentsAsync, demo.PingEverythingAsync, demo.ChangeTheModeAsync,
            demo.LetANodeJoinAsync, demo.DisturbRoutesAsync, demo.KillAnAgentAsync, demo.RemoveANodeAsync,
            demo.LetANodeJoinBeyondAsync, demo.DropPodTrafficAsync,
        ];
        foreach (Func<Task> step in steps)
            await demo.CompleteAsync(step);

        screen.Text();
        screen.Faint($"Everything took {Screen.Time(Stopwatch.GetElapsedTime(started))}. The box is gone now, with all that was in it.");
        screen.Sum();
        return screen.Passed == screen.Checks;
    }

    private async Task ShowTheClusterAsync(TimeSpan took)
    {
        screen.Step("A cluster without pod networking", "Each node has a bridge with one pod behind it. One node plays Windows: its pods' gateway is .2.");
        screen.Table(Report.Nodes(cluster));
        screen.Check("The nodes, the API server and the outside world are up", true, () => "", took);
        await CheckAsync("A pod cannot reach a pod on another node yet", Agent(2), () =>
        {
            Pod from = cluster.Node(2).Pods[0], to = cluster.Node(3).Pods[0];
            string[] reached = [.. to.Addresses.Where(a => Ping.Once(from.Network, a, TimeSpan.FromMilliseconds(150)) is not null).Select(a => $"{a}")];
            Expect("no reply", reached);
            return Task.FromResult<TimeSpan?>(null);
        });
    }

    private async Task StartTheAgentsAsync()
    {
        screen.Step("An agent on every node", "nextHop: PodGateway. Pods of a Linux node are reached by its .1, of a Windows node by its .2.");
        await CheckAsync("All agents are ready, from process start to routes in the kernel", Agent(1), async () =>
        {
            long started = Stopwatch.GetTimestamp();
            await cluster.StartAgentsAsync();
            return Stopwatch.GetElapsedTime(started);
        });
        screen.Text();
        screen.Faint("Routes made by the agents (on eth0, protocol 157; each node's first is the cluster route):");
        screen.Table(Report.Routes(cluster));
        screen.Text();
        await ShowNatAsync();
        foreach (Node node in cluster.Nodes)
            await CheckAsync($"{node.Name} has exactly the routes it should have", Agent(node), () => ExpectRoutes(node, podGateway: true));
        await CheckAsync("Forwarding is on, on every node, for IPv4 and IPv6", Agent(1), () =>
        {
            Expect("1 everywhere", [.. cluster.Nodes.SelectMany(node => ForwardingProblems(node))]);
            return Task.FromResult<TimeSpan?>(null);
        });
    }

    private async Task PingEverythingAsync()
    {
        screen.Step("Packets", "Every pod pings every pod, then asks a host outside, which has no route to pods, whom it sees.");
        PingMatrix matrix = PingMatrix.Measure(cluster.Pods, Patience);
        screen.Table(Report.Pings(matrix));
        screen.Text();
        await CheckAsync($"All {matrix.Pings} pings were answered", Agent(1), () => Nothing("a reply to every ping", matrix.Unanswered));
        await CheckAsync("Between pods, everyone sees the pod's own address", Agent(1), () => Nothing("the pod's address", matrix.ForeignSources));
        await CheckAsync("Outside sees the node's address instead (masquerade)", Agent(1), () => Nothing("the node's address",
            from node in cluster.Nodes
            from pod in node.Pods
            from i in new[] { 0, 1 }
            let seen = matrix.Source(pod, Addressing.Outside[i])
            where !node.Addresses[i].Equals(seen)
            select $"{pod.Name} was seen as {seen?.ToString() ?? "nobody"}, not {node.Addresses[i]}"));
    }

    private Agent Agent(int number) => cluster.Agent(cluster.Node(number));

    private Agent Agent(Node node) => cluster.Agent(node);

    private static IEnumerable<string> ForwardingProblems(Node node) =>
        from path in new[] { "ipv4/ip_forward", "ipv6/conf/all/forwarding" }
        let value = node.Network.Sysctl(path)
        where value != "1"
        select $"{node.Name}: {path} is {value}";
}
