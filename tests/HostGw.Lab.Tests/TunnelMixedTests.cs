using HostGw.Lab.Agents;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Peers beyond the segment that cannot tunnel, beside one that can: they stay notAdjacent, and the cure is named.</summary>
public sealed class TunnelMixedTests : TunnelTest
{
    private const int Windows = 3;

    private protected override ClusterSettings Settings => Tunnelled(6, firstOnSecondSegment: 3) with { WindowsNode = Windows };

    private Node VersionOne => Cluster.Node(4);

    private Node Off => Cluster.Node(5);

    private Node Far => Cluster.Node(6);

    [Fact]
    public async Task Windows_an_agent_without_probes_and_one_with_the_tunnel_off_stay_notAdjacent_with_the_cure()
    {
        Cluster.Agent(VersionOne).Settings = Cluster.Agent(VersionOne).Settings with
        {
            More = [.. Clusters.Nftables, "--probe-enabled", "false"],
            AgentOnly = [],
        };
        SetMode(Off, "off");
        foreach (Node node in (Node[])[One, Two, VersionOne, Off, Far])
            await Cluster.Agent(node).StartAndWaitAsync();
        await TunnelledAsync(One, Far);
        await TunnelledAsync(Far, One);
        using PingFlood flood = await FloodAsync((One, Far), (One, Two));

        Node[] without = [Cluster.Node(Windows), VersionOne, Off];
        foreach (Node peer in without)
        {
            foreach (IPNetwork podCidr in peer.PodCidrs)
            {
                await Verdicts.ProblemAsync(Agent, $"node {peer.Name} {podCidr} (notAdjacent)");
                await Expect.NoRouteAsync(One, podCidr);
                // Nor does it make one to this node.
                if (peer.Number != Windows)
                    await Expect.NoRouteAsync(peer, One.PodCidrs[0]);
            }
        }
        await Verdicts.ProbedAsync(Agent);
        Assert.Equal(["reachable", "podTrafficDropped", "unknown"], await Task.WhenAll(((Node[])[Far, Off, VersionOne]).Select(
            async peer => (await Verdicts.OfAsync(Agent, peer)).IPv4)));
        foreach ((Node node, string cure) in ((Node, string)[])
            [
                (One, "(tunnel.mode auto there, too)"), (Off, "use the tunnel (tunnel.mode auto on all nodes)"),
                (VersionOne, "use the tunnel (tunnel.mode always, or auto and probe.enabled on all nodes)"),
            ])
        {
            Assert.All(
                Cluster.Agent(node).Findings().Where(f => f.GetProperty("rule").GetString() == "notAdjacent"),
                f => Assert.Contains(cure, $"{f}", StringComparison.Ordinal));
        }
        NothingLost(flood);
        foreach (Node node in (Node[])[VersionOne, Off])
            await NoTunnelAsync(node);
    }
}
