using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;

namespace HostGw.Tests.Reconciliation;

/// <summary>Repairs of the guards are told from changes for the plan, counted, and limited by themselves.</summary>
public class GuardRepairTests
{
    private static readonly GuardPlan Guards = new(["eth0"], [9158]);
    private static readonly GuardPlan More = new(["eth0", "eth1"], [9158]);

    private readonly ManualTime _time = new();
    private readonly RepairLimiter _limiter;
    private PreviousPass _previous = PreviousPass.None;

    public GuardRepairTests() => _limiter = new(_time);

    [Fact]
    public void The_first_installation_and_a_change_of_the_plan_are_no_repairs()
    {
        Assert.Equal(0, Pass(Guards, "the table is missing").Repairs.Guards);
        Assert.Equal(0, Pass(More, "a rule of chain port was changed").Repairs.Guards);
        Assert.Equal(0, Pass(More, "").Repairs.Guards);
        Assert.Equal(0, Pass(null, "no longer needed").Repairs.Guards);
    }

    [Fact]
    public void What_another_program_undid_is_a_repair() => Assert.Equal(
        (0, 1), (Pass(Guards, "the table is missing").Repairs.Guards, Pass(Guards, "the table is missing").Repairs.Guards));

    [Fact]
    public void After_a_refusal_the_installation_is_no_repair()
    {
        Pass(Guards, "");
        Pass(Guards, "", refused: true);
        Assert.Equal(0, Pass(Guards, "the table is missing").Repairs.Guards);
    }

    [Fact]
    public void A_fight_over_the_guards_is_slowed_down_and_the_masquerade_rule_is_not()
    {
        Pass(Guards, "the table is missing");
        for (int i = 0; i < 5; i++)
            Assert.Equal(1, Pass(Guards, "the table is missing", "nft").Repairs.Guards);

        PassReport held = Pass(Guards, "the table is missing");
        Assert.Equal((false, true, false), (held.Changes.ChangesGuards, held.Changes.ChangesNat, held.Changes.HoldsRules));
        Assert.Equal(TimeSpan.FromSeconds(10), held.HeldRepairs.Wait);
        Assert.Contains(ProblemCatalog.All(held), p => p.Rule == "GuardsContested" &&
            p.Text.Contains("(the table is missing; last changed by the program nft)", StringComparison.Ordinal));
        Assert.False(Pass(Guards, "the table is missing").Changes.ChangesGuards);

        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, Pass(Guards, "the table is missing").Repairs.Guards);
    }

    [Fact]
    public void A_change_of_the_plan_does_not_wait_for_a_fight()
    {
        for (int i = 0; i < 6; i++)
            Pass(Guards, "the table is missing");
        Assert.False(Pass(Guards, "the table is missing").Changes.ChangesGuards);

        Assert.True(Pass(More, "a rule of chain port was changed").Changes.ChangesGuards);
    }

    [Fact]
    public void Those_of_a_tunnel_wait_for_nothing()
    {
        GuardPlan tunnel = Guards with { Tunnel = new(4790, 157, [], [], []) };
        for (int i = 0; i < 10; i++)
            Assert.True(Pass(tunnel, "the table is missing").Changes.ChangesGuards);
    }

    [Fact]
    public void A_plan_that_may_not_be_carried_out_leaves_the_guards_as_they_are() => Assert.False(
        HostDiff.Between(new() { Scope = PlanScope.AddRoutes, Guards = Guards }, new(), new HashSet<RouteKey>(), AdoptMode.None).ChangesGuards);

    private PassReport Pass(GuardPlan? guards, string toDo, string writer = "", bool refused = false)
    {
        Plan plan = new() { Guards = guards };
        HostChanges wanted = HostDiff.Between(plan, new(), new HashSet<RouteKey>(), AdoptMode.None);
        RepairScope repairs = new(_previous, wanted, new HashSet<RouteKey>(), WakeCauses.Nat);
        (HostChanges permitted, HeldRepairs held) = _limiter.Hold(wanted, repairs, default);
        ApplyResult result = new()
        {
            GuardChange = permitted.ChangesGuards ? toDo : "",
            RulesWriter = writer,
            Failures = refused ? [new(HostPart.Guards, "apply the guards", null, new HostRefusal("no"))] : [],
        };
        _limiter.Count(permitted, result, repairs);
        PassReport report = new()
        {
            Plan = plan,
            Changes = permitted,
            Result = result,
            HeldRepairs = held.After(result),
            Contests = _limiter.Contested(plan),
            Repairs = repairs.Count(permitted, result),
        };
        _previous = _previous.After(report, new HashSet<RouteKey>());
        return report;
    }
}
