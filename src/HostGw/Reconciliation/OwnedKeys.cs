using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>
/// The keys on which a route of HostGw was installed. A foreign route on such a key has overwritten HostGw's and is replaced; on any
/// other key it was there first, and remains. What is installed is read from the host in every pass, never from here.
/// </summary>
internal sealed class OwnedKeys
{
    private readonly HashSet<RouteKey> _keys = [];
    private Plan? _plan;

    public IReadOnlySet<RouteKey> Keys => _keys;

    /// <summary>Learns from a pass: what was installed, and what was changed.</summary>
    /// <param name="installed">Sorted by key.</param>
    /// <param name="made">Without what the host refused.</param>
    public void Remember(Plan plan, ReadOnlySpan<HostRoute> installed, RouteChanges made)
    {
        if (plan.Scope == PlanScope.Nothing)
            return;

        // A destination that is no longer desired is not defended.
        if (!ReferenceEquals(plan, _plan))
            _keys.RemoveWhere(k => !IsDefended(plan, k));
        _plan = plan;
        // A set that doubles as it grows leaves as much garbage behind.
        _keys.EnsureCapacity(plan.Routes.Length);
        for (int i = 0; i < installed.Length;)
            i = RememberKey(plan, installed, i);
        foreach (PodRoute route in made.Add)
            _keys.Add(route.Key);
        foreach (RouteCorrection correction in made.Replace)
            _keys.Add(correction.Route.Key);
    }

    // Returns where the next key begins.
    private int RememberKey(Plan plan, ReadOnlySpan<HostRoute> installed, int first)
    {
        RouteKey key = installed[first].Key;
        bool ours = false, foreign = false;
        int next = first;
        for (; next < installed.Length && installed[next].Key == key; next++)
        {
            ours |= installed[next].IsOurs;
            foreign |= !installed[next].IsOurs && installed[next].Tos == 0;
        }
        // A foreign route in addition to ours did not overwrite it, and remains foreign when ours is removed.
        if (ours && foreign)
            _keys.Remove(key);
        else if (ours && !_keys.Contains(key) && IsDefended(plan, key))
            _keys.Add(key);
        return next;
    }

    private static bool IsDefended(Plan plan, RouteKey key) =>
        plan.TryGetRoute(key, out _) || plan.Waiting.AsSpan().BinarySearch(key.Destination) >= 0;
}
