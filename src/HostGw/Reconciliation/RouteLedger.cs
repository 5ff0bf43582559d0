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

    /// <summary>Learns from a pass: what stood, and what was done.</summary>
    /// <param name="done">Without what the host refused.</param>
    public void Remember(Plan plan, IReadOnlyList<HostRoute> standing, RouteChanges done)
    {
        if (plan.Scope == PlanScope.Nothing)
            return;

        HashSet<RouteKey> held = [.. standing.Where(r => r.IsOurs).Select(r => r.Key)];
        HashSet<RouteKey> ours = [.. _keys, .. held];
        // What stands beside ours did not overwrite it, and stays somebody else's when ours goes.
        ours.ExceptWith(standing.Where(r => !r.IsOurs && r.Tos == 0 && held.Contains(r.Key)).Select(r => r.Key));
        ours.UnionWith(done.Add.Select(r => r.Key));
        ours.UnionWith(done.Replace.Select(c => c.Route.Key));

        // Of what is not wanted any more nothing is ours to defend.
        HashSet<RouteKey> wanted = [.. plan.Routes.Select(r => r.Key)];
        ours.RemoveWhere(k => !wanted.Contains(k) && plan.Waiting.AsSpan().BinarySearch(k.Destination) < 0);
        _keys = ours;
    }
}
