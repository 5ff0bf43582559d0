using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>What is not ours stays as it is.</summary>
public sealed class OwnershipTests : LabTest
{
    private const string Foreign = "192.168.2.0/24 via 10.0.0.13 dev eth0 proto static";

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    [Fact]
    public async Task A_foreign_route_to_a_peers_podCIDR_is_left_alone_and_reported()
    {
        One.Network.Configure([$"route add {Foreign}"]);

        await Agent.StartAndWaitAsync();

        await Expect.RoutesAsync(One, [Expect.ByNodeAddress(Cluster.Node(2))[1], .. Expect.ByNodeAddress(Cluster.Node(3))]);
        await Expect.OnlyRouteAsync(One, Foreign);
        Opinion opinion = Assert.Single(await Opinion.OfAsync(Agent, "node2"), opinion => opinion.PodCidr == "192.168.2.0/24");
        Assert.Equal("conflict", opinion.Route);
    }

    [Fact]
    public async Task When_the_foreign_route_goes_ours_comes()
    {
        One.Network.Configure([$"route add {Foreign}"]);
        await Agent.StartAndWaitAsync();
        await Expect.OnlyRouteAsync(One, Foreign);

        One.Network.Configure([$"route delete {Foreign}"]);

        await Expect.OnlyRouteAsync(One, Expect.ByNodeAddress(Cluster.Node(2))[0]);
    }

    [Fact]
    public async Task Cleanup_removes_all_that_is_ours_and_nothing_else()
    {
        One.Network.Configure(["route add 172.20.0.0/16 via 10.0.0.13 proto static"]);
        One.Network.Exec("nft", "add", "table", "inet", "somebody");
        await StartFirstAgentAsync();
        await Agent.StopAsync();

        Agent.Run("cleanup");

        await Expect.RoutesAsync(One);
        await Expect.OnlyRouteAsync(One, "172.20.0.0/16 via 10.0.0.13 dev eth0 proto static");
        Assert.Equal("table inet somebody", One.Network.Exec("nft", "list", "tables").Trim());
    }

    [Fact]
    public async Task Cleanup_refuses_while_the_agent_runs()
    {
        await StartFirstAgentAsync();

        var refusal = Assert.Throws<CommandException>(() => Agent.Run("cleanup"));

        Assert.Contains($"{Agent.ProcessId}", refusal.Message, StringComparison.Ordinal);
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
    }

    [Fact]
    public async Task Plan_shows_what_would_change_and_changes_nothing()
    {
        string plan = Agent.RunWithSettings("plan");

        Assert.Contains("192.168.2.0/24", plan, StringComparison.Ordinal);
        Assert.Contains("fd00:192:168:3::/64", plan, StringComparison.Ordinal);
        await Expect.RoutesAsync(One);
        Assert.Equal("0", One.Network.Sysctl("ipv4/ip_forward"));
        Assert.Equal("", One.Network.Exec("nft", "list", "ruleset"));
    }
}
