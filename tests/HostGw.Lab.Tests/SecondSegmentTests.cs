using HostGw.Lab.Agents;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Two segments of two nodes: what probes say of peers that no route of ours can reach.</summary>
public sealed class SecondSegmentTests : LabTest
{
    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(4) with
    {
        FirstOnSecondSegment = 3,
        Agents = Clusters.ByNodeAddress(4).Agents with { AgentOnly = ["--probe-interval-seconds", "1"] },
    };

    private Node One => Cluster.Node(1);

    private Node Three => Cluster.Node(3);

    private Agent Agent => Cluster.Agent(One);

    [Fact]
    public async Task Routers_that_know_the_pod_networks_are_noticed_when_they_learn_them_and_when_they_forget_them()
    {
        await Cluster.StartAgentsAsync();
        await Expect.RoutesAsync(One, Expect.ByNodeAddress(Cluster.Node(2)));
        await Expect.RoutesAsync(Three, Expect.ByNodeAddress(Cluster.Node(4)));
        await Verdicts.BecomesAsync(Agent, Cluster.Node(2), "reachable");
        await NotAdjacentAsync();

        Cluster.Second!.LearnPodNetworks(Cluster.Nodes);
        await Verdicts.BecomesAsync(Agent, Three, "routedByNetwork");
        await Verdicts.BecomesAsync(Cluster.Agent(Three), One, "routedByNetwork");
        await Verdicts.NoProblemAsync(Agent);
        Assert.Empty(Agent.Diagnose());
        // Pods are reached by the default route: none of ours is needed, and none is made.
        await Expect.RoutesAsync(One, Expect.ByNodeAddress(Cluster.Node(2)));
        Assert.Equal([], PingMatrix.Measure(Cluster.Pods, Expect.Patience).Unanswered);

        Cluster.Second.ForgetPodNetworks(Cluster.Nodes);
        await NotAdjacentAsync();
        await Expect.RoutesAsync(One, Expect.ByNodeAddress(Cluster.Node(2)));
        Assert.Equal("reachable", (await Verdicts.OfAsync(Agent, Cluster.Node(2))).IPv4);
    }

    // The node's address answers across routers, its pods do not.
    private async Task NotAdjacentAsync()
    {
        await Verdicts.BecomesAsync(Agent, Three, "podTrafficDropped");
        foreach (string podCidr in (string[])["192.168.3.0/24", "fd00:192:168:3::/64"])
            await Verdicts.ProblemAsync(Agent, $"node node3 {podCidr} (notAdjacent)");
        Assert.All(await Verdicts.PodCidrsAsync(Agent, Three), p => Assert.Equal("notAdjacent", p.GetProperty("verdict").GetString()));
        Assert.Null(Ping.Once(One.Pods[0].Network, Three.Pods[0].Addresses[0], TimeSpan.FromMilliseconds(300)));
        // The cause is that no route is possible, and it is named once.
        Assert.DoesNotContain(
            await Verdicts.ProblemsAsync(Agent), p => p.Contains("packets between pods do not arrive", StringComparison.Ordinal));
    }
}
