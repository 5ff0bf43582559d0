using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class RepairBrakeTests
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

        Assert.Contains("it was deleted", Problems.Of(agent.Pass()).Single(), StringComparison.Ordinal);
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

        Assert.Equal(TimeSpan.FromSeconds(6), report.HeldBackFor);
        Assert.Equal("10.244.2.0/24", Assert.Single(report.HeldBack).Destination.ToString());
        Assert.Equal(
            "somebody keeps changing our route 10.244.2.0/24 (a route via 10.0.0.9 of protocol static stood there): it is repaired only every 10 s",
            Assert.Single(Problems.Of(report)));
    }

    [Fact]
    public void A_fight_lasts_in_the_report_through_the_passes_between_repairs()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 5; i++)
            Fight(agent);

        string[] quiet = [.. Problems.Of(agent.Pass())];
        agent.Time.Advance(TimeSpan.FromSeconds(10));
        agent.Host.Overwrite("10.244.2.0/24 via 10.0.0.8 dev eth0 proto 3");
        string[] repaired = [.. Problems.Of(agent.Pass())];

        Assert.Single(quiet);
        Assert.Equal(quiet, repaired);
    }

    [Fact]
    public void A_minute_after_the_fight_all_is_forgotten()
    {
        Agent agent = new();
        agent.Pass();
        for (int i = 0; i < 5; i++)
            Fight(agent);
        agent.Time.Advance(TimeSpan.FromSeconds(61));

        Assert.Empty(Problems.Of(agent.Pass()));
        for (int i = 0; i < 5; i++)
            Assert.True(Fight(agent));
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
            Assert.Empty(agent.Pass().Contested);

        agent.Host.Refusal = _ => null;
        Assert.Equal(["add 10.244.2.0/24"], agent.Did());
    }

    // True if our route stands after the pass that follows somebody's attack.
    private static bool Fight(Agent agent)
    {
        agent.Host.Overwrite(Foe);
        agent.Pass();
        return !agent.Host.Routes.Contains(Foe);
    }
}
