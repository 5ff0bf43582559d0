using System.Text.Json.Nodes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests.Image;

/// <summary>The image as the chart runs it: its capabilities, seccomp profile, read-only root, mounts, settings and service account, on a node of the lab.</summary>
public sealed class ImagePodTests : LabTest
{
    private const string ClusterCidrs = "config.clusterCidrs={192.168.0.0/16,fd00:192:168::/48}";

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(2);

    private Node One => Cluster.Node(1);

    [Theory]
    [InlineData("nftables", "config.nat.backend=nftables", "nft list ruleset")]
    [InlineData("iptables-nft", "config.nat.backend=iptables", "iptables-nft-save; ip6tables-nft-save")]
    [InlineData("iptables-legacy", "config.nat.backend=iptables,config.nat.iptables=legacy", "iptables-legacy-save; ip6tables-legacy-save")]
    public async Task The_agent_of_the_pod_makes_routes_and_the_rule_and_the_pod_of_cleanup_removes_them(string backend, string values, string look)
    {
        var chart = new ChartPods(ClusterCidrs, values);
        JsonNode pod = chart.Pod("hostgw");
        string cni = PodContainer.Disk(One, "/etc/cni/net.d/10-hostgw.conflist");
        string Rules() => One.Network.Exec("sh", "-c", look);

        using (var agent = new PodContainer(One, Cluster.Api, chart, "hostgw"))
        {
            await Eventually.TrueAsync(() => agent.IsReadyAsync(pod), () => $"the agent is not ready: {agent.Exec("hostgw", "status")}");
            await Expect.RoutesAsync(One, Expect.ByNodeAddress(Cluster.Node(2)));
            Assert.Equal(backend, (string?)JsonNode.Parse(agent.Exec("hostgw", "status", "--output", "json"))!["nat"]!["backend"]);
            Assert.Contains("masquerade", Rules(), StringComparison.OrdinalIgnoreCase);
            Assert.True(File.Exists(cni));
            Assert.Equal("1", One.Network.Sysctl("ipv4/ip_forward"));
            (int code, _, string error) = agent.Stop();
            Assert.True(code == 0, error);
        }

        var cleanup = new ChartPods("cleanup.enabled=true", ClusterCidrs, values);
        using var cleaner = new PodContainer(One, Cluster.Api, cleanup, "hostgw-cleanup", "initContainers");
        (int result, string output, string complaint) = cleaner.WaitForEnd();
        Assert.True(result == 0, complaint);
        Assert.Contains("removed the masquerade rule", output, StringComparison.Ordinal);
        Assert.False(File.Exists(cni));
        Assert.Empty(Expect.Ours(One));
        Assert.DoesNotContain("masquerade", Rules(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Without_a_cluster_plan_fails_with_one_sentence()
    {
        using var container = new PodContainer(One, Cluster.Api, new(), "hostgw", command: ["hostgw", "plan", "--api-server", "http://127.0.0.1:1"]);
        (int code, string output, string error) = container.WaitForEnd();
        Assert.Equal((1, ""), (code, output));
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData("hostgw", "0.1.0")]
    [InlineData("iptables-nft", "(nf_tables)")]
    [InlineData("ip6tables-nft", "(nf_tables)")]
    [InlineData("iptables-legacy", "(legacy)")]
    [InlineData("ip6tables-legacy", "(legacy)")]
    public void Its_programs_are_on_PATH_and_run(string program, string answer)
    {
        using var container = new PodContainer(One, Cluster.Api, new(), "hostgw", command: [program, "--version"]);
        (int code, string output, string error) = container.WaitForEnd();
        Assert.True(code == 0, error);
        Assert.Contains(answer, output, StringComparison.Ordinal);
    }
}
