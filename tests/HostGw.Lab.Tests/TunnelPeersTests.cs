using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>
/// Twenty nodes on one segment and one on another, which reaches all of them through the tunnel, as they reach it. The Nodes have IPv4
/// addresses only, so that each of the twenty reaches the others' IPv6 pods through it, too.
/// </summary>
public sealed class TunnelPeersTests : TunnelTest
{
    // One pod answers all of them: more floods than these are too much for its kernel when a busy machine lets them catch up.
    private const int Peers = 20, Flooded = 6;

    // IPv6 addresses would also be too many for the neighbour table, which all tests on the machine share (gc_thresh3, 1024).
    private const int IPv6 = 1;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    private protected override ClusterSettings Settings => Tunnelled(Peers + 1, firstOnSecondSegment: Peers + 1);

    private Node Far => Cluster.Nodes[^1];

    [Fact]
    public async Task Twenty_peers_are_carried_and_neither_restarts_nor_a_setting_turned_and_turned_back_cost_a_packet()
    {
        foreach (Node node in Cluster.Nodes)
            Cluster.Api.Server.Nodes.Put(Cluster.Describe(node) with { InternalIPs = [$"{node.Addresses[0]}"] });
        await Cluster.StartAgentsAsync();
        await EachIsTunnelledAsync();
        await AllArriveAsync();

        using PingFlood flood = PingFlood.Start(FromAndToFar(Flooded).Concat(Paths.BetweenNeighbours(Cluster).Take(Flooded)), Interval);
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
        await AllArriveAsync();

        string settled = await WritesAsync();
        await Verdicts.ProbedAsync(Cluster.Agent(Far));
        Assert.Equal(settled, await WritesAsync());
        NothingLost(flood);
    }

    private async Task EachIsTunnelledAsync()
    {
        foreach (Node node in Cluster.Nodes)
        {
            foreach (Node peer in Cluster.Nodes.Except([node]))
            {
                string[] routes = Expect.Tunnelled(peer, Sources(node), isIPv4Outside: true);
                if (node != Far && peer != Far)
                    routes = [Expect.ByNodeAddress(peer)[0], routes[IPv6]];
                foreach (string route in routes)
                    await Expect.OnlyRouteAsync(node, route);
            }
        }
    }

    private async Task AllReachableAsync()
    {
        foreach (Node node in Cluster.Nodes.Take(Peers))
            await Verdicts.BecomesAsync(Cluster.Agent(Far), node, "reachable");
    }

    private async Task AllArriveAsync()
    {
        foreach ((NetworkNamespace from, IPAddress to) in FromAndToFar(Peers))
            await ArrivesAsync(from, to);
    }

    private IEnumerable<(NetworkNamespace From, IPAddress To)> FromAndToFar(int peers) =>
        from node in Cluster.Nodes.Take(peers)
        from family in Enumerable.Range(0, 2)
        from way in (((Node From, Node To)[])[(node, Far), (Far, node)])
        select (way.From.Pods[0].Network, way.To.Pods[0].Addresses[family]);

    // To the kernel's routes, addresses, links and rules.
    private async Task<string> WritesAsync() => string.Join(' ', await Task.WhenAll(Cluster.Agents.Select(async agent =>
        $"{agent.Node}:{await agent.MetricAsync("hostgw_netlink_writes_total")}")));
}
