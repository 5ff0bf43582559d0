using HostGw.Lab.Agents;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Agents that restart and settings that change while packets take the tunnel.</summary>
[Trait("Speed", "slow")]
public sealed class TunnelChangeTests : TunnelTest
{
    private protected override ClusterSettings Settings => Tunnelled(3, firstOnSecondSegment: 3);

    private Node Far => Cluster.Node(3);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_agent_that_restarts_keeps_the_tunnel_and_loses_nothing(bool isKilled)
    {
        await StartAsync();
        using PingFlood flood = await FloodAsync((One, Far), (One, Two));
        foreach (Node node in (Node[])[One, Far])
        {
            Agent agent = Cluster.Agent(node);
            await (isKilled ? agent.KillAsync() : agent.StopAsync());
            await agent.StartAndWaitAsync();
            await Verdicts.ProbedAsync(agent);
        }
        await TunnelledAsync(One, Far);
        await TunnelledAsync(Far, One);
        NothingLost(flood);
    }

    [Fact]
    public async Task From_always_to_auto_to_off_on_one_segment_nothing_is_lost_and_nothing_is_left()
    {
        foreach (Node node in Cluster.Nodes)
        {
            SetMode(node, "always");
            FilterLoosely(node);
        }
        await Cluster.StartAgentsAsync();
        await TunnelledAsync(One, Two, Far);
        await TunnelledAsync(Two, One, Far);

        using PingFlood flood = await FloodAsync((One, Two));
        foreach (string mode in (string[])["auto", "off"])
        {
            foreach (Node node in (Node[])[One, Two])
            {
                SetMode(node, mode);
                await Cluster.Agent(node).StopAsync();
                await Cluster.Agent(node).StartAndWaitAsync();
            }
            await NativeAsync(One, Two);
            await NativeAsync(Two, One);
        }
        NothingLost(flood);
        await NoTunnelAsync(One);
        await NoTunnelAsync(Two);
        await Expect.NoRouteAsync(One, Far.PodCidrs[0]);
    }

    [Fact]
    public async Task Turned_off_a_peer_beyond_the_segment_is_notAdjacent_again_and_turned_on_it_comes_back()
    {
        await StartAsync();
        using PingFlood native = await FloodAsync((One, Two));
        SetMode(One, "off");
        await Agent.StopAsync();
        await Agent.StartAndWaitAsync();
        await NoTunnelAsync(One);
        await Expect.NoRouteAsync(One, Far.PodCidrs[0]);
        await Verdicts.ProblemAsync(Agent, "node node3 192.168.3.0/24 (notAdjacent)");
        Assert.Contains(Agent.Findings(), f => $"{f}".Contains("tunnel.mode", StringComparison.Ordinal));

        SetMode(One, "auto");
        await Agent.StopAsync();
        await Agent.StartAndWaitAsync();
        await TunnelledAsync(One, Far);
        await TunnelledAsync(Far, One);
        using (PingFlood far = await FloodAsync((One, Far)))
        {
            // Each path has answered.
        }
        await Verdicts.NoProblemAsync(Agent);
        NothingLost(native);
    }

    // Whose way the tunnel's route hides.
    [Fact]
    public async Task Routers_that_learn_the_pod_networks_take_over_with_nothing_lost_and_the_tunnel_comes_back_when_they_forget_them()
    {
        foreach (Node node in Cluster.Nodes)
            FilterLoosely(node);
        await StartAsync();
        using PingFlood flood = await FloodAsync((One, Far), (One, Two));
        Cluster.Second!.LearnPodNetworks(Cluster.Nodes);
        foreach ((Node node, Node peer) in (((Node, Node)[])[(One, Far), (Far, One), (Two, Far)]))
        {
            foreach (IPNetwork podCidr in peer.PodCidrs)
                await Expect.NoRouteAsync(node, podCidr);
        }
        foreach (Node node in Cluster.Nodes)
            await NoTunnelAsync(node);
        NothingLost(flood);
        await Verdicts.BecomesAsync(Agent, Far, "routedByNetwork");

        Cluster.Second.ForgetPodNetworks(Cluster.Nodes);
        await TunnelledAsync(One, Far);
        await TunnelledAsync(Far, One);
    }

    [Fact]
    public async Task Cleanup_removes_all_of_it()
    {
        await StartAsync();
        await Agent.StopAsync();
        // Stopping leaves everything in place.
        await TunnelledAsync(One, Far);
        Assert.True(HasLink(One));

        string said = Agent.Run("cleanup");
        Assert.Contains("hostgw0", said, StringComparison.Ordinal);
        await NoTunnelAsync(One);
        Assert.Equal("", One.Network.Exec("nft", "list", "ruleset"));
        Assert.Empty(Expect.Ours(One));
    }

    // A strict filter costs what the two ends do not change together.
    private static void FilterLoosely(Node node)
    {
        foreach (string name in (string[])["all", "eth0", "cni0"])
            node.Network.Sysctl($"ipv4/conf/{name}/rp_filter", "2");
    }

    private async Task StartAsync()
    {
        await Cluster.StartAgentsAsync();
        await NativeAsync(One, Two);
        foreach (Node near in (Node[])[One, Two])
            await Task.WhenAll(TunnelledAsync(near, Far), TunnelledAsync(Far, near));
    }
}

/// <summary>Hands that break what packets in the tunnel need. Nothing of it lasts, so that all share a cluster.</summary>
public sealed class TunnelRepairTests(TunnelInUse tunnel) : IClassFixture<TunnelInUse>
{
    [Theory]
    [InlineData("ip link set hostgw0 down")]
    [InlineData("ip link delete hostgw0")]
    [InlineData("ip address flush dev hostgw0")]
    [InlineData("ip route delete 192.168.3.0/24")]
    [InlineData("ip -6 route delete fd00:192:168:3::/64 proto 157")]
    [InlineData("ip route replace 192.168.3.0/24 encap ip id 157 dst 10.0.0.12 csum dev hostgw0 src 192.168.1.254 mtu 1464 proto 157")]
    [InlineData("bridge vni delete dev hostgw0 vni 157")]
    [InlineData("nft flush ruleset")]
    public Task What_somebody_breaks_is_repaired_and_packets_arrive_again(string command) => tunnel.IsRepairedAsync(command);
}

/// <summary>A third node that two others reach through the tunnel alone.</summary>
public sealed class TunnelInUse : TunnelTest
{
    private protected override ClusterSettings Settings => Tunnelled(3, firstOnSecondSegment: 3);

    private Node Far => Cluster.Node(3);

    internal async Task IsRepairedAsync(string command)
    {
        await Cluster.StartAgentsAsync();
        await NativeAsync(One, Two);
        await Task.WhenAll(TunnelledAsync(One, Far), TunnelledAsync(Far, One));
        using PingFlood native = await FloodAsync((One, Two));
        One.Network.Exec("sh", "-c", command);
        await TunnelledAsync(One, Far);
        Assert.Contains("UNKNOWN", One.Network.Exec("ip", "-br", "link", "show", "hostgw0"), StringComparison.Ordinal);
        using (PingFlood far = await FloodAsync((One, Far)))
        {
            // Each path has answered.
        }
        NothingLost(native);
    }
}
