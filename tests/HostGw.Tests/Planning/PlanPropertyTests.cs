using FsCheck.Fluent;
using HostGw.Planning;

namespace HostGw.Tests.Planning;

public class PlanPropertyTests
{
    [Fact]
    public void A_plan_never_routes_to_our_own_pods() => Always.Holds(NastyCluster.Any, cluster =>
    {
        Oracle oracle = new(cluster.AllNodes, cluster.HostState, Given.Policy(cluster.Policy));
        Assert.DoesNotContain(cluster.Plan().Routes.Where(r => !r.NextHop.IsNone), r => oracle.OverlapsOwn(r.Destination));
    });

    [Fact]
    public void A_podCIDR_is_refused_exactly_where_a_plain_reading_of_the_guards_refuses_it() => Always.Holds(
        NastyCluster.Any,
        cluster =>
        {
            Oracle oracle = new(cluster.AllNodes, cluster.HostState, Given.Policy(cluster.Policy));
            Plan plan = cluster.Plan();

            Assert.All(plan.Routes.Where(r => !r.NextHop.IsNone), r => Assert.Contains(oracle.Accepted, a => a.PodCidr == r.Destination));
            foreach (Verdict verdict in plan.Verdicts.Where(v => v.Kind != VerdictKind.Self && !v.PodCidr.IsNone))
            {
                bool accepted = oracle.Accepted.Any(a => a.Node.Name == verdict.Node.Name && a.PodCidr == verdict.PodCidr);
                bool unreadableHop = verdict.Node.NextHopOverride is { IsEmpty: true };
                Assert.True(accepted ? verdict.Kind != VerdictKind.Rejected || unreadableHop : verdict.Kind == VerdictKind.Rejected,
                    Shown.Verdict(verdict));
            }
        },
        count: 3000);

    [Fact]
    public void A_next_hop_is_a_neighbour_and_never_ourselves_or_a_pod() => Always.Holds(
        NastyCluster.Any,
        cluster =>
        {
            HostState host = cluster.HostState;
            Policy policy = Given.Policy(cluster.Policy);
            Plan plan = cluster.Plan();
            List<(ClusterNode Node, Prefix PodCidr)> pods = new Oracle(cluster.AllNodes, host, policy).Accepted;
            foreach (Verdict verdict in plan.Verdicts.Where(v => v.Kind == VerdictKind.Routed))
            {
                PodRoute route = plan.Routes.Single(r => r.Destination == verdict.PodCidr);
                Assert.Equal(verdict.NextHop, route.NextHop);
                Assert.True(host.Interface(route.Interface) is { IsUp: true, IsLoopback: false });
                if (verdict.PodCidr.Contains(route.NextHop))
                    continue;
                Assert.DoesNotContain(host.Addresses, a => a.Address == route.NextHop);
                Assert.Contains(host.Addresses, a => a.Interface == route.Interface && a.Connected.Contains(route.NextHop));
                Assert.DoesNotContain(pods, p => p.PodCidr.Contains(route.NextHop));
                Assert.DoesNotContain(policy.ClusterCidrs, c => c.Contains(route.NextHop));
            }
        });

    [Fact]
    public void No_two_routes_overlap_but_for_the_cluster_route_around_them() => Always.Holds(NastyCluster.Any, cluster =>
    {
        Plan plan = cluster.Plan();
        for (int i = 0; i < plan.Routes.Length; i++)
        {
            for (int j = i + 1; j < plan.Routes.Length; j++)
            {
                (PodRoute a, PodRoute b) = (plan.Routes[i], plan.Routes[j]);
                Assert.True(a.Destination.CompareTo(b.Destination) < 0);
                Assert.True(!a.Destination.Overlaps(b.Destination) || (a.NextHop.IsNone && a.Destination.Contains(b.Destination)),
                    $"{a} {b}");
            }
        }
    });

    [Fact]
    public void The_same_nodes_in_any_order_give_the_same_plan() => Always.Holds(
        (from cluster in NastyCluster.Any.Generator from shuffled in Gen.Shuffle(cluster.Nodes) select (cluster, shuffled)).ToArbitrary(),
        pair =>
        {
            // The nodes keep their ages: a line's place gives none away.
            ClusterNode[] nodes = [.. pair.cluster.AllNodes];
            string[] names = [.. pair.shuffled.Select(line => line.Split(' ')[0])];
            ClusterNode[] shuffled = [.. nodes.OrderBy(n => Array.IndexOf(names, n.Name))];
            Policy policy = Given.Policy(pair.cluster.Policy);

            Plan one = Planner.Plan(nodes, pair.cluster.HostState, policy), other = Planner.Plan(shuffled, pair.cluster.HostState, policy);
            Assert.Equal(one.Routes, other.Routes);
            Assert.Equal(one.Waiting, other.Waiting);
            Assert.Equal(one.Nat?.Exempt ?? [], other.Nat?.Exempt ?? []);
            Assert.Equal(Shown.Verdicts(one).Order(StringComparer.Ordinal), Shown.Verdicts(other).Order(StringComparer.Ordinal));
            Assert.Equal(one.ClusterRoutes.Select(c => c.Refusal is null), other.ClusterRoutes.Select(c => c.Refusal is null));
        });

    [Fact]
    public void A_node_changes_nothing_for_nodes_that_it_does_not_touch() => Always.Holds(
        (from cluster in NastyCluster.Any.Generator from bad in NastyCluster.Peer select (cluster, bad)).ToArbitrary(),
        pair =>
        {
            ClusterNode bad = Given.Node("zz-bad " + pair.bad, 50);
            ClusterNode[] nodes = [.. pair.cluster.AllNodes];
            HashSet<ClusterNode> touched = Touched(bad, nodes);
            Policy policy = Given.Policy(pair.cluster.Policy);

            string[] Untouched(ClusterNode[] all) =>
            [
                .. Planner.Plan(all, pair.cluster.HostState, policy).Verdicts.Where(v => !touched.Contains(v.Node))
                    .Select(v => $"{Shown.Verdict(v)} {v.NextHop}"),
            ];
            Assert.Equal(Untouched(nodes), Untouched([.. nodes, bad]));
        });

    [Fact]
    public void Every_podCIDR_has_a_verdict_and_every_refusal_a_reason() => Always.Holds(NastyCluster.Any, cluster =>
    {
        Plan plan = cluster.Plan();
        Assert.Equal(
            cluster.AllNodes.Sum(n => Math.Max(1, n.PodCidrs.Length + n.UnreadablePodCidrs.Length)),
            plan.Verdicts.Length);
        Assert.All(plan.Verdicts, v =>
            Assert.True(v.Kind is VerdictKind.Self or VerdictKind.Routed || v.Reason.Length > 0, Shown.Verdict(v)));
        Assert.Empty(plan.Routes.Select(r => r.Destination).Intersect(plan.Waiting));
    });

    [Fact]
    public void NAT_lists_are_sorted_and_nothing_lies_inside_another() => Always.Holds(NastyCluster.Any, cluster =>
    {
        NatPlan nat = cluster.Plan().Nat!;
        foreach (Prefix[] list in new Prefix[][] { [.. nat.Exempt], [.. nat.Sources] })
        {
            Assert.Equal(list.Order(), list);
            Assert.All(list, a => Assert.True(a.IsAligned && list.Count(a.Overlaps) == 1, a.ToString()));
        }
    });

    // Who overlaps the node, who overlaps those, and so on: a claim that falls frees what it held down.
    private static HashSet<ClusterNode> Touched(ClusterNode bad, ClusterNode[] nodes)
    {
        HashSet<ClusterNode> touched = [bad];
        for (int before = 0; before != touched.Count;)
        {
            before = touched.Count;
            touched.UnionWith(nodes.Where(n => touched.Any(t => Touch(n, t))).ToArray());
        }
        return touched;
    }

    private static bool Touch(ClusterNode a, ClusterNode b) =>
        a.PodCidrs.Any(p => b.PodCidrs.Any(p.Aligned.Overlaps)) ||
        a.InternalIPs.Concat(a.ExternalIPs).Intersect(b.InternalIPs.Concat(b.ExternalIPs)).Any() ||
        a.PodCidrs.Any(p => b.InternalIPs.Concat(b.ExternalIPs).Concat(b.NextHopOverride ?? []).Any(p.Aligned.Contains)) ||
        b.PodCidrs.Any(p => a.InternalIPs.Concat(a.ExternalIPs).Concat(a.NextHopOverride ?? []).Any(p.Aligned.Contains));
}
