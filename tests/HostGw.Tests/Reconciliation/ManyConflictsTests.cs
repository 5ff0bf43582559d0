using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

/// <summary>Another agent's routes to all peers: each pass compares and reports every one of them.</summary>
public class ManyConflictsTests
{
    [Fact]
    public void Thirty_thousand_conflicts_are_found_and_described_without_a_search_for_each() => Growth.IsLinear(30_000, peers =>
    {
        Plan plan = PlanOf(peers);
        HostRoute[] foreign = [.. plan.Routes.Select(Foreign)];
        Assert.Equal(peers - 1, foreign.Length);
        string last = $"node node{peers - 1:D5} {Peer(peers - 1).PodCidrs[0]} (conflict): ";
        return () =>
        {
            RouteChanges changes = RouteDiff.Between(plan, foreign, new HashSet<RouteKey>(), AdoptMode.Equivalent);
            string[] texts = [.. ProblemCatalog.Texts(new PassReport { Plan = plan, Changes = new() { Routes = changes } })];
            Assert.Equal(foreign.Length, changes.Conflicts.Count);
            Assert.Contains(texts, t => t.StartsWith(last, StringComparison.Ordinal));
        };
    });

    [Fact]
    public void Twenty_thousand_corrected_metrics_are_found_without_a_search_for_each() => Growth.IsLinear(20_000, peers =>
    {
        Plan plan = PlanOf(peers);
        HostRoute[] ours = [.. plan.Routes.Select(r => r.InstalledBy(protocol: 80) with { Metric = 9 })];
        return () =>
        {
            RouteChanges changes = RouteDiff.Between(plan, ours, new HashSet<RouteKey>(), AdoptMode.None, onePerNextHop: true);
            Assert.Equal((0, 0, ours.Length, 0), (changes.Add.Count, changes.Delete.Count, changes.Replace.Count, changes.Conflicts.Count));
        };
    });

    private static Plan PlanOf(int peers) =>
        Planner.Plan([.. Enumerable.Range(0, peers).Select(Peer)], Given.Host("eth0 172.20.0.1/16"), new() { NodeName = "node00000" });

    private static ClusterNode Peer(int i) => new()
    {
        Name = $"node{i:D5}",
        Uid = $"uid{i}",
        PodCidrs = [new(Ip.Parse("10.64.0.0").Plus((uint)i << 8), 24)],
        InternalIPs = [Ip.Parse("172.20.0.0").Plus((uint)i + 1)],
    };

    private static HostRoute Foreign(PodRoute route) =>
        route.InstalledBy(protocol: 80) with { IsOurs = false, NextHop = Ip.Parse("172.20.255.1") };
}
