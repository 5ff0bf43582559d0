using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

/// <summary>The link hostgw0: what is made of it, put in order, deleted and left, and when it is repaired.</summary>
public class TunnelLinkTests
{
    private const string Right = "10.244.1.1/32 fd00:1::1/128";

    private static readonly TunnelPlan Wanted = new(4790, 157, [Ip.Parse("10.244.1.1"), Ip.Parse("fd00:1::1")]);
    private static readonly Plan Plan = new()
    {
        Tunnel = Wanted,
        OwnPodCidrs = [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("fd00:1::/64")],
    };

    /// <summary>What is wrong with the link, its addresses, and what is done.</summary>
    [Theory]
    [InlineData("none", "", "create +10.244.1.1 +fd00:1::1: missing (UDP port 4790, VNI 157)")]
    [InlineData("", Right, "")]
    [InlineData("", "10.244.1.1/32", "+fd00:1::1")]
    [InlineData("", "10.244.1.1/24 fd00:1::1/128", "+10.244.1.1 -10.244.1.1/24")]
    [InlineData("", Right + " 10.244.1.9/32", "-10.244.1.9/32")]
    [InlineData("", Right + " fd00:1::9/64", "-fd00:1::9/64")]
    [InlineData("", Right + " 10.9.9.9/24 fe80::7/64", "")]
    [InlineData("", "10.244.9.1/32 fd00:9::1/128", "+10.244.1.1 +fd00:1::1 -10.244.9.1/32 -fd00:9::1/128")]
    [InlineData("down", Right, "order: down")]
    [InlineData("setting", Right, "order: ipv4 rp_filter 1")]
    [InlineData("setting vni down", "", "order +10.244.1.1 +fd00:1::1: ipv4 rp_filter 1, VNI 158, down")]
    [InlineData("novni", Right, "order: VNI none")]
    [InlineData("nofilter", Right, "")]
    [InlineData("port", Right, "create +10.244.1.1 +fd00:1::1 delete: on UDP port 4791: created again (UDP port 4790, VNI 157)")]
    [InlineData("kind", Right, "create +10.244.1.1 +fd00:1::1 delete: no VXLAN-GPE in external mode: created again (UDP port 4790, VNI 157)")]
    [InlineData("name", Right, "create +10.244.1.1 +fd00:1::1 delete: named other: created again (UDP port 4790, VNI 157)")]
    [InlineData("noipv6", Right, "order: without IPv6")]
    [InlineData("stray", Right, "x: another one, named other")]
    [InlineData("stray foreign", "", "x: another one, named other")]
    [InlineData("stray none", "", "x create +10.244.1.1 +fd00:1::1: another one, named other; missing (UDP port 4790, VNI 157)")]
    [InlineData("foreign", "", "")]
    [InlineData("foreign kind down", "10.244.1.9/32", "")]
    public void What_is_not_as_planned_is_changed(string link, string addresses, string expected) =>
        Assert.Equal(expected, Text(TunnelChanges.Between(Plan, Host(link, addresses))));

    [Theory]
    [InlineData("none", "")]
    [InlineData("", "delete")]
    [InlineData("name", "delete")]
    [InlineData("kind down", "delete")]
    [InlineData("stray", "x delete: another one, named other")]
    [InlineData("stray foreign", "x: another one, named other")]
    [InlineData("foreign", "")]
    public void Where_no_tunnel_is_planned_ours_is_deleted(string link, string expected) =>
        Assert.Equal(expected, Text(TunnelChanges.Between(new(), Host(link, Right))));

    [Theory]
    [InlineData(PlanScope.AddRoutes)]
    [InlineData(PlanScope.Nothing)]
    public void While_the_plan_may_not_be_carried_out_nothing_is_changed(int scope)
    {
        foreach (string link in (string[])["none", "down", "port"])
            Assert.True(TunnelChanges.Between(Plan with { Scope = (PlanScope)scope }, Host(link, "")).IsEmpty);
        Assert.True(TunnelChanges.Between(new() { Scope = (PlanScope)scope }, Host("", Right)).IsEmpty);
    }

    [Fact]
    public void What_the_host_refused_is_no_change()
    {
        TunnelChanges create = TunnelChanges.Between(Plan, Host("port", Right)), delete = TunnelChanges.Between(new(), Host("", Right));
        TunnelChanges sources = TunnelChanges.Between(Plan, Host("", "10.244.1.1/32 10.244.1.9/32"));
        Assert.Same(create, create.Without(Refused(HostPart.Routes)));
        Assert.True(create.Without(Refused(HostPart.Tunnel)).IsEmpty);
        Assert.True(create.Without(Refused(HostPart.Guards)).IsEmpty);
        Assert.Equal("-10.244.1.9/32", Text(sources.Without(Refused(HostPart.Guards))));
        Assert.Equal("delete", Text(delete.Without(Refused(HostPart.Guards))));
    }

    // The kernel need not announce to us what we have made, and routes over the link need its index.
    [Fact]
    public void A_pass_that_created_it_or_made_it_usable_is_followed_by_another_at_once()
    {
        PassTimes times = new(LoopTimes.WithResync(60), new ManualTime());
        PassReport created = Report(TunnelChanges.Between(Plan, Host("none", "")));
        times.After(created);
        Assert.Equal((TimeSpan.Zero, WakeCauses.Links, true), (times.Wait, times.CauseAfterWait, created.IsUnfinished));
        times.After(Report(TunnelChanges.Between(Plan, Host("port", ""))));
        Assert.Equal(TimeSpan.Zero, times.Wait);
        foreach ((string link, string addresses) in ((string, string)[])[("down", Right), ("", "fd00:1::1/128")])
        {
            times.After(Report(TunnelChanges.Between(Plan, Host(link, addresses))));
            Assert.Equal(TimeSpan.Zero, times.Wait);
        }
        times.After(Report(TunnelChanges.Between(Plan, Host("", Right + " 10.244.1.9/32"))));
        Assert.Equal(TimeSpan.FromSeconds(60), times.Wait);
        times.After(created with
        {
            Changes = created.Changes.Without(Refused(HostPart.Tunnel)),
            Result = Refused(HostPart.Tunnel),
            Causes = WakeCauses.Retry,
        });
        Assert.Equal(TimeSpan.FromSeconds(2), times.Wait);
    }

    // What a link becomes while it is down the kernel need not announce.
    [Theory]
    [InlineData("foreign down", true)]
    [InlineData("foreign", false)]
    [InlineData("none", false)]
    public void A_foreign_link_that_is_down_is_looked_at_again(string link, bool isUnfinished)
    {
        PassTimes times = new(LoopTimes.WithResync(3600), new ManualTime());
        foreach (Plan plan in (Plan[])[Plan, new()])
        {
            PassReport report = Report(TunnelChanges.Between(plan, Host(link, ""))) with { Causes = WakeCauses.Links };
            bool isMade = plan.Tunnel is not null && link == "none";
            times.After(report);
            Assert.Equal((isUnfinished || isMade, false), (report.IsUnfinished, report.Changed && !isMade));
            Assert.Equal(TimeSpan.FromSeconds(isUnfinished ? 1 : isMade ? 0 : 3600), times.Wait);
            times.After(report with { Causes = WakeCauses.Retry });
            Assert.Equal(TimeSpan.FromSeconds(isUnfinished ? 2 : isMade ? 0 : 3600), times.Wait);
            times.After(Report(TunnelChanges.None));
        }
    }

    // Peers may use the tunnel before this host has a route over it.
    [Fact]
    public void IPv4_packets_from_the_tunnel_are_forwarded()
    {
        HostState host = Host("", "") with { Forwarding = new(true, true) };
        host = host with { Interfaces = [.. host.Interfaces.Select(i => i with { ForwardsIPv4 = i.Name != "hostgw0" })] };
        Assert.Equal(["hostgw0"], HostDiff.Between(Plan with { ForwardIPv4 = true }, host, new HashSet<RouteKey>(), AdoptMode.None).ForwardIPv4On);
        Assert.Empty(HostDiff.Between(new() { ForwardIPv4 = true }, host, new HashSet<RouteKey>(), AdoptMode.None).ForwardIPv4On);
    }

    [Fact]
    public void One_that_comes_again_and_again_is_deleted_more_slowly()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 5; i++)
        {
            agent.Host.SetTunnel(new(7) { IsOurs = true });
            PassReport repaired = agent.Pass(WakeCauses.Links);
            Assert.Equal((true, 1L), (repaired.Changed, repaired.Repairs.Tunnel));
            Assert.Null(agent.Host.State.Tunnel);
        }
        agent.Host.SetTunnel(new(7) { IsOurs = true });

        PassReport held = agent.Pass(WakeCauses.Links);

        Assert.Equal((true, TimeSpan.FromSeconds(10)), (held.Changes.Tunnel.IsEmpty, held.HeldRepairs.Wait));
        Assert.Contains(
            ProblemCatalog.All(held), p => p.Rule == "TunnelContested" && p.Text.Contains("(not needed)", StringComparison.Ordinal));
        agent.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.NotNull(agent.Pass(WakeCauses.Retry).Changes.Tunnel.Delete);
    }

    [Fact]
    public void One_that_an_earlier_agent_left_is_deleted_and_that_is_no_repair()
    {
        Agent agent = new();
        agent.Host.SetTunnel(new(7) { IsOurs = true });
        PassReport report = agent.Pass();
        Assert.Equal((7, 0L), (report.Changes.Tunnel.Delete!.Index, report.Repairs.Tunnel));
        Assert.True(agent.Pass().Changes.Tunnel.IsEmpty);
    }

    [Fact]
    public void One_that_the_host_does_not_delete_is_a_failure_and_no_repair()
    {
        Agent agent = new();
        agent.Pass();
        agent.Host.Refusal = what => what.StartsWith("tunnel", StringComparison.Ordinal) ? new HostRefusal("no") : null;
        agent.Host.SetTunnel(new(7) { IsOurs = true });
        PassReport report = agent.Pass();
        Assert.Equal(HostPart.Tunnel, Assert.Single(report.Failures).Part);
        Assert.Equal((true, 0L), (report.Changes.Tunnel.IsEmpty, report.Repairs.Tunnel));
        Assert.Contains(ProblemCatalog.Failures(report), p => p.Rule == "TunnelNotApplied");
    }

    private static ApplyResult Refused(HostPart part) => new() { Failures = [new(part, "do it", null, new HostRefusal("no"))] };

    private static PassReport Report(TunnelChanges changes) =>
        new() { Plan = Plan, Changes = new() { Routes = RouteChanges.None, Tunnel = changes } };

    private static HostState Host(string link, string addresses)
    {
        HostState host = Given.Host($"{Given.Lan}; hostgw0 {addresses}".TrimEnd());
        string[] wrong = link.Split(' ');
        int index = host.Interfaces.Single(i => i.Name == "hostgw0").Index;
        if (wrong.Contains("stray"))
            host = host with { Interfaces = [.. host.Interfaces, new(99, "other", IsUp: true, IsLoopback: false) { IsTunnel = true }] };
        return wrong.Contains("none") ? host with { Tunnel = null } : host with
        {
            Tunnel = new(index)
            {
                Name = wrong.Contains("name") ? "other" : "hostgw0",
                IsOurs = !wrong.Contains("foreign"),
                IsUp = !wrong.Contains("down"),
                IsVxlanGpe = !wrong.Contains("kind"),
                Port = wrong.Contains("port") ? 4791 : 4790,
                FiltersVnis = !wrong.Contains("nofilter"),
                Vnis = wrong.Contains("vni") ? [158] : wrong.Contains("novni") || wrong.Contains("nofilter") ? [] : [157],
                HasIPv6 = !wrong.Contains("noipv6"),
                WrongSetting = wrong.Contains("setting") ? "ipv4 rp_filter 1" : "",
            },
        };
    }

    private static string Text(TunnelChanges changes)
    {
        string did = string.Join(' ',
        [
            .. changes.Strays.Select(s => s.Index == 99 ? "x" : ""), .. changes.Make is null ? [] : new[] { changes.Link is null ? "create" : "order" },
            .. changes.AddSources.Select(s => $"+{s}"), .. changes.DeleteSources.Select(a => $"-{a.Address}/{a.Connected.Length}"),
            .. changes.Delete is null ? [] : new[] { "delete" },
        ]);
        Assert.Equal(did.Length == 0, changes.IsEmpty);
        string why = string.Join("; ", changes.Strays.Select(TunnelChanges.StrayText).Append(changes.Reason).Where(w => w.Length > 0));
        return why.Length > 0 ? $"{did}: {why}" : did;
    }
}
