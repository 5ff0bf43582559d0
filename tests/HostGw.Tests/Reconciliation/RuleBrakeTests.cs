using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class RuleBrakeTests
{
    private readonly Agent _agent = new();

    [Fact]
    public void Repairs_of_rules_are_free_at_first_and_then_made_every_ten_seconds()
    {
        _agent.Host.RulesWriter = "firewalld";
        Assert.NotEqual("", _agent.Pass().NatChange);
        for (int i = 0; i < 5; i++)
            Assert.Equal("created", Undone().NatChange);

        PassReport held = Undone();
        Assert.Equal("", held.NatChange);
        Assert.Equal(TimeSpan.FromSeconds(10), held.HeldBackFor);
        Assert.Contains("somebody keeps undoing our rules (created; last changed by the program firewalld): they are repaired only every 10 s", Problems.Of(held));

        Assert.Equal(new HeldRules("created", null), held.HeldRules);

        _agent.Time.Advance(TimeSpan.FromSeconds(9));
        PassReport still = _agent.Pass(WakeCauses.Nat);
        Assert.Equal(("", "created", TimeSpan.FromSeconds(1)), (still.NatChange, still.HeldRules.Nat, still.HeldRulesFor));
        _agent.Time.Advance(TimeSpan.FromSeconds(1));
        PassReport repaired = _agent.Pass(WakeCauses.Retry);
        Assert.Equal(("created", default, null), (repaired.NatChange, repaired.HeldRules, repaired.HeldBackFor));
        Assert.Equal("", Undone().NatChange);
    }

    [Fact]
    public void While_repairs_are_put_off_nothing_waits_unless_something_is_wrong()
    {
        _agent.Pass();
        for (int i = 0; i < 5; i++)
            Undone();
        PassReport inOrder = _agent.Pass(WakeCauses.Nat);
        Assert.Equal((default, null, null), (inOrder.HeldRules, inOrder.HeldRulesFor, inOrder.HeldBackFor));
        Assert.NotNull(inOrder.ContestedRules);
        Assert.NotNull(Undone().HeldRules.Nat);
    }

    [Fact]
    public void A_fight_ends_a_minute_after_the_last_repair()
    {
        _agent.Pass();
        for (int i = 0; i < 5; i++)
            Undone();
        Assert.NotNull(Undone().ContestedRules);
        _agent.Time.Advance(TimeSpan.FromSeconds(61));
        PassReport report = _agent.Pass(WakeCauses.Retry);
        Assert.Equal(("created", null), (report.NatChange, report.ContestedRules));
        Assert.Null(report.HeldBackFor);
    }

    [Fact]
    public void The_accept_in_FORWARD_is_under_the_same_brake()
    {
        _agent.Host.DropsForwarded = true;
        _agent.Pass();
        for (int i = 0; i < 5; i++)
        {
            _agent.Host.LoseForwardAccept();
            Assert.Equal("accept changed", _agent.Pass(WakeCauses.Nat).ForwardChange);
        }
        _agent.Host.LoseForwardAccept();
        PassReport held = _agent.Pass(WakeCauses.Nat);
        Assert.Equal(("", new HeldRules(null, "accept changed")), (held.ForwardChange, held.HeldRules));
    }

    [Fact]
    public void A_rule_that_the_plan_changes_never_waits()
    {
        _agent.Pass();
        for (int i = 0; i < 6; i++)
            Undone();
        _agent.Nodes = [.. _agent.Nodes, "z 10.250.7.0/24 10.0.0.7"];
        PassReport changed = _agent.Pass(WakeCauses.Nodes);
        Assert.Equal(("created", default), (changed.NatChange, changed.HeldRules));
    }

    [Theory]
    [InlineData(WakeCauses.Nodes, false)]
    [InlineData(WakeCauses.Routes | WakeCauses.Links, false)]
    [InlineData(WakeCauses.Nodes | WakeCauses.Nat, true)]
    [InlineData(WakeCauses.Resync, true)]
    [InlineData(WakeCauses.Start, true)]
    [InlineData(WakeCauses.Overrun, true)]
    [InlineData(WakeCauses.Retry, true)]
    internal void Rules_are_read_again_when_something_may_have_changed_them(WakeCauses causes, bool anew)
    {
        _agent.Pass(causes);
        Assert.Equal(anew, _agent.Host.ReadRulesAgain);
    }

    [Fact]
    public void A_leftover_that_nothing_announced_as_gone_is_told_of_until_the_next_full_pass()
    {
        _agent.Host.Leftovers = [new("theirs", () => { })];
        Assert.Single(_agent.Pass(WakeCauses.Start).Obstacles);
        _agent.Host.Leftovers = [];
        Assert.Single(_agent.Pass(WakeCauses.Nodes).Obstacles);
        Assert.Empty(_agent.Pass(WakeCauses.Resync).Obstacles);
    }

    [Theory]
    [InlineData("no podCIDR yet")]
    [InlineData("no peer yet")]
    [InlineData("a host that cannot be read")]
    [InlineData("rules that cannot be read")]
    public void A_leftover_that_could_not_be_found_at_the_start_is_found_later(string why)
    {
        _agent.Host.Leftovers = [new("theirs", () => { })];
        _agent.Nodes = why switch
        {
            "no podCIDR yet" => ["self - 10.0.0.1", .. Agent.ThreeNodes[1..]],
            "no peer yet" => Agent.ThreeNodes[..1],
            _ => Agent.ThreeNodes,
        };
        _agent.Host.ReadRefusal = why == "a host that cannot be read" ? new HostRefusal("not now") : null;
        _agent.Host.LeftoversRefusal = why == "rules that cannot be read" ? new HostRefusal("not now") : null;
        Assert.Empty(_agent.Pass(WakeCauses.Start).Obstacles);

        _agent.Nodes = Agent.ThreeNodes;
        _agent.Host.ReadRefusal = _agent.Host.LeftoversRefusal = null;
        Assert.Single(_agent.Pass(WakeCauses.Nodes).Obstacles);
    }

    [Fact]
    public void Rules_that_could_not_be_made_at_first_are_no_repair()
    {
        _agent.Host.Refusal = what => what.StartsWith("nat", StringComparison.Ordinal) ? new HostRefusal("not now") : null;
        Assert.NotEmpty(_agent.Pass().Failures);
        _agent.Host.Refusal = _ => null;
        PassReport made = _agent.Pass(WakeCauses.Retry);
        Assert.Equal(("created", 0), (made.NatChange, made.Repairs.Masquerade));
        Assert.Equal(1, Undone().Repairs.Masquerade);
    }

    [Fact]
    public void Forwarding_that_could_not_be_turned_on_at_first_is_no_repair()
    {
        _agent.Host.Refusal = what => what.StartsWith("forward", StringComparison.Ordinal) ? new HostRefusal("not now") : null;
        Assert.NotEmpty(_agent.Pass().Failures);
        _agent.Host.Refusal = _ => null;
        Assert.Equal((true, 0), Forwarded());
        _agent.Host.State = _agent.Host.State with { Forwarding = new(false, false) };
        Assert.Equal((true, 1), Forwarded());
    }

    private (bool Changed, int Repairs) Forwarded() => _agent.Pass(WakeCauses.Forwarding) is var pass ? (pass.ForwardingChanged, (int)pass.Repairs.Forwarding) : default;

    private PassReport Undone()
    {
        _agent.Host.LoseNat();
        return _agent.Pass(WakeCauses.Nat);
    }
}
