using HostGw.Planning;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.Hosting;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;
using Agent = HostGw.Tests.Reconciliation.Agent;

namespace HostGw.Tests.Problems;

public class ReachabilityProblemsTests
{
    private static readonly string[] Six = [Given.Self, .. Enumerable.Range(2, 5).Select(n => $"n{n} 10.244.{n}.0/24 10.0.0.{n}")];

    private readonly Agent _agent = new() { Nodes = Six };

    [Theory]
    [InlineData(1, "1 node: n2 (10.244.2.0/24):")]
    [InlineData(3, "3 nodes: n2 (10.244.2.0/24), n3 (10.244.3.0/24), n4 (10.244.4.0/24):")]
    [InlineData(5, "5 nodes: n2 (10.244.2.0/24), n3 (10.244.3.0/24), n4 (10.244.4.0/24) and 2 more:")]
    public void One_cause_is_one_problem_with_the_count_and_the_first_names(int count, string words)
    {
        Problem dropped = Assert.Single(Problems(Dropping(count)));
        Assert.Equal("PodTrafficDropped", dropped.Rule);
        Assert.Contains(words, dropped.Text, StringComparison.Ordinal);
        // The Event stays the same one, whatever the number.
        Assert.Equal(Assert.Single(Problems(Dropping(2))).Key, dropped.Key);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("tunnel=auto", false)]
    [InlineData("tunnel=always", false)]
    public void Who_has_turned_the_tunnel_on_is_not_told_to(string policy, bool isAdvised)
    {
        Agent agent = new(policy) { Nodes = [.. Six, "far 10.244.9.0/24 192.0.2.9"] };
        agent.Host.State = agent.Host.State with { GuardObstacle = "no nf_tables" };
        agent.Reachability = Dropping(1);
        Problem[] found = [.. ProblemCatalog.All(agent.Pass())];
        Assert.Superset(new HashSet<string>(["NextHopUnreachable", "PodTrafficDropped"]), found.Select(p => p.Rule).ToHashSet());
        Assert.Equal(isAdvised, found.Any(p => p.Cure.Contains("use the tunnel", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_node_with_podCIDRs_of_both_families_is_named_once()
    {
        _agent.Nodes = [Given.Self, "b 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2"];
        Assert.Contains("1 node: b (10.244.2.0/24)", Assert.Single(Problems(Reports.Of(
            ("10.244.2.0/24", ReachKind.Unreachable, 0u), ("fd00:10:244:2::/64", ReachKind.Unreachable, 0u)))).Text, StringComparison.Ordinal);
        Assert.Equal(["PodTrafficDropped", "PeersUnreachable"], Problems(Reports.Of(
            ("10.244.2.0/24", ReachKind.Unreachable, 0u), ("fd00:10:244:2::/64", ReachKind.PodTrafficDropped, 0u))).Select(p => p.Rule));
    }

    [Theory]
    [InlineData("Unknown")]
    [InlineData("Reachable")]
    [InlineData("ProbeFiltered")]
    public void A_peer_whose_pods_are_reached_or_that_never_answered_is_no_problem(string kind) =>
        Assert.Empty(Problems(Reports.Of(("10.244.2.0/24", Enum.Parse<ReachKind>(kind), 0u))));

    [Theory]
    [InlineData("PodTrafficDropped", true)]
    [InlineData("Unreachable", true)]
    [InlineData("Unknown", true)]
    [InlineData("RoutedByNetwork", false)]
    public void A_peer_elsewhere_is_one_problem_unless_the_network_routes_it(string kind, bool isProblem)
    {
        _agent.Nodes = [.. Six, "far 10.244.9.0/24 192.0.2.9"];
        string[] rules = [.. Problems(Reports.Of(("10.244.9.0/24", Enum.Parse<ReachKind>(kind), 0u))).Select(p => p.Rule)];
        Assert.Equal(isProblem ? ["NextHopUnreachable"] : (string[])[], rules);
    }

    // Of n2: this host itself takes the packets. n3's are lost on their way.
    [Theory]
    [InlineData("PodTrafficDropped", "overridden", "RouteOverridden, PodTrafficDropped")]
    [InlineData("PodTrafficDropped", "shadowed", "RouteShadowed, PodTrafficDropped")]
    [InlineData("PodTrafficDropped", "conflict", "RouteConflict, PodTrafficDropped")]
    public void A_peer_whose_packets_this_host_takes_elsewhere_is_not_also_lost_in_the_network(string kind, string fault, string expected)
    {
        Problem[] found = Lost(kind, fault);
        Assert.Equal(expected, string.Join(", ", found.Select(p => p.Rule)));
        Assert.Contains("1 node: n3 (10.244.3.0/24)", found[^1].Text, StringComparison.Ordinal);
    }

    // Node addresses are silent too, or what is taken are no probes.
    [Theory]
    [InlineData("Unreachable", "overridden", "RouteOverridden, PeersUnreachable")]
    [InlineData("PodTrafficDropped", "overridden for TCP", "RouteOverridden, PodTrafficDropped")]
    [InlineData("PodTrafficDropped", "shadowed in the upper half", "RouteShadowed, PodTrafficDropped")]
    public void What_takes_no_probes_explains_no_loss_of_them(string kind, string fault, string expected)
    {
        Problem[] found = Lost(kind, fault);
        Assert.Equal(expected, string.Join(", ", found.Select(p => p.Rule)));
        Assert.Contains("2 nodes: n2 (10.244.2.0/24), n3 (10.244.3.0/24)", found[^1].Text, StringComparison.Ordinal);
    }

    private static Problem[] Lost(string kind, string fault)
    {
        Agent agent = new("", $"{Given.Lan}{(fault switch
        {
            "shadowed" => "; 10.244.2.0/25 dev eth0 blackhole proto 4",
            "shadowed in the upper half" => "; 10.244.2.128/25 dev eth0 blackhole proto 4",
            "conflict" => "; 10.244.2.0/24 via 10.0.0.9 dev eth0 proto 4",
            _ => "",
        })}")
        { Nodes = Six };
        if (fault.StartsWith("overridden", StringComparison.Ordinal))
        {
            agent.Host.Overrides =
            [
                new("the route local 10.244.2.0/24 dev lo", "to other nodes' pods", "table local",
                    "ip route del local 10.244.2.0/24 dev lo table local proto 3", new HashSet<Prefix> { Prefix.Parse("10.244.2.0/24") })
                {
                    SparesProbes = fault != "overridden",
                },
            ];
        }
        ReachKind lost = Enum.Parse<ReachKind>(kind);
        agent.Reachability = Reports.Of(("10.244.2.0/24", lost, 0u), ("10.244.3.0/24", lost, 0u));

        return [.. ProblemCatalog.All(agent.Pass())];
    }

    [Fact]
    public void Readiness_does_not_depend_on_probes()
    {
        foreach (Reachability probed in (Reachability[])[Dropping(5), Reports.Silent("10.244.2.0/24")])
        {
            _agent.Reachability = probed;
            Assert.Empty(StatusBoard.NotReady(_agent.Pass()));
        }
    }

    [Fact]
    public void Pods_of_a_Windows_node_that_answer_no_more_are_a_problem_though_nobody_knows_why()
    {
        Problem silent = Assert.Single(Problems(Reports.Silent("10.244.2.0/24", "10.244.3.0/24")));
        Assert.Equal("PodsSilent", silent.Rule);
        Assert.StartsWith(
            "probes in the pod network are no longer answered by 2 nodes: n2 (10.244.2.0/24, silent since 2026-01-02 02:00:00 UTC), " +
            "n3 (10.244.3.0/24, silent since 2026-01-02 02:00:00 UTC); those to the node's address are. The cause is unknown:", silent.Text,
            StringComparison.Ordinal);
        Assert.Contains("`hostgw doctor` on both nodes", silent.Cure, StringComparison.Ordinal);
        Assert.Equal(Assert.Single(Problems(Reports.Silent("10.244.4.0/24"))).Key, silent.Key);
        PassReport report = _agent.Pass();
        Assert.Equal(
            "its pod network no longer answers probes since 2026-01-02 02:00:00 UTC",
            ReachText.Advice(report.Plan!.Verdicts.Single(v => v.Node.Name == "n4"), report.Reachability));
    }

    [Fact]
    public void While_peers_come_and_go_the_log_says_it_once_and_when_it_is_over()
    {
        LogLines lines = new();
        PassLog log = new(lines);
        log.Write(_agent.Pass());
        lines.Take();

        for (int count = 1; count <= 5; count++)
            Write(Dropping(count));
        string appeared = Assert.Single(lines.Take());
        Assert.Contains("packets between pods do not arrive at 1 node: n2", appeared, StringComparison.Ordinal);

        Write(Dropping(0));
        Assert.Contains("packets between pods do not arrive at 1 node: n2", Assert.Single(lines.Take()), StringComparison.Ordinal);

        void Write(Reachability reachability)
        {
            _agent.Reachability = reachability;
            log.Write(_agent.Pass());
        }
    }

    private static Reachability Dropping(int count) => Reports.Of(
        [.. Enumerable.Range(2, 5).Select(n =>
            ($"10.244.{n}.0/24", n < 2 + count ? ReachKind.PodTrafficDropped : ReachKind.Reachable, 0u))]);

    private IEnumerable<Problem> Problems(Reachability reachability)
    {
        _agent.Reachability = reachability;
        return ProblemCatalog.All(_agent.Pass());
    }
}
