using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Nodes come and go, and so do agents and the API server.</summary>
public sealed class MembershipTests : LabTest
{
    private static readonly TimeSpan FloodInterval = TimeSpan.FromMilliseconds(5);

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    [Fact]
    public async Task A_node_that_joins_gets_routes_and_one_that_leaves_loses_them()
    {
        await StartFirstAgentAsync();

        Node four = Cluster.AddMachine(4);
        Cluster.Announce(four);
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));

        Cluster.Api.Server.Nodes.Delete(four.Name);
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).Where(node => node != four).SelectMany(Expect.ByNodeAddress));
    }

    [Fact]
    public async Task A_node_deleted_while_the_agent_was_down_leaves_no_route()
    {
        await StartFirstAgentAsync();
        await Agent.KillAsync();

        Cluster.Api.Server.Nodes.Delete("node3");
        await Agent.StartAndWaitAsync();

        await Expect.RoutesAsync(One, Expect.ByNodeAddress(Cluster.Node(2)));
    }

    [Fact]
    public async Task A_node_that_changes_its_address_is_followed_without_a_gap_in_the_table()
    {
        await StartFirstAgentAsync();
        using var kernel = RouteEvents.Listen(One.Network);

        Cluster.Api.Server.Nodes.Put(Cluster.Describe(Cluster.Node(2)) with { InternalIPs = ["10.0.0.99", "fd00:10::99"] });

        await Expect.OnlyRouteAsync(One, "192.168.2.0/24 via 10.0.0.99 dev eth0 proto 157 onlink");
        await Expect.OnlyRouteAsync(One, "fd00:192:168:2::/64 via fd00:10::99 dev eth0 proto 157 metric 1024 onlink");
        Assert.False(kernel.Removed(Cluster.Node(2).PodCidrs[0]));
    }

    [Fact]
    public async Task Killing_and_restarting_an_agent_loses_no_packet_and_writes_nothing()
    {
        await Cluster.StartAgentsAsync();
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
        using var flood = PingFlood.Start(Paths.BetweenNeighbours(Cluster), FloodInterval);

        await Agent.KillAsync();
        await Agent.StartAndWaitAsync();

        PingFloodResult result = flood.Stop();
        Assert.True(result.Lost == 0, $"{result}");
        Assert.Equal(0, await Agent.MetricAsync("hostgw_netlink_writes_total"));
    }

    [Fact]
    public async Task A_stopped_agent_leaves_everything_in_place()
    {
        await StartFirstAgentAsync();

        Assert.Equal(0, await Agent.StopAsync());

        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
        Assert.Contains("masquerade", One.Network.Exec("nft", "list", "table", "inet", "hostgw"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_API_server_routes_stay_and_are_repaired_and_its_news_are_read_when_it_is_back()
    {
        await StartFirstAgentAsync();
        await Cluster.Api.Server.StopListeningAsync();

        One.Network.Configure(["route delete 192.168.2.0/24"]);
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));

        Cluster.Api.Server.Nodes.Delete("node3");
        await Cluster.Api.Server.StartListeningAsync();
        await Expect.RoutesAsync(One, Expect.ByNodeAddress(Cluster.Node(2)));
    }

    [Fact]
    public async Task Changing_the_mode_loses_no_packet()
    {
        await Cluster.StartAgentsAsync();
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
        using var flood = PingFlood.Start(Paths.BetweenNeighbours(Cluster), FloodInterval);

        foreach (Agent agent in Cluster.Agents)
        {
            await agent.StopAsync();
            agent.Settings = agent.Settings with { NextHop = "PodGateway" };
            await agent.StartAndWaitAsync();
        }

        await Expect.OnlyRouteAsync(One, "192.168.2.0/24 via 192.168.2.1 dev eth0 proto 157 onlink");
        PingFloodResult result = flood.Stop();
        Assert.True(result.Lost == 0, $"{result}");
    }
}
