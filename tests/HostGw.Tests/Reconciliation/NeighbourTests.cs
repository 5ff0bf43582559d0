using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class NeighbourTests
{
    private const string Mode = "PodGateway clusterCidrs=10.244.0.0/16,fd00:10:244::/56 nat=off";

    [Fact]
    public void When_a_podCIDR_passes_to_another_node_its_gateway_is_looked_for_anew()
    {
        Agent agent = new(Mode) { Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2 uid=one"] };
        agent.Pass();

        agent.Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2 uid=two"];

        Assert.Equal(["forget 10.244.2.1"], agent.Did());
        Assert.Empty(agent.Did());
    }

    [Fact]
    public void So_it_is_when_nobody_held_the_podCIDR_for_a_while()
    {
        Agent agent = new(Mode) { Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2 uid=one"] };
        agent.Pass();
        agent.Nodes = [Given.Self];
        agent.Pass();

        agent.Nodes = [Given.Self, "c 10.244.2.0/24 10.0.0.3 uid=two"];

        Assert.Equal(["add 10.244.2.0/24", "forget 10.244.2.1"], agent.Did());
    }

    [Fact]
    public void A_node_that_comes_back_as_itself_is_not_forgotten()
    {
        Agent agent = new(Mode) { Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2 uid=one"] };
        agent.Pass();
        agent.Nodes = [Given.Self];
        agent.Pass();

        agent.Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2 uid=one"];

        Assert.Equal(["add 10.244.2.0/24"], agent.Did());
    }

    [Fact]
    public void A_refusal_to_forget_is_tried_again()
    {
        Agent agent = new(Mode) { Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2 uid=one", "c 10.244.3.0/24 10.0.0.3 uid=one"] };
        agent.Pass();
        agent.Host.Refusal = what => what == "forget 10.244.2.1" ? new HostRefusal("Device or resource busy") : null;
        agent.Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2 uid=two", "c 10.244.3.0/24 10.0.0.3 uid=two"];
        Assert.True(agent.Pass().IsUnfinished);

        agent.Host.Refusal = _ => null;

        Assert.Equal(["forget 10.244.2.1"], agent.Did());
        Assert.Empty(agent.Did());
    }

    [Fact]
    public void A_next_hop_outside_the_podCIDR_belongs_to_the_node_and_is_not_forgotten()
    {
        Agent agent = new("nat=off") { Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2 uid=one"] };
        agent.Pass();

        agent.Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2 uid=two"];

        Assert.Empty(agent.Did());
    }
}
