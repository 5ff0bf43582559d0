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
    internal void Rules_are_read_anew_when_something_may_have_changed_them(WakeCauses causes, bool anew)
    {
        _agent.Pass(causes);
        Assert.Equal(anew, _agent.Host.ReadRulesAnew);
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

    private PassReport Undone()
    {
        _agent.Host.LoseNat();
        return _agent.Pass(WakeCauses.Nat);
    }
}
