using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>
/// The keys on which a route of ours has stood. It tells a route of ours that somebody overwrote from one that
/// was there before us; it never decides what is installed.
/// </summary>
internal sealed class RouteLedger
{
    private readonly HashSet<RouteKey> _keys = [];
    private Plan? _plan;

    public IReadOnlySet<RouteKey> Keys => _keys;

    /// <summary>Learns from a pass: what stood, and what was done.</summary>
    /// <param name="standing">Sorted by key.</param>
    /// <param name="done">Without what the host refused.</param>
    public void Remember(Plan plan, IReadOnlyList<HostRoute> standing, RouteChanges done)
    {
        if (plan.Scope == PlanScope.Nothing)
            return;

        // Of what is not wanted any more nothing is ours to defend.
        if (!ReferenceEquals(plan, _plan))
            _keys.RemoveWhere(k => !IsDefended(plan, k));
        _plan = plan;
        // What doubles as it grows leaves as much again behind.
        _keys.EnsureCapacity(plan.Routes.Length);
        for (int i = 0; i < standing.Count;)
            i = RememberKey(plan, standing, i);
        foreach (PodRoute route in done.Add)
            _keys.Add(route.Key);
        foreach (RouteCorrection correction in done.Replace)
            _keys.Add(correction.Route.Key);
    }

    // Returns where the next key begins.
    private int RememberKey(Plan plan, IReadOnlyList<HostRoute> standing, int first)
    {
        RouteKey key = standing[first].Key;
        bool ours = false, besides = false;
        int next = first;
        for (; next < standing.Count && standing[next].Key == key; next++)
        {
            ours |= standing[next].IsOurs;
            besides |= !standing[next].IsOurs && standing[next].Tos == 0;
        }
        // What stands beside ours did not overwrite it, and stays somebody else's when ours goes.
        if (ours && besides)
            _keys.Remove(key);
        else if (ours && !_keys.Contains(key) && IsDefended(plan, key))
            _keys.Add(key);
        return next;
    }

    private static bool IsDefended(Plan plan, RouteKey key) =>
        plan.TryGetRoute(key, out _) || plan.Waiting.AsSpan().BinarySearch(key.Destination) >= 0;
}
