using HostGw.Planning;
using HostGw.Problems;

namespace HostGw.Tests.Planning;

public class ClusterRouteTests
{
    private const string Host = "eth0 10.0.0.1/24; default via 10.0.0.254 dev eth0";

    // The policy, the host, a peer, and the cluster routes, each with what speaks against it.
    public static TheoryData<string, string, string, string[]> Cases => new()
    {
        { "PodGateway clusterCidrs=10.244.0.0/16", Host, "peer - 10.0.0.2", ["10.244.0.0/16"] },
        { "PodGateway clusterCidrs=10.244.0.0/16 clusterRoute=auto", Host, "peer - 10.0.0.2", ["10.244.0.0/16"] },
        { "PodGateway clusterCidrs=10.244.0.0/16 clusterRoute=off", Host, "peer - 10.0.0.2", [] },
        { "PodGateway", Host, "peer - 10.0.0.2", [] },
        { "clusterCidrs=10.244.0.0/16", Host, "peer - 10.0.0.2", [] },
        { "clusterCidrs=10.244.0.0/16 clusterRoute=on", Host, "peer - 10.0.0.2", ["10.244.0.0/16"] },
        { "clusterRoute=on", Host, "peer - 10.0.0.2", [] },
        { "PodGateway clusterCidrs=10.244.0.0/16,fd00:10:244::/56,10.245.0.0/16", Host, "peer - 10.0.0.2",
            ["10.244.0.0/16", "10.245.0.0/16"] },
        { "PodGateway clusterCidrs=10.0.0.0/8,10.244.0.0/16", Host, "peer - 10.0.0.2",
            ["10.0.0.0/8 refused: covers 10.0.0.254, a gateway of this host", "10.244.0.0/16"] },
        { "PodGateway clusterCidrs=10.244.0.0/16", Host, "peer - 10.244.7.7", ["10.244.0.0/16"] },
        { "PodGateway clusterCidrs=10.244.0.0/16", Host, "peer - - external=10.244.7.7", ["10.244.0.0/16"] },
        { "PodGateway clusterCidrs=10.0.0.0/8", "eth0 10.0.0.1/24", "peer - -",
            ["10.0.0.0/8 refused: covers 10.0.0.1, the address of this node"] },
        { "PodGateway clusterCidrs=10.244.0.0/16", Host + "; api 10.244.9.9", "peer - 10.0.0.2",
            ["10.244.0.0/16 refused: covers 10.244.9.9, the API server's address"] },
        { "PodGateway clusterCidrs=10.244.0.0/16", Host + "; resolver 10.244.9.9", "peer - 10.0.0.2",
            ["10.244.0.0/16 refused: covers 10.244.9.9, a DNS resolver of this host"] },
        { "PodGateway clusterCidrs=10.244.0.0/16,10.244.2.0/25", Host, "peer 10.244.2.0/24 10.0.0.2",
            ["10.244.0.0/16", "10.244.2.0/25 refused: lies inside 10.244.2.0/24, the podCIDR of node peer, and would take its traffic"] },
        { "PodGateway clusterCidrs=10.244.0.0/16,10.244.1.0/24", Host, "peer 10.244.2.0/24 10.0.0.2",
            ["10.244.0.0/16", "10.244.1.0/24 refused: lies inside 10.244.1.0/24, the podCIDR of node self, and would take its traffic"] },
        { "PodGateway clusterCidrs=10.244.0.0/16", "eth0 10.0.0.1/24; wide0 10.240.0.1/12", "peer - 10.0.0.2",
            ["10.244.0.0/16 refused: lies inside 10.240.0.0/12, which is connected to this host's interface wide0"] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_cluster_route_stands_unless_something_speaks_against_it(string policy, string host, string peer, string[] expected)
    {
        Plan plan = Planner.Plan(Given.Nodes("self 10.244.1.0/24 10.0.0.1", peer), Given.Host(host), Given.Policy(policy));

        Assert.Equal(expected, plan.ClusterRoutes.Select(c => c.Destination + (c.Refusal is null ? "" : " refused: " + c.Refusal)));
        Assert.Equal(
            plan.ClusterRoutes.Where(c => c.Refusal is null).Select(c => c.Destination).Order(),
            plan.Routes.Where(r => r.NextHop.IsNone).Select(r => r.Destination));
        Assert.All(plan.Routes.Where(r => r.NextHop.IsNone), r => Assert.Equal(2, r.Interface));
    }

    private const string Elsewhere = "eth0 192.168.7.1/24; default via 192.168.7.254 dev eth0";
    private const string Wide = "PodGateway clusterCidrs=10.0.0.0/8";

    // The policy, the host, the nodes, and whose addresses the cluster route is said to cover.
    [Theory]
    [InlineData(Wide, Elsewhere, "far 10.244.9.0/24 10.9.9.9", "far (10.9.9.9)")]
    [InlineData(Wide, Elsewhere, "far - - external=10.9.9.9", "far (10.9.9.9)")]
    [InlineData(Wide, Elsewhere, "far - 10.9.9.9,10.9.9.8; near - 192.168.7.2; young - 10.9.9.7 skip", "far (10.9.9.9), young (10.9.9.7)")]
    [InlineData(Wide, Elsewhere, "a - 10.9.9.1; b - 10.9.9.2; c - 10.9.9.3; d - 10.9.9.4; e - 10.9.9.5",
        "a (10.9.9.1), b (10.9.9.2), c (10.9.9.3) and 2 more")]
    [InlineData(Wide, Elsewhere, "one 10.244.2.0/24,10.244.3.0/24 10.9.9.9", "one (10.9.9.9)")]
    [InlineData(Wide, Elsewhere, "liar - 10.244.3.9; far 10.244.3.0/24 192.168.7.3", "")]
    [InlineData(Wide, Elsewhere + "; eth1 10.9.9.1/24", "far - 10.9.9.9", "")]
    [InlineData(Wide + " interface=eth0", Elsewhere + "; eth1 10.9.9.1/24", "far - 10.9.9.9", "")]
    [InlineData(Wide, Elsewhere + "; 10.9.9.9/32 dev eth0", "far - 10.9.9.9", "")]
    [InlineData("PodGateway clusterCidrs=10.244.0.0/16", Elsewhere, "far - 10.9.9.9", "")]
    [InlineData(Wide + " clusterRoute=off", Elsewhere, "far - 10.9.9.9", "")]
    [InlineData(Wide, Elsewhere + "; api 10.6.0.10", "far - 10.9.9.9", "")]
    [InlineData(Wide, "eth0 down 192.168.7.1/24", "far - 10.9.9.9", "")]
    public void Nodes_that_an_installed_cluster_route_covers_are_named(string policy, string host, string nodes, string named)
    {
        IEnumerable<string> all = nodes.Split("; ").Prepend("self 10.244.1.0/24 192.168.7.1");
        Plan plan = Planner.Plan(Given.Nodes(all), Given.Host(host), Given.Policy(policy));

        Problem[] problems = [.. ProblemCatalog.ClusterRoutes(plan).Where(p => p.Rule == "ClusterRouteCoversNodes")];
        Assert.Equal(named.Length > 0 ? 1 : 0, problems.Length);
        Assert.All(problems, p => Assert.Contains($"10.0.0.0/8 covers addresses of nodes: {named}; ", p.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_podCIDR_as_wide_as_the_cluster_keeps_its_own_route()
    {
        HostState host = Given.Host(Host);
        Plan plan = Planner.Plan(
            Given.Nodes("self 10.244.1.0/24 10.0.0.1", "peer 10.245.0.0/16 10.0.0.2"), host,
            Given.Policy("PodGateway clusterCidrs=10.245.0.0/16,10.244.0.0/16"));

        Assert.Equal(["10.244.0.0/16 dev eth0", "10.245.0.0/16 via 10.245.0.1 dev eth0"], Shown.Routes(plan, host));
    }
}
