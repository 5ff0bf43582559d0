using HostGw.Planning;

namespace HostGw.Platform.Windows;

/// <summary>
/// Foreign routes that packets take instead of HostGw's. A pass that plans and reads what the last one did, and changes no route, keeps its
/// answers: that saves up to 256 questions, for each of which Windows searches its table.
/// </summary>
/// <param name="ask">Returns the route that packets to an address take.</param>
internal sealed class WindowsOverrides(Func<Ip, RouteAnswer> ask)
{
    private IReadOnlyList<RouteOverride> _found = [];

    // Null: the last pass has changed routes after it had read them, or there was none.
    private HostChanges? _asked;

    public IReadOnlyList<RouteOverride> Find(HostChanges changes)
    {
        bool isSettled = changes.Routes.IsEmpty;
        if (_asked is null || !isSettled || !IsSame(_asked, changes))
            _found = BestRouteOverrides.Find(changes.Plan, changes.Host, Known(changes.Routes), ask);
        _asked = isSettled ? changes : null;
        return _found;
    }

    private static bool IsSame(HostChanges before, HostChanges now) =>
        before.Plan.Scope == now.Plan.Scope
        && now.Host.Interfaces.SequenceEqual(before.Host.Interfaces)
        && now.Host.RouteSpan.SequenceEqual(before.Host.RouteSpan)
        && now.Plan.Routes.AsSpan().SequenceEqual(before.Plan.Routes.AsSpan())
        && Known(now.Routes).SetEquals(Known(before.Routes));

    // A foreign route that was just replaced by HostGw's is still in the state that was read.
    private static HashSet<(Prefix Destination, Ip NextHop, int Interface)> Known(RouteChanges routes) =>
    [
        .. routes.Conflicts.Select(c => c.Foreign).Concat(routes.Replace.Select(c => c.Instead))
            .Select(r => (r.Destination, r.NextHop, r.Interface)),
    ];
}
