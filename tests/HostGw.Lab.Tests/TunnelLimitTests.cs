using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Where a tunnel is not needed, not possible or not wanted, on two segments of two nodes.</summary>
[Trait("Speed", "slow")]
public sealed class TunnelLimitTests : TunnelTest
{
    private protected override ClusterSettings Settings => Tunnelled(4, firstOnSecondSegment: 3);

    private Node Three => Cluster.Node(3);

    private Node Four => Cluster.Node(4);

    [Fact]
    public async Task A_peer_with_the_tunnel_off_and_one_without_an_agent_stay_notAdjacent_and_cost_the_others_nothing()
    {
        SetMode(Two, "off");
        foreach (Node node in (Node[])[One, Two, Three])
            await Cluster.Agent(node).StartAndWaitAsync();
        await TunnelledAsync(One, Three);
        await TunnelledAsync(Three, One);
        using PingFlood flood = await FloodAsync((One, Three), (One, Two));

        await Verdicts.BecomesAsync(Agent, Four, "unknown");
        await Verdicts.BecomesAsync(Cluster.Agent(Three), Two, "podTrafficDropped");
        await Verdicts.ProblemAsync(Agent, "node node4 192.168.4.0/24 (notAdjacent)");
        await Verdicts.ProblemAsync(Cluster.Agent(Three), "node node2 192.168.2.0/24 (notAdjacent)");
        await Verdicts.ProbedAsync(Cluster.Agent(Three));
        await Expect.NoRouteAsync(One, Four.PodCidrs[0]);
        await Expect.NoRouteAsync(Three, Two.PodCidrs[0]);
        await Expect.NoRouteAsync(Two, Three.PodCidrs[1]);
        await NoTunnelAsync(Two);
        NothingLost(flood);

        await Cluster.Agent(Four).StartAndWaitAsync();
        await TunnelledAsync(One, Four);
    }

    [Fact]
    public async Task Where_routers_know_the_pod_networks_nothing_is_lost_and_there_is_no_tunnel()
    {
        Cluster.Second!.LearnPodNetworks(Cluster.Nodes);
        foreach (Node node in Cluster.Nodes)
            SetMode(node, "off");
        await Cluster.StartAgentsAsync();
        using PingFlood flood = await FloodAsync((One, Three), (Two, Four));
        foreach (Node node in Cluster.Nodes)
        {
            SetMode(node, "auto");
            await Cluster.Agent(node).StopAsync();
            await Cluster.Agent(node).StartAndWaitAsync();
        }
        await Verdicts.BecomesAsync(Agent, Three, "routedByNetwork");
        await Verdicts.BecomesAsync(Cluster.Agent(Three), One, "routedByNetwork");
        await Verdicts.ProbedAsync(Agent);

        // Where the tunnel could not even be tried.
        DropTunnel(Cluster.Outside.Network);
        foreach (Node node in (Node[])[One, Three])
        {
            await Cluster.Agent(node).StopAsync();
            await Cluster.Agent(node).StartAndWaitAsync();
            await Verdicts.BecomesAsync(Cluster.Agent(node), node == One ? Three : One, "routedByNetwork");
        }
        await Verdicts.ProbedAsync(Agent);
        NothingLost(flood);
        foreach (Node node in Cluster.Nodes)
            await NoTunnelAsync(node);
        await Expect.NoRouteAsync(One, Three.PodCidrs[0]);
    }

    [Fact]
    public async Task Where_the_path_drops_the_tunnels_port_no_route_takes_it()
    {
        DropTunnel(Cluster.Outside.Network);
        await Cluster.StartAgentsAsync();
        await Verdicts.BecomesAsync(Agent, Three, "podTrafficDropped");
        await Verdicts.ProbedAsync(Agent);
        await Expect.RoutesAsync(One, [.. Expect.ByNodeAddress(Two), .. Expect.Ours(One).Where(IsHostRoute)]);
        await Verdicts.ProblemAsync(Agent, "node node3 192.168.3.0/24 (notAdjacent)");

        Cluster.Outside.Network.Exec("nft", "delete table inet block");
        await TunnelledAsync(One, Three);
        await TunnelledAsync(Three, One);
        await Verdicts.NoProblemAsync(Agent);
    }

    [Fact]
    public async Task A_tunnel_that_is_always_to_be_used_and_is_not_answered_any_more_is_named_by_agent_and_doctor()
    {
        foreach (Node node in Cluster.Nodes)
            SetMode(node, "always");
        await Cluster.StartAgentsAsync();
        await Verdicts.AllBecomeAsync(Cluster, "reachable");
        Assert.Empty(Agent.Diagnose());

        DropTunnel(Cluster.Outside.Network);
        await Verdicts.ProblemAsync(Agent, "those through the tunnel are not");
        Assert.Contains("tunnelUnanswered", Agent.Diagnose());
        await TunnelledAsync(One, Two, Three);

        Cluster.Outside.Network.Exec("nft", "delete table inet block");
        await Verdicts.NoProblemAsync(Agent);
    }

    [Fact]
    public async Task A_tunnel_whose_port_is_dropped_while_the_routers_learn_the_pod_networks_gives_way()
    {
        await Cluster.StartAgentsAsync();
        await TunnelledAsync(One, Three);
        await TunnelledAsync(Three, One);
        Cluster.Second!.LearnPodNetworks(Cluster.Nodes);
        DropTunnel(Cluster.Outside.Network);
        foreach (IPAddress address in Three.Pods[0].Addresses)
            await ArrivesAsync(One.Pods[0].Network, address);
        await Expect.NoRouteAsync(One, Three.PodCidrs[0]);
    }

    [Fact]
    public async Task A_foreign_link_of_that_name_is_a_problem_and_stays()
    {
        One.Network.Configure(["link add hostgw0 type bridge"]);
        await Cluster.StartAgentsAsync();
        await Verdicts.ProblemAsync(Agent, "hostgw0");
        await NativeAsync(One, Two);
        await TunnelledAsync(Two, Three);
        Assert.Contains("bridge", One.Network.Exec("ip", "-d", "link", "show", "hostgw0"), StringComparison.Ordinal);

        One.Network.Configure(["link delete hostgw0"]);
        await TunnelledAsync(One, Three);
        await Verdicts.NoProblemAsync(Agent);
    }

    [Fact]
    public async Task A_taken_port_is_a_problem_and_everything_else_goes_on()
    {
        One.Network.Configure(["link add other0 type vxlan id 5 dstport 4790 local 10.0.0.11", "link set other0 up"]);
        await Cluster.StartAgentsAsync();
        await Eventually.TrueAsync(
            () => Agent.Log.Lines.Any(line => line.Contains("UDP port 4790 is used by another program", StringComparison.Ordinal)),
            () => string.Join('\n', Agent.Log.LastWords(10)));
        await NativeAsync(One, Two);
        await TunnelledAsync(Two, Three);

        One.Network.Configure(["link delete other0"]);
        await TunnelledAsync(One, Three);
        await Verdicts.NoProblemAsync(Agent);
    }

    private static void DropTunnel(NetworkNamespace router) => router.Exec(
        "nft", "table inet block { chain forward { type filter hook forward priority 0; udp dport 4790 drop; }; }");

    private static bool IsHostRoute(string route) =>
        route.Contains("/32 ", StringComparison.Ordinal) || route.Contains("/128 ", StringComparison.Ordinal);
}

/// <summary>One healthy segment: with the tunnel allowed nothing is otherwise than without it.</summary>
public sealed class TunnelHealthyTests : TunnelTest
{
    private protected override ClusterSettings Settings => Tunnelled(3);

    [Fact]
    public async Task With_nothing_to_tunnel_there_is_no_link_no_open_port_and_no_other_route()
    {
        await Cluster.StartAgentsAsync();
        await Verdicts.AllBecomeAsync(Cluster, "reachable");
        string[] with = [.. Cluster.Nodes.Select(Seen)];
        foreach (Node node in Cluster.Nodes)
        {
            await NoTunnelAsync(node);
            await Expect.RoutesAsync(node, Cluster.Nodes.Where(peer => peer != node).SelectMany(Expect.ByNodeAddress));
            await Cluster.Agent(node).StopAsync();
            Cluster.Agent(node).Run("cleanup");
            SetMode(node, "off");
        }
        await Cluster.StartAgentsAsync();
        await Verdicts.AllBecomeAsync(Cluster, "reachable");
        Assert.Equal([.. Cluster.Nodes.Select(Seen)], with);
    }

    private static string Seen(Node node) =>
        node.Network.Exec("ip", "-4", "route", "show", "table", "main") + node.Network.Exec("ip", "-6", "route", "show", "table", "main") +
        node.Network.Exec("ip", "-br", "addr") + node.Network.Exec("ss", "-Hlun", "sport < 32768");
}
