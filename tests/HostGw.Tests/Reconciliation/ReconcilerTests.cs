using HostGw.Planning;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class ReconcilerTests
{
    [Fact]
    public void The_first_pass_makes_everything_in_an_order_that_loses_no_traffic()
    {
        Agent agent = new() { Nodes = [Given.Self, "b 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2"] };

        Assert.Equal(
            [
                "forward ipv4", "forward ipv6", "guards changed", "nat created", "add 10.244.2.0/24", "add fd00:10:244:2::/64",
                "add probe address 10.244.1.0", "add probe address fd00:10:244:1::",
            ],
            agent.Did());
        Assert.Equal(["10.244.2.0/24 via 10.0.0.2 dev eth0", "fd00:10:244:2::/64 via fd00:aaaa::2 dev eth0"], agent.Host.OurRoutes);
        Assert.Equal("10.244.1.0/24,fd00:10:244:1::/64", string.Join(",", agent.Host.Nat!.Sources));
    }

    [Fact]
    public void A_quiet_pass_writes_nothing()
    {
        Agent agent = new();
        agent.Pass();
        long writes = agent.Host.Writes;

        PassReport second = agent.Pass();

        Assert.Equal(writes, agent.Host.Writes);
        Assert.False(second.Changed);
        Assert.False(second.IsUnfinished);
    }

    [Fact]
    public void A_node_joins_leaves_and_moves()
    {
        Agent agent = new();
        agent.Pass();

        agent.Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 10.0.0.4"];
        Assert.Equal(["nat changed", "add 10.244.4.0/24"], agent.Did());

        agent.Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 10.0.0.44"];
        Assert.Equal(["replace 10.244.4.0/24"], agent.Did());
        Assert.Contains("10.244.4.0/24 via 10.0.0.44 dev eth0", agent.Host.OurRoutes);

        agent.Nodes = Agent.ThreeNodes;
        Assert.Equal(["nat changed", "delete 10.244.4.0/24"], agent.Did());
    }

    [Fact]
    public void Additions_and_replacements_come_before_deletions()
    {
        Agent agent = new();
        agent.Pass();

        agent.Nodes = [Given.Self, "c 10.244.3.0/24 10.0.0.33", "d 10.244.4.0/24 10.0.0.4"];

        Assert.Equal(
            ["add 10.244.4.0/24", "replace 10.244.3.0/24", "delete 10.244.2.0/24"],
            agent.Did().Where(did => !did.StartsWith("nat", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_route_that_is_refused_blocks_no_other_and_is_tried_again()
    {
        Agent agent = new();
        agent.Host.Refusal = what => what == "add 10.244.2.0/24" ? new HostRefusal("Network is unreachable") : null;

        PassReport report = agent.Pass();

        Assert.Equal(["10.244.3.0/24 via 10.0.0.3 dev eth0"], agent.Host.OurRoutes);
        Assert.Equal("Network is unreachable", Assert.Single(report.Failures).Error.Message);
        Assert.True(report.IsUnfinished);
        Assert.Equal(["10.244.3.0/24"], report.Routes.Add.Select(r => r.Destination.ToString()));

        agent.Host.Refusal = _ => null;
        Assert.Equal(["add 10.244.2.0/24"], agent.Did());
    }

    [Fact]
    public void What_cannot_be_deleted_is_tried_again()
    {
        Agent agent = new();
        agent.Pass();
        agent.Nodes = Agent.ThreeNodes[..2];
        agent.Host.Refusal = what => what == "delete 10.244.3.0/24" ? new HostRefusal("Device or resource busy") : null;

        PassReport report = agent.Pass();
        Assert.True(report.IsUnfinished);
        Assert.Empty(report.Routes.Delete);

        agent.Host.Refusal = _ => null;
        Assert.Equal(["delete 10.244.3.0/24"], agent.Did());
    }

    [Fact]
    public void A_host_that_cannot_be_read_is_left_alone()
    {
        Agent agent = new();
        agent.Pass();
        agent.Host.ReadRefusal = new HostRefusal("No buffer space available");
        agent.Nodes = [Given.Self];

        PassReport report = agent.Pass();

        Assert.Null(report.Plan);
        Assert.True(report.IsUnfinished);
        Assert.Equal("42", report.ResourceVersion);
        Assert.Equal(2, agent.Host.OurRoutes.Count());

        agent.Host.ReadRefusal = null;
        Assert.Equal(["nat changed", "delete 10.244.2.0/24", "delete 10.244.3.0/24"], agent.Did());
    }

    [Fact]
    public void The_watch_learns_which_destinations_matter()
    {
        Agent agent = new();
        PassReport report = agent.Pass();

        Assert.Same(report.Plan, agent.Host.Expected);
    }
}
