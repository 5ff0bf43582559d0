using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Platform.Windows;

/// <summary>Foreign routes that packets take instead of HostGw's, as Windows itself says.</summary>
[SupportedOSPlatform("windows")]
[Collection(nameof(WindowsTests))]
public sealed class WindowsOverrideTests
{
    private const string Vpn = "0006008003000000";

    // HostGw's best route has 300 and the uplink's 25: the bridge is slower.
    private const string Bridge = $"interface {WindowsAgent.PodEndpoint} 12 up 200 4 vEthernet (cbr0)";
    private static readonly string[] Fast = [Bridge, $"interface {Vpn} 20 up 5 - VPN"];
    private static readonly string[] Slow = [Bridge, $"interface {Vpn} 20 up 5000 - VPN"];

    private static string Rival(int metric, string destination = "10.244.2.0/24") => $"route {destination} 10.9.0.1 {Vpn} {metric} 3";

    [Fact]
    public void One_that_wins_by_its_interfaces_metric_is_named_with_the_cure()
    {
        using WindowsAgent agent = new("", [.. Fast, Rival(319)]);
        PassReport report = agent.Pass();
        Problem problem = Assert.Single(ProblemCatalog.All(report));
        Assert.Equal("RouteOverridden", problem.Rule);
        Assert.Equal(
            "node linux 10.244.2.0/24 (overridden): packets from this node's pods to other nodes' pods take it " +
            "instead of HostGw's routes, by the route 10.244.2.0/24 via 10.9.0.1 over VPN, " +
            "whose metric with its interface's is 324, and that of HostGw's 325",
            problem.Text);
        Assert.Equal(
            "if nothing needs it, stop what makes it, then: " +
            "Remove-NetRoute -DestinationPrefix 10.244.2.0/24 -InterfaceIndex 20 -NextHop 10.9.0.1; " +
            "or, to keep it, Set-NetRoute -DestinationPrefix 10.244.2.0/24 -InterfaceIndex 20 -NextHop 10.9.0.1 -RouteMetric 321",
            problem.Cure);
        StandIn.Do(Rival(321));
        Assert.Empty(ProblemCatalog.All(agent.Pass()));
    }

    [Fact]
    public void The_bridge_need_not_forward()
    {
        using WindowsAgent agent = new("forwarding=off", [.. Fast, Bridge.Replace(" 4 ", " - ", StringComparison.Ordinal), Rival(319)]);
        Assert.Contains("over VPN", Assert.Single(ProblemCatalog.Texts(agent.Pass())), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_pods_bridge_it_is_the_same()
    {
        using WindowsAgent agent = new("", [.. Fast, $"remove-interface {WindowsAgent.PodEndpoint}", Rival(319)]);
        Assert.Contains("324, and that of HostGw's 325", Assert.Single(ProblemCatalog.Texts(agent.Pass())), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("it has a lower metric, and its interface a high one", "10.244.2.0/24", 10, false)]
    [InlineData("it is more general", "10.244.0.0/16", 1, true)]
    [InlineData("it leads elsewhere", "10.245.0.0/24", 1, true)]
    public void There_is_no_problem_where(string because, string destination, int metric, bool isFast)
    {
        using WindowsAgent agent = new("", [.. isFast ? Fast : Slow, Rival(metric, destination)]);
        Assert.True(!ProblemCatalog.Texts(agent.Pass()).Any(), because);
    }

    [Theory]
    [InlineData(10, "10.244.2.0/24", "RouteConflict")]
    [InlineData(1, "10.244.2.0/28", "RouteShadowed")]
    public void It_is_told_once(int metric, string destination, string rule)
    {
        using WindowsAgent agent = new("", [.. Fast, Rival(metric, destination)]);
        Assert.Equal([rule], ProblemCatalog.All(agent.Pass()).Select(p => p.Rule).Distinct());
    }

    [Fact]
    public void One_that_was_just_adopted_is_none()
    {
        using WindowsAgent agent = new("", Bridge, $"route 10.244.2.0/24 10.0.0.2 {WindowsAgent.Uplink} 256 3") { Adopt = AdoptMode.All };
        agent.Restart();
        PassReport report = agent.Pass();
        Assert.Equal(CorrectionCause.Adopted, Assert.Single(report.Routes.Replace).Cause);
        Assert.Empty(report.Result.Overrides);
    }

    [Fact]
    public void A_vpn_that_takes_several_peers_is_one_problem()
    {
        using WindowsAgent agent = new("", [.. Fast, Rival(319), Rival(319, "10.244.3.0/24")]);
        PassReport report = agent.Pass();
        Assert.Equal(2, Assert.Single(report.Result.Overrides).Affected.Count);
        Assert.Contains("and other nodes", Assert.Single(ProblemCatalog.Texts(report)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(87)]
    [InlineData(1168)]
    [InlineData(1231)]
    public void Where_windows_does_not_say_nothing_is_told(int code)
    {
        using WindowsAgent agent = new("", [.. Fast, Rival(319), $"answer GetBestRoute2 {code} 99"]);
        PassReport report = agent.Pass();
        Assert.Empty(report.Failures);
        Assert.Empty(report.Result.Overrides);
    }

    [Fact]
    public void Each_peer_is_asked_for_once_and_again_only_after_a_change()
    {
        using WindowsAgent agent = new("", Fast);
        Assert.Equal(2, Lookups(agent));
        // The routes that were just installed are another table.
        Assert.Equal(2, Lookups(agent));
        Assert.Equal((0, 0), (Lookups(agent), Lookups(agent)));
        string[] changes =
        [
            Rival(319), $"interface {Vpn} 20 up 4 - VPN", $"remove-route 10.244.2.0/24 10.9.0.1 {Vpn}", "route 172.20.0.0/16 10.0.0.7 0006008001000000 1 3",
        ];
        foreach (string change in changes)
        {
            StandIn.Do(change);
            Assert.Equal((change, 2, 0), (change, Lookups(agent), Lookups(agent)));
        }
        agent.Nodes = agent.Nodes[..2];
        Assert.Equal((1, 1, 0), (Lookups(agent), Lookups(agent), Lookups(agent)));
    }

    [Fact]
    public void A_route_that_keeps_winning_stays_a_problem_without_another_question()
    {
        using WindowsAgent agent = new("", [.. Fast, Rival(319)]);
        for (int pass = 0; pass < 4; pass++)
            Assert.Equal("RouteOverridden", Assert.Single(ProblemCatalog.All(agent.Pass())).Rule);
        Assert.Equal(0, Lookups(agent));
    }

    [Fact]
    public void Of_5000_nodes_a_pass_without_a_change_asks_nothing()
    {
        using WindowsAgent agent = new("", [.. Fast, $"address {WindowsAgent.Uplink} 10.1.0.1/16"])
        {
            Nodes = [WindowsAgent.Self, .. Enumerable.Range(0, 5000).Select(i => $"p{i} 10.{100 + (i / 256)}.{i % 256}.0/24 10.1.{1 + (i / 200)}.{2 + (i % 200)}")],
        };
        Assert.InRange(Lookups(agent), 200, Overrides.MostLookups);
        Assert.InRange(Lookups(agent), 200, Overrides.MostLookups);
        Assert.Equal((0, 0), (Lookups(agent), Lookups(agent)));
    }

    // How often Windows is asked for a route during one pass.
    private static int Lookups(WindowsAgent agent)
    {
        int before = Asked();
        Assert.Empty(agent.Pass().Failures);
        return Asked() - before;
        static int Asked() => int.Parse(StandIn.Ask("lookups"), System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public void With_many_peers_samples_are_asked_for_and_those_with_a_rival_first()
    {
        const int Peers = 3000;
        static string PodCidr(int i) => $"10.{100 + (i / 256)}.{i % 256}.0/24";
        IEnumerable<string> peers = Enumerable.Range(0, Peers).Select(i => $"p{i} {PodCidr(i)} 10.0.{1 + (i / 200)}.{2 + (i % 200)}");
        string rivals = string.Concat(Enumerable.Range(1000, 100).Select(i => $"; {PodCidr(i)} via 10.0.0.9 dev eth0 metric 5000"));
        HostState host = Given.Host("eth0 10.0.0.1/16; default via 10.0.0.254 dev eth0" + rivals) with
        {
            Windows = new(null, 250),
            MetricIPv4 = 300,
        };
        Plan plan = Planner.Plan(Given.Nodes([WindowsAgent.Self, .. peers]), host, Given.Policy(""));
        // And one to its own pods.
        Assert.Equal(Peers + 1, plan.NativeRoutes);
        List<Ip> asked = [];
        RouteAnswer Ask(Ip destination)
        {
            asked.Add(destination);
            return RouteAnswer.Refused;
        }
        BestRouteOverrides.Find(plan, host, new HashSet<(Prefix, Ip, int)>(), Ask);
        Assert.InRange(asked.Count, 200, Overrides.MostLookups);
        Assert.Equal(100, asked.Count(a => Enumerable.Range(1000, 100).Any(i => Prefix.Parse(PodCidr(i)).Contains(a))));
        Assert.Contains(asked, a => a.CompareTo(Ip.Parse("10.110.0.0")) > 0);
    }
}
