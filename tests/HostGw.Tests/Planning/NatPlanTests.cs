using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Tests.Planning;

public class NatPlanTests
{
    // The policy, our own node, the peers, then what is masqueraded and what is not.
    public static TheoryData<string, string, string[], string> Cases => new()
    {
        { "", "self 10.244.1.0/24 10.0.0.1", ["peer 10.244.2.0/24 10.0.0.2"],
            "v4 from 10.244.1.0/24 except 10.244.1.0/24,10.244.2.0/24,224.0.0.0/4" },
        { "", "self 10.244.1.0/24,fd00:10:244:1::/64 10.0.0.1", ["peer fd00:10:244:2::/64 10.0.0.2"],
            "v4 v6 from 10.244.1.0/24,fd00:10:244:1::/64 except 10.244.1.0/24,224.0.0.0/4,fd00:10:244:1::/64,fd00:10:244:2::/64,ff00::/8" },
        { "nat.ipv6=off", "self 10.244.1.0/24,fd00:10:244:1::/64 10.0.0.1", ["peer fd00:10:244:2::/64 10.0.0.2"],
            "v4 from 10.244.1.0/24 except 10.244.1.0/24,224.0.0.0/4" },
        { "", "self fd00:10:244:1::/64 10.0.0.1", ["peer 10.244.2.0/24 10.0.0.2"],
            "v6 from fd00:10:244:1::/64 except fd00:10:244:1::/64,ff00::/8" },
        { "clusterCidrs=10.244.0.0/16", "self 10.244.1.0/24 10.0.0.1", ["peer 10.244.2.0/24 10.0.0.2"],
            "v4 from 10.244.1.0/24 except 10.244.0.0/16,224.0.0.0/4" },
        { "nat.exempt=10.0.0.0/8,192.168.0.0/16,192.168.7.0/24,fd00::/8", "self 10.244.1.0/24 10.0.0.1", [],
            "v4 from 10.244.1.0/24 except 10.0.0.0/8,192.168.0.0/16,224.0.0.0/4" },
        { "nat.exemptNodes", "self 10.244.1.0/24 10.0.0.1", ["peer 10.244.2.0/24 10.0.0.2,10.77.0.2"],
            "v4 from 10.244.1.0/24 except 10.0.0.1/32,10.0.0.2/32,10.77.0.2/32,10.244.1.0/24,10.244.2.0/24,224.0.0.0/4" },
        { "nat.exemptNodes", "self 10.244.1.0/24 10.0.0.1", ["liar - 8.8.8.8"],
            "v4 from 10.244.1.0/24 except 10.0.0.1/32,10.244.1.0/24,224.0.0.0/4" },
        { "", "self 10.244.1.0/24 10.0.0.1", ["a 10.244.2.0/24 10.0.0.2 skip", "b 10.244.3.0/24 -", "c 8.8.8.0/24 10.0.0.4",
            "d 10.244.3.0/24 10.0.0.5"],
            "v4 from 10.244.1.0/24 except 10.244.1.0/24,10.244.2.0/24,10.244.3.0/24,224.0.0.0/4" },
        { "nat.any", "self 10.244.1.0/24 10.0.0.1", ["peer 10.244.2.0/24 10.0.0.2"],
            "any v4 v6 from - except 10.244.1.0/24,10.244.2.0/24,224.0.0.0/4,255.255.255.255/32,ff00::/8" },
        { "nat.any nat.ipv6=off", "self 10.244.1.0/24 10.0.0.1", [],
            "any v4 from - except 10.244.1.0/24,224.0.0.0/4,255.255.255.255/32" },
        { "", "self 10.244.1.0/24,10.244.1.0/25,10.244.0.0/24 10.0.0.1", [],
            "v4 from 10.244.0.0/24,10.244.1.0/24 except 10.244.0.0/24,10.244.1.0/24,224.0.0.0/4" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_leaves_the_cluster_is_masqueraded(string policy, string self, string[] peers, string expected)
    {
        Plan plan = Planner.Plan(Given.Nodes([self, .. peers]), Given.Host("eth0 10.0.0.1/24"), Given.Policy(policy));
        Assert.Equal(expected, Show(plan.Nat!));
    }

    [Fact]
    public void Backend_none_means_no_rule() =>
        Assert.Null(Planner.Plan(Given.Nodes(Given.Self), Given.Host(Given.Lan), Given.Policy("nat=off")).Nat);

    [Theory]
    [InlineData("", "self 10.244.1.0/24 10.0.0.1", true, false)]
    [InlineData("", "self fd00:10:244:1::/64 10.0.0.1", false, true)]
    [InlineData("", Given.Self, true, true)]
    [InlineData("forwarding=off", Given.Self, false, false)]
    [InlineData("", "self - 10.0.0.1", false, false)]
    public void Forwarding_follows_the_families_of_our_own_podCIDRs(string policy, string self, bool v4, bool v6)
    {
        Plan plan = Planner.Plan(Given.Nodes(self), Given.Host(Given.Lan), Given.Policy(policy));
        Assert.Equal((v4, v6), (plan.ForwardIPv4, plan.ForwardIPv6));
    }

    private static string Show(NatPlan nat)
    {
        static string List(ImmutableArray<Prefix> prefixes) => prefixes.IsEmpty ? "-" : string.Join(",", prefixes);
        return $"{(nat.Source == NatSource.Any ? "any " : "")}{(nat.IPv4 ? "v4 " : "")}{(nat.IPv6 ? "v6 " : "")}" +
            $"from {List(nat.Sources)} except {List(nat.Exempt)}";
    }
}
