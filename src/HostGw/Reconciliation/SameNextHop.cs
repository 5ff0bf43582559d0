using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>
/// Windows allows one route to a destination over a next hop and an interface, whatever its metric: a route that is to be
/// added and stands with another metric is corrected, or left to whom it belongs.
/// </summary>
internal static class SameNextHop
{
    public static void Settle(RouteChanges changes, Plan plan, IReadOnlyList<HostRoute> standing, IReadOnlySet<RouteKey> ledger, AdoptMode adopt)
    {
        if (changes.Add.Count == 0)
            return;
        HashSet<PodRoute> added = [.. changes.Add.Select(WithoutMetric)];
        Dictionary<PodRoute, HostRoute> same = [];
        foreach (HostRoute route in standing.Where(r => added.Contains(WithoutMetric(r))))
            same.TryAdd(WithoutMetric(route), route);

        List<PodRoute> standingAlready = changes.Add.FindAll(r => same.ContainsKey(WithoutMetric(r)));
        changes.Add.RemoveAll(r => same.ContainsKey(WithoutMetric(r)));
        foreach (PodRoute route in standingAlready)
        {
            HostRoute stands = same[WithoutMetric(route)];
            changes.Conflicts.RemoveAll(c => c.Foreign == stands);
            if (Cause(plan, route, stands, ledger, adopt) is { } cause)
            {
                changes.Delete.Remove(stands);
                changes.Replace.Add(new(route, stands, cause));
            }
            else
            {
                changes.Conflicts.Add(new(route, stands));
            }
        }
    }

    private static CorrectionCause? Cause(Plan plan, PodRoute route, HostRoute stands, IReadOnlySet<RouteKey> ledger, AdoptMode adopt) =>
        stands.IsOurs ? CorrectionCause.Differs
        : stands.IsConnected ? null
        : ledger.Contains(route.Key) ? CorrectionCause.Overwritten
        : Adoption.Allows(adopt, plan, route, stands) ? CorrectionCause.Adopted
        : null;

    private static PodRoute WithoutMetric(PodRoute route) => route with { Metric = 0 };

    private static PodRoute WithoutMetric(HostRoute route) => new(route.Destination, 0, route.NextHop, route.Interface);
}
