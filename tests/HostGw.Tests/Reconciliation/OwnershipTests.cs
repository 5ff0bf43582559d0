using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class OwnershipTests
{
    private const string Foreign = "10.244.2.0/24 via 10.0.0.9 dev eth0 proto 4";

    [Fact]
    public void A_foreign_route_that_stood_before_is_never_touched_and_is_reported()
    {
        Agent agent = new(host: $"{Given.Lan}; {Foreign}");

        for (int i = 0; i < 3; i++)
        {
            PassReport report = agent.Pass();
            Assert.Equal("10.244.2.0/24", Assert.Single(report.Routes.Conflicts).Route.Destination.ToString());
            Assert.Empty(report.Failures);
        }
        Assert.Contains(Foreign, agent.Host.Routes);
    }

    [Fact]
    public void When_the_foreign_route_goes_ours_takes_its_place()
    {
        Agent agent = new(host: $"{Given.Lan}; {Foreign}");
        agent.Pass();
        agent.Host.Remove("10.244.2.0/24");

        Assert.Equal(["add 10.244.2.0/24"], agent.Did());
    }

    [Theory]
    [InlineData("next hop", Foreign)]
    [InlineData("mark alone", "10.244.2.0/24 via 10.0.0.2 dev eth0 proto 3")]
    [InlineData("next hop under our mark", "10.244.2.0/24 via 10.0.0.9 dev eth0 proto 157")]
    public void A_route_of_ours_that_somebody_overwrote_is_put_right(string changed, string route)
    {
        Agent agent = new();
        agent.Pass();
        agent.Host.Overwrite(route);

        Assert.True(agent.Did() is ["replace 10.244.2.0/24"], changed);
        Assert.Contains("10.244.2.0/24 via 10.0.0.2 dev eth0", agent.Host.Routes);
    }

    [Fact]
    public void A_repair_that_was_refused_is_tried_again()
    {
        Agent agent = new();
        agent.Pass();
        agent.Host.Overwrite(Foreign);
        agent.Host.Refusal = what => what == "replace 10.244.2.0/24" ? new HostRefusal("Network is down") : null;
        agent.Pass();

        agent.Host.Refusal = _ => null;

        Assert.Equal(["replace 10.244.2.0/24"], agent.Did());
    }

    [Fact]
    public void A_route_of_ours_that_somebody_deleted_is_put_back()
    {
        Agent agent = new();
        agent.Pass();
        agent.Host.Remove("10.244.3.0/24");

        Assert.Equal(["add 10.244.3.0/24"], agent.Did());
    }

    [Fact]
    public void A_route_of_ours_with_another_metric_is_drift()
    {
        Agent agent = new();
        agent.Pass();
        agent.Host.Remove("10.244.2.0/24");
        agent.Host.Overwrite("10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157 metric 50");

        Assert.Equal(["add 10.244.2.0/24", "delete 10.244.2.0/24"], agent.Did());
        Assert.Equal(2, agent.Host.OurRoutes.Count());
    }

    [Fact]
    public void A_foreign_route_that_comes_between_reading_and_writing_is_a_conflict_from_then_on()
    {
        Agent agent = new();
        agent.Host.Race = () => agent.Host.Overwrite(Foreign);

        PassReport raced = agent.Pass();
        Assert.Equal("File exists", Assert.Single(raced.Failures).Error.Message);

        PassReport next = agent.Pass();
        Assert.Single(next.Routes.Conflicts);
        Assert.Empty(next.Failures);
        Assert.Contains(Foreign, agent.Host.Routes);
    }

    [Fact]
    public void A_route_that_was_never_made_is_not_ours_to_defend()
    {
        Agent agent = new();
        agent.Host.Refusal = what => what == "add 10.244.2.0/24" ? new HostRefusal("Network is unreachable") : null;
        agent.Pass();

        agent.Host.Overwrite(Foreign);
        agent.Host.Refusal = _ => null;
        agent.Pass();

        Assert.Contains(Foreign, agent.Host.Routes);
    }

    [Fact]
    public void What_the_agent_made_before_its_restart_is_ours_to_defend()
    {
        Agent agent = new();
        agent.Pass();
        agent.Restart();
        agent.Pass();

        agent.Host.Overwrite(Foreign);
        agent.Pass();

        Assert.DoesNotContain(Foreign, agent.Host.Routes);
    }

    [Fact]
    public void What_somebody_overwrote_while_no_agent_ran_is_a_conflict()
    {
        Agent agent = new() { Adopt = AdoptMode.None };
        agent.Pass();
        agent.Host.Overwrite(Foreign);
        agent.Restart();

        Assert.Single(agent.Pass().Routes.Conflicts);
        Assert.Contains(Foreign, agent.Host.Routes);
    }

    [Fact]
    public void The_ledger_forgets_what_is_no_longer_wanted()
    {
        Agent agent = new();
        agent.Pass();
        agent.Nodes = [Given.Self, Agent.ThreeNodes[2]];
        agent.Pass();
        agent.Host.Append(Foreign);

        agent.Nodes = Agent.ThreeNodes;
        PassReport report = agent.Pass();

        Assert.Single(report.Routes.Conflicts);
        Assert.Contains(Foreign, agent.Host.Routes);
    }

    [Fact]
    public void The_ledger_keeps_what_waits()
    {
        Agent agent = new();
        agent.Pass();
        HostState before = agent.Host.State;
        agent.Host.State = before with { Addresses = [.. before.Addresses.Where(a => a.Interface == 1)] };
        agent.Pass();
        agent.Host.Overwrite(Foreign);
        agent.Host.State = before;

        agent.Pass();

        Assert.DoesNotContain(Foreign, agent.Host.Routes);
    }

    [Fact]
    public void While_the_own_node_is_gone_the_ledger_is_kept()
    {
        Agent agent = new();
        agent.Pass();
        agent.Nodes = [];
        agent.Pass();
        agent.Host.Overwrite(Foreign);
        agent.Pass();
        Assert.Contains(Foreign, agent.Host.Routes);

        agent.Nodes = Agent.ThreeNodes;
        agent.Pass();

        Assert.DoesNotContain(Foreign, agent.Host.Routes);
    }

    [Fact]
    public void An_equivalent_route_is_adopted_in_place_and_is_no_fight()
    {
        Agent agent = new(host: $"{Given.Lan}; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 3");

        PassReport report = agent.Pass();

        Assert.Equal(CorrectionCause.Adopted, Assert.Single(report.Routes.Replace).Cause);
        Assert.Equal(2, agent.Host.OurRoutes.Count());
    }
}
