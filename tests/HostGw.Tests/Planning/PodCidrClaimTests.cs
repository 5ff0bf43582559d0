using HostGw.Planning;

namespace HostGw.Tests.Planning;

public class PodCidrClaimTests
{
    // Nodes besides our own, the oldest first, and what is said of them.
    public static TheoryData<string, string[], string[]> Cases => new()
    {
        { "the older of two claims stands",
            ["zeta 10.244.2.0/24 10.0.0.2", "alpha 10.244.2.0/24 10.0.0.3"],
            ["alpha 10.244.2.0/24 rejected: overlaps 10.244.2.0/24 of the older node zeta", "zeta 10.244.2.0/24 routed"] },
        { "of the same second, the lower UID",
            ["zeta 10.244.2.0/24 10.0.0.2 age=5 uid=a", "alpha 10.244.2.0/24 10.0.0.3 age=5 uid=b"],
            ["alpha 10.244.2.0/24 rejected: overlaps 10.244.2.0/24 of the older node zeta", "zeta 10.244.2.0/24 routed"] },
        { "a younger claim inside an older one falls",
            ["old 10.244.2.0/24 10.0.0.2", "young 10.244.2.64/26 10.0.0.3"],
            ["old 10.244.2.0/24 routed", "young 10.244.2.64/26 rejected: overlaps 10.244.2.0/24 of the older node old"] },
        { "and so does a younger claim around an older one",
            ["old 10.244.2.64/26 10.0.0.2", "young 10.244.2.0/24 10.0.0.3"],
            ["old 10.244.2.64/26 routed", "young 10.244.2.0/24 rejected: covers a podCIDR of the older node old"] },
        { "neighbours do not overlap",
            ["a 10.244.2.0/25 10.0.0.2", "b 10.244.2.128/25 10.0.0.3"],
            ["a 10.244.2.0/25 routed", "b 10.244.2.128/25 routed"] },
        { "a claim that fell holds nothing",
            ["a 10.244.2.0/26 10.0.0.2", "b 10.244.2.0/24 10.0.0.3", "c 10.244.2.128/25 10.0.0.4"],
            ["a 10.244.2.0/26 routed", "b 10.244.2.0/24 rejected: covers a podCIDR of the older node a", "c 10.244.2.128/25 routed"] },
        { "a claim that a guard refuses holds nothing",
            ["a 10.244.0.0/15 10.0.0.2", "b 10.244.2.0/24 10.0.0.3"],
            ["a 10.244.0.0/15 rejected: has a prefix length outside /16 to /30", "b 10.244.2.0/24 routed"] },
        { "the loser of one podCIDR keeps the others",
            ["a 10.244.2.0/24 10.0.0.2", "b 10.244.2.0/24,10.244.3.0/24 10.0.0.3"],
            ["a 10.244.2.0/24 routed", "b 10.244.2.0/24 rejected: overlaps 10.244.2.0/24 of the older node a", "b 10.244.3.0/24 routed"] },
        { "of a node's own overlapping podCIDRs the first stands",
            ["a 10.244.2.0/24,10.244.2.0/25 10.0.0.2"],
            ["a 10.244.2.0/24 routed", "a 10.244.2.0/25 rejected: overlaps 10.244.2.0/24 of the same node"] },
        { "our own podCIDR wins over the oldest node, inside and around it",
            ["a 10.244.1.0/24 10.0.0.2 age=-9", "b 10.244.1.0/26 10.0.0.3 age=-9", "c 10.244.0.0/16 10.0.0.4 age=-9"],
            ["a 10.244.1.0/24 rejected: overlaps 10.244.1.0/24 of this host's own node",
                "b 10.244.1.0/26 rejected: overlaps 10.244.1.0/24 of this host's own node",
                "c 10.244.0.0/16 rejected: covers a podCIDR of this host's own node"] },
        { "a podCIDR must not cover the primary address of an older node",
            ["old 10.244.2.0/24 10.20.0.5", "young 10.20.0.0/24 10.0.0.3"],
            ["old 10.244.2.0/24 notAdjacent: 10.20.0.5 is not on this host's segment (eth0)",
                "young 10.20.0.0/24 rejected: covers the address of the older node old"] },
        { "also where that is an ExternalIP, for want of an InternalIP",
            ["old 10.244.2.0/24 - external=10.20.0.5", "young 10.20.0.0/24 10.0.0.3"],
            ["old 10.244.2.0/24 notAdjacent: 10.20.0.5 is not on this host's segment (eth0)",
                "young 10.20.0.0/24 rejected: covers the address of the older node old"] },
        { "of the podCIDR's family",
            ["old 10.244.2.0/24 fd00:aaaa::2 external=10.20.0.5", "young 10.20.0.0/24 10.0.0.3"],
            ["old 10.244.2.0/24 notAdjacent: 10.20.0.5 is not on this host's segment (eth0)",
                "young 10.20.0.0/24 rejected: covers the address of the older node old"] },
        { "beside an InternalIP it is no primary address",
            ["old 10.244.2.0/24 10.0.0.2 external=10.20.0.5", "young 10.20.0.0/24 10.0.0.3"],
            ["old 10.244.2.0/24 routed", "young 10.20.0.0/24 routed"] },
        { "the address of a younger node inside it does no harm to a podCIDR",
            ["old 10.20.0.0/24 10.0.0.2", "young 10.244.2.0/24 10.20.0.5"],
            ["old 10.20.0.0/24 routed",
                "young 10.244.2.0/24 noAddress: its address 10.20.0.5 lies inside 10.20.0.0/24, where the pods of old live"] },
        { "nor does a second address of an older one",
            ["old 10.244.2.0/24 10.0.0.2,10.20.0.5", "young 10.20.0.0/24 10.0.0.3"],
            ["old 10.244.2.0/24 routed", "young 10.20.0.0/24 routed"] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Claims_are_settled(string because, string[] peers, string[] expected)
    {
        string[] actual = Judge("", peers);
        Assert.True(expected.SequenceEqual(actual), $"{because}: got\n{string.Join("\n", actual)}");
    }

    [Fact]
    public void With_clusterCidrs_no_kubelet_can_knock_out_another_node_by_claiming_an_address_in_its_podCIDR()
    {
        string[] actual = Judge("clusterCidrs=10.244.0.0/16", "attacker 10.244.2.0/24 10.244.3.7", "victim 10.244.3.0/24 10.0.0.3");
        Assert.Equal(
            ["attacker 10.244.2.0/24 noAddress: its address 10.244.3.7 lies inside clusterCidrs, where pods live",
                "victim 10.244.3.0/24 routed"],
            actual);
    }

    [Fact]
    public void When_the_winner_goes_the_loser_gets_its_route()
    {
        string[] peers = ["old 10.244.2.0/24 10.0.0.2", "young 10.244.2.0/24 10.0.0.3 age=7"];
        Assert.Contains("young 10.244.2.0/24 rejected: overlaps 10.244.2.0/24 of the older node old", Judge("", peers));
        Assert.Equal(["young 10.244.2.0/24 routed"], Judge("", peers[1]));
    }

    [Fact]
    public void All_of_our_own_podCIDRs_win_also_where_they_overlap_each_other()
    {
        Plan plan = Planner.Plan(
            Given.Nodes("self 10.244.1.0/24,10.244.0.0/23 10.0.0.1", "thief 10.244.0.0/24 10.0.0.2"), Given.Host("eth0 10.0.0.1/24"),
                Given.Policy(""));
        Assert.Contains("thief 10.244.0.0/24 rejected: overlaps 10.244.0.0/23 of this host's own node", Shown.Verdicts(plan));
    }

    [Fact]
    public void Even_while_our_own_node_is_out_of_order_nobody_gets_a_route_to_our_pods()
    {
        HostState host = Given.Host(Given.Lan);
        Plan plan = Planner.Plan(
            Given.Nodes("self 10.99.1.0/24,10.244.1.0/24 10.0.0.1", "thief 10.244.1.0/24 10.0.0.2"), host,
                Given.Policy("clusterCidrs=10.244.0.0/16"));

        Assert.Equal(PlanScope.Nothing, plan.Scope);
        Assert.Empty(plan.Routes);
    }

    private static string[] Judge(string policy, params string[] peers)
    {
        Plan plan = Planner.Plan(Given.Nodes(["self 10.244.1.0/24 10.0.0.1", .. peers]), Given.Host("eth0 10.0.0.1/24"),
            Given.Policy(policy));
        return [.. Shown.Verdicts(plan).Where(v => !v.StartsWith("self", StringComparison.Ordinal))];
    }
}
