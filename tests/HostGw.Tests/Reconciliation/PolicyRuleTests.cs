using System.Text;
using System.Text.Json;
using HostGw.Kubernetes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

/// <summary>HostGw's own policy rule, and routes that packets do not take.</summary>
public class PolicyRuleTests
{
    private static readonly ApiHealth Followed = new(null, "42", null, null);

    private const string Ours = "from all to 10.244.0.0/16 lookup main suppress_prefixlength 15";

    /// <summary>The setting, the rules, and what is added and deleted.</summary>
    [Theory]
    [InlineData("on", "", "add 100")]
    [InlineData("on", "100 to 10.244.0.0/16 lookup main suppress 15 ours", "")]
    [InlineData("on", "5 to 10.244.0.0/16 lookup main suppress 15 ours", "")]
    [InlineData("on", "5270 lookup 52", "add 100")]
    [InlineData("on", "50 lookup 52", "add 49")]
    [InlineData("on", "1 lookup 52", "add 0")]
    [InlineData("on", "0 lookup 52", "")]
    [InlineData("on", "50 lookup 52; 100 to 10.244.0.0/16 lookup main suppress 15 ours", "add 49 delete 100")]
    [InlineData("on", "50 to 10.9.0.0/16 lookup 52; 100 to 10.244.0.0/16 lookup main suppress 15 ours", "")]
    [InlineData("on", "50 fwmark 0x1 lookup 52; 60 lookup main suppress 0; 100 to 10.244.0.0/16 lookup main suppress 15 ours", "")]
    // the local table after others, as Cilium has it
    [InlineData("on", "100 lookup local; 200 lookup 52", "add 100")]
    [InlineData("on", "50 lookup 52; 100 lookup local", "")]
    [InlineData("on", "100 lookup local; 101 lookup 52", "add 100")]
    // somebody else's of the same effect will do; ours twice, of another cluster CIDR, and after the one that interferes are deleted
    [InlineData("on", "70 to 10.244.0.0/16 lookup main suppress 15", "")]
    [InlineData("on", "70 to 10.244.0.0/16 lookup main suppress 15 ours; 80 to 10.244.0.0/16 lookup main suppress 15 ours", "delete 80")]
    [InlineData("on", "70 to 10.99.0.0/16 lookup main suppress 15 ours", "add 100 delete 70")]
    [InlineData("off", "100 to 10.244.0.0/16 lookup main suppress 15 ours; 101 to 10.244.0.0/16 lookup main suppress 15", "delete 100")]
    [InlineData("off", "5270 lookup 52", "")]
    public void The_rule_comes_before_those_that_may_take_pods_packets(string setting, string rules, string expected)
    {
        bool movesLocal = rules.Contains("lookup local", StringComparison.Ordinal);
        HostState host = Given.Host(Given.Lan) with { PolicyRules = [.. Given.PolicyRules(rules).Skip(movesLocal ? 1 : 0)] };
        Policy policy = Given.Policy($"clusterCidrs=10.244.0.0/16,fd00::/48 policyRule={setting}");
        Plan plan = Planner.Plan(Given.Nodes("self 10.244.1.0/24 10.0.0.1"), host, policy);

        PolicyRuleChanges changes = PolicyRuleChanges.Between(plan, host);

        Assert.Equal(
            expected,
            string.Join(' ', [.. changes.Add.Select(r => $"add {r.Preference}"), .. changes.Delete.Select(r => $"delete {r.Preference}")]));
        Assert.All(changes.Add, r => Assert.Equal((Ours, false), ($"{r}", r.IsIPv6)));
    }

    [Fact]
    public void Each_family_of_this_nodes_podCIDRs_has_its_rule()
    {
        HostState host = Given.Host(Given.Lan);
        Plan plan = Planner.Plan(Given.Nodes(Given.Self), host, Given.Policy("clusterCidrs=10.244.0.0/16,fd00:10:244::/48 policyRule=on"));
        Assert.Equal(
            [Ours, "from all to fd00:10:244::/48 lookup main suppress_prefixlength 47"],
            PolicyRuleChanges.Between(plan, host).Add.Select(r => $"{r}"));
        Assert.Equal(PolicyRuleChanges.None, PolicyRuleChanges.Between(plan with { Scope = PlanScope.AddRoutes }, host));
    }

    [Fact]
    public void A_deleted_rule_is_repaired_and_slowed_down_where_somebody_fights_over_it()
    {
        Agent agent = new("clusterCidrs=10.244.0.0/16 policyRule=on");
        Assert.Equal((1, 0), (agent.Pass().Changes.PolicyRules.Add.Count, agent.Pass().Changes.PolicyRules.Add.Count));
        for (int i = 0; i < 5; i++)
        {
            agent.Host.SetRules([]);
            PassReport repaired = agent.Pass(WakeCauses.PolicyRules);
            Assert.True(repaired.Changed);
            Assert.Equal(1, repaired.Repairs.PolicyRules);
        }
        agent.Host.SetRules([]);

        PassReport held = agent.Pass(WakeCauses.PolicyRules);

        Assert.Equal((true, TimeSpan.FromSeconds(10)), (held.Changes.PolicyRules.IsEmpty, held.HeldRepairs.Wait));
        Assert.Contains(ProblemCatalog.All(held), p => p.Rule == "PolicyRuleContested" && p.Text.Contains(Ours, StringComparison.Ordinal));
    }

    [Fact]
    public void A_rule_that_the_host_refuses_is_a_failure_and_no_change()
    {
        Agent agent = new("clusterCidrs=10.244.0.0/16 policyRule=on");
        agent.Host.Refusal = what => what.StartsWith("add rule", StringComparison.Ordinal) ? new HostRefusal("add policy rule: no") : null;
        PassReport report = agent.Pass();
        Assert.Equal(HostPart.PolicyRules, Assert.Single(report.Failures).Part);
        Assert.True(report.Changes.PolicyRules.IsEmpty);
    }

    /// <summary>A foreign route beside "10.244.2.0/24 via 10.0.0.2 dev eth0" of b, and what it takes a part of.</summary>
    [Theory]
    [InlineData("10.244.2.128/25 dev eth0 blackhole proto 4", "10.244.2.0/24 by 10.244.2.128/25")]
    [InlineData("10.244.2.7/32 via 10.0.0.9 dev eth0 proto 4", "10.244.2.0/24 by 10.244.2.7/32")]
    [InlineData("10.244.3.0/25 via 10.0.0.9 dev eth0; 10.244.3.128/25 via 10.0.0.9 dev eth0", "10.244.3.0/24 by 10.244.3.0/25 +1")]
    [InlineData("10.244.2.7/32 via 10.0.0.2 dev eth0 proto 4", "")]
    [InlineData("10.244.2.7/32 via 10.0.0.9 dev eth0 proto 157", "")]
    [InlineData("10.244.0.0/16 dev eth0 blackhole proto 4", "")]
    [InlineData("10.244.2.0/23 dev eth0 blackhole proto 4", "")]
    [InlineData("10.244.9.0/25 dev eth0 blackhole proto 4", "")]
    [InlineData("10.244.2.0/24 dev eth0 blackhole proto 4", "")]
    [InlineData("10.244.2.0/24 via 10.0.0.9 dev eth0 tos 16", "10.244.2.0/24 by 10.244.2.0/24")]
    [InlineData("10.244.2.0/24 dev eth0 blackhole metric 9 tos 16", "10.244.2.0/24 by 10.244.2.0/24")]
    [InlineData("10.244.2.0/24 via 10.0.0.2 dev eth0 tos 16", "")]
    [InlineData("10.244.0.0/16 via 10.0.0.9 dev eth0 tos 16", "")]
    public void A_more_specific_route_shadows_and_a_wider_one_does_not(string foreign, string expected)
    {
        Assert.Equal(expected, Shadows($"{Given.Lan}; {foreign}"));
    }

    /// <summary>Foreign routes beside those to this node's pods: on a bridge, or one for each pod's own interface.</summary>
    [Theory]
    [InlineData("10.244.1.0/25 dev vpn0; 10.244.1.128/25 dev vpn0", "10.244.1.0/24 by 10.244.1.0/25 +1")]
    [InlineData("10.244.1.7/32 via 10.0.0.9 dev eth0", "10.244.1.0/24 by 10.244.1.7/32")]
    [InlineData("10.244.1.0/28 dev eth0 blackhole", "10.244.1.0/24 by 10.244.1.0/28")]
    [InlineData("fd00:10:244:1::/64 dev vpn0 metric 1", "fd00:10:244:1::/64 by fd00:10:244:1::/64")]
    [InlineData("fd00:10:244:1::/64 dev vpn0 metric 1024", "")]
    [InlineData("10.244.1.0/24 dev vpn0 tos 16", "10.244.1.0/24 by 10.244.1.0/24")]
    [InlineData("10.244.1.0/24 dev br0 tos 16", "")]
    [InlineData("10.244.1.0/25 dev br0", "")]
    [InlineData("10.244.1.7/32 dev vpn0", "")]
    [InlineData("10.244.0.0/16 dev vpn0", "")]
    public void So_does_one_inside_this_nodes_own_podCIDR(string foreign, string expected)
    {
        const string bridge = "br0 10.244.1.1/24 fd00:10:244:1::1/64";
        Assert.Equal(expected, Shadows($"{Given.Lan}; {bridge}; vpn0 172.31.0.1/24; {foreign}"));
    }

    // A plugin's blackhole for what no pod has, as Calico makes it, takes nothing from pods.
    [Theory]
    [InlineData("10.244.1.0/26 dev eth0 blackhole", "")]
    [InlineData("10.244.1.0/25 dev vpn0", "")]
    [InlineData("fd00:10:244:1::5/128 dev vpn0 blackhole metric 1", "fd00:10:244:1::/64 by fd00:10:244:1::5/128")]
    public void One_that_is_shorter_than_those_to_each_pod_does_not(string foreign, string expected)
    {
        const string pods = "veth1 10.244.1.1/32; 10.244.1.5/32 dev veth1; fd00:10:244:1::5/128 dev veth1 metric 1024";
        Assert.Equal(expected, Shadows($"{Given.Lan}; {pods}; vpn0 172.31.0.1/24; {foreign}"));
    }

    [Fact]
    public void A_shadowed_podCIDR_of_this_node_is_a_problem_and_counted_and_the_node_is_ready()
    {
        PassReport report = new Agent("", $"{Given.Lan}; br0 10.244.1.1/24; vpn0 172.31.0.1/24; 10.244.1.0/25 dev vpn0 proto 4").Pass();
        Problem problem = Assert.Single(ProblemCatalog.All(report));
        Assert.Equal(
            ("RouteShadowed", "own podCIDR 10.244.1.0/24 (shadowed): a route on-link to 10.244.1.0/25 of protocol static " +
                "takes a part of its packets", "stop what makes it, then: ip route del 10.244.1.0/25 proto 4"),
            (problem.Rule, problem.Text, problem.Cure));
        Assert.Empty(StatusBoard.NotReady(report));
        StatusBoard board = new();
        board.Record(report);
        string metrics = Metrics.Write("1", board.View, Followed);
        Assert.Contains("hostgw_routes_shadowed{family=\"ipv4\"} 1", metrics, StringComparison.Ordinal);
        Assert.Contains("hostgw_routes_installed{family=\"ipv4\"} 2", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public void An_overridden_podCIDR_of_this_node_is_a_problem_and_counted_and_the_node_is_ready()
    {
        Agent agent = new();
        agent.Host.Overrides =
        [
            new("the route local 10.244.1.0/25 dev lo", "to this node's pods", "table local (this host takes them for its own)",
                "ip route del local 10.244.1.0/25 dev lo table local proto 3", new HashSet<Prefix> { Prefix.Parse("10.244.1.0/24") }),
        ];
        PassReport report = agent.Pass();
        Problem problem = Assert.Single(ProblemCatalog.All(report));
        Assert.Equal("RouteOverridden", problem.Rule);
        Assert.StartsWith("own podCIDR 10.244.1.0/24 (overridden): packets to this node's pods take ", problem.Text, StringComparison.Ordinal);
        Assert.Empty(StatusBoard.NotReady(report));
        string metrics = Metrics.Write("1", Reports.View(report), Followed);
        Assert.Contains("hostgw_routes_overridden{family=\"ipv4\"} 1", metrics, StringComparison.Ordinal);
        Assert.Contains("hostgw_routes_overridden{family=\"ipv6\"} 0", metrics, StringComparison.Ordinal);
        Assert.Contains("hostgw_routes_installed{family=\"ipv4\"} 2", metrics, StringComparison.Ordinal);
    }

    private static string Shadows(string host) =>
        string.Join(' ', new Agent("clusterCidrs=10.244.0.0/16,fd00::/16", host).Pass().Routes.Shadows
            .Select(s => $"{s.Route.Destination} by {s.Foreign.Destination}{(s.More > 0 ? $" +{s.More}" : "")}"));

    [Fact]
    public void A_shadowed_route_is_called_so_everywhere_and_the_node_is_ready()
    {
        PassReport report = new Agent("", $"{Given.Lan}; 10.244.2.128/25 dev eth0 blackhole proto 4").Pass();
        AssertShown(report, "shadowed", "RouteShadowed", "ip route del 10.244.2.128/25 proto 4");
        Assert.Contains(
            "node b 10.244.2.0/24 (shadowed): a blackhole or other special route to 10.244.2.128/25 of protocol static " +
            "takes a part of its packets",
            ProblemCatalog.Texts(report));
    }

    [Fact]
    public void One_for_a_type_of_service_is_named_with_it_and_HostGws_is_installed()
    {
        Agent agent = new("", $"{Given.Lan}; vpn0 172.31.0.1/24; 10.244.2.0/24 dev vpn0 tos 16 proto 3");
        PassReport report = agent.Pass();
        AssertShown(report, "shadowed", "RouteShadowed", "ip route del 10.244.2.0/24 tos 0x10 proto 3");
        Assert.Contains(
            "node b 10.244.2.0/24 (shadowed): a route on-link to 10.244.2.0/24 for tos 0x10 of protocol boot (by hand, flannel or another " +
            "agent) takes a part of its packets",
            ProblemCatalog.Texts(report));
        Assert.Contains("10.244.2.0/24 via 10.0.0.2 dev eth0", agent.Host.OurRoutes);
    }

    [Theory]
    [InlineData("off", "set policyRule to on")]
    [InlineData("on", "there is no room for HostGw's rule before that one")]
    public void An_overridden_route_is_called_so_everywhere_and_the_node_is_ready(string setting, string cure)
    {
        Agent agent = new($"clusterCidrs=10.244.0.0/16 policyRule={setting}");
        agent.Host.Overrides =
        [
            new("policy rule 5270: from all lookup 52", "from this node's pods to other nodes' pods", "table 52 (10.244.0.0/16 dev vpn0)",
                "ip rule del pref 5270 from all lookup 52", new HashSet<Prefix> { Prefix.Parse("10.244.2.0/24") }) { IsByRule = true },
        ];

        PassReport report = agent.Pass();

        AssertShown(report, "overridden", "RouteOverridden", "ip rule del pref 5270 from all lookup 52");
        Assert.Contains(ProblemCatalog.All(report), p => p.Cure.Contains(cure, StringComparison.Ordinal));
        Assert.Contains(
            "node b 10.244.2.0/24 (overridden): packets from this node's pods to other nodes' pods take table 52 (10.244.0.0/16 dev vpn0) " +
            "instead of HostGw's routes, by policy rule 5270: from all lookup 52",
            ProblemCatalog.Texts(report));
    }

    [Fact]
    public void Where_no_rule_leads_to_table_main_the_cure_is_that_rule()
    {
        Agent agent = new();
        agent.Host.Overrides =
        [
            new("policy rules: none leads to table main", "from this node's pods to other nodes' pods", "no route",
                PolicyRule.MainCommand(ipv6: false), new HashSet<Prefix> { Prefix.Parse("10.244.2.0/24") }) { IsOmission = true },
        ];

        PassReport report = agent.Pass();

        AssertShown(report, "overridden", "RouteOverridden", "stop what deletes or limits the rule for table main, then: ip rule add pref 32766 lookup main");
        Assert.Contains(
            "node b 10.244.2.0/24 (overridden): packets from this node's pods to other nodes' pods take no route " +
            "instead of HostGw's routes, by policy rules: none leads to table main",
            ProblemCatalog.Texts(report));
    }

    [Theory]
    [InlineData("10.244.0.0/16", "add the pods' IPv6 network to clusterCidrs")]
    [InlineData("10.244.0.0/16,fd00:10:244::/48", "there is no room for HostGw's rule before that one")]
    public void Where_HostGws_rule_is_for_the_other_family_alone_the_cure_is_a_network_of_this_one(string clusterCidrs, string cure)
    {
        Plan plan = Planner.Plan(
            Given.Nodes(Given.Self), Given.Host(Given.Lan), Given.Policy($"policyRule=on clusterCidrs={clusterCidrs}"));
        RouteOverride found = new(
            "policy rule 5270: from all lookup 52", "from this node's pods to other nodes' pods", "table 52 (::/0 dev vpn0)",
            "ip -6 rule del pref 5270 from all lookup 52", new HashSet<Prefix> { Prefix.Parse("fd00:10:244:2::/64") })
        {
            IsByRule = true,
        };
        Assert.StartsWith(cure, Assert.Single(OverrideProblems.Overridden(plan, [found])).Cure, StringComparison.Ordinal);
    }

    [Fact]
    public void Rules_that_cannot_be_judged_are_listed_in_the_status()
    {
        Agent agent = new();
        agent.Host.SetRules(Given.PolicyRules("5210 fwmark 0x80000 lookup 52; 5270 lookup 52"));
        Assert.Equal(
            ["5210: from all fwmark 0x80000/0xffffffff lookup 52"],
            Json(agent.Pass().Lasting()).GetProperty("policyRulesNotJudged").EnumerateArray().Select(r => r.GetString()));
    }

    private static void AssertShown(PassReport report, string state, string reason, string command)
    {
        Assert.Empty(StatusBoard.NotReady(report));
        Assert.Contains(ProblemCatalog.All(report), p => p.Rule == reason && p.Cure.Contains(command, StringComparison.Ordinal));
        JsonElement b = Json(report).GetProperty("nodes").EnumerateArray().Single(n => n.GetProperty("name").GetString() == "b");
        Assert.Equal(state, b.GetProperty("podCidrs")[0].GetProperty("route").GetString());
        Assert.NotEqual("", b.GetProperty("podCidrs")[0].GetProperty("reason").GetString());

        StatusBoard board = new();
        board.Record(report);
        Assert.Contains(board.View.Peers.States, s => s.State.Name() == state);
        string page = Encoding.UTF8.GetString(HostGw.Status.Page.StatusPage.Write(new(board.View, Followed, "1", "self", report.At, "")));
        Assert.Contains($"({state})", page, StringComparison.Ordinal);
        Assert.Contains(command, page, StringComparison.Ordinal);
        string metrics = Metrics.Write("1", board.View, Followed);
        Assert.Contains($"hostgw_routes_{state}{{family=\"ipv4\"}} 1", metrics, StringComparison.Ordinal);
        Assert.Contains("hostgw_routes_installed{family=\"ipv4\"} 2", metrics, StringComparison.Ordinal);
    }

    private static JsonElement Json(PassReport report) =>
        JsonDocument.Parse(StatusJson.Write("1", "self", Reports.View(report), null)).RootElement;
}
