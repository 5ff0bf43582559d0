using HostGw.Lab.Agents;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>The link hostgw0 of node 1, which needs no tunnel: what an earlier agent left goes, and a foreign one stays.</summary>
public sealed class TunnelLinkTests : LabTest
{
    private const string Vxlan = "link add hostgw0 type vxlan external gpe vnifilter dstport 4790";

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    [Fact]
    public async Task One_of_ours_that_comes_while_the_agent_runs_is_removed_and_a_foreign_one_left()
    {
        Agent.Settings = Agent.Settings with { ResyncSeconds = 3600 };
        await StartFirstAgentAsync();
        One.Network.Configure([Vxlan]);
        Assert.True(IsThere());

        One.Network.Configure(["link set hostgw0 alias hostgw"]);

        await Eventually.TrueAsync(() => !IsThere(), () => "it stays");
        await Eventually.TrueAsync(
            async () => await Agent.MetricAsync("hostgw_repairs_total", "cause=\"tunnel_undone\"") == 1, () => "it is not counted");
    }

    [Fact]
    public async Task Cleanup_removes_ours_and_plan_says_so_before()
    {
        await StartFirstAgentAsync();
        await Agent.KillAsync();
        One.Network.Configure([Vxlan, "link set hostgw0 alias hostgw"]);
        Assert.Contains("~ link hostgw0: not needed", Agent.RunWithSettings("plan"), StringComparison.Ordinal);
        Assert.True(IsThere());

        Assert.Contains("removed the link hostgw0", Agent.Run("cleanup"), StringComparison.Ordinal);

        Assert.False(IsThere());
        One.Network.Configure([Vxlan]);
        Assert.DoesNotContain("hostgw0", Agent.Run("cleanup"), StringComparison.Ordinal);
        Assert.True(IsThere());
    }

    private bool IsThere() => One.Network.Exec("ip", "-br", "link").Contains("hostgw0", StringComparison.Ordinal);
}
