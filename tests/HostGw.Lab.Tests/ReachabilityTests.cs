using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>What the agents of one segment find when the network, a firewall or a peer drops what goes to pods.</summary>
[Trait("Speed", "slow")]
public sealed class ReachabilityTests : LabTest
{
    private const string Reachable = "reachable", Dropped = "podTrafficDropped";

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Node One => Cluster.Node(1);

    private Node Two => Cluster.Node(2);

    private Node Three => Cluster.Node(3);

    private Agent Agent => Cluster.Agent(One);

    [Fact]
    public async Task A_network_that_begins_to_drop_pods_packets_is_named_everywhere_until_it_lets_them_through()
    {
        await StartAsync(intervalSeconds: 10);
        string[] routes = [.. Expect.Ours(One)];

        Cluster.Segment.DropPodAddresses();
        Assert.Null(Ping.Once(One.Pods[0].Network, Two.Pods[0].Addresses[0], TimeSpan.FromSeconds(1)));
        TimeSpan found = await Verdicts.BecomesAsync(Agent, Two, Dropped);
        TestContext.Current.TestOutputHelper?.WriteLine($"found {found.TotalSeconds:0.0} s after the first lost ping");
        await Verdicts.AllBecomeAsync(Cluster, Dropped);

        string problem = await Verdicts.ProblemAsync(Agent, "packets between pods do not arrive at 2 nodes: node2 (192.168.2.0/24), node3");
        Assert.Contains(
            "probes between the nodes' addresses are answered, those between addresses of the pod networks are not", problem,
            StringComparison.Ordinal);
        Assert.Contains("podTrafficDropped", Agent.Diagnose());
        Assert.Equal(2, await Agent.MetricAsync("hostgw_peers", "family=\"ipv4\",reachability=\"podTrafficDropped\""));
        Assert.Contains("podTrafficDropped", Agent.Run("status"), StringComparison.Ordinal);
        await EventAsync("PodTrafficDropped", One);
        Assert.Equal(routes, Expect.Ours(One));
        Assert.True(await Agent.IsReadyAsync());

        Cluster.Segment.DropNothing();
        await Verdicts.AllBecomeAsync(Cluster, Reachable);
        await Verdicts.NoProblemAsync(Agent);
        Assert.Equal(routes, Expect.Ours(One));
        Assert.NotNull(Ping.Once(One.Pods[0].Network, Two.Pods[0].Addresses[1], Expect.Patience));
    }

    [Fact]
    public async Task Where_only_one_nodes_packets_are_dropped_that_node_names_all_its_peers_and_the_others_reach_each_other()
    {
        await StartAsync();

        Cluster.Segment.DropPodAddressesFrom(One);

        await Verdicts.BecomesAsync(Agent, Two, Dropped);
        await Verdicts.BecomesAsync(Agent, Three, Dropped);
        // Packets to its pods arrive; its agent's answers come from a pod address, its kernel's from the node's.
        await Verdicts.BecomesAsync(Cluster.Agent(Two), One, "probeFiltered");
        Assert.Equal((Reachable, Reachable), await Verdicts.OfAsync(Cluster.Agent(Two), Three));
        Assert.Empty(await Verdicts.ProblemsAsync(Cluster.Agent(Two)));

        Cluster.Segment.DropNothing();
        await Verdicts.AllBecomeAsync(Cluster, Reachable);
    }

    [Fact]
    public async Task A_peer_whose_firewall_drops_what_pods_send_to_the_node_itself_is_no_problem()
    {
        await StartAsync();

        Two.Network.Exec("nft", "table inet fw { chain input { type filter hook input priority 0; " +
            string.Concat(Addressing.ClusterCidrs.Select(c => $"{(c.IsV6() ? "ip6" : "ip")} saddr {c} meta l4proto udp drop; ")) + "}; }");

        await Verdicts.BecomesAsync(Agent, Two, "probeFiltered");
        Assert.Equal((Reachable, Reachable), await Verdicts.OfAsync(Agent, Three));
        Assert.NotNull(Ping.Once(One.Pods[0].Network, Two.Pods[0].Addresses[0], Expect.Patience));
        Assert.Empty(await Verdicts.ProblemsAsync(Agent));
        Assert.Empty(Agent.Diagnose());

        // A network that drops them as well is told apart from it.
        Cluster.Segment.DropPodAddressesBetween(One, Three);
        await Verdicts.BecomesAsync(Agent, Three, Dropped);
        Assert.Equal(("probeFiltered", "probeFiltered"), await Verdicts.OfAsync(Agent, Two));
        await Verdicts.ProblemAsync(Agent, "packets between pods do not arrive at 1 node: node3 (192.168.3.0/24)");
        Assert.Single(await Verdicts.ProblemsAsync(Agent));
        Cluster.Segment.DropNothing();

        Two.Network.Exec("nft", "delete table inet fw");
        await Verdicts.AllBecomeAsync(Cluster, Reachable);
    }

    [Fact]
    public async Task A_peer_that_answers_nothing_any_more_is_unreachable_and_keeps_its_routes()
    {
        await StartAsync();
        string[] routes = [.. Expect.Ours(One)];
        Agent frozen = Cluster.Agent(Two);

        // Its kernel goes on to forward, which is what pods need.
        frozen.Signal(Interop.Libc.SIGSTOP);
        Cluster.Segment.Network.Configure([$"link set {Three.Name} down"]);
        await Verdicts.BecomesAsync(Agent, Two, "probeFiltered");
        await Verdicts.BecomesAsync(Agent, Three, "unreachable");

        await Verdicts.ProblemAsync(Agent, "no probe is answered any more by 1 node: node3 (192.168.3.0/24)");
        Assert.Contains("unreachable", Agent.Diagnose());
        await EventAsync("PeersUnreachable", One);
        Assert.Equal(routes, Expect.Ours(One));
        Assert.NotNull(Ping.Once(One.Pods[0].Network, Two.Pods[0].Addresses[0], Expect.Patience));

        frozen.Signal(Interop.Libc.SIGCONT);
        Cluster.Segment.Network.Configure([$"link set {Three.Name} up"]);
        await Verdicts.AllBecomeAsync(Cluster, Reachable);
        await Verdicts.NoProblemAsync(Agent);
    }

    [Fact]
    public async Task Two_hosts_that_list_a_virtual_address_first_are_probed_and_probe_whoever_of_them_holds_it()
    {
        foreach (Node node in (Node[])[One, Two])
        {
            Cluster.Api.Server.Nodes.Put(
                Cluster.Describe(node) with { InternalIPs = ["10.0.0.100", .. node.Addresses.Select(a => $"{a}")] });
        }
        One.Network.Configure(["address add 10.0.0.100/32 dev eth0"]);
        await StartAsync();

        One.Network.Configure(["address delete 10.0.0.100/32 dev eth0"]);
        Two.Network.Configure(["address add 10.0.0.100/32 dev eth0"]);
        Cluster.Segment.DropPodAddresses();
        // Where the node's address is not asked, or does not answer, it is another verdict.
        await Verdicts.AllBecomeAsync(Cluster, Dropped);

        Cluster.Segment.DropNothing();
        await Verdicts.AllBecomeAsync(Cluster, Reachable);
    }

    [Fact]
    public async Task A_bridge_that_comes_goes_and_holds_the_IPv6_podCIDR_takes_no_probe()
    {
        // Since a /64 is on it, the kernel itself has an (anycast) entry for the probe address there.
        await StartAsync();
        string[] changes =
        [
            "address delete fd00:192:168:1::1/64 dev cni0", "address add fd00:192:168:1::1/64 dev cni0 nodad",
            "link set cni0 down", "link set cni0 up",
        ];
        foreach (string change in changes)
        {
            One.Network.Configure([change]);
            await AnswersAsync();
        }
        One.Network.Configure(["link delete cni0"]);
        await AnswersAsync();
        One.Network.Configure([
            "link add cni0 type bridge", "address add fd00:192:168:1::1/64 dev cni0 nodad", "address add 192.168.1.1/24 dev cni0",
            "link set cni0 up",
        ]);
        await AnswersAsync();

        // What peers ask is answered from the address itself, and by this agent.
        async Task AnswersAsync()
        {
            double before = await AnsweredAsync();
            await Eventually.TrueAsync(async () => await AnsweredAsync() >= before + 20, () => "no probes are answered");
            Assert.Equal((Reachable, Reachable), await Verdicts.OfAsync(Cluster.Agent(Two), One));
            Assert.Equal((Reachable, Reachable), await Verdicts.OfAsync(Agent, Two));
        }

        Task<double> AnsweredAsync() => Cluster.Agent(Two).MetricAsync("hostgw_probe_datagrams_total", "result=\"answered\"");
    }

    [Fact]
    public async Task On_a_healthy_segment_the_main_tables_are_as_without_probes()
    {
        await StartAsync();
        await Verdicts.AllBecomeAsync(Cluster, Reachable);
        string[] with = [.. Cluster.Nodes.Select(Tables)];
        foreach (Agent agent in Cluster.Agents)
        {
            await agent.StopAsync();
            Assert.StartsWith("removed", agent.Run("cleanup"), StringComparison.Ordinal);
            agent.Settings = agent.Settings with { More = [.. Clusters.Nftables, "--probe-enabled", "false"] };
        }

        await Cluster.StartAgentsAsync();
        foreach (Node node in Cluster.Nodes)
            await Expect.RoutesAsync(node, Cluster.Nodes.Where(peer => peer != node).SelectMany(Expect.ByNodeAddress));

        Assert.Equal([.. Cluster.Nodes.Select(Tables)], with);
    }

    private static string Tables(Node node) =>
        node.Network.Exec("ip", "-4", "route", "show", "table", "main") + node.Network.Exec("ip", "-6", "route", "show", "table", "main");

    private async Task StartAsync(int intervalSeconds = 1)
    {
        foreach (Agent agent in Cluster.Agents)
            agent.Settings = agent.Settings with { AgentOnly = ["--probe-interval-seconds", $"{intervalSeconds}"] };
        await Cluster.StartAgentsAsync();
        await Verdicts.AllBecomeAsync(Cluster, Reachable);
    }

    private Task<TimeSpan> EventAsync(string reason, Node node) => Eventually.TrueAsync(
        () => Cluster.Api.Server.Events.Any(e =>
            e.Contains($"\"{reason}\"", StringComparison.Ordinal) && e.Contains($"\"{node.Name}\"", StringComparison.Ordinal)),
        () => string.Join('\n', Cluster.Api.Server.Events));
}
