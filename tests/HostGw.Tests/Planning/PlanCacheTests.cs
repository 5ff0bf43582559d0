using System.Collections.Immutable;
using FsCheck.Fluent;
using HostGw.Planning;

namespace HostGw.Tests.Planning;

public class PlanCacheTests
{
    // Hosts that differ in one thing each, and some that do not: it is found out of each pair whether the plan must be another.
    private static readonly string[] Hosts =
    [
        "eth0 10.0.0.1/24; eth1 10.9.0.1/24; default via 10.0.0.254 dev eth0",
        "eth0 10.0.0.1/24; eth1 10.9.0.1/24; default via 10.0.0.253 dev eth0",
        "eth0 10.0.0.1/25; eth1 10.9.0.1/24; default via 10.0.0.254 dev eth0",
        "eth0 10.0.0.1/24 down; eth1 10.9.0.1/24; default via 10.0.0.254 dev eth0",
        "eth0 10.0.0.9/24; eth1 10.9.0.1/24; default via 10.0.0.254 dev eth0",
        "eth0 10.0.0.9/24; eth1 10.9.0.1/24; default via 10.0.0.254 dev eth1",
        "eth0 10.0.0.9/24; eth1 10.9.0.1/24; default via 10.0.0.254 dev eth0; 10.0.0.0/30 via 10.9.0.7 dev eth1",
        "eth0 10.0.0.1/24; eth1 10.9.0.1/24; default via 10.0.0.254 dev eth0; resolver 10.244.2.9",
        "eth0 10.0.0.1/24; eth1 10.9.0.1/24; default via 10.0.0.254 dev eth0; api 10.244.2.9",
        "eth0 10.0.0.1/24; eth1 10.244.2.1/24; default via 10.0.0.254 dev eth0",
        "eth0 10.0.0.1/24; eth7 10.244.2.1/24; default via 10.0.0.254 dev eth0",
    ];

    [Fact]
    public void What_is_remembered_is_what_would_be_planned_anew() => Always.Holds(
        from clusters in Gen.ArrayOf(Gen.Elements<ImmutableArray<ClusterNode>>(
            Given.Nodes(Given.Self, "peer 10.244.2.0/24 10.0.0.2"), Given.Nodes(Given.Self, "peer 10.244.2.0/24 10.0.0.3"),
            Given.Nodes("self 10.244.1.0/24 10.0.0.9", "peer 10.244.2.0/24 10.0.0.2"), Given.Nodes("peer 10.244.2.0/24 10.0.0.2")))
        from hosts in Gen.ArrayOf(Gen.Elements(Hosts))
        from policy in Gen.Elements("", "PodGateway clusterCidrs=10.244.0.0/16", "interface=eth*")
        from services in Gen.ArrayOf(Gen.Elements(Given.Prefixes("-"), Given.Prefixes("10.244.2.0/25")))
        select (clusters, hosts, policy, services),
        c =>
        {
            PlanCache cache = new(Given.Policy(c.policy));
            foreach ((ImmutableArray<ClusterNode> nodes, string text, ImmutableArray<Prefix> services) in c.clusters.Zip(c.hosts, c.services))
            {
                HostState host = Given.Host(text);
                Plan anew = Planner.Plan(nodes, host, Given.Policy(c.policy).WithFound(services));
                Plan remembered = cache.Plan(nodes, services, host);
                Assert.Equal(Shown.Routes(anew, host), Shown.Routes(remembered, host));
                Assert.Equal(Shown.Verdicts(anew), Shown.Verdicts(remembered));
                Assert.Equal(
                    (anew.InterfaceIPv4, anew.InterfaceIPv6, anew.Scope),
                    (remembered.InterfaceIPv4, remembered.InterfaceIPv6, remembered.Scope));
            }
        },
        count: 3000);

    [Theory]
    [InlineData("", true)]
    [InlineData("10.244.2.0/24 via 10.0.0.77 dev eth0", true)]
    [InlineData("eth2 10.77.0.1/24", false)]
    public void A_plan_is_made_once_while_nothing_changes_that_it_depends_on(string more, bool same)
    {
        PlanCache cache = new(Given.Policy(""));
        ImmutableArray<ClusterNode> nodes = Given.Nodes(Given.Self, "peer 10.244.2.0/24 10.0.0.2");
        Plan first = cache.Plan(nodes, [], Given.Host(Given.Lan));
        Assert.Equal(same, ReferenceEquals(first, cache.Plan(nodes, [], Given.Host($"{Given.Lan}; {more}"))));
    }
}
