using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Twenty nodes on one segment and one on another, which reaches all of them through the tunnel, as they reach it.</summary>
public sealed class TunnelPeersTests : TunnelTest
{
    private const int Peers = 20;

    // Paths are many and processors few.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private protected override ClusterSettings Settings => Tunnelled(Peers + 1, firstOnSecondSegment: Peers + 1);

    private Node Far => Cluster.Nodes[^1];

    [Fact]
    public async Task Twenty_peers_are_carried_and_neither_restarts_nor_a_setting_turned_and_turned_back_cost_a_packet()
    {
        await Cluster.StartAgentsAsync();
        await EachIsTunnelledAsync();
        foreach ((NetworkNamespace from, IPAddress to) in FromAndToFar())
            await ArrivesAsync(from, to);

        using PingFlood flood = PingFlood.Start(FromAndToFar().Concat(Paths.BetweenNeighbours(Cluster).Take(6)), Interval);
        foreach (int seconds in (int[])[2, 1])
        {
            foreach (Agent agent in Cluster.Agents)
            {
                agent.Settings = agent.Settings with
                {
                    AgentOnly = [.. agent.Settings.AgentOnly.Select((flag, i) => i == 1 ? $"{seconds}" : flag)],
                };
                Assert.Equal(0, await agent.StopAsync());
                await agent.StartAndWaitAsync();
            }
        }
        foreach (Node node in (Node[])[Two, Far])
        {
            await Cluster.Agent(node).KillAsync();
            await Cluster.Agent(node).StartAndWaitAsync();
        }
        await EachIsTunnelledAsync();
        await Verdicts.BecomesAsync(Agent, Far, "reachable");
        await AllReachableAsync();

        string settled = await WritesAsync();
        await Verdicts.ProbedAsync(Cluster.Agent(Far));
        Assert.Equal(settled, await WritesAsync());
        NothingLost(flood);
    }

    private async Task EachIsTunnelledAsync()
    {
        await TunnelledAsync(Far, Cluster.Nodes.Take(Peers));
        foreach (Node node in Cluster.Nodes.Take(Peers))
            await TunnelledAsync(node, Far);
    }

    private async Task AllReachableAsync()
    {
        foreach (Node node in Cluster.Nodes.Take(Peers))
            await Verdicts.BecomesAsync(Cluster.Agent(Far), node, "reachable");
    }

    private IEnumerable<(NetworkNamespace From, IPAddress To)> FromAndToFar() =>
        from node in Cluster.Nodes.Take(Peers)
        from family in Enumerable.Range(0, 2)
        from way in (((Node From, Node To)[])[(node, Far), (Far, node)])
        select (way.From.Pods[0].Network, way.To.Pods[0].Addresses[family]);

    // To the kernel's routes, addresses, links and rules.
    private async Task<string> WritesAsync() => string.Join(' ', await Task.WhenAll(Cluster.Agents.Select(async agent =>
        $"{agent.Node}:{await agent.MetricAsync("hostgw_netlink_writes_total")}")));
}
