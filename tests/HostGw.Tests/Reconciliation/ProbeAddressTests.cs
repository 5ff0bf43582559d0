using System.Text.Json;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

/// <summary>The local routes of this node's probe addresses: what is planned, installed, repaired and said.</summary>
public class ProbeAddressTests
{
    private static readonly ProbeRoute V4 = ModelHost.LocalRoute(Ip.Parse("10.244.1.0")), V6 = ModelHost.LocalRoute(Ip.Parse("fd00:10:244:1::"));

    [Theory]
    [InlineData("", "self 10.244.1.0/24,fd00:10:244:1::/64 10.0.0.1", "10.244.1.0 fd00:10:244:1::")]
    [InlineData("", "self fd00:10:244:1::/64,10.244.1.0/24 10.0.0.1", "10.244.1.0 fd00:10:244:1::")]
    [InlineData("", "self 10.244.1.0/24,10.244.9.0/24,fd00:1::/64,fd00:9::/64 10.0.0.1", "10.244.1.0 fd00:1::")]
    [InlineData("", "self 10.244.1.64/30 10.0.0.1", "10.244.1.64")]
    [InlineData("", "self fd00:1::40/126 10.0.0.1", "fd00:1::40")]
    // A shorter podCIDR has no address to spare: it is a fault of this node, which says so, and nothing is changed.
    [InlineData("", "self 10.244.1.0/31 10.0.0.1", "")]
    [InlineData("", "self 10.244.1.0/32 10.0.0.1", "")]
    [InlineData("", "self fd00:1::/127 10.0.0.1", "")]
    [InlineData("", "self fd00:1::/128 10.0.0.1", "")]
    [InlineData("", "self - 10.0.0.1", "")]
    [InlineData("", "b 10.244.2.0/24 10.0.0.2", "")]
    [InlineData("probe=off", "self 10.244.1.0/24 10.0.0.1", "")]
    public void The_probe_address_of_a_family_is_the_first_of_its_first_podCIDR(string policy, string self, string expected)
    {
        Plan plan = Planner.Plan(Given.Nodes(self), Given.Host(Given.Lan), Given.Policy(policy));
        Assert.Equal(expected, string.Join(' ', plan.ProbeAddresses));
        Assert.True(expected.Length > 0 || policy.Length > 0 || plan.Faults.Length == 1);
    }

    [Fact]
    public void A_Windows_host_has_none()
    {
        HostState host = Given.Host(Given.Lan) with { Windows = new(null, 0) };
        Assert.Empty(Planner.Plan(Given.Nodes(Given.Self), host, Given.Policy("")).ProbeAddresses);
    }

    // The host, the policy, and where a Windows node is probed.
    [Theory]
    [InlineData("", "", "")]
    [InlineData("; cbr0 10.244.1.2/24", "", "10.244.1.2")]
    [InlineData("; cbr0 10.244.1.2/24 fd00:10:244:1::2/64", "", "10.244.1.2")]
    [InlineData("; cbr0 10.244.1.2/24", "probe=off", "")]
    public void A_Windows_node_is_probed_at_its_host_endpoint_once_it_is_there(string endpoint, string policy, string expected)
    {
        HostState host = Given.Host(Given.Lan + endpoint);
        Plan plan = Planner.Plan(Given.Nodes($"{Given.Self} windows"), host, Given.Policy(policy));
        Assert.Equal(expected, string.Join(' ', plan.EndpointAddresses));
        Assert.Empty(plan.ProbeAddresses);
        Assert.True(ProbeRouteChanges.Between(plan, host).IsEmpty);

        Agent agent = new(policy, Given.Lan + endpoint) { Nodes = [$"{Given.Self} windows"] };
        Assert.Equal(expected, string.Join(' ', Held(agent.Pass())));
    }

    /// <summary>What is installed, and what is added and deleted.</summary>
    [Theory]
    [InlineData("", "+10.244.1.0 +fd00:10:244:1::")]
    [InlineData("v4 v6", "")]
    [InlineData("v6", "+10.244.1.0")]
    [InlineData("v4 v4", "+fd00:10:244:1::")]
    [InlineData("v4 v6 old", "-10.244.9.0/32 metric 0")]
    [InlineData("v4 v6 wide", "-10.244.1.0/24 metric 0")]
    [InlineData("v4 v6 metric", "+10.244.1.0 -10.244.1.0/32 metric 0 -10.244.1.0/32 metric 7")]
    [InlineData("v6 metric", "+10.244.1.0 -10.244.1.0/32 metric 7")]
    [InlineData("v6 tos", "+10.244.1.0 -10.244.1.0/32 metric 0")]
    [InlineData("v6 changed", "+10.244.1.0 -10.244.1.0/32 metric 0")]
    [InlineData("v4 metric6", "+fd00:10:244:1:: -fd00:10:244:1::/128 metric 256")]
    public void What_is_not_as_HostGw_installs_it_is_added_and_what_is_superfluous_deleted(string installed, string expected)
    {
        HostState host = Given.Host(Given.Lan) with { ProbeRoutes = [.. installed.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Route)] };
        Plan plan = Planner.Plan(Given.Nodes(Given.Self), host, Given.Policy(""));

        ProbeRouteChanges changes = ProbeRouteChanges.Between(plan, host);

        Assert.Equal(expected, string.Join(' ', [
            .. changes.Add.Select(a => $"+{a}"), .. changes.Delete.Select(r => $"-{r.Destination} metric {r.Metric}")]));
    }

    [Fact]
    public void Where_something_is_wrong_with_this_node_what_is_installed_stays()
    {
        HostState host = Given.Host(Given.Lan) with { ProbeRoutes = [V4, V6] };
        foreach (string self in (string[])["self - 10.0.0.1", "b 10.244.2.0/24 10.0.0.2", "self 10.244.1.0/31 10.0.0.1"])
            Assert.True(ProbeRouteChanges.Between(Planner.Plan(Given.Nodes(self), host, Given.Policy("")), host).IsEmpty);
        Assert.Equal(2, ProbeRouteChanges.Between(new Plan(), host).Delete.Count);
    }

    [Fact]
    public void They_follow_the_podCIDR_and_go_with_the_setting()
    {
        Agent agent = new();
        Assert.Contains("add probe address 10.244.1.0", agent.Did());
        Assert.Equal([], agent.Did());

        agent.Nodes = ["self 10.244.8.0/24 10.0.0.1", .. Agent.ThreeNodes[1..]];
        Assert.Equal(
            ["delete probe route 10.244.1.0/32", "delete probe route fd00:10:244:1::/128", "add probe address 10.244.8.0"],
            agent.Did().Where(d => d.Contains("probe", StringComparison.Ordinal)));

        agent.Restart("probe=off");
        Assert.Equal(["guards changed", "delete probe route 10.244.8.0/32"], agent.Did());
        Assert.Empty(agent.Host.State.ProbeRoutes);
    }

    [Fact]
    public void An_agent_that_starts_again_finds_its_own()
    {
        Agent agent = new();
        agent.Pass();
        agent.Restart();
        PassReport report = agent.Pass();
        Assert.True(report.Changes.ProbeRoutes.IsEmpty);
        Assert.Equal(["10.244.1.0", "fd00:10:244:1::"], Held(report));
    }

    [Fact]
    public void One_that_is_there_behind_a_foreign_route_is_not_held()
    {
        Agent agent = new();
        agent.Pass();
        agent.Host.ProbeObstacles = [new(Ip.Parse("10.244.1.0"), "the blackhole route", "ip route del blackhole 10.244.1.0")];
        Assert.Equal(["fd00:10:244:1::"], Held(agent.Pass()));
    }

    [Fact]
    public void A_deleted_one_is_repaired_and_slowed_down_where_somebody_fights_over_it()
    {
        Agent agent = new();
        Assert.Equal((2, 0), (agent.Pass().Changes.ProbeRoutes.Add.Count, agent.Pass().Changes.ProbeRoutes.Add.Count));
        for (int i = 0; i < 5; i++)
        {
            agent.Host.SetProbeRoutes([V6]);
            PassReport repaired = agent.Pass(WakeCauses.Routes);
            Assert.True(repaired.Changed);
            Assert.Equal(1, repaired.Repairs.ProbeAddress);
        }
        agent.Host.SetProbeRoutes([V6]);

        PassReport held = agent.Pass(WakeCauses.Routes);

        Assert.Equal((true, TimeSpan.FromSeconds(10)), (held.Changes.ProbeRoutes.IsEmpty, held.HeldRepairs.Wait));
        Assert.Contains(
            ProblemCatalog.All(held), p => p.Rule == "ProbeAddressContested" && p.Text.Contains("(10.244.1.0)", StringComparison.Ordinal));
        Assert.Equal(["fd00:10:244:1::"], Held(held));
        agent.Time.Advance(TimeSpan.FromSeconds(10));
        PassReport repairedLater = agent.Pass(WakeCauses.Retry);
        Assert.Single(repairedLater.Changes.ProbeRoutes.Add);
        Assert.Equal(["10.244.1.0", "fd00:10:244:1::"], Held(repairedLater));
    }

    [Fact]
    public void The_first_installation_is_no_repair()
    {
        Agent agent = new("probe=off");
        agent.Pass();
        agent.Restart();
        Assert.Equal(0, agent.Pass().Repairs.ProbeAddress);
        agent.Nodes = ["self 10.244.8.0/24 10.0.0.1", .. Agent.ThreeNodes[1..]];
        Assert.Equal(0, agent.Pass().Repairs.ProbeAddress);
    }

    [Fact]
    public void One_that_the_host_refuses_is_a_failure_and_no_change()
    {
        Agent agent = new();
        agent.Host.Refusal = what => what.StartsWith("add probe", StringComparison.Ordinal) ? new HostRefusal("no") : null;
        PassReport report = agent.Pass();
        Assert.All(report.Failures, f => Assert.Equal(HostPart.ProbeAddress, f.Part));
        Assert.True(report.Changes.ProbeRoutes.IsEmpty);
        Assert.Empty(Held(report));
        Assert.NotNull(agent.Host.Nat);
    }

    [Fact]
    public void A_foreign_route_in_its_place_is_left_and_told_with_its_cure_and_the_node_is_ready()
    {
        Agent agent = new();
        ProbeObstacle obstacle = new(Ip.Parse("10.244.1.0"), "the blackhole route", "ip route del blackhole 10.244.1.0");
        agent.Host.ProbeObstacles = [obstacle];

        PassReport report = agent.Pass();

        Assert.Equal(["fd00:10:244:1::"], report.Changes.ProbeRoutes.Add.Select(a => $"{a}"));
        Assert.Equal(["fd00:10:244:1::"], Held(report));
        Assert.Empty(StatusBoard.NotReady(report));
        Problem problem = Assert.Single(ProblemCatalog.All(report), p => p.Rule == "ProbeAddressConflict");
        Assert.Contains(obstacle.Removal, problem.Cure, StringComparison.Ordinal);
        PassReport second = agent.Pass();
        Assert.Equal((false, false), (second.Changed, second.IsUnfinished));
        agent.Host.ProbeObstacles = [];
        PassReport third = agent.Pass();
        Assert.Equal((1, 0), (third.Changes.ProbeRoutes.Add.Count, third.Repairs.ProbeAddress));
    }

    [Fact]
    public void The_status_names_them()
    {
        PassReport report = new Agent().Pass();
        using var status = JsonDocument.Parse(StatusJson.Write("1", "self", Reports.View(report), null));
        Assert.Equal(
            ["10.244.1.0", "fd00:10:244:1::"], status.RootElement.GetProperty("probeAddresses").EnumerateArray().Select(a => a.GetString()));
    }

    [Fact]
    public void A_peer_whose_address_is_our_probe_address_gets_no_route()
    {
        Agent agent = new() { Nodes = [.. Agent.ThreeNodes, "x 10.244.7.0/24 10.244.1.0"] };
        agent.Pass();
        Verdict verdict = Assert.Single(agent.Pass().Plan!.Verdicts, v => v.Node.Name == "x");
        Assert.Equal(VerdictKind.NoAddress, verdict.Kind);
    }

    private static IEnumerable<string> Held(PassReport report) => report.HeldProbeAddresses.Select(a => a.ToString());

    private static ProbeRoute Route(string name) => name switch
    {
        "v4" => V4,
        "v6" => V6,
        "old" => ModelHost.LocalRoute(Ip.Parse("10.244.9.0")),
        "wide" => V4 with { Destination = Prefix.Parse("10.244.1.0/24") },
        "metric" => V4 with { Metric = 7 },
        "metric6" => V6 with { Metric = 256 },
        "tos" => V4 with { Tos = 4 },
        _ => V4 with { IsPlain = false },
    };
}
