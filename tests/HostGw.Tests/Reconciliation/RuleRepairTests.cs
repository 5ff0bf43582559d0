using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class RuleRepairTests
{
    private readonly Agent _agent = new();

    [Fact]
    public void Repairs_of_rules_are_free_at_first_and_then_made_every_ten_seconds()
    {
        _agent.Host.RulesWriter = "firewalld";
        Assert.NotEqual("", _agent.Pass().Result.NatChange);
        for (int i = 0; i < 5; i++)
            Assert.Equal("created", Undone().Result.NatChange);

        PassReport held = Undone();
        Assert.Equal("", held.Result.NatChange);
        Assert.Equal(TimeSpan.FromSeconds(10), held.HeldRepairs.Wait);
        Assert.Contains(
            "another program keeps undoing HostGw's rules (created; last changed by the program firewalld): they are repaired only every 10 s",
            ProblemCatalog.Texts(held));

        Assert.Equal(new HeldRules("created", null), held.HeldRepairs.Rules);

        _agent.Time.Advance(TimeSpan.FromSeconds(9));
        PassReport still = _agent.Pass(WakeCauses.Nat);
        Assert.Equal(
            ("", "created", TimeSpan.FromSeconds(1)), (still.Result.NatChange, still.HeldRepairs.Rules.Nat, still.HeldRepairs.RulesWait));
        _agent.Time.Advance(TimeSpan.FromSeconds(1));
        PassReport repaired = _agent.Pass(WakeCauses.Retry);
        Assert.Equal(("created", default, null), (repaired.Result.NatChange, repaired.HeldRepairs.Rules, repaired.HeldRepairs.Wait));
        Assert.Equal("", Undone().Result.NatChange);
    }

    [Fact]
    public void While_repairs_are_put_off_nothing_waits_unless_something_is_wrong()
    {
        _agent.Pass();
        for (int i = 0; i < 5; i++)
            Undone();
        PassReport inOrder = _agent.Pass(WakeCauses.Nat);
        Assert.Equal((default, null, null), (inOrder.HeldRepairs.Rules, inOrder.HeldRepairs.RulesWait, inOrder.HeldRepairs.Wait));
        Assert.NotNull(inOrder.Contests.Rules);
        Assert.NotNull(Undone().HeldRepairs.Rules.Nat);
    }

    [Fact]
    public void A_fight_ends_a_minute_after_the_last_repair()
    {
        _agent.Pass();
        for (int i = 0; i < 5; i++)
            Undone();
        Assert.NotNull(Undone().Contests.Rules);
        _agent.Time.Advance(TimeSpan.FromSeconds(61));
        PassReport report = _agent.Pass(WakeCauses.Retry);
        Assert.Equal(("created", null), (report.Result.NatChange, report.Contests.Rules));
        Assert.Null(report.HeldRepairs.Wait);
    }

    [Fact]
    public void The_accept_in_FORWARD_has_the_same_limit()
    {
        _agent.Host.DropsForwarded = true;
        _agent.Pass();
        for (int i = 0; i < 5; i++)
        {
            _agent.Host.LoseForwardAccept();
            Assert.Equal("accept changed", _agent.Pass(WakeCauses.Nat).Result.ForwardChange);
        }
        _agent.Host.LoseForwardAccept();
        PassReport held = _agent.Pass(WakeCauses.Nat);
        Assert.Equal(("", new HeldRules(null, "accept changed")), (held.Result.ForwardChange, held.HeldRepairs.Rules));
    }

    [Fact]
    public void A_rule_that_the_plan_changes_never_waits()
    {
        _agent.Pass();
        for (int i = 0; i < 6; i++)
            Undone();
        _agent.Nodes = [.. _agent.Nodes, "z 10.250.7.0/24 10.0.0.7"];
        PassReport changed = _agent.Pass(WakeCauses.Nodes);
        Assert.Equal(("created", default), (changed.Result.NatChange, changed.HeldRepairs.Rules));
    }

    [Theory]
    [InlineData(WakeCauses.Nodes, false)]
    [InlineData(WakeCauses.Routes | WakeCauses.Links, false)]
    [InlineData(WakeCauses.Guards, false)]
    [InlineData(WakeCauses.Nodes | WakeCauses.Nat, true)]
    [InlineData(WakeCauses.Resync, true)]
    [InlineData(WakeCauses.Start, true)]
    [InlineData(WakeCauses.Overrun, true)]
    [InlineData(WakeCauses.Retry, true)]
    internal void Rules_are_read_again_when_something_may_have_changed_them(WakeCauses causes, bool again)
    {
        _agent.Pass(causes);
        Assert.Equal(again, _agent.Host.ReadRulesAgain);
    }

    [Fact]
    public void A_leftover_whose_end_nothing_announced_is_reported_until_the_next_full_pass()
    {
        _agent.Host.Leftovers = [new("theirs", () => { })];
        Assert.Single(_agent.Pass(WakeCauses.Start).Leftovers);
        _agent.Host.Leftovers = [];
        Assert.Single(_agent.Pass(WakeCauses.Nodes).Leftovers);
        Assert.Empty(_agent.Pass(WakeCauses.Resync).Leftovers);
    }

    [Fact]
    public void A_rule_that_an_ipset_decides_is_no_problem_of_the_agent_and_starts_no_search()
    {
        _agent.Host.Doubts = [new("the rule of crowdsec", "look")];
        PassReport report = _agent.Pass(WakeCauses.Start);
        Assert.True(_agent.Host.SearchedRules);
        Assert.Single(report.Result.Doubts);
        Assert.Empty(report.Leftovers);
        Assert.DoesNotContain(ProblemCatalog.All(report), p => p.Text.Contains("crowdsec", StringComparison.Ordinal));
        _agent.Pass(WakeCauses.Resync);
        Assert.False(_agent.Host.SearchedRules);
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
        Assert.Empty(_agent.Pass(WakeCauses.Start).Leftovers);

        _agent.Nodes = Agent.ThreeNodes;
        _agent.Host.ReadRefusal = _agent.Host.LeftoversRefusal = null;
        Assert.Single(_agent.Pass(WakeCauses.Nodes).Leftovers);
    }

    [Fact]
    public void Rules_that_could_not_be_made_at_first_are_no_repair()
    {
        _agent.Host.Refusal = what => what.StartsWith("nat", StringComparison.Ordinal) ? new HostRefusal("not now") : null;
        Assert.NotEmpty(_agent.Pass().Failures);
        _agent.Host.Refusal = _ => null;
        PassReport made = _agent.Pass(WakeCauses.Retry);
        Assert.Equal(("created", 0), (made.Result.NatChange, made.Repairs.Masquerade));
        Assert.Equal(1, Undone().Repairs.Masquerade);
    }

    [Theory]
    [InlineData("a host that could not be read")]
    [InlineData("a plan that left rules alone")]
    public void Rules_whose_change_was_announced_to_a_pass_that_could_not_compare_them_are_read_by_the_next(string why)
    {
        _agent.Pass();
        bool unreadable = why == "a host that could not be read";
        _agent.Host.ReadRefusal = unreadable ? new HostRefusal("not now") : null;
        _agent.Nodes = unreadable ? Agent.ThreeNodes : ["self - 10.0.0.1", .. Agent.ThreeNodes[1..]];
        Undone();

        _agent.Host.ReadRefusal = null;
        _agent.Nodes = Agent.ThreeNodes;
        _agent.Pass(WakeCauses.Nodes);
        Assert.True(_agent.Host.ReadRulesAgain);
        _agent.Pass(WakeCauses.Nodes);
        Assert.False(_agent.Host.ReadRulesAgain);
    }

    [Fact]
    public void A_repair_of_the_masquerade_rule_counts_though_chain_FORWARD_is_refused()
    {
        _agent.Host.DropsForwarded = true;
        _agent.Host.Refusal = what => what == "accept changed" ? new HostRefusal("not now") : null;
        Assert.NotEmpty(_agent.Pass().Failures);
        Assert.Equal(1, Undone().Repairs.Masquerade);
        _agent.Host.Refusal = _ => null;
        Assert.Equal(0, _agent.Pass(WakeCauses.Retry).Repairs.ForwardAccept);
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

    private (bool Changed, int Repairs) Forwarded() =>
        _agent.Pass(WakeCauses.Forwarding) is var pass ? (pass.ForwardingChanged, (int)pass.Repairs.Forwarding) : default;

    private PassReport Undone()
    {
        _agent.Host.LoseNat();
        return _agent.Pass(WakeCauses.Nat);
    }
}
