using HostGw.Planning;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Status;

public class PeerStatesTests
{
    private readonly StatusBoard _board = new();
    private readonly Agent _agent = new();

    [Fact]
    public void A_state_keeps_its_time_until_it_changes()
    {
        DateTimeOffset first = Pass();
        _agent.Nodes = [.. Agent.ThreeNodes[..2], "c 10.244.3.0/24 192.0.2.9", "d 10.244.4.0/24 10.0.0.4"];
        DateTimeOffset second = Pass();

        Assert.Equal((PeerState.Installed, first), State("b"));
        Assert.Equal((PeerState.NotAdjacent, second), State("c"));
        Assert.Equal((PeerState.Installed, second), State("d"));

        _agent.Nodes = Agent.ThreeNodes;
        DateTimeOffset third = Pass();
        Assert.Equal((PeerState.Installed, first), State("b"));
        Assert.Equal((PeerState.Installed, third), State("c"));
    }

    [Fact]
    public void A_Node_that_was_created_again_has_a_new_time()
    {
        Pass();
        _agent.Nodes = [.. Agent.ThreeNodes[..2], "c 10.244.3.0/24 10.0.0.3 uid=another"];

        Assert.Equal((PeerState.Installed, Pass()), State("c"));
    }

    [Fact]
    public void A_route_that_another_program_replaced_is_a_conflict_from_then_on()
    {
        Pass();
        _agent.Restart();
        _agent.Host.Overwrite("10.244.2.0/24 via 10.0.0.9 dev eth0 proto 4");

        Assert.Equal((PeerState.Conflict, Pass()), State("b"));

        _agent.Host.Remove("10.244.2.0/24");
        Assert.Equal((PeerState.Installed, Pass()), State("b"));
    }

    [Fact]
    public void A_pass_that_could_not_read_the_host_changes_nothing()
    {
        Pass();
        PeerStates before = _board.View.Peers;

        _board.Record(Reports.Failed("no"));

        Assert.Same(before, _board.View.Peers);
    }

    [Fact]
    public void A_pass_that_changes_no_state_returns_the_same_instance()
    {
        PassReport report = _agent.Pass();
        _board.Record(report);
        PeerStates before = _board.View.Peers;
        _board.Record(report with { At = report.At.AddMinutes(1) });

        Assert.Same(before, _board.View.Peers);
    }

    [Theory]
    [InlineData("Unknown", "Installed")]
    [InlineData("Reachable", "Installed")]
    [InlineData("ProbeFiltered", "Installed")]
    [InlineData("Unreachable", "Unreachable")]
    [InlineData("PodTrafficDropped", "PodTrafficDropped")]
    public void What_probes_say_is_the_state_of_an_installed_route_where_it_is_bad(string said, string state)
    {
        DateTimeOffset first = Pass();
        _agent.Reachability = Reports.Of(("10.244.2.0/24", Enum.Parse<ReachKind>(said), 0u));
        DateTimeOffset second = Pass();

        PeerState expected = Enum.Parse<PeerState>(state);
        Assert.Equal((expected, expected == PeerState.Installed ? first : second), State("b"));
        Assert.Equal((PeerState.Installed, first), State("c"));

        _agent.Reachability = Reports.Of(("10.244.2.0/24", ReachKind.Reachable, 300u));
        DateTimeOffset third = Pass();
        Assert.Equal((PeerState.Installed, expected == PeerState.Installed ? first : third), State("b"));
    }

    [Fact]
    public void What_probes_say_is_seen_though_neither_nodes_nor_routes_have_changed()
    {
        PassReport report = _agent.Pass();
        _board.Record(report);
        _board.Record(report with { Reachability = Reports.Of(("10.244.2.0/24", ReachKind.PodTrafficDropped, 0u)) });
        Assert.Equal(PeerState.PodTrafficDropped, State("b").Item1);
    }

    [Fact]
    public void A_route_that_is_not_installed_explains_what_probes_say()
    {
        _agent.Host.Refusal = what => what == "add 10.244.2.0/24" ? new HostRefusal("no") : null;
        _agent.Reachability = Reports.Of(("10.244.2.0/24", ReachKind.PodTrafficDropped, 0u));
        Pass();
        Assert.Equal(PeerState.Failed, State("b").Item1);
    }

    [Fact]
    public void A_peer_elsewhere_is_routed_by_the_network_while_probes_say_so()
    {
        _agent.Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 192.0.2.4"];
        _agent.Reachability = Reports.Of(("10.244.4.0/24", ReachKind.RoutedByNetwork, 900u));
        Pass();
        Assert.Equal(PeerState.RoutedByNetwork, State("d").Item1);
        _agent.Reachability = Reports.Of(("10.244.4.0/24", ReachKind.Unreachable, 900u));
        Pass();
        Assert.Equal(PeerState.NotAdjacent, State("d").Item1);
    }

    [Fact]
    public void Readiness_has_a_time_too()
    {
        DateTimeOffset first = Pass();
        Pass();
        Assert.Equal(first, _board.View.ReadySince);

        _agent.Nodes = Agent.ThreeNodes[1..];
        Assert.Equal(Pass(), _board.View.ReadySince);
    }

    private DateTimeOffset Pass()
    {
        _agent.Time.Advance(TimeSpan.FromMinutes(1));
        _board.Record(_agent.Pass());
        return DateTimeOffset.FromUnixTimeSeconds(_agent.Time.GetUtcNow().ToUnixTimeSeconds());
    }

    private (PeerState, DateTimeOffset) State(string node)
    {
        PeerStates all = _board.View.Peers;
        int index = all.Verdicts.Select(v => v.Node.Name).ToList().IndexOf(node);
        return (all.States[index].State, all.States[index].Since);
    }
}
