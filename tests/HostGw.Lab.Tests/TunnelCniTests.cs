using HostGw.Lab.Agents;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Pods that come by HostGw's CNI configuration, which reserves the gateway's address, on nodes of two segments.</summary>
public sealed class TunnelCniTests : CniCluster
{
    private protected override ClusterSettings Settings => base.Settings with { FirstOnSecondSegment = 2 };

    private Node Two => Cluster.Node(2);

    [Fact]
    public async Task The_gateway_of_the_podCIDR_is_the_source_of_the_nodes_own_packets_and_pods_talk_across()
    {
        await StartAllAsync();
        foreach ((Node node, Node peer) in (((Node, Node)[])[(One, Two), (Two, One)]))
        {
            foreach (string route in Expect.Tunnelled(peer, node.PodGateways))
                await Expect.OnlyRouteAsync(node, route);
        }
        Pod near = AddPod(One, "near"), far = AddPod(Two, "far");

        Assert.All(far.Addresses, address => Assert.Contains(SourceEcho.Ask(near.Network, address, Expect.Patience), near.Addresses));
        Assert.All(near.Addresses, address => Assert.Contains(SourceEcho.Ask(far.Network, address, Expect.Patience), far.Addresses));
        Assert.All(far.Addresses, address => Assert.Contains(SourceEcho.Ask(One.Network, address, Expect.Patience), One.PodGateways));
        // The gateway is still there for the pods themselves.
        Assert.All(One.PodGateways, gateway => Assert.NotNull(Ping.Once(near.Network, gateway, Expect.Patience)));
        await Verdicts.NoProblemAsync(Agent);
    }

    [Fact]
    public async Task With_a_CNI_configuration_that_may_give_it_to_a_pod_the_tunnel_is_refused_with_the_reason()
    {
        foreach (Node node in Cluster.Nodes)
        {
            System.IO.Directory.CreateDirectory(Directory(node));
            System.IO.File.WriteAllText($"{Directory(node)}/05-other.conflist", """
                {"cniVersion":"1.0.0","name":"other","plugins":[{"type":"bridge","ipam":{"type":"dhcp"}}]}
                """);
            Cluster.Agent(node).Settings = WithTunnel(node, install: false);
        }
        await Cluster.StartAgentsAsync();
        await Verdicts.BecomesAsync(Agent, Two, "podTrafficDropped");
        await Verdicts.ProblemAsync(Agent, "tunnel.source");
        await Expect.NoRouteAsync(One, Two.PodCidrs[0]);
        Assert.DoesNotContain("hostgw0", One.Network.Exec("ip", "-br", "link"), StringComparison.Ordinal);
        Assert.True(await Agent.IsReadyAsync());
    }

    // As Multus writes its file, or the next plugin while one moves to it.
    [Fact]
    public async Task One_that_comes_while_the_tunnel_runs_is_a_problem_and_the_tunnel_stays_also_after_a_restart()
    {
        await StartAllAsync();
        foreach (string route in Expect.Tunnelled(Two, One.PodGateways))
            await Expect.OnlyRouteAsync(One, route);
        string other = $"{Directory(One)}/00-multus.conf";

        System.IO.File.WriteAllText(other, """{"cniVersion":"1.0.0","name":"multus-cni-network","type":"multus"}""");
        await Verdicts.ProblemAsync(Agent, "the tunnel goes on with");
        Assert.All(Expect.Tunnelled(Two, One.PodGateways), route => Assert.Contains(route, Expect.Ours(One)));
        await Agent.StopAsync();
        await Agent.StartAndWaitAsync();
        await Verdicts.ProblemAsync(Agent, "the tunnel goes on with");
        Assert.All(Expect.Tunnelled(Two, One.PodGateways), route => Assert.Contains(route, Expect.Ours(One)));

        System.IO.File.Delete(other);
        await Verdicts.NoProblemAsync(Agent);
        foreach (string route in Expect.Tunnelled(Two, One.PodGateways))
            await Expect.OnlyRouteAsync(One, route);
    }

    private async Task StartAllAsync()
    {
        foreach (Node node in Cluster.Nodes)
        {
            System.IO.Directory.CreateDirectory(Directory(node));
            Cluster.Agent(node).Settings = WithTunnel(node, install: true);
        }
        await Cluster.StartAgentsAsync();
    }

    private AgentSettings WithTunnel(Node node, bool install) => Cluster.Agent(node).Settings with
    {
        More = [.. Flags(node, install), "--tunnel-mode", "auto"],
        AgentOnly = ["--probe-interval-seconds", "1"],
    };
}
