using System.Diagnostics;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Demo;

/// <summary>The second half: what happens to a running cluster.</summary>
internal sealed partial class DemoRun
{
    private async Task ChangeTheModeAsync()
    {
        screen.Step("Change every node to nextHop: NodeAddress", "The agents restart one by one with the new setting, while pods ping each other without pause.");
        using PingFlood flood = Flood();
        await CheckAsync("All agents restarted and ready", Agent(1), async () =>
        {
            long started = Stopwatch.GetTimestamp();
            foreach (Agent agent in cluster.Agents)
            {
                await agent.StopAsync();
                agent.Settings = agent.Settings with { NextHop = "NodeAddress" };
                await agent.StartAndWaitAsync();
            }
            return Stopwatch.GetElapsedTime(started);
        });
        await CheckFloodAsync(flood);
        screen.Text();
        screen.Table(Report.Routes(cluster));
        screen.Text();
        foreach (Node node in cluster.Nodes)
            await CheckAsync($"{node.Name} sends pod traffic to the nodes' own addresses", Agent(node), () => ExpectRoutes(node, podGateway: false));
    }

    private async Task LetANodeJoinAsync()
    {
        screen.Step("A fifth node joins", "Its Node object appears in the API; its agent starts.");
        Node[] peers = [.. cluster.Nodes];
        Node joining = cluster.AddMachine(5);
        Agent(joining).Settings = Agent(1).Settings;
        await CheckAsync("Its two routes are installed on every other node", Agent(1), () => AnnouncedAsync(peers, joining, added: true,
            () => cluster.Announce(joining)));
        await CheckAsync("Its own agent is ready", Agent(joining), async () =>
        {
            long started = Stopwatch.GetTimestamp();
            await Agent(joining).StartAndWaitAsync();
            return Stopwatch.GetElapsedTime(started);
        });
        var matrix = PingMatrix.Measure(cluster.Pods, Patience);
        await CheckAsync($"All {matrix.Pings} pings between the five nodes' pods were answered", Agent(joining),
            () => Nothing("a reply to every ping", matrix.Unanswered));
    }

    private async Task DisturbRoutesAsync()
    {
        screen.Step("Somebody changes routes by hand", "The kernel announces it, and the agent puts it right. Times are from the start of the command.");
        Node two = cluster.Node(2), three = cluster.Node(3), four = cluster.Node(4);
        await CheckAsync($"node2: ip route delete {three.PodCidrs[0]}", Agent(two), () =>
            RepairedAsync(two, $"route delete {three.PodCidrs[0]}", three.PodCidrs[0], added: false, wrong: null, three.Addresses[0]));
        await CheckAsync($"node2: ip route delete {three.PodCidrs[1]}", Agent(two), () =>
            RepairedAsync(two, $"route delete {three.PodCidrs[1]}", three.PodCidrs[1], added: false, wrong: null, three.Addresses[1]));
        await CheckAsync($"node3: ip route replace {two.PodCidrs[0]} via {four.Addresses[0]}, a wrong node", Agent(three), () =>
            RepairedAsync(three, $"route replace {two.PodCidrs[0]} via {four.Addresses[0]} dev eth0", two.PodCidrs[0], added: true, four.Addresses[0], two.Addresses[0]));
        await CheckAsync("node2 and node3 have exactly the routes they should have again", Agent(two), async () =>
        {
            await ExpectRoutes(two, podGateway: false);
            return await ExpectRoutes(three, podGateway: false);
        });
    }

    private async Task KillAnAgentAsync()
    {
        screen.Step("An agent is killed", "kill -9 on node2 and a new start, while pods ping each other without pause.");
        using PingFlood flood = Flood();
        await CheckAsync("Killed, started again, ready", Agent(2), async () =>
        {
            await Agent(2).KillAsync();
            long started = Stopwatch.GetTimestamp();
            await Agent(2).StartAndWaitAsync();
            return Stopwatch.GetElapsedTime(started);
        });
        await CheckFloodAsync(flood);
    }

    private async Task RemoveANodeAsync()
    {
        screen.Step("The fifth node leaves", "Its Node object is deleted; nobody may keep a route to it.");
        Node leaving = cluster.Node(5);
        Node[] peers = [.. cluster.Nodes.Where(node => node != leaving)];
        await CheckAsync("Its two routes are gone from every other node", Agent(1), () => AnnouncedAsync(peers, leaving, added: false,
            () => cluster.Api.Server.Nodes.Delete(leaving.Name)));
        cluster.RemoveMachine(leaving);
        var matrix = PingMatrix.Measure(cluster.Pods, Patience);
        await CheckAsync($"The other four are not affected: all {matrix.Pings} pings answered", Agent(1),
            () => Nothing("a reply to every ping", matrix.Unanswered));
    }

    // The time from the change in the API to the last kernel's word that both routes are there, or gone.
    private static async Task<TimeSpan?> AnnouncedAsync(Node[] peers, Node node, bool added, Action change)
    {
        RouteEvents[] kernels = [.. peers.Select(peer => RouteEvents.Listen(peer.Network))];
        long since = Stopwatch.GetTimestamp();
        change();
        TimeSpan[] times = await Task.WhenAll(
            from kernel in kernels from cidr in node.PodCidrs select kernel.WaitAsync(since, cidr, added));
        Array.ForEach(kernels, kernel => kernel.Dispose());
        return times.Max();
    }

    // The time from just before the command starts to the kernel's word that the route is right again.
    private static async Task<TimeSpan?> RepairedAsync(
        Node node, string command, IPNetwork destination, bool added, IPAddress? wrong, IPAddress right)
    {
        using var kernel = RouteEvents.Listen(node.Network);
        long since = Stopwatch.GetTimestamp();
        node.Network.Configure([command]);
        await kernel.WaitAsync(since, destination, added, wrong);
        return await kernel.WaitAsync(since, destination, added: true, right);
    }
}
