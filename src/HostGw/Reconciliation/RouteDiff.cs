using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>Compares the routes that should stand with those that do: two sorted lists, walked once.</summary>
internal sealed class RouteDiff
{
    private readonly Plan _plan;
    private readonly IReadOnlyList<HostRoute> _standing;
    private readonly IReadOnlySet<RouteKey> _ledger;
    private readonly AdoptMode _adopt;
    private readonly RouteChanges _changes = new();
    private readonly List<HostRoute> _onKey = [];
    private int _next;

    private RouteDiff(Plan plan, IReadOnlyList<HostRoute> standing, IReadOnlySet<RouteKey> ledger, AdoptMode adopt) =>
        (_plan, _standing, _ledger, _adopt) = (plan, standing, ledger, adopt);

    /// <param name="standing">Sorted by key.</param>
    /// <param name="ledger">The keys that were ours when this process last looked.</param>
    public static RouteChanges Between(Plan plan, IReadOnlyList<HostRoute> standing, IReadOnlySet<RouteKey> ledger, AdoptMode adopt)
    {
        var diff = new RouteDiff(plan, standing, ledger, adopt);
        if (plan.Scope != PlanScope.Nothing)
            diff.Walk();
        return diff._changes;
    }

    private void Walk()
    {
        // At a first start it is all of them.
        _changes.Add.EnsureCapacity(Math.Max(0, _plan.Routes.Length - _standing.Count));
        foreach (PodRoute route in _plan.Routes)
        {
            while (_next < _standing.Count && _standing[_next].Key.CompareTo(route.Key) < 0)
                Unwanted(_standing[_next++], route);

            _onKey.Clear();
            while (_next < _standing.Count && _standing[_next].Key == route.Key)
                TakeOnKey(_standing[_next++]);
            Settle(route);
        }
        while (_next < _standing.Count)
            Unwanted(_standing[_next++], default);
    }

    // A route with a type of service stands beside the key, not on it.
    private void TakeOnKey(HostRoute standing)
    {
        if (standing.Tos == 0)
            _onKey.Add(standing);
        else
            Unwanted(standing, default);
    }

    /// <param name="following">The next route that should stand.</param>
    private void Unwanted(HostRoute standing, PodRoute following)
    {
        if (standing.IsOurs)
        {
            if (_plan.Waiting.AsSpan().BinarySearch(standing.Destination) < 0)
                Delete([standing]);
        }
        else if (standing.Destination == following.Destination && standing.Tos == 0 && (!standing.IsConnected || standing.Interface == following.Interface))
        {
            // A lower metric wins over ours, which stands all the same.
            _changes.Conflicts.Add(new(following, standing));
        }
    }

    private void Settle(PodRoute route)
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
            SettleAmongOurs(route, ours);
        else if (_onKey.Count == 1 && CauseToTakeOver(route, _onKey[0]) is { } cause)
            _changes.Replace.Add(new(route, _onKey[0], cause));
        else
            SettleConflict(route, ours);
    }

    private void SettleAmongOurs(PodRoute route, List<HostRoute> ours)
    {
        int right = ours.FindIndex(route.IsInstalledAs);
        if (right < 0 && ours.Count == 1)
        {
            _changes.Replace.Add(new(route, ours[0], CorrectionCause.Differs));
            return;
        }

        // Replacing is only safe where one route holds the key: the others go first.
        int keep = Math.Max(right, 0);
        Delete(ours.Where((_, i) => i != keep));
        _changes.IsUnfinished |= right < 0 && _changes.Delete.Count > 0;
    }

    private void SettleConflict(PodRoute route, List<HostRoute> ours)
    {
        _changes.Conflicts.Add(new(route, _onKey.Find(r => !r.IsOurs)));
        Delete(ours.Where(r => !route.IsInstalledAs(r)));
    }

    private void Delete(IEnumerable<HostRoute> routes)
    {
        if (_plan.Scope == PlanScope.Everything)
            _changes.Delete.AddRange(routes);
    }

    private CorrectionCause? CauseToTakeOver(PodRoute route, HostRoute foreign) =>
        foreign.IsConnected ? null
        : _ledger.Contains(route.Key) ? CorrectionCause.Overwritten
        : Adoption.Allows(_adopt, _plan, route, foreign) ? CorrectionCause.Adopted
        : null;
}
