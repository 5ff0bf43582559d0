using HostGw.Planning;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class CircumstanceTests
{
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
            ["10.244.0.0/16 dev eth0", "10.244.2.0/24 via 10.244.2.1 dev eth0", "10.244.3.0/24 via 10.244.3.1 dev eth0"],
            agent.Host.OurRoutes);

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
        agent.Host.LoseNat();

        PassReport report = agent.Pass();

        Assert.Equal("created", report.Result.NatChange);
        Assert.NotNull(agent.Host.Nat);
    }

    [Fact]
    public void Forwarding_is_left_alone_when_the_setting_says_so()
    {
        Agent agent = new("forwarding=off");

        PassReport report = agent.Pass();

        Assert.DoesNotContain(agent.Host.Journal, did => did.StartsWith("forward", StringComparison.Ordinal));
        Assert.False(report.Changes.Forwarding.IPv4);
    }

    [Fact]
    public void Forwarding_is_reported_as_it_is_after_the_pass()
    {
        Agent agent = new();
        agent.Host.Refusal = what => what == "forward ipv6" ? new HostRefusal("Read-only file system") : null;

        PassReport report = agent.Pass();

        Assert.Equal(new ForwardingState(true, false), report.Changes.Forwarding);
        Assert.True(report.ForwardingChanged);

        Assert.False(agent.Pass().ForwardingChanged);
        agent.Host.Refusal = _ => null;
        Assert.True(agent.Pass().ForwardingChanged);
    }
}
