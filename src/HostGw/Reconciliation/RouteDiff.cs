using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>Compares the desired routes with the installed ones: two sorted lists, walked once.</summary>
internal sealed class RouteDiff
{
    private readonly Plan _plan;
    private readonly IReadOnlyList<HostRoute> _installed;
    private readonly IReadOnlySet<RouteKey> _owned;
    private readonly AdoptMode _adopt;
    private readonly RouteChanges.Builder _changes = new();
    private readonly List<HostRoute> _onKey = [];
    private int _next;

    private RouteDiff(Plan plan, IReadOnlyList<HostRoute> installed, IReadOnlySet<RouteKey> owned, AdoptMode adopt) =>
        (_plan, _installed, _owned, _adopt) = (plan, installed, owned, adopt);

    /// <param name="installed">Sorted by key.</param>
    /// <param name="owned">See <see cref="OwnedKeys"/>.</param>
    /// <param name="onePerNextHop">Windows allows one route to a destination over a next hop and interface, not one per metric.</param>
    public static RouteChanges Between(
        Plan plan, IReadOnlyList<HostRoute> installed, IReadOnlySet<RouteKey> owned, AdoptMode adopt, bool onePerNextHop = false)
    {
        var diff = new RouteDiff(plan, installed, owned, adopt);
        if (plan.Scope != PlanScope.Nothing)
            diff.Walk();
        if (onePerNextHop && diff._changes.Add.Count > 0)
            diff.CorrectMetrics();
        return diff._changes.Build();
    }

    private void Walk()
    {
        // At a first start all of them are added: the list grows once.
        _changes.Add.EnsureCapacity(Math.Max(0, _plan.Routes.Length - _installed.Count));
        foreach (PodRoute route in _plan.Routes)
        {
            while (_next < _installed.Count && _installed[_next].Key.CompareTo(route.Key) < 0)
                Unwanted(_installed[_next++], route);

            _onKey.Clear();
            while (_next < _installed.Count && _installed[_next].Key == route.Key)
                TakeOnKey(_installed[_next++]);
            Compare(route);
        }
        while (_next < _installed.Count)
            Unwanted(_installed[_next++], default);
    }

    // The kernel keeps a route with a type of service in addition to the one on the key.
    private void TakeOnKey(HostRoute installed)
    {
        if (installed.Tos == 0)
            _onKey.Add(installed);
        else
            Unwanted(installed, default);
    }

    /// <param name="following">The next desired route.</param>
    private void Unwanted(HostRoute installed, PodRoute following)
    {
        if (installed.IsOurs)
        {
            if (_plan.Waiting.AsSpan().BinarySearch(installed.Destination) < 0)
                Delete([installed]);
        }
        else if (installed.Destination == following.Destination && installed.Tos == 0 &&
            (!installed.IsConnected || installed.Interface == following.Interface))
        {
            // A foreign route of a lower metric takes precedence. HostGw's is installed nevertheless.
            _changes.Conflicts.Add(new(following, installed));
        }
    }

    private void Compare(PodRoute route)
    {
        if (_onKey.Count == 1 && route.IsInstalledAs(_onKey[0]))
            return;

        if (_onKey.Count == 0)
        {
            _changes.Add.Add(route);
            return;
        }

        List<HostRoute> ours = _onKey.FindAll(r => r.IsOurs);
        if (ours.Count == _onKey.Count)
            CompareWithOurs(route, ours);
        else if (_onKey.Count == 1 && CauseToTakeOver(route, _onKey[0]) is { } cause)
            _changes.Replace.Add(new(route, _onKey[0], cause));
        else
            Conflict(route, ours);
    }

    private void CompareWithOurs(PodRoute route, List<HostRoute> ours)
    {
        int right = ours.FindIndex(route.IsInstalledAs);
        if (right < 0 && ours.Count == 1)
        {
            _changes.Replace.Add(new(route, ours[0], CorrectionCause.Differs));
            return;
        }

        // Replacing is only safe where one route is on the key: the others are deleted first.
        int keep = Math.Max(right, 0);
        Delete(ours.Where((_, i) => i != keep));
        _changes.IsUnfinished |= right < 0 && _plan.Scope == PlanScope.Everything;
    }

    private void Conflict(PodRoute route, List<HostRoute> ours)
    {
        _changes.Conflicts.Add(new(route, _onKey.Find(r => !r.IsOurs), IsShared: _onKey.Count > 1));
        Delete(ours.Where(r => !route.IsInstalledAs(r)));
    }

    private void Delete(IEnumerable<HostRoute> routes)
    {
        if (_plan.Scope == PlanScope.Everything)
            _changes.Delete.AddRange(routes);
    }

    // A route that would be added, but is installed with another metric, is corrected, or left to its owner.
    private void CorrectMetrics()
    {
        HashSet<PodRoute> added = [.. _changes.Add.Select(WithoutMetric)];
        Dictionary<PodRoute, HostRoute> same = [];
        foreach (HostRoute route in _installed.Where(r => added.Contains(WithoutMetric(r))))
            same.TryAdd(WithoutMetric(route), route);

        List<PodRoute> otherMetric = _changes.Add.FindAll(r => same.ContainsKey(WithoutMetric(r)));
        _changes.Add.RemoveAll(r => same.ContainsKey(WithoutMetric(r)));
        HashSet<HostRoute> compared = [.. same.Values], corrected = [];
        _changes.Conflicts.RemoveAll(c => compared.Contains(c.Foreign));
        foreach (PodRoute route in otherMetric)
        {
            HostRoute present = same[WithoutMetric(route)];
            if ((present.IsOurs ? CorrectionCause.Differs : CauseToTakeOver(route, present)) is { } cause)
            {
                corrected.Add(present);
                _changes.Replace.Add(new(route, present, cause));
            }
            else
            {
                _changes.Conflicts.Add(new(route, present));
            }
        }
        _changes.Delete.RemoveAll(corrected.Contains);
    }

    private CorrectionCause? CauseToTakeOver(PodRoute route, HostRoute foreign) =>
        foreign.IsConnected ? null
        : _owned.Contains(route.Key) ? CorrectionCause.Overwritten
        : Adoption.Allows(_adopt, _plan, route, foreign) ? CorrectionCause.Adopted
        : null;

    private static PodRoute WithoutMetric(PodRoute route) => route with { Metric = 0 };

    private static PodRoute WithoutMetric(HostRoute route) => new(route.Destination, 0, route.NextHop, route.Interface);
}

/// <summary>Which foreign routes HostGw takes over: those of flannel, or set by hand, on a node that moves to HostGw.</summary>
internal static class Adoption
{
    public static bool Allows(AdoptMode mode, Plan plan, PodRoute route, HostRoute foreign) => mode switch
    {
        AdoptMode.All => true,
        // A route that the system restores at boot is taken over with adopt: all only. Deleting it here would not be final.
        AdoptMode.Equivalent => !foreign.MayReturn && IsEquivalent(plan, route, foreign),
        _ => false,
    };

    // The same interface, nothing that changes packets, and a next hop that reaches this peer in one mode or the other. A tunnelled
    // route has no equivalent: HostGw alone makes routes over its link.
    private static bool IsEquivalent(Plan plan, PodRoute route, HostRoute foreign)
    {
        if (route.Tunnel is not null || !foreign.IsUnicast || foreign.NextHopCount != 1 || foreign.Interface != route.Interface ||
            (foreign.Extras & ~RouteExtras.Source) != 0)
            return false;
        if (foreign.NextHop == route.NextHop)
            return true;
        if (route.NextHop.IsNone || foreign.NextHop.IsNone)
            return false;

        ClusterNode? peer = plan.RoutedPeer(route.Destination);
        return peer is not null && (peer.InternalIPs.Contains(foreign.NextHop) || peer.ExternalIPs.Contains(foreign.NextHop) ||
            foreign.NextHop == PodGateway.Of(route.Destination, peer.IsWindows));
    }
}

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
        // A foreign route in addition to HostGw's did not overwrite it, and remains foreign when HostGw's is removed.
        if (ours && foreign)
            _keys.Remove(key);
        else if (ours && !_keys.Contains(key) && IsDefended(plan, key))
            _keys.Add(key);
        return next;
    }

    private static bool IsDefended(Plan plan, RouteKey key) =>
        plan.TryGetRoute(key, out _) || plan.Waiting.AsSpan().BinarySearch(key.Destination) >= 0;
}
