using System.Text.Json;
using HostGw.Cli;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;
using HostGw.Tests.Settings;
using Given = HostGw.Tests.Planning.Given;

namespace HostGw.Tests.Cli;

public class PlanCommandTests
{
    internal const string Host = Given.Lan +
        "; 10.244.2.0/24 via 10.0.0.99 dev eth0 proto 157; 10.244.3.0/24 via 10.0.0.3 dev eth0 proto 3" +
        "; 10.244.5.0/24 via 10.0.0.5 dev eth0 proto 157; 10.244.6.0/24 via 10.0.0.66 dev eth0 proto 12";

    internal static readonly string[] Nodes =
    [
        Given.Self, "b 10.244.2.0/24 10.0.0.2", "c 10.244.3.0/24 10.0.0.3", "d 10.244.4.0/24 10.0.0.4",
        "e - 10.0.0.5", "f 10.244.6.0/24 10.0.0.6", "g 10.244.7.0/24 192.0.2.7", "h rubbish 10.0.0.8", "i 10.244.9.0/24 10.0.0.254",
    ];

    [Fact]
    public void As_text() => Golden.Equal("tests/HostGw.Tests/Cli/Golden/plan.txt", Text(Of(Host, Nodes)));

    [Theory]
    [InlineData("10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157", "b 10.244.2.0/24 10.0.0.2", true)]
    [InlineData("10.244.2.0/24 via 10.0.0.99 dev eth0 proto 157", "b 10.244.2.0/24 10.0.0.2", false)]
    [InlineData("10.244.2.0/24 via 10.0.0.66 dev eth0 proto 12", "b 10.244.2.0/24 10.0.0.2", false)]
    public void In_order_is_a_host_where_nothing_changes_and_nothing_is_in_the_way(string route, string peer, bool inOrder) =>
        Assert.Equal(inOrder, Of($"{Given.Lan}; {route}", [Given.Self, peer], settled: true).IsInOrder);

    [Fact]
    public void As_JSON()
    {
        string json = PreviewJson.Write(Of(Host, Nodes));

        JsonElement plan = JsonDocument.Parse(json).RootElement;
        Assert.Equal(1, plan.GetProperty("schemaVersion").GetInt32());
        Assert.True(plan.GetProperty("different").GetBoolean());
        Golden.Equal("tests/HostGw.Tests/Cli/Golden/plan.json", json + "\n");
    }

    [Fact]
    public void A_host_that_is_as_it_should_be()
    {
        Preview preview =
            Of(Given.Lan + "; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157", [Given.Self, "b 10.244.2.0/24 10.0.0.2"], settled: true);

        Assert.False(preview.Pass.Changed);
        Assert.Equal("Nothing to change: this host is as it should be.\n", Text(preview));
        Assert.False(JsonDocument.Parse(PreviewJson.Write(preview)).RootElement.GetProperty("different").GetBoolean());
    }

    [Fact]
    public void A_rule_that_an_ipset_decides_is_a_note()
    {
        Preview preview =
            Of(Given.Lan + "; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157", [Given.Self, "b 10.244.2.0/24 10.0.0.2"], settled: true)
                .With(r => r with { Doubts = [new("the rule of crowdsec", "look\u001b")] });

        Assert.True(preview.IsInOrder);
        Assert.Matches(
            "^\\? the rule of crowdsec: look[^\u001b]*\nNothing to change: this host is as it should be.\n$", Text(preview));
        JsonElement doubts = JsonDocument.Parse(PreviewJson.Write(preview)).RootElement.GetProperty("doubts");
        Assert.StartsWith("the rule of crowdsec: look", Assert.Single(doubts.EnumerateArray()).GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_firewall_that_drops_pods_packets_is_a_problem_with_its_cure()
    {
        Agent agent = new();
        agent.Pass();
        agent.Host.Obstacles = ["the policy of inet f drops\u001b packets between pods: let them pass there: nft add rule"];

        Preview preview = new(agent.DryPass());

        Assert.Matches(
            "^! the policy of inet f drops[^\u001b]* packets between pods: let them pass there: nft add rule\nNothing to change.\n$", Text(preview));
        Assert.StartsWith("the policy of inet f drops", Assert.Single(
            JsonDocument.Parse(PreviewJson.Write(preview)).RootElement.GetProperty("problems").EnumerateArray()).GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Peers_with_one_cure_are_told_it_once()
    {
        string text = Text(Of(Given.Lan, [Given.Self, "b 10.244.2.0/24 192.0.2.2", "c 10.244.3.0/24 192.0.2.3"], settled: true));

        Assert.Equal(2, text.Split("(notAdjacent)").Length - 1);
        Assert.Equal(1, text.Split("host-gateway routes need one L2 segment").Length - 1);
    }

    [Fact]
    public void A_peer_that_is_left_out_on_purpose_needs_nothing() => Assert.Equal(
        "= node b 10.244.2.0/24 (skipped): annotation hostgw.io/skip\nNothing to change: this host is as it should be.\n",
        Text(Of(Given.Lan, [Given.Self, "b 10.244.2.0/24 10.0.0.2 skip"], settled: true)));

    [Fact]
    public void A_conflict_is_nothing_to_change_and_not_as_it_should_be()
    {
        Preview preview =
            Of(Given.Lan + "; 10.244.2.0/24 via 10.0.0.66 dev eth0 proto 12", [Given.Self, "b 10.244.2.0/24 10.0.0.2"], settled: true);

        Assert.EndsWith("\nNothing to change.\n", Text(preview), StringComparison.Ordinal);
    }

    [Fact]
    public void A_peer_without_a_route_is_nothing_to_change_and_not_as_it_should_be()
    {
        string text = Text(Of(Given.Lan, [Given.Self, "b 10.244.2.0/24 192.0.2.7"], settled: true));

        Assert.EndsWith("\nNothing to change.\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_peer_elsewhere_that_the_network_routes_is_no_problem_and_without_an_agent_the_text_says_how_to_know()
    {
        Preview elsewhere = Of(Given.Lan, [Given.Self, "b 10.244.2.0/24 192.0.2.7"], settled: true);
        Assert.Contains($"\n? notAdjacent: {Cures.RoutedByNetwork}\n", Text(elsewhere), StringComparison.Ordinal);

        string unknown = Text(Reached(elsewhere, Reports.Of()));
        Assert.StartsWith("! node b 10.244.2.0/24 (notAdjacent): ", unknown, StringComparison.Ordinal);
        Assert.DoesNotContain(Cures.RoutedByNetwork, unknown, StringComparison.Ordinal);

        string routed = Text(Reached(elsewhere, Reports.Of(("10.244.2.0/24", ReachKind.RoutedByNetwork, 900u))));
        Assert.StartsWith("= node b 10.244.2.0/24 (notAdjacent): ", routed, StringComparison.Ordinal);
        Assert.EndsWith("is needed\nNothing to change: this host is as it should be.\n", routed, StringComparison.Ordinal);
    }

    [Fact]
    public void An_own_node_that_is_not_in_order()
    {
        string text = Text(Of(Given.Lan, ["b 10.244.2.0/24 10.0.0.2"], settled: true));

        Assert.StartsWith("! the API server has no Node named 'self'", text, StringComparison.Ordinal);
        Assert.EndsWith("\nNothing is changed until that is solved.\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void No_name_gives_orders_to_the_terminal()
    {
        ClusterNode evil = Given.Node("x rubbish 10.0.0.8", 1) with { Name = "\u001b]0;owned\u0007\u202e" };
        HostState state = Given.Host(Given.Lan);
        Plan plan = Planner.Plan([evil, Given.Node(Given.Self, 0)], state, Given.Policy(""));
        Preview preview = new(new() { Plan = plan, Changes = HostDiff.Between(plan, state, new HashSet<RouteKey>(), AdoptMode.None) });

        Assert.DoesNotContain(Text(preview), c => char.IsControl(c) && c != '\n');
        Assert.DoesNotContain('\u202e', Text(preview));
        Assert.DoesNotContain(PreviewJson.Write(preview), c => char.IsControl(c) && c != '\n');
    }

    internal static Preview Of(string host, string[] nodes, bool settled = false)
    {
        HostState state = Given.Host(host) with { Forwarding = settled ? new(true, true) : new(false, null) };
        // Ours stand as our encoder makes them.
        state = state with { Routes = [.. state.Routes.Select(r => r with { IsOnLink = r.IsOurs })] };
        Plan plan = Planner.Plan(Given.Nodes(nodes), state, Given.Policy(""));
        state = state with { ProbeRoutes = settled ? [.. plan.ProbeAddresses.Select(ModelHost.LocalRoute)] : [] };
        HostChanges changes = HostDiff.Between(plan, state, new HashSet<RouteKey>(), AdoptMode.Equivalent);
        return new(new() { Plan = plan, Changes = changes, Result = new() { NatChange = settled ? "" : "created" } });
    }

    private static Preview Reached(Preview preview, Reachability reachability) =>
        preview with { Pass = preview.Pass with { Reachability = reachability } };

    internal static string Text(Preview preview)
    {
        using StringWriter output = new() { NewLine = "\n" };
        PreviewText.Write(preview, output);
        return output.ToString();
    }
}

internal static class PreviewExtensions
{
    /// <summary>The same, had the host said so.</summary>
    public static Preview With(this Preview preview, Func<ApplyResult, ApplyResult> change) =>
        preview with { Pass = preview.Pass with { Result = change(preview.Pass.Result) } };
}
