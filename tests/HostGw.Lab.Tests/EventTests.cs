using HostGw.FakeApi;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Where people look first: `kubectl describe node`.</summary>
public sealed class EventTests : LabTest
{
    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Node One => Cluster.Node(1);

    [Fact]
    public async Task What_a_person_must_act_on_is_shown_by_kubectl_with_the_cure_and_a_quiet_cluster_says_nothing()
    {
        using Kubectl kubectl = new(Cluster.Api.Server, network: One.Name);
        One.Network.Configure(["route add 192.168.3.0/24 via 10.0.0.12 dev eth0 proto 12"]);
        Cluster.Api.Server.Nodes.Put(new NodeSpec("twin") { PodCidrs = ["192.168.2.0/24"], InternalIPs = ["10.0.0.14"] });
        Cluster.Api.Server.Nodes.Put(new NodeSpec("far") { PodCidrs = ["192.168.9.0/24"], InternalIPs = ["172.31.0.9"] });
        await Cluster.Agent(One).StartAndWaitAsync();
        await Cluster.Agent(Cluster.Node(2)).StartAndWaitAsync();

        string described = "";
        await Eventually.TrueAsync(async () => (described = await kubectl.RunAsync("describe node node1")).Split("hostgw  ").Length > 3, () => described);

        Assert.Matches(@"Warning\s+RouteConflict\s+\S+\s+hostgw\s+node node3 192\.168\.3\.0/24 \(conflict\): a route via 10\.0\.0\.12 of protocol \S+ is already in its place; remove it, or set adopt to all", described);
        Assert.Matches(@"Warning\s+PodCIDRRejected\s+\S+\s+hostgw\s+node twin 192\.168\.2\.0/24 \(rejected\): .*To do: re-create the Node", described);
        Assert.Matches(@"Warning\s+NextHopUnreachable\s+\S+\s+hostgw\s+node far 192\.168\.9\.0/24 \(notAdjacent\): .*To do: host-gateway routes need one L2 segment", described);
        Assert.Contains("node/node1", await kubectl.RunAsync("get events -n default --field-selector reason=RouteConflict"), StringComparison.Ordinal);
        Assert.DoesNotContain("RouteConflict", await kubectl.RunAsync("describe node node2"), StringComparison.Ordinal);
        Assert.DoesNotContain("hostgw ", await kubectl.RunAsync("describe node node3"), StringComparison.Ordinal);
    }
}
