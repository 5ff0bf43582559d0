namespace HostGw.Lab.Tests;

/// <summary>Bad input gets a verdict with a reason; nothing else is disturbed.</summary>
public sealed class HostileNodesTests(HostileCluster hostile) : IClassFixture<HostileCluster>
{
    public static TheoryData<string> Names => [.. HostileNodes.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task It_gets_no_route_but_a_verdict_and_a_reason(string node)
    {
        IReadOnlyList<Opinion> opinions = await Opinion.OfAsync(hostile.Agent, node);

        Assert.NotEmpty(opinions);
        Assert.All(opinions, opinion =>
        {
            Assert.DoesNotContain(opinion.Verdict, new[] { "", "routed", "self" });
            Assert.True(opinion.Reason.Length > 0 || opinion.Verdict == "noPodCidr", $"no reason for {opinion}");
        });
    }

    [Fact]
    public async Task The_good_nodes_have_their_routes_and_nobody_else_has_any() => await Expect.RoutesAsync(hostile.One,
    [
        .. Expect.ByNodeAddress(hostile.Cluster.Node(2)),
        "192.168.80.0/24 via 10.0.0.80 dev eth0 proto 157 onlink",
        "192.168.81.0/24 via 10.0.0.81 dev eth0 proto 157 onlink",
    ]);

    [Fact]
    public async Task The_agent_is_ready_and_never_failed_a_pass()
    {
        Assert.True(await hostile.Agent.IsReadyAsync());
        var status = await hostile.Agent.StatusAsync();
        Assert.Equal(0, status.GetProperty("passes").GetProperty("failed").GetInt32());
    }
}
