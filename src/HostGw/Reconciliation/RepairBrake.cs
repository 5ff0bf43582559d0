using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>Slows down where somebody undoes our repairs: two agents that fight at full speed help nobody.</summary>
internal sealed class RepairBrake(TimeProvider time)
{
    private const int FreeRepairs = 5;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly Dictionary<RouteKey, List<DateTimeOffset>> _repairs = [];

    /// <summary>Takes out of <paramref name="changes"/> the repairs that must wait, and returns them.</summary>
    /// <param name="ledger">Keys that were ours: a change on one of these whose plan has not changed is a repair.</param>
    public List<PodRoute> HoldBack(RouteChanges changes, IReadOnlySet<RouteKey> ledger, Plan? previous)
    {
        List<PodRoute> held = [];
        changes.Add.RemoveAll(route => Waits(route, ledger, previous, held));
        changes.Replace.RemoveAll(correction => Waits(correction.Route, ledger, previous, held));
        return held;
    }

    private bool Waits(PodRoute route, IReadOnlySet<RouteKey> ledger, Plan? previous, List<PodRoute> held)
    {
        bool isRepair = ledger.Contains(route.Key) && previous is not null &&
            previous.TryGetRoute(route.Destination, out PodRoute before) && before == route;
        if (!isRepair || MayRepair(route.Key))
            return false;
        held.Add(route);
        return true;
    }

    private bool MayRepair(RouteKey key)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (!_repairs.TryGetValue(key, out List<DateTimeOffset>? repairs))
            _repairs[key] = repairs = [];
        repairs.RemoveAll(at => now - at > Window);
        if (repairs.Count >= FreeRepairs && now - repairs[^1] < Pause)
            return false;
        repairs.Add(now);
        return true;
    }
}
