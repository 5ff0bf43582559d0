using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

/// <summary>Repairs of routes. Those of rules: <see cref="RuleRepairTests"/>; of the CNI configuration: <see cref="CniTests"/>.</summary>
public class RepairLimiterTests
{
    private const string Foe = "10.244.2.0/24 via 10.0.0.9 dev eth0 proto 4";

    [Fact]
    public void After_five_repairs_in_a_minute_the_next_come_every_ten_seconds()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 5; i++)
            Assert.True(Fight(agent), $"repair {i + 1}");

        Assert.False(Fight(agent));
        agent.Time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(Fight(agent));
        agent.Time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(Fight(agent));
        Assert.False(Fight(agent));
        agent.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(Fight(agent));
    }

    [Fact]
    public void A_clock_that_is_set_back_puts_no_repair_off()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 5; i++)
            Fight(agent);
        agent.Time.SetClock(TimeSpan.FromHours(-2));

        Assert.False(Fight(agent));
        agent.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(Fight(agent));
    }

    [Fact]
    public void Who_deletes_our_route_again_and_again_is_braked_too()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 6; i++)
        {
            agent.Host.Remove("10.244.2.0/24");
            agent.Pass();
            Assert.Equal(i < 5, agent.Host.OurRoutes.Count() == 2);
            if (i == 5)
                break;
        }

        Assert.Contains("it was deleted", ProblemCatalog.Texts(agent.Pass()).Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_report_says_when_the_repair_is_due_and_who_fights()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 5; i++)
            Fight(agent);
        agent.Time.Advance(TimeSpan.FromSeconds(4));
        agent.Host.Overwrite(Foe);

        PassReport report = agent.Pass();

        Assert.Equal(TimeSpan.FromSeconds(6), report.HeldRepairs.Wait);
        Assert.Equal("10.244.2.0/24", Assert.Single(report.HeldRepairs.Routes).Destination.ToString());
        Assert.Equal(
            "another program keeps changing HostGw's route 10.244.2.0/24 (a route via 10.0.0.9 of protocol static was in its place): " +
            "it is repaired only every 10 s",
            Assert.Single(ProblemCatalog.Texts(report)));
    }

    [Fact]
    public void A_fight_lasts_in_the_report_through_the_passes_between_repairs()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 5; i++)
            Fight(agent);

        string[] quiet = [.. ProblemCatalog.Texts(agent.Pass())];
        agent.Time.Advance(TimeSpan.FromSeconds(10));
        agent.Host.Overwrite("10.244.2.0/24 via 10.0.0.8 dev eth0 proto 3");
        string[] repaired = [.. ProblemCatalog.Texts(agent.Pass())];

        Assert.Single(quiet);
        Assert.Equal(quiet, repaired);
    }

    [Theory]
    [InlineData("cni0", "IPv4 forwarding of cni0")]
    [InlineData("default", "IPv4 forwarding of default")]
    [InlineData("all", "IPv4 forwarding")]
    [InlineData("IPv6", "IPv6 forwarding")]
    [InlineData("accept_ra", "accept_ra of cni0")]
    public void Who_changes_forwarding_or_router_advertisements_again_and_again_is_braked_too(string what, string said)
    {
        Agent agent = new("", Given.Lan + "; cni0 10.244.1.1/24");
        agent.Pass();
        Assert.Empty(ProblemCatalog.Texts(agent.Pass()));
        for (int i = 0; i < 5; i++)
            Assert.True(Fights(), $"repair {i + 1}");
        Assert.False(Fights());
        PassReport report = agent.Pass();
        Assert.Equal(TimeSpan.FromSeconds(10), report.HeldRepairs.Wait);
        Assert.Equal(
            $"another program keeps changing {said}: it is set only every 10 s", Assert.Single(ProblemCatalog.Texts(report)));

        agent.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(Fights());
        Assert.False(Fights());
        agent.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.NotEmpty(ProblemCatalog.Texts(agent.Pass()));
        TimeSpan rest = agent.Pass().Contests.Rest!.Value;
        Assert.Equal(TimeSpan.FromMinutes(1), rest);
        agent.Time.Advance(rest);
        Assert.Empty(ProblemCatalog.Texts(agent.Pass()));

        bool Fights()
        {
            agent.Host.Turn(what, off: true);
            PassReport pass = agent.Pass(WakeCauses.Forwarding);
            Assert.Equal(agent.Host.IsRight && what != "accept_ra", pass.Repairs.Forwarding == 1);
            return agent.Host.IsRight;
        }
    }

    [Fact]
    public void A_contest_that_gets_over_while_changes_are_applied_is_followed_by_a_pass_at_once()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 6; i++)
        {
            agent.Host.Turn("all", off: true);
            agent.Pass();
        }
        agent.Host.Turn("all", off: false);
        agent.Time.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromMilliseconds(10));
        agent.Host.Race = () => agent.Time.Advance(TimeSpan.FromMilliseconds(20));

        PassTimes times = new(LoopTimes.WithResync(60), agent.Time);
        times.After(agent.Pass());

        Assert.Equal(TimeSpan.Zero, times.Wait);
        Assert.Empty(ProblemCatalog.Texts(agent.Pass()));
    }

    [Fact]
    public void A_new_interface_of_pods_never_waits_for_a_fight_over_another_one()
    {
        Agent agent = new("", Given.Lan + "; cni0 10.244.1.1/24");
        agent.Pass();
        for (int i = 0; i < 7; i++)
        {
            agent.Host.Turn("cni0", off: true);
            agent.Pass();
        }
        HostInterface veth = agent.Host.State.Interfaces.Single(l => l.Name == "cni0") with { Index = 77, Name = "veth77", AcceptRa = 1 };
        agent.Host.State = agent.Host.State with
        {
            Interfaces = [.. agent.Host.State.Interfaces, veth],
            Addresses = [.. agent.Host.State.Addresses, new(Ip.Parse("10.244.1.1"), Prefix.Parse("10.244.1.1/32"), 77)],
        };

        PassReport report = agent.Pass();
        Assert.Equal(["veth77"], report.Changes.ForwardIPv4On);
        Assert.Equal("veth77", Assert.Single(report.Changes.AcceptRa).Interface);
    }

    [Fact]
    public void Who_plugs_an_interface_in_again_and_again_fights_with_nobody()
    {
        Agent agent = new("", Given.Lan + "; cni0 10.244.1.1/24");
        agent.Pass();
        for (int i = 0; i < 12; i++)
        {
            string link = i % 2 == 0 ? "eth0" : "cni0";
            Replug(agent, link, 100 + i);
            PassReport report = agent.Pass();
            Assert.Equal((link, 0), (Assert.Single(report.Changes.AcceptRa).Interface, ProblemCatalog.Texts(report).Count()));
            Assert.Equal([link], report.Changes.ForwardIPv4On);
            Assert.Equal(link == "eth0" ? 2 : 0, agent.Host.State.Interfaces.Single(l => l.Name == link).AcceptRa);
        }
    }

    // The kernel removes routes with a link that goes down, and the pass sees it up again.
    [Fact]
    public void Routes_that_go_with_a_link_again_and_again_are_put_back_at_once_and_no_repair()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 12; i++)
        {
            agent.Host.Remove("10.244.2.0/24");
            PassReport report = agent.Pass(WakeCauses.Links | WakeCauses.Routes);
            Assert.Equal((2, 0, default), (agent.Host.OurRoutes.Count(), ProblemCatalog.Texts(report).Count(), report.Repairs));
        }
        agent.Host.Overwrite(Foe);
        Assert.Equal(1, agent.Pass(WakeCauses.Links).Repairs.RoutesOverwritten);
    }

    [Fact]
    public void A_link_that_goes_down_and_comes_up_again_and_again_needs_no_repair_of_its_settings()
    {
        Agent agent = new("", Given.Lan + "; cni0 10.244.1.1/24");
        agent.Pass();
        Replug(agent, "eth0", 100);
        Assert.NotEmpty(agent.Pass().Changes.AcceptRa);
        for (int i = 0; i < 12; i++)
        {
            agent.Host.State = With(agent, "eth0", l => l with { IsUp = !l.IsUp });
            PassReport report = agent.Pass();
            Assert.Empty(HostSetting.Of(report.Changes));
            Assert.DoesNotContain(ProblemCatalog.Texts(report), t => t.Contains("another program", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void An_uplink_gets_its_accept_ra_whenever_forwarding_goes_on()
    {
        HostChanges changes = new()
        {
            Routes = RouteChanges.None,
            EnableForwardingIPv6 = true,
            AcceptRa = [new("eth0", 2)],
            Host = new() { Forwarding = new(true, false) },
        };
        Assert.Single(HostSetting.Without(changes, s => s.Interface is not null).AcceptRa);
        Assert.Empty(HostSetting.Without(changes, _ => true).AcceptRa);
    }

    [Fact]
    public void A_minute_after_the_fight_all_is_forgotten()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 5; i++)
            Fight(agent);
        agent.Time.Advance(TimeSpan.FromSeconds(61));

        Assert.Empty(ProblemCatalog.Texts(agent.Pass()));
        for (int i = 0; i < 5; i++)
            Assert.True(Fight(agent));
    }

    [Fact]
    public void A_fight_that_is_slower_than_the_limit_is_one_problem_until_a_minute_passes_without_a_repair()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 5; i++)
            Fight(agent);
        for (int i = 0; i < 20; i++)
        {
            agent.Time.Advance(TimeSpan.FromSeconds(14));
            Assert.True(Fight(agent));
            Assert.Single(agent.Pass().Contests.Routes);
        }
        agent.Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Empty(agent.Pass().Contests.Routes);
    }

    [Fact]
    public void One_fight_holds_back_no_other_route()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 5; i++)
            Fight(agent);
        agent.Host.Overwrite(Foe);
        agent.Host.Remove("10.244.3.0/24");
        agent.Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 10.0.0.4"];

        agent.Pass();

        Assert.Equal(["10.244.3.0/24 via 10.0.0.3 dev eth0", "10.244.4.0/24 via 10.0.0.4 dev eth0"], agent.Host.OurRoutes);
    }

    [Fact]
    public void Changes_that_the_cluster_asks_for_are_no_repairs()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 10; i < 30; i++)
        {
            agent.Nodes = [Given.Self, $"b 10.244.2.0/24 10.0.0.{i}"];
            agent.Pass();
            Assert.Equal([$"10.244.2.0/24 via 10.0.0.{i} dev eth0"], agent.Host.OurRoutes);
        }
    }

    [Fact]
    public void A_repair_that_the_host_refuses_is_no_fight()
    {
        Agent agent = new();
        agent.Pass();
        agent.Host.Remove("10.244.2.0/24");
        agent.Host.Refusal = what => what == "add 10.244.2.0/24" ? new HostRefusal("Network is down") : null;
        for (int i = 0; i < 10; i++)
            Assert.Empty(agent.Pass().Contests.Routes);

        agent.Host.Refusal = _ => null;
        Assert.Equal(["add 10.244.2.0/24"], agent.Did());
    }

    [Fact]
    public void A_wanted_change_that_the_host_refused_at_first_is_no_repair_and_waits_for_no_fight()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 5; i++)
            Fight(agent);
        agent.Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.7", "c 10.244.3.0/24 10.0.0.3"];
        agent.Host.Refusal = what => what == "replace 10.244.2.0/24" ? new HostRefusal("Network is unreachable") : null;
        for (int i = 0; i < 3; i++)
            Assert.NotEmpty(agent.Pass(WakeCauses.Retry).Failures);

        agent.Host.Refusal = _ => null;
        PassReport made = agent.Pass(WakeCauses.Retry);

        Assert.Empty(made.HeldRepairs.Routes);
        Assert.Equal(default, made.Repairs);
        Assert.Contains("10.244.2.0/24 via 10.0.0.7 dev eth0", agent.Host.OurRoutes);
        agent.Time.Advance(TimeSpan.FromSeconds(61));
        agent.Host.Overwrite(Foe);
        Assert.Equal(1, agent.Pass().Repairs.RoutesOverwritten);
    }

    [Fact]
    public void A_repair_that_the_host_refused_at_first_is_counted_when_it_is_made()
    {
        Agent agent = new();
        agent.Pass();
        agent.Host.Remove("10.244.2.0/24");
        agent.Host.Refusal = what => what == "add 10.244.2.0/24" ? new HostRefusal("Network is down") : null;
        Assert.Equal(0, agent.Pass().Repairs.RoutesRemoved);

        agent.Host.Refusal = _ => null;
        Assert.Equal(1, agent.Pass(WakeCauses.Retry).Repairs.RoutesRemoved);
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(9, 1)]
    [InlineData(10, null)]
    [InlineData(11, null)]
    public void The_wait_for_the_next_repair_ends_and_is_never_less_than_none(int seconds, int? left)
    {
        ManualTime time = new();
        RepairRate rate = new(time);
        for (int i = 0; i < RepairRate.FreeRepairs; i++)
            rate.Count("it was deleted");
        time.Advance(TimeSpan.FromSeconds(seconds));
        Assert.Equal(left is { } wait ? TimeSpan.FromSeconds(wait) : null, rate.Wait);
    }

    // With the kernel's defaults; its routes are gone.
    private static void Replug(Agent agent, string link, int index)
    {
        HostInterface before = agent.Host.State.Interfaces.Single(i => i.Name == link);
        HostState state = With(agent, link, i => i with { Index = index, AcceptRa = link == "eth0" ? 1 : 2, ForwardsIPv4 = false });
        agent.Host.State = state with
        {
            Addresses = [.. state.Addresses.Select(a => a.Interface == before.Index ? a with { Interface = index } : a)],
        };
        foreach (string destination in link == "eth0" ? (string[])["10.244.2.0/24", "10.244.3.0/24"] : [])
            agent.Host.Remove(destination);
    }

    private static HostState With(Agent agent, string link, Func<HostInterface, HostInterface> change) =>
        agent.Host.State with { Interfaces = [.. agent.Host.State.Interfaces.Select(i => i.Name == link ? change(i) : i)] };

    // True if our route stands after the pass that follows somebody's attack.
    private static bool Fight(Agent agent)
    {
        agent.Host.Overwrite(Foe);
        agent.Pass();
        return !agent.Host.Routes.Contains(Foe);
    }
}
