using System.Text;
using System.Text.Json;
using HostGw.Planning;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.Reconciliation;
using HostGw.Tests.Settings;

namespace HostGw.Tests.Status;

public class StatusJsonTests
{
    [Fact]
    public void The_status_of_a_cluster_with_one_of_everything() =>
        Golden.Equal("tests/HostGw.Tests/Status/Golden/status.json", Text(Reports.First()));

    [Fact]
    public void Before_the_first_pass_it_says_what_it_waits_for()
    {
        JsonElement status = Parse(null);

        Assert.Equal(1, status.GetProperty("schemaVersion").GetInt32());
        Assert.False(status.GetProperty("ready").GetBoolean());
        Assert.Equal("no complete list of nodes yet: waiting for the API server", status.GetProperty("notReady")[0].GetString());
        Assert.False(status.GetProperty("passes").TryGetProperty("lastAt", out _));
    }

    [Fact]
    public void Without_probes_nothing_is_known_of_reachability()
    {
        JsonElement status = Parse(Reports.InOrder());

        Assert.False(status.GetProperty("probes").GetBoolean());
        Assert.All(
            status.GetProperty("nodes").EnumerateArray().SelectMany(n => n.GetProperty("podCidrs").EnumerateArray()),
            p => Assert.Equal(("", JsonValueKind.Null, JsonValueKind.Null), (
                p.GetProperty("reachability").GetString(), p.GetProperty("since").ValueKind, p.GetProperty("roundTripMs").ValueKind)));
    }

    [Fact]
    public void A_pass_that_could_not_read_the_host_says_so()
    {
        JsonElement status = Parse(Reports.Failed("No buffer space available"));

        Assert.Equal("read the host: No buffer space available", status.GetProperty("notReady")[0].GetString());
        Assert.False(status.TryGetProperty("nodes", out _));
    }

    [Fact]
    public void A_peer_to_which_this_host_cannot_send_probes_names_the_address()
    {
        PassReport report = new Agent { Nodes = [Planning.Given.Self, "b 10.244.2.0/24 10.0.0.2"] }.Pass();
        Verdict verdict = Assert.Single(report.Plan!.Verdicts, v => v.Node.Name == "b");
        string reason = new RouteStates(report).Reason(
            verdict, new([(verdict.PodCidr, new(ReachKind.Unknown, 0, 0) { IsUnsendable = true })]));
        Assert.StartsWith("this host cannot send probes to 10.244.2.0 or to the node's address: ", reason, StringComparison.Ordinal);
    }

    // The peer, what probes say, and whether it is said how a Windows node accepts them. What is wrong with the route comes first.
    [Theory]
    [InlineData("10.0.0.2 windows", ReachKind.Unknown, false, true)]
    [InlineData("10.0.0.2 windows", ReachKind.Unknown, true, false)]
    [InlineData("10.0.0.2 windows", ReachKind.Reachable, false, false)]
    [InlineData("10.0.0.2 windows", ReachKind.Unreachable, false, false)]
    [InlineData("10.1.0.2 windows", ReachKind.Unknown, false, false)]
    [InlineData("10.0.0.2", ReachKind.Unknown, false, false)]
    internal void A_Windows_peer_whose_pods_answer_no_probe_names_the_rule_of_its_firewall(
        string peer, ReachKind kind, bool isInConflict, bool expected)
    {
        Agent agent = new() { Nodes = [Planning.Given.Self, $"b 10.244.2.0/24 {peer}"] };
        if (isInConflict)
            agent.Host.Overwrite("10.244.2.0/24 via 10.0.0.9 dev eth0 proto 4");
        PassReport report = agent.Pass();
        Verdict verdict = Assert.Single(report.Plan!.Verdicts, v => v.Node.Name == "b");
        string reason = new RouteStates(report).Reason(verdict, new([(verdict.PodCidr, new(kind, 0, 0))]) { Port = 9999 });
        Assert.Equal(expected, reason.Contains("New-NetFirewallRule", StringComparison.Ordinal));
        Assert.Equal(expected, reason.Contains("-LocalPort 9999 ", StringComparison.Ordinal));
        Assert.Equal(isInConflict, reason.Contains("10.0.0.9", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("installed", "")]
    [InlineData("failed", "refuse")]
    [InlineData("conflict", "foreign")]
    [InlineData("missing", "fight")]
    [InlineData("held", "own node gone")]
    public void A_route_is(string state, string when)
    {
        Agent agent = new();
        if (when == "foreign")
            agent.Host.Overwrite("10.244.2.0/24 via 10.0.0.9 dev eth0 proto 4");
        if (when == "refuse")
            agent.Host.Refusal = what => what == "add 10.244.2.0/24" ? new HostRefusal("no") : null;
        PassReport report = agent.Pass();
        for (int i = 0; i < 6 && when == "fight"; i++)
        {
            agent.Host.Remove("10.244.2.0/24");
            report = agent.Pass();
        }
        if (when == "own node gone")
        {
            // Without our Node no interface is known: a name is.
            agent.Restart("interface=eth0");
            agent.Nodes = Agent.ThreeNodes[1..];
            report = agent.Pass();
        }

        JsonElement node = Parse(report).GetProperty("nodes").EnumerateArray().Single(n => n.GetProperty("name").GetString() == "b");
        Assert.Equal(state, node.GetProperty("podCidrs")[0].GetProperty("route").GetString());
    }

    [Theory]
    [InlineData("applied", "nftables", "")]
    [InlineData("off", "none", "nat=off")]
    public void Masquerading_is(string state, string backend, string policy)
    {
        JsonElement nat = Parse(new Agent(policy).Pass()).GetProperty("nat");

        Assert.Equal((state, backend), (nat.GetProperty("state").GetString(), nat.GetProperty("backend").GetString()));
    }

    [Fact]
    public void Masquerading_that_was_refused_has_failed()
    {
        Agent agent = new();
        agent.Host.Refusal = what => what == "nat created" ? new HostRefusal("no") : null;

        Assert.Equal("failed", Parse(agent.Pass()).GetProperty("nat").GetProperty("state").GetString());
    }

    [Fact]
    public void Rules_that_somebody_keeps_undoing_are_held_and_it_says_until_when_and_who()
    {
        Agent agent = new();
        agent.Host.RulesWriter = "firewalld";
        agent.Pass();
        JsonElement status = default;
        for (int i = 0; i < 6; i++)
        {
            agent.Host.LoseNat();
            status = Parse(agent.Pass(HostGw.Platform.WakeCauses.Nat));
        }

        JsonElement nat = status.GetProperty("nat");
        Assert.Equal("held", nat.GetProperty("state").GetString());
        Assert.Equal(agent.Time.GetUtcNow() + TimeSpan.FromSeconds(10), nat.GetProperty("heldUntil").GetDateTimeOffset());
        Assert.Equal(
            "pending: created; delayed because another program keeps undoing HostGw's rules " +
            "(created; last changed by the program firewalld)",
            nat.GetProperty("reason").GetString());
        Assert.Equal("applied", status.GetProperty("forwardAccept").GetProperty("state").GetString());

        agent.Time.Advance(TimeSpan.FromSeconds(10));
        nat = Parse(agent.Pass(HostGw.Platform.WakeCauses.Retry)).GetProperty("nat");
        Assert.Equal(("applied", JsonValueKind.Null), (nat.GetProperty("state").GetString(), nat.GetProperty("heldUntil").ValueKind));
    }

    [Fact]
    public void Masquerading_is_left_alone_while_the_own_node_is_not_in_order() =>
        Assert.Equal(
            "left alone", Parse(new Agent { Nodes = ["self - 10.0.0.1"] }.Pass()).GetProperty("nat").GetProperty("state").GetString());

    [Fact]
    public void A_family_that_this_host_has_not_is_null()
    {
        PassReport report = new Agent("forwarding=off").Pass().With(new ForwardingState(true, null));

        Assert.Equal(JsonValueKind.Null, Parse(report).GetProperty("forwarding").GetProperty("ipv6").ValueKind);
    }

    private static string Text(PassReport? report) =>
        Encoding.UTF8.GetString(StatusJson.Write("0.1.0+abc", "self", Reports.View(report), apiProblem: null).Span);

    private static JsonElement Parse(PassReport? report) => JsonDocument.Parse(Text(report)).RootElement;
}
