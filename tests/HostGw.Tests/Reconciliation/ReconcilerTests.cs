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
            ["forward ipv4", "forward ipv6", "nat created", "add 10.244.2.0/24", "add fd00:10:244:2::/64"], agent.Did());
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

    [Theory]
    [InlineData("the own node is gone", "b 10.244.2.0/24 10.0.0.2")]
    [InlineData("the own podCIDR lies outside clusterCidrs", "self 10.99.1.0/24 10.0.0.1")]
    public void While_the_own_node_is_not_in_order_nothing_is_touched(string because, string node)
    {
        Agent agent = new("clusterCidrs=10.244.0.0/16,fd00:10:244::/56");
        agent.Pass();
        long writes = agent.Host.Writes;
        agent.Nodes = [node];

        PassReport report = agent.Pass();

        Assert.True(writes == agent.Host.Writes, because);
        Assert.NotEmpty(report.Plan!.Faults);
    }

    [Fact]
    public void Without_an_own_podCIDR_routes_are_added_and_nothing_is_removed()
    {
        Agent agent = new();
        agent.Pass();

        agent.Nodes = ["self - 10.0.0.1", "b 10.244.2.0/24 10.0.0.22", "d 10.244.4.0/24 10.0.0.4"];

        Assert.Equal(["add 10.244.4.0/24", "replace 10.244.2.0/24"], agent.Did());
        Assert.Contains("10.244.3.0/24 via 10.0.0.3 dev eth0", agent.Host.OurRoutes);
    }

    [Fact]
    public void While_the_address_is_away_what_stands_stays()
    {
        Agent agent = new();
        agent.Pass();
        HostState before = agent.Host.State;
        agent.Host.State = before with { Addresses = [.. before.Addresses.Where(a => a.Interface == 1)] };

        Assert.DoesNotContain(agent.Did(), did => did.StartsWith("delete", StringComparison.Ordinal));
        Assert.Equal(2, agent.Host.OurRoutes.Count());

        agent.Host.State = before with { Forwarding = agent.Host.State.Forwarding };
        Assert.Empty(agent.Did());
    }

    [Fact]
    public void The_agent_that_comes_back_removes_what_is_left_of_a_node_deleted_meanwhile()
    {
        Agent agent = new();
        agent.Pass();

        agent.Nodes = Agent.ThreeNodes[..2];
        agent.Restart();

        Assert.Equal(["nat changed", "delete 10.244.3.0/24"], agent.Did());
    }

    [Fact]
    public void A_change_of_mode_changes_next_hops_in_place()
    {
        Agent agent = new("PodGateway clusterCidrs=10.244.0.0/16,fd00:10:244::/56");
        agent.Pass();
        Assert.Equal(
            ["10.244.0.0/16 dev eth0", "10.244.2.0/24 via 10.244.2.1 dev eth0", "10.244.3.0/24 via 10.244.3.1 dev eth0"], agent.Host.OurRoutes);

        agent.Restart("clusterCidrs=10.244.0.0/16,fd00:10:244::/56");

        Assert.Equal(["replace 10.244.2.0/24", "replace 10.244.3.0/24", "delete 10.244.0.0/16"], agent.Did());
    }

    [Fact]
    public void A_masquerade_rule_that_is_no_longer_wanted_is_removed()
    {
        Agent agent = new();
        agent.Pass();

        agent.Restart("nat=off");

        Assert.Equal(["nat removed"], agent.Did());
        Assert.Null(agent.Host.Nat);
    }

    [Fact]
    public void A_masquerade_rule_that_somebody_removed_is_put_back()
    {
        Agent agent = new();
        agent.Pass();
        agent.Host.DropNat();

        PassReport report = agent.Pass();

        Assert.Equal("created", report.NatChange);
        Assert.NotNull(agent.Host.Nat);
    }

    [Fact]
    public void Forwarding_is_left_alone_when_the_setting_says_so()
    {
        Agent agent = new("forwarding=off");

        PassReport report = agent.Pass();

        Assert.DoesNotContain(agent.Host.Journal, did => did.StartsWith("forward", StringComparison.Ordinal));
        Assert.False(report.Forwarding.IPv4);
    }

    [Fact]
    public void Forwarding_is_reported_as_it_stands_after_the_pass()
    {
        Agent agent = new();
        agent.Host.Refusal = what => what == "forward ipv6" ? new HostRefusal("Read-only file system") : null;

        PassReport report = agent.Pass();

        Assert.Equal(new ForwardingState(true, false), report.Forwarding);
        Assert.True(report.ForwardingChanged);

        Assert.False(agent.Pass().ForwardingChanged);
        agent.Host.Refusal = _ => null;
        Assert.True(agent.Pass().ForwardingChanged);
    }

    [Fact]
    public void The_watch_learns_which_destinations_matter()
    {
        Agent agent = new();
        PassReport report = agent.Pass();

        Assert.Same(report.Plan, agent.Host.Expected);
    }
}
