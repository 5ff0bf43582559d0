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
    public async Task The_digest_of_the_pod_writes_its_shards_and_changes_nothing_on_its_host()
    {
        var chart = new ChartPods("digest.enabled=true", "digest.labels=pool");
        Cluster.Api.Server.Objects.Put("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"hostgw-digest"}}""");
        using var digest = new PodContainer(One, Cluster.Api, chart, "hostgw-digest");
        await Eventually.TrueAsync(() => digest.IsReadyAsync(chart.Pod("hostgw-digest")), () => "the digest is not ready");

        string[] shards = [.. Cluster.Api.Server.Objects.Keys("ConfigMap").Where(k => k.StartsWith("hostgw-digest/hostgw-nodes-", StringComparison.Ordinal))];
        Assert.Equal(512, shards.Length);
        JsonNode first = JsonNode.Parse(Cluster.Api.Server.Objects.Get("ConfigMap", "hostgw-digest", "hostgw-nodes-000")!)!;
        Assert.Equal(("1", "000", "pool"), ((string?)first["data"]!["format"], (string?)first["data"]!["shard"], (string?)first["data"]!["labels"]));
        Assert.Equal("nodes", (string?)first["metadata"]!["labels"]!["hostgw.io/part"]);
        await Eventually.TrueAsync(
            () => Task.FromResult(Cluster.Api.Server.Objects.Get("Lease", "hostgw-digest", "hostgw-digest") is not null), () => "there is no Lease");
        Assert.Empty(Expect.Ours(One));
        (int code, _, string error) = digest.Stop();
        Assert.True(code == 0, error);
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
    [InlineData("hostgw", "")]
    [InlineData("iptables-nft", "(nf_tables)")]
    [InlineData("ip6tables-nft", "(nf_tables)")]
    [InlineData("iptables-legacy", "(legacy)")]
    [InlineData("ip6tables-legacy", "(legacy)")]
    public void Its_programs_are_on_PATH_and_run(string program, string answer)
    {
        using var container = new PodContainer(One, Cluster.Api, new(), "hostgw", command: [program, "--version"]);
        (int code, string output, string error) = container.WaitForEnd();
        Assert.True(code == 0, error);
        Assert.Contains(program == "hostgw" ? AgentVersion.Number : answer, output, StringComparison.Ordinal);
    }
}
