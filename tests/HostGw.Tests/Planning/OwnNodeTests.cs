using HostGw.Planning;
using HostGw.Problems;

namespace HostGw.Tests.Planning;

public class OwnNodeTests
{
    // Our own node as the API has it, what the plan may then do, and a piece of what is said of it.
    public static TheoryData<string, string, string, string> Cases => new()
    {
        { "", Given.Self, "Everything", "" },
        { "", "stranger 10.244.3.0/24 10.0.0.3", "Nothing", "no Node named 'self': check the setting nodeName" },
        { "", "self - 10.0.0.1", "AddRoutes", "kubeadm init --pod-network-cidr=" },
        { "", "self - 10.0.0.1", "AddRoutes", "--allocate-node-cidrs" },
        { "clusterCidrs=10.244.0.0/16", "self 10.244.1.0/24,fd00:10:244:1::/64 10.0.0.1", "Everything", "" },
        { "clusterCidrs=10.244.0.0/16", "self 10.244.1.0/24,2001:db8:1::/64 10.0.0.1", "Nothing", "is not private address space" },
        { "clusterCidrs=10.244.0.0/16", "self 10.99.1.0/24 10.0.0.1", "Nothing",
            "podCIDR 10.99.1.0/24 lies outside clusterCidrs (10.244.0.0/16)" },
        { "clusterCidrs=10.244.0.0/16", "self 10.244.1.0/24,10.99.1.0/24 10.0.0.1", "Nothing", "podCIDR 10.99.1.0/24 lies outside" },
        { "", "self 8.8.8.0/24 10.0.0.1", "Nothing", "is not private address space, and clusterCidrs" },
        { "", "self 10.244.1.1/24 10.0.0.1", "Nothing", "is not aligned: 10.244.1.0/24 would be" },
        { "", "self 0.0.0.0/0 10.0.0.1", "Nothing", "has a prefix length outside" },
        { "", "self banana 10.0.0.1", "Nothing", "'banana' is not a CIDR" },
        { "serviceCidrs=10.96.0.0/12", "self 10.96.1.0/24 10.0.0.1", "Nothing", "overlaps the service CIDR" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Our_own_node_decides_how_much_may_be_changed(string policy, string self, string scope, string fault)
    {
        Plan plan = Planner.Plan(Given.Nodes(self, "peer 10.244.2.0/24 10.0.0.2"), Given.Host(Given.Lan), Given.Policy(policy));

        Assert.Equal(scope, plan.Scope.ToString());
        Assert.Equal(fault.Length == 0, plan.Faults.IsEmpty);
        Assert.Contains(fault, string.Concat(plan.Faults), StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_without_podCIDR_still_gets_its_peers_routes()
    {
        HostState host = Given.Host(Given.Lan);
        Plan plan = Planner.Plan(Given.Nodes("self - 10.0.0.1", "peer 10.244.2.0/24 10.0.0.2"), host, Given.Policy(""));
        Assert.Equal(["10.244.2.0/24 via 10.0.0.2 dev eth0"], Shown.Routes(plan, host));
    }

    // Another node with its age (ours is 50), and what is said of ours; nothing where the other one is at fault.
    [Theory]
    [InlineData("old 10.244.1.0/24 10.0.0.2 age=9", "podCIDR 10.244.1.0/24 overlaps 10.244.1.0/24 of the older node old")]
    [InlineData("old 10.244.0.0/16 10.0.0.2 age=9", "podCIDR 10.244.1.0/24 overlaps 10.244.0.0/16 of the older node old")]
    [InlineData("old 10.244.1.64/26 10.0.0.2 age=9", "podCIDR 10.244.1.0/24 covers a podCIDR of the older node old")]
    [InlineData("old 10.244.9.0/24,fd00:10:244:1::/64 10.0.0.2 age=9", "podCIDR fd00:10:244:1::/64 overlaps")]
    [InlineData("old 10.244.9.0/24 10.244.1.9 age=9", "")]
    [InlineData("young 10.244.1.0/24 10.0.0.2 age=51", "")]
    [InlineData("young 10.244.9.0/24 10.244.1.9 age=51", "")]
    [InlineData("old 10.244.0.0/15 10.0.0.2 age=9", "")]
    public void A_podCIDR_that_an_older_Node_holds_is_a_fault_of_this_node(string other, string fault)
    {
        Plan plan = Contested(other);

        Assert.Equal(PlanScope.Everything, plan.Scope);
        Assert.Equal(fault.Length == 0, plan.Faults.IsEmpty);
        Assert.Contains(fault, string.Concat(plan.Faults), StringComparison.Ordinal);
        Assert.Equal(fault.Length == 0, plan.Cni is not null);
        Assert.All(plan.Faults, f => Assert.Contains("re-create this node's Node self", f, StringComparison.Ordinal));
        Assert.Contains(plan.Verdicts, v => v is { Node.Name: "c", Kind: VerdictKind.Routed });
        string[] blamed = [.. plan.Verdicts.Where(ProblemCatalog.IsProblem).Select(v => v.Node.Name)];
        Assert.Equal(fault.Length == 0, blamed.Length > 0);
    }

    [Fact]
    public void A_node_whose_podCIDRs_overlap_each_other_is_no_fault_of_its_age() => Assert.Empty(
        Planner.Plan(Given.Nodes("self 10.244.1.0/24,10.244.1.0/25 10.0.0.1"), Given.Host(Given.Lan), Given.Policy("cni=on")).Faults);

    // The claim of "old" falls to the oldest, so nothing is left against ours.
    [Fact]
    public void An_older_claim_that_fell_holds_nothing() => Assert.Empty(
        Contested("oldest 10.244.2.0/24 10.0.0.2 age=1", "old 10.244.0.0/22 10.0.0.3 age=2").Faults);

    // Its address keeps the others from granting ours, so that a younger Node gets it: neither is a fault of ours.
    [Fact]
    public void An_address_in_our_podCIDR_is_a_problem_of_the_Node_that_lists_it()
    {
        Plan plan = Contested("old 10.244.9.0/24 10.244.1.9 age=9", "young 10.244.1.0/24 10.0.0.3 age=51");
        Assert.Empty(plan.Faults);
        Assert.NotNull(plan.Cni);
        Assert.Contains(plan.Verdicts.Where(ProblemCatalog.IsProblem), v => v.Node.Name == "old" &&
            v.Reason == "its address 10.244.1.9 lies inside 10.244.1.0/24, where the pods of self live");
    }

    [Fact]
    public void Only_what_overlaps_ours_is_no_fault_of_the_older_Node()
    {
        Plan plan = Contested("oldest 10.243.0.0/24 10.0.0.4 age=1", "old 10.244.1.0/24,10.243.0.0/24 10.0.0.2 age=9");
        Assert.NotEmpty(plan.Faults);
        Assert.Equal(
            ["10.243.0.0/24"],
            plan.Verdicts.Where(v => v.Node.Name == "old" && ProblemCatalog.IsProblem(v)).Select(v => v.PodCidr.ToString()));
    }

    // All of them list addresses inside it: that is no fault of the peers'.
    [Fact]
    public void While_clusterCidrs_covers_this_nodes_address_routes_are_kept_and_no_peer_is_blamed()
    {
        Plan plan = Covered("self 10.244.1.0/24 10.0.0.1");
        Assert.StartsWith(
            "this node's address 10.0.0.1 lies inside clusterCidrs (10.0.0.0/8), ", Assert.Single(plan.Faults), StringComparison.Ordinal);
        Assert.Equal(
            ["b 10.244.2.0/24 waiting: its address 10.0.0.2 lies inside clusterCidrs, where pods live", "c 10.244.3.0/24 routed",
                "self 10.244.1.0/24 self"],
            Shown.Verdicts(plan));
        Assert.Equal((PlanScope.Everything, "10.244.2.0/24"), (plan.Scope, $"{Assert.Single(plan.Waiting)}"));
        Assert.DoesNotContain(plan.Verdicts, ProblemCatalog.IsProblem);
    }

    // Peers reach this node by an address outside of it.
    [Theory]
    [InlineData("self 10.244.1.0/24 192.0.2.1")]
    [InlineData("self 10.244.1.0/24 10.0.0.1,192.0.2.1")]
    [InlineData("self 10.244.1.0/24 10.0.0.1 hop=192.0.2.1")]
    [InlineData("self 10.244.1.0/24 - external=192.0.2.1")]
    public void An_address_inside_clusterCidrs_is_a_fault_of_the_peer_alone_where_this_nodes_is_not(string self)
    {
        Plan plan = Covered(self);
        Assert.Empty(plan.Faults);
        Assert.Equal("b", Assert.Single(plan.Verdicts, v => v.Kind == VerdictKind.NoAddress).Node.Name);
    }

    private static Plan Covered(string self) => Planner.Plan(
        Given.Nodes(self, "b 10.244.2.0/24 10.0.0.2", "c 10.244.3.0/24 10.0.0.3 hop=192.0.2.9"),
        Given.Host("eth0 10.0.0.1/24 192.0.2.1/24"), Given.Policy("clusterCidrs=10.0.0.0/8"));

    private static Plan Contested(params string[] others) => Planner.Plan(
        Given.Nodes([$"{Given.Self} age=50", .. others, "c 10.243.3.0/24 10.0.0.30 age=60"]),
        Given.Host(Given.Lan), Given.Policy("cni=on"));

    [Fact]
    public void A_skip_annotation_or_selector_concerns_a_node_as_a_peer_and_not_its_own_agent()
    {
        HostState host = Given.Host(Given.Lan);
        Plan plan = Planner.Plan(
            Given.Nodes("self 10.244.1.0/24 10.0.0.1 skip hop=10.0.0.99", "peer 10.244.2.0/24 10.0.0.2 labels=zone:a"), host,
                Given.Policy("selector=zone=a"));

        Assert.Equal(["peer 10.244.2.0/24 routed", "self 10.244.1.0/24 self"], Shown.Verdicts(plan));
        Assert.NotEmpty(plan.Nat!.Sources);
    }
}
