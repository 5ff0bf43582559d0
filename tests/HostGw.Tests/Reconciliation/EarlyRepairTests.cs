using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Tests.Reconciliation;

/// <summary>The link hostgw0, which the plan before wanted, is repaired before a pass plans.</summary>
public class EarlyRepairTests
{
    private readonly Agent _agent = new("tunnel=always tunnel.source=254");
    private readonly string[] _routes;
    private readonly Plan _plan;

    public EarlyRepairTests()
    {
        Assert.True(_agent.Pass().Continues);
        _plan = _agent.Pass(WakeCauses.Links).Plan!;
        _routes = [.. _agent.Host.OurRoutes];
        Assert.NotEmpty(_routes);
        Assert.All(_routes, r => Assert.Contains("hostgw0", r, StringComparison.Ordinal));
        Assert.False(_agent.Pass(WakeCauses.Links).Changed);
    }

    [Theory]
    [InlineData("deleted", "missing (UDP port 4790, VNI 157); without address 10.244.1.254; without address fd00:10:244:1::fe")]
    [InlineData("down", "down")]
    [InlineData("source", "without address fd00:10:244:1::fe")]
    public void One_pass_repairs_it_and_its_routes_by_the_plan_that_there_is(string damage, string said)
    {
        Damage(damage);

        PassReport report = _agent.Pass(WakeCauses.Links);

        Assert.Equal(_routes, _agent.Host.OurRoutes);
        Assert.Equal((said, 1L), (report.Result.TunnelChange, report.Repairs.Tunnel));
        Assert.Equal((true, false, false), (report.Changed, report.Continues, report.IsUnfinished));
        Assert.Same(_plan, report.Plan);
        Assert.False(_agent.Pass(WakeCauses.Links).Changed);
    }

    [Fact]
    public void What_is_refused_is_tried_by_the_pass_and_reported_once()
    {
        Damage("down");
        _agent.Host.Refusal = what => what.StartsWith("tunnel", StringComparison.Ordinal) ? new HostRefusal("no") : null;

        PassReport report = _agent.Pass(WakeCauses.Links);

        Assert.Equal(HostPart.Tunnel, Assert.Single(report.Failures).Part);
        Assert.Equal(("", 0L, false), (report.Result.TunnelChange, report.Repairs.Tunnel, report.Continues));
        _agent.Host.Refusal = _ => null;
        Assert.True(_agent.Pass(WakeCauses.Retry).Continues);
        _agent.Pass(WakeCauses.Links);
        Assert.Equal(_routes, _agent.Host.OurRoutes);
    }

    [Fact]
    public void Its_guards_come_before_it_and_are_reported_too()
    {
        Damage("deleted");
        _agent.Host.LoseGuards();

        PassReport report = _agent.Pass(WakeCauses.Links | WakeCauses.Guards);

        Assert.Equal(("guards changed", 1L, 1L), (report.Result.GuardChange, report.Repairs.Guards, report.Repairs.Tunnel));
        string[] journal = [.. _agent.Host.Journal];
        int link = Array.FindLastIndex(journal, j => j.StartsWith("tunnel", StringComparison.Ordinal));
        Assert.InRange(Array.LastIndexOf(journal, "guards changed"), 0, link);
    }

    [Fact]
    public void A_fight_over_it_is_slowed_down_all_the_same()
    {
        for (int i = 0; i < 5; i++)
        {
            Damage("down");
            Assert.Equal(1, _agent.Pass(WakeCauses.Links).Repairs.Tunnel);
        }
        Damage("down");

        PassReport held = _agent.Pass(WakeCauses.Links);

        Assert.Equal((true, TimeSpan.FromSeconds(10)), (held.Changes.Tunnel.IsEmpty, held.HeldRepairs.Wait));
        Assert.False(_agent.Host.State.Tunnel!.IsUp);
    }

    // By the nodes that there are now: they may need no tunnel.
    [Fact]
    public void Where_nodes_have_changed_the_pass_plans_first()
    {
        Damage("deleted");
        _agent.Nodes = [_agent.Nodes[0]];

        PassReport report = _agent.Pass(WakeCauses.Links | WakeCauses.Nodes);

        Assert.Equal(("", (TunnelPlan?)null), (report.Result.TunnelChange, report.Plan!.Tunnel));
        Assert.Null(_agent.Host.State.Tunnel);
    }

    [Fact]
    public void A_link_that_somebody_else_made_instead_is_left()
    {
        Damage("deleted");
        _agent.Host.SetTunnel(new(158));

        PassReport report = _agent.Pass(WakeCauses.Links);

        Assert.Equal(("", true), (report.Result.TunnelChange, report.Changes.Tunnel.MayChangeUnannounced));
    }

    // With the link, and with its address, the kernel takes its routes.
    private void Damage(string what)
    {
        HostState state = _agent.Host.State;
        TunnelLink link = state.Tunnel!;
        foreach (string route in _routes)
            _agent.Host.Remove(route.Split(' ')[0]);
        _agent.Host.State = what switch
        {
            "deleted" => state with
            {
                Tunnel = null,
                Interfaces = [.. state.Interfaces.Where(i => i.Index != link.Index)],
                Addresses = [.. state.Addresses.Where(a => a.Interface != link.Index)],
            },
            "down" => state with
            {
                Tunnel = link with { IsUp = false },
                Interfaces = [.. state.Interfaces.Select(i => i.Index == link.Index ? i with { IsUp = false } : i)],
            },
            _ => state with { Addresses = [.. state.Addresses.Where(a => a.Address != Ip.Parse("fd00:10:244:1::fe"))] },
        };
    }
}
