using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Tests.Reconciliation;

/// <summary>Guards, hostgw0 and policy rules as the plan before wanted them are repaired before a pass reads all routes.</summary>
public class EarlyRepairTests
{
    private readonly Agent _agent = new("clusterCidrs=10.244.0.0/16,fd00:10:244::/48 tunnel=always tunnel.source=254 policyRule=on");
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
    [InlineData("10.244.1.254", "without address 10.244.1.254")]
    [InlineData("fd00:10:244:1::fe", "without address fd00:10:244:1::fe")]
    public void One_pass_repairs_it_and_its_routes_by_the_plan_that_there_is(string damage, string said)
    {
        Damage(damage);
        HostChanges? first = null;
        _agent.Host.Applying = changes => first ??= changes;

        PassReport report = _agent.Pass(WakeCauses.Links);

        // Over the link that has its index again: none waits until all routes are read.
        PodRoute[] lost = [.. _plan.Routes.Where(r => !damage.Contains(':', StringComparison.Ordinal))];
        Assert.Empty(first!.Host.Routes);
        Assert.Equal(lost, first.Routes.Add);
        Assert.Equal(lost, report.Routes.Add);
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

    [Theory]
    [InlineData(WakeCauses.Guards, "guards", true)]
    [InlineData(WakeCauses.PolicyRules, "rule", true)]
    [InlineData(WakeCauses.Links, "link", true)]
    [InlineData(WakeCauses.Overrun, "rule", true)]
    [InlineData(WakeCauses.Nodes, "rule", false)]
    [InlineData(WakeCauses.Nodes, "guards", false)]
    internal void It_is_made_before_all_routes_are_read(WakeCauses causes, string damage, bool isEarly)
    {
        Damage(damage);
        HostChanges? first = null;
        _agent.Host.Applying = changes => first ??= changes;

        PassReport report = _agent.Pass(causes);

        Assert.Equal((isEarly, !isEarly), (first!.Host.Routes.Count == 0, first.FindsOverrides));
        Assert.Equal(1, report.Repairs.Guards + report.Repairs.PolicyRules + report.Repairs.Tunnel);
        Assert.True(report.Changed);
        Assert.False(_agent.Pass(causes).Changed);
        Assert.Equal(_routes, _agent.Host.OurRoutes);
    }

    [Fact]
    public void What_else_has_changed_at_the_same_time_the_pass_repairs()
    {
        Damage("guards");
        Damage("rule");
        _agent.Host.Remove(_routes[0].Split(' ')[0]);
        _agent.Host.LoseNat();

        Repairs repairs = _agent.Pass(WakeCauses.Guards | WakeCauses.Nat | WakeCauses.Routes).Repairs;

        Assert.Equal((1, 1, 1, 1), (repairs.Guards, repairs.PolicyRules, repairs.RoutesRemoved, repairs.Masquerade));
        Assert.Equal(_routes, _agent.Host.OurRoutes);
    }

    // The plan does not know the peer any more; its route stays until the nodes were read by quorum, and its packets are let in.
    [Fact]
    public void Guards_let_in_peers_whose_removal_is_held()
    {
        Agent agent = new("clusterCidrs=10.244.0.0/16,fd00:10:244::/48 tunnel=always tunnel.source=254")
        {
            Nodes = [Planning.Given.Self, .. Enumerable.Range(2, 6).Select(n => $"n{n} 10.244.{n}.0/24 10.0.0.{n}")],
        };
        Assert.True(agent.Pass().Continues);
        agent.Pass(WakeCauses.Links);
        agent.Nodes = agent.Nodes[..2];
        Assert.NotNull(agent.Pass().HeldRemovals);
        List<HostChanges> applied = [];
        agent.Host.Applying = applied.Add;
        agent.Host.LoseGuards();

        agent.Pass(WakeCauses.Guards);

        Assert.Equal(2, applied.Count);
        Assert.All(applied, c => Assert.Equal(
            (true, true, true),
            (c.ChangesGuards, c.Guards!.Tunnel!.Peers.Any(p => p.Contains(Ip.Parse("10.244.7.1"))),
                c.Guards.Tunnel.Nodes.Contains(Prefix.Parse("10.0.0.7/32")))));
    }

    [Fact]
    public void It_is_reported_where_the_pass_cannot_read_the_host()
    {
        Damage("guards");
        _agent.Host.Applying = _ => _agent.Host.ReadRefusal = new HostRefusal("no");

        PassReport report = _agent.Pass(WakeCauses.Guards);

        Assert.Equal((1, "guards changed", HostPart.State), (report.Repairs.Guards, report.Result.GuardChange, report.Failures[0].Part));
    }

    [Fact]
    public void Where_the_host_cannot_be_read_at_all_nothing_is_changed()
    {
        Damage("guards");
        _agent.Host.ReadRefusal = new HostRefusal("no");

        PassReport report = _agent.Pass(WakeCauses.Guards);

        Assert.Equal((0, "", false), (report.Repairs.Guards, report.Result.GuardChange, report.Changed));
    }

    // A rule of a cluster CIDR that the settings name no more, or one of an agent before: for the pass.
    [Fact]
    public void What_the_plan_before_did_not_leave_installed_is_not_repaired_early()
    {
        Agent agent = new("clusterCidrs=10.244.0.0/16,fd00:10:244::/48 policyRule=on");
        agent.Host.Refusal = what => what.StartsWith("add rule", StringComparison.Ordinal) ? new HostRefusal("no") : null;
        agent.Pass();
        agent.Host.Refusal = _ => null;

        PassReport report = agent.Pass(WakeCauses.PolicyRules);

        Assert.Equal((0, false), (report.Repairs.PolicyRules, report.Changes.PolicyRules.IsEmpty));
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

    [Fact]
    public void Where_nothing_is_missing_the_host_is_changed_once_by_the_pass()
    {
        int applied = 0;
        _agent.Host.Applying = _ => applied++;
        _agent.Pass(WakeCauses.Links);
        Assert.Equal(1, applied);
    }

    // Anybody who reaches the port could send packets into the pod network.
    [Fact]
    public void Without_guards_the_link_is_not_made_again()
    {
        Damage("deleted");
        _agent.Host.State = _agent.Host.State with { GuardObstacle = "no nft" };
        List<HostChanges> applied = [];
        _agent.Host.Applying = applied.Add;

        _agent.Pass(WakeCauses.Links);

        Assert.NotEmpty(applied);
        Assert.All(applied, c => Assert.Null(c.Tunnel.Make));
    }

    // With the link, and with its address, the kernel takes its routes: here all have the IPv4 address.
    private void Damage(string what)
    {
        if (what == "guards")
            _agent.Host.LoseGuards();
        else if (what == "rule")
            _agent.Host.SetRules(_agent.Host.State.PolicyRules.Where(r => !r.IsOurs));
        else
            DamageLink(what == "link" ? "deleted" : what);
    }

    private void DamageLink(string what)
    {
        HostState state = _agent.Host.State;
        TunnelLink link = state.Tunnel!;
        foreach (string route in what.Contains(':', StringComparison.Ordinal) ? [] : _routes)
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
            _ => state with { Addresses = [.. state.Addresses.Where(a => a.Address.ToString() != what)] },
        };
    }
}
