using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Status;

public class ReadinessTests
{
    [Fact]
    public void Not_before_the_first_pass() => Assert.Single(StatusBoard.NotReady(null));

    [Fact]
    public void After_a_pass_without_failure() => Assert.Empty(StatusBoard.NotReady(Reports.InOrder()));

    [Fact]
    public void Not_after_a_pass_in_which_something_was_refused() =>
        Assert.Equal(["add 10.244.3.0/24: add route 10.244.3.0/24: Network is unreachable"], StatusBoard.NotReady(Reports.First()));

    [Fact]
    public void Not_while_the_host_cannot_be_read() => Assert.Equal(["read the host: why"], StatusBoard.NotReady(Reports.Failed("why")));

    [Theory]
    [InlineData("b 10.244.2.0/24 10.0.0.2")]
    [InlineData("self - 10.0.0.1")]
    [InlineData("self rubbish 10.0.0.1")]
    public void Not_while_the_own_node_is_not_in_order(string node) =>
        Assert.Single(StatusBoard.NotReady(new Agent { Nodes = [node] }.Pass()));

    [Fact]
    public void Other_nodes_and_conflicts_do_not_matter()
    {
        Agent agent = Reports.Agent();
        PassReport report = agent.Pass();

        Assert.NotEmpty(Problems.Of(report));
        Assert.Empty(StatusBoard.NotReady(report));
    }
}
