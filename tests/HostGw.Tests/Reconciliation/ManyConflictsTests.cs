using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

/// <summary>Another agent's routes to all peers: each pass compares and reports every one of them.</summary>
public class ManyConflictsTests
{
    private const int Peers = 30_000;

    // More than twice as long where each conflict searches all verdicts, a small part of it where none does.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(8);

    [Fact]
    public void Thirty_thousand_conflicts_are_found_and_described_without_a_search_for_each()
    {
        Plan plan = Planner.Plan([.. Enumerable.Range(0, Peers).Select(Peer)], Host(), new() { NodeName = "node00000" });
        HostRoute[] foreign = [.. plan.Routes.Select(Foreign)];
        Assert.Equal(Peers - 1, foreign.Length);

        long start = TimeProvider.System.GetTimestamp();
        RouteChanges changes = RouteDiff.Between(plan, foreign, new HashSet<RouteKey>(), AdoptMode.Equivalent);
        string[] texts = [.. ProblemCatalog.Texts(new PassReport { Plan = plan, Changes = new() { Routes = changes } })];
        TimeSpan elapsed = TimeProvider.System.GetElapsedTime(start);

        Assert.Equal(foreign.Length, changes.Conflicts.Count);
        Assert.Contains(texts, t => t.StartsWith("node node29999 10.181.47.0/24 (conflict): ", StringComparison.Ordinal));
        Assert.True(elapsed < Limit, $"it took {elapsed.TotalSeconds:F1} s");
    }

    [Fact]
    public void Twenty_thousand_corrected_metrics_are_found_without_a_search_for_each()
    {
        Plan plan = Planner.Plan([.. Enumerable.Range(0, 20_000).Select(Peer)], Host(), new() { NodeName = "node00000" });
        HostRoute[] ours = [.. plan.Routes.Select(r => r.InstalledBy(protocol: 80) with { Metric = 9 })];
        long start = TimeProvider.System.GetTimestamp();
        RouteChanges changes = RouteDiff.Between(plan, ours, new HashSet<RouteKey>(), AdoptMode.None, onePerNextHop: true);
        TimeSpan elapsed = TimeProvider.System.GetElapsedTime(start);
        Assert.Equal((0, 0, ours.Length, 0), (changes.Add.Count, changes.Delete.Count, changes.Replace.Count, changes.Conflicts.Count));
        Assert.True(elapsed < TimeSpan.FromSeconds(2), $"it took {elapsed.TotalSeconds:F1} s");
    }

    private static ClusterNode Peer(int i) => new()
    {
        Name = $"node{i:D5}",
        Uid = $"uid{i}",
        PodCidrs = [new(Ip.Parse("10.64.0.0").Plus((uint)i << 8), 24)],
        InternalIPs = [Ip.Parse("172.20.0.0").Plus((uint)i + 1)],
    };

    private static HostState Host() => Given.Host("eth0 172.20.0.1/16");

    private static HostRoute Foreign(PodRoute route) =>
        route.InstalledBy(protocol: 80) with { IsOurs = false, NextHop = Ip.Parse("172.20.255.1") };
}
