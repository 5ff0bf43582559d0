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
                Plan remembered = cache.Plan(nodes, services, host, Reachability.Off);
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
        Plan first = cache.Plan(nodes, [], Given.Host(Given.Lan), Reachability.Off);
        Assert.Equal(same, ReferenceEquals(first, cache.Plan(nodes, [], Given.Host($"{Given.Lan}; {more}"), Reachability.Off)));
    }

    // What the second pass finds, and whether the plan may stay.
    [Theory]
    [InlineData("tunnel=auto", "10.244.2.0/24 Native", true)]
    [InlineData("tunnel=auto", "10.244.2.0/24 Native; 10.244.3.0/24 Undecided", true)]
    [InlineData("tunnel=auto", "10.244.2.0/24 Compared", false)]
    [InlineData("tunnel=auto", "", false)]
    [InlineData("tunnel=auto", "10.244.2.0/24 Native; 10.244.3.0/24 Native", false)]
    [InlineData("tunnel=off", "10.244.2.0/24 Compared", true)]
    [InlineData("tunnel=always", "10.244.2.0/24 Compared", true)]
    public void A_new_verdict_or_round_trip_needs_no_new_plan_but_another_path_does(string policy, string later, bool same)
    {
        PlanCache cache = new(Given.Policy(policy));
        ImmutableArray<ClusterNode> nodes = Given.Nodes(Given.Self, "peer 10.244.2.0/24 10.0.0.2", "z 10.244.3.0/24 10.0.0.3");
        Reachability before = new([(Prefix.Parse("10.244.2.0/24"), new(ReachKind.Reachable, 5, 77) { Path = PeerPath.Native })]);
        Plan first = cache.Plan(nodes, [], Given.Host(Given.Lan), before);
        string[] paths = later.Split("; ", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(same, ReferenceEquals(first, cache.Plan(nodes, [], Given.Host(Given.Lan), Given.Paths(paths))));
    }

    private static readonly Dictionary<string, Func<HostState, HostState>> TunnelChanges = new()
    {
        ["nothing"] = h => h,
        ["the link"] = h => h with { Tunnel = h.Tunnel! with { IsUp = false } },
        ["the guards' obstacle"] = h => h with { GuardObstacle = "none" },
        ["the source's obstacle"] = h => h with { SourceObstacle = "none" },
        ["reserved subnets"] = h => h with { ReservedSubnets = [] },
        ["a learnt MTU"] = h => h with { NodePaths = [new(Ip.Parse("10.0.0.2"), 1400, 2)] },
        ["the interface to a node"] = h => h with { NodePaths = [new(Ip.Parse("10.0.0.2"), 1500, 3)] },
        ["an uplink"] = _ => Given.Host($"{TunnelHost}; 10.9.0.0/24 via 10.7.0.2 dev wan"),
    };

    private const string TunnelHost = $"{Given.Lan}; wan 10.7.0.1/24; hostgw0 10.244.1.1/32";

    public static TheoryData<string> ChangesOfTheTunnel => [.. TunnelChanges.Keys];

    [Theory]
    [MemberData(nameof(ChangesOfTheTunnel))]
    public void A_plan_is_made_again_when_the_tunnels_part_of_the_host_changes(string what)
    {
        PlanCache cache = new(Given.Policy("tunnel=auto"));
        ImmutableArray<ClusterNode> nodes = Given.Nodes(Given.Self, "peer 10.244.2.0/24 10.0.0.2");
        Plan first = cache.Plan(nodes, [], Given.Host(TunnelHost), Reachability.Off);
        HostState changed = TunnelChanges[what](Given.Host(TunnelHost));
        Assert.Equal(what == "nothing", ReferenceEquals(first, cache.Plan(nodes, [], changed, Reachability.Off)));
    }

    [Theory]
    [InlineData("0.0.0.0/1 dev tun0", "100.64.0.2", false)]
    [InlineData("0.0.0.0/1 dev tun0", "192.0.2.3", true)]
    [InlineData("0.0.0.0/1 dev tun0", "10.0.0.2", true)]
    public void A_plan_is_made_again_when_peers_may_send_by_another_interface(string route, string peer, bool same)
    {
        const string Before = $"{Given.Lan}; tun0 10.8.0.2>10.8.0.1/32 p2p";
        PlanCache cache = new(Given.Policy(""));
        ImmutableArray<ClusterNode> nodes = Given.Nodes(Given.Self, $"peer 10.244.2.0/24 {peer}");
        Plan first = cache.Plan(nodes, [], Given.Host(Before), Reachability.Off);
        Assert.Same(first, cache.Plan(nodes, [], Given.Host(Before), Reachability.Off));
        Assert.Equal(same, ReferenceEquals(first, cache.Plan(nodes, [], Given.Host($"{Before}; {route}"), Reachability.Off)));
    }
}
