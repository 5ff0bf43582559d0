using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;

namespace HostGw.Tests.Platform.Windows;

[SupportedOSPlatform("windows")]
[Collection(nameof(WindowsTests))]
public sealed class WindowsRoutesTests
{
    [Fact]
    public void A_windows_node_has_exactly_the_routes_of_the_design()
    {
        using WindowsAgent agent = new();
        agent.Nodes =
        [
            "self 10.244.1.0/24,fd00:10:244:1::/64 10.0.0.1,fd00:aaaa::1 windows",
            "linux-a 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2", "linux-b 10.244.3.0/24 10.0.0.3", "windows-b 10.244.4.0/24 10.0.0.4 windows",
        ];
        PassReport report = agent.Pass();
        Assert.Empty(report.Failures);
        Assert.Empty(ProblemCatalog.Texts(report));
        Assert.Equal(
            [
                "10.244.1.0/24 on-link uplink 300",
                "10.244.2.0/24 10.0.0.2 cbr0 250", "10.244.2.0/24 10.0.0.2 uplink 300",
                "10.244.3.0/24 10.0.0.3 cbr0 250", "10.244.3.0/24 10.0.0.3 uplink 300",
                "10.244.4.0/24 10.0.0.4 cbr0 250", "10.244.4.0/24 10.0.0.4 uplink 300",
                "fd00:10:244:1::/64 on-link uplink 300",
                "fd00:10:244:2::/64 fd00:aaaa::2 cbr0 250", "fd00:10:244:2::/64 fd00:aaaa::2 uplink 300",
            ],
            WindowsAgent.PodRoutes);
    }

    [Fact]
    public void Gateways_inside_pod_subnets_are_1_for_linux_and_2_for_windows()
    {
        using WindowsAgent agent = new("PodGateway");
        agent.Pass();
        Assert.Equal(
            ["10.244.1.0/24 on-link uplink 300", "10.244.2.0/24 10.244.2.1 cbr0 250", "10.244.2.0/24 10.244.2.1 uplink 300", "10.244.3.0/24 10.244.3.2 cbr0 250", "10.244.3.0/24 10.244.3.2 uplink 300"],
            WindowsAgent.PodRoutes);
    }

    [Fact]
    public void The_cluster_route_stands_on_the_uplink_where_gateways_inside_pod_subnets_need_it_and_is_repaired()
    {
        const string ClusterRoute = "10.244.0.0/16 on-link uplink 300";
        using WindowsAgent agent = new("PodGateway clusterCidrs=10.244.0.0/16");
        PassReport report = agent.Pass();
        Assert.Empty(ProblemCatalog.Texts(report));
        Assert.Contains(ClusterRoute, WindowsAgent.PodRoutes);
        StandIn.Do($"remove-route 10.244.0.0/16 on-link {WindowsAgent.Uplink}");
        agent.Pass(WakeCauses.Routes);
        Assert.Contains(ClusterRoute, WindowsAgent.PodRoutes);
        Assert.False(agent.Pass().Changed);
    }

    [Fact]
    public void Without_the_pods_bridge_routes_stand_on_the_uplink_alone()
    {
        using WindowsAgent agent = new("", $"remove-interface {WindowsAgent.PodEndpoint}");
        agent.Pass();
        Assert.Equal(["10.244.1.0/24 on-link uplink 300", "10.244.2.0/24 10.0.0.2 uplink 300", "10.244.3.0/24 10.0.0.3 uplink 300"], WindowsAgent.PodRoutes);
    }

    [Fact]
    public void A_second_pass_writes_nothing()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        int before = WindowsAgent.Writes;
        PassReport report = agent.Pass();
        Assert.False(report.Changed);
        Assert.Equal(before, WindowsAgent.Writes);
    }

    [Theory]
    [InlineData("it was deleted", "remove-route 10.244.2.0/24 10.0.0.2 0006008001000000")]
    [InlineData("its metric was changed", "route 10.244.2.0/24 10.0.0.2 0006008001000000 7 3")]
    [InlineData("its next hop was changed", "remove-route 10.244.2.0/24 10.0.0.2 0006008001000000", "route 10.244.2.0/24 10.0.0.9 0006008001000000 300 3")]
    public void A_route_is_put_right(string because, params string[] damage)
    {
        using WindowsAgent agent = new();
        agent.Pass();
        string[] before = [.. WindowsAgent.Routes];
        StandIn.Do(damage);
        Assert.NotEqual(before, WindowsAgent.Routes);
        PassReport report = agent.Pass(WakeCauses.Routes);
        Assert.Empty(report.Failures);
        Assert.True(before.SequenceEqual(WindowsAgent.Routes), $"{because}: {string.Join(", ", WindowsAgent.Routes)}");
        Assert.False(agent.Pass().Changed);
    }

    [Fact]
    public void A_route_whose_metric_was_changed_is_never_gone()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        StandIn.Do($"route 10.244.2.0/24 10.0.0.2 {WindowsAgent.Uplink} 7 3", "answer DeleteIpForwardEntry2 5 9", "answer CreateIpForwardEntry2 5 9");
        Assert.Empty(agent.Pass().Failures);
        StandIn.Do("answer DeleteIpForwardEntry2 5 0", "answer CreateIpForwardEntry2 5 0");
    }

    [Fact]
    public void A_peer_that_left_while_the_agent_was_down_leaves_nothing()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        agent.Nodes = agent.Nodes[..2];
        agent.Restart();
        agent.Pass();
        Assert.Equal(["10.244.1.0/24 on-link uplink 300", "10.244.2.0/24 10.0.0.2 cbr0 250", "10.244.2.0/24 10.0.0.2 uplink 300"], WindowsAgent.PodRoutes);
    }

    [Fact]
    public void Foreign_routes_stay()
    {
        string[] foreign = [$"route 10.244.9.0/24 10.0.0.9 {WindowsAgent.Uplink} 300 3", $"route 172.20.0.0/16 10.0.0.7 {WindowsAgent.Uplink} 1 10006"];
        using WindowsAgent agent = new("", foreign);
        agent.Pass();
        agent.Nodes = agent.Nodes[..1];
        agent.Pass();
        Assert.Contains("10.244.9.0/24 10.0.0.9 uplink 300", WindowsAgent.Routes);
        Assert.Contains("172.20.0.0/16 10.0.0.7", StandIn.Ask("routes"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_host_refuses_is_reported_and_the_rest_is_done()
    {
        using WindowsAgent agent = new();
        StandIn.Do("answer CreateIpForwardEntry2 5 1");
        PassReport report = agent.Pass();
        HostFailure failure = Assert.Single(report.Failures);
        Assert.Equal((HostPart.Routes, 5u), (failure.Part, ((HostGw.Platform.Windows.WindowsException)failure.Error).Code));
        Assert.Equal(4, WindowsAgent.PodRoutes.Count());
        Assert.Empty(agent.Pass(WakeCauses.Retry).Failures);
        Assert.Equal(5, WindowsAgent.PodRoutes.Count());
    }

    [Fact]
    public void No_table_of_windows_stays_in_memory()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        agent.Pass();
        Assert.Equal("0", StandIn.Ask("tables"));
    }

    [Fact]
    public void A_host_that_cannot_be_read_keeps_its_routes()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        string[] before = [.. WindowsAgent.Routes];
        StandIn.Do("answer GetIpForwardTable2 1450 1");
        Assert.Equal(HostPart.State, Assert.Single(agent.Pass().Failures).Part);
        Assert.Equal(before, WindowsAgent.Routes);
    }
}
