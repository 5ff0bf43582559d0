using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Problems;
using HostGw.Reconciliation;

namespace HostGw.Tests.Platform.Windows;

/// <summary>What goes wrong in the cluster's Nodes has the same consequences on Windows as on Linux.</summary>
[SupportedOSPlatform("windows")]
[Collection(nameof(WindowsTests))]
public sealed class WindowsFaultTests
{
    private const string Lost = "linux 10.244.2.0/24 -";

    [Theory]
    [InlineData("", false)]
    [InlineData("", true)]
    [InlineData("PodGateway", false)]
    [InlineData("PodGateway", true)]
    public void A_peer_that_lost_its_addresses_keeps_its_routes_also_over_a_restart(string policy, bool restarts)
    {
        using WindowsAgent agent = new(policy);
        agent.Pass();
        string[] before = [.. WindowsAgent.PodRoutes];
        agent.Nodes[1] = Lost;
        if (restarts)
            agent.Restart();
        PassReport report = agent.Pass();
        Assert.Empty(report.Failures);
        Assert.Equal(before, WindowsAgent.PodRoutes);
        Verdict verdict = report.Plan!.Verdicts.Single(v => v.Node.Name == "linux");
        Assert.Equal("vEthernet (Ethernet)", agent.NameOf(verdict.Interface));
        Assert.Equal(policy.Length == 0, verdict.Reason.Contains("its last next hop is kept", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("another Node of that name", "linux 10.244.2.0/24 - uid=other")]
    [InlineData("another podCIDR", "linux 10.244.7.0/24 -")]
    public void It_loses_them_where_it_is(string because, string node)
    {
        using WindowsAgent agent = new();
        agent.Pass();
        agent.Nodes[1] = node;
        Assert.Equal(VerdictKind.NoAddress, agent.Pass().Plan!.Verdicts.Single(v => v.Node.Name == "linux").Kind);
        Assert.False(WindowsAgent.PodRoutes.Any(r => r.StartsWith("10.244.2.", StringComparison.Ordinal)), because);
    }

    [Fact]
    public void An_own_pod_cidr_that_an_older_node_holds_is_a_fault_of_this_node_and_no_pod_starts()
    {
        using WindowsAgent agent = new() { Nodes = ["old 10.244.1.0/24 10.0.0.2 age=1", WindowsAgent.Self + " age=9"] };
        PassReport report = agent.Pass();
        string fault = Assert.Single(report.Plan!.Faults);
        Assert.Contains("old", fault, StringComparison.Ordinal);
        Assert.Contains("self", fault, StringComparison.Ordinal);
        Assert.False(File.Exists(agent.CniFile));
        Assert.Equal("NodeNotInOrder", ProblemCatalog.All(report).First().Rule);
    }

    [Fact]
    public void An_address_that_two_nodes_claim_is_used_only_by_one_without_another()
    {
        using WindowsAgent agent = new()
        {
            Nodes = [WindowsAgent.Self, "a 10.244.2.0/24 10.0.0.9,10.0.0.2", "b 10.244.3.0/24 10.0.0.9"],
        };
        string problem = Assert.Single(ProblemCatalog.Texts(agent.Pass()));
        Assert.Contains("node a lists its address 10.0.0.9, too", problem, StringComparison.Ordinal);
        Assert.Contains("10.244.2.0/24 10.0.0.2 uplink 300", WindowsAgent.PodRoutes);
        Assert.Contains("10.244.3.0/24 10.0.0.9 uplink 300", WindowsAgent.PodRoutes);
    }

    [Fact]
    public void This_node_is_found_by_its_external_address_where_it_has_no_other()
    {
        using WindowsAgent agent = new();
        agent.Nodes[0] = "self 10.244.1.0/24 - windows external=10.0.0.1";
        Assert.Equal("vEthernet (Ethernet)", agent.Pass().Plan!.InterfaceIPv4.Interface!.Name);
        Assert.Contains("10.244.1.0/24 on-link uplink 300", WindowsAgent.PodRoutes);
    }

    [Fact]
    public void While_this_nodes_own_node_is_missing_nothing_is_removed()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        string[] before = [.. WindowsAgent.PodRoutes];
        agent.Nodes = agent.Nodes[1..2];
        agent.Pass();
        Assert.Equal(before, WindowsAgent.PodRoutes);
    }
}
