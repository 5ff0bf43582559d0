using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>
/// The keys on which a route of ours has stood. It tells a route of ours that somebody overwrote from one that
/// was there before us; it never decides what is installed.
/// </summary>
internal sealed class RouteLedger
{
    private HashSet<RouteKey> _keys = [];

    public IReadOnlySet<RouteKey> Keys => _keys;

    /// <summary>Learns from a pass: what stood, and what was done without failure.</summary>
    public void Remember(Plan plan, IReadOnlyList<HostRoute> standing, RouteChanges changes, IEnumerable<HostFailure> failures)
    {
        if (plan.Scope == PlanScope.Nothing)
            return;

        HashSet<RouteKey> ours = [.. standing.Where(r => r.IsOurs).Select(r => r.Key)];
        ours.UnionWith(changes.Add.Select(r => r.Key));
        ours.UnionWith(changes.Replace.Select(r => r.Route.Key));
        ours.ExceptWith(failures.Select(f => f.Route).OfType<RouteKey>());
        ours.UnionWith(_keys);

        // Of what is not wanted any more nothing is ours to defend.
        HashSet<RouteKey> wanted = [.. plan.Routes.Select(r => r.Key)];
        ours.RemoveWhere(k => !wanted.Contains(k) && plan.Waiting.AsSpan().BinarySearch(k.Destination) < 0);
        _keys = ours;
    }
}
