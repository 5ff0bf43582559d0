using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>Slows down where somebody undoes our repairs of a route.</summary>
internal sealed class RepairBrake(TimeProvider time)
{
    private readonly Dictionary<RouteKey, Repairs> _repairs = [];

    /// <summary>Takes out of <paramref name="changes"/> the repairs that must wait, and returns them.</summary>
    public List<PodRoute> HoldBack(RouteChanges changes, Predicate<PodRoute> isRepair)
    {
        Forget();
        List<PodRoute> held = [.. changes.Add.Concat(changes.Replace.Select(c => c.Route)).Where(r => isRepair(r) && PauseOf(r) > TimeSpan.Zero)];
        HashSet<RouteKey> keys = [.. held.Select(r => r.Key)];
        changes.Add.RemoveAll(r => keys.Contains(r.Key));
        changes.Replace.RemoveAll(c => keys.Contains(c.Route.Key));
        return held;
    }

    /// <summary>Counts the repairs that were made: one that the host refused was none.</summary>
    public void Count(RouteChanges changes, Predicate<PodRoute> isRepair)
    {
        foreach (PodRoute route in changes.Add.Where(r => isRepair(r)))
            Count(route.Key, "it was deleted");
        foreach (RouteCorrection correction in changes.Replace.Where(c => isRepair(c.Route)))
            Count(correction.Route.Key, Describe(correction.Instead));
    }

    /// <summary>How long until the first of <paramref name="held"/> may be repaired; null where there is none.</summary>
    public TimeSpan? Pause(IReadOnlyList<PodRoute> held) => held.Count == 0 ? null : held.Min(PauseOf);

    /// <summary>The routes over which somebody fights with us, and what we found in their place.</summary>
    public List<ContestedRoute> Contested(Plan plan) =>
        [.. _repairs.Where(r => r.Value.Pace.IsFight && plan.Wants(r.Key.Destination))
            .Select(r => new ContestedRoute(r.Key.Destination, r.Value.Found)).OrderBy(c => c.Destination)];

    private TimeSpan PauseOf(PodRoute route) => _repairs.TryGetValue(route.Key, out Repairs? repairs) ? repairs.Pace.Pause : TimeSpan.Zero;

    private void Count(RouteKey key, string found)
    {
        if (!_repairs.TryGetValue(key, out Repairs? repairs))
            _repairs[key] = repairs = new(found, new(time));
        repairs.Pace.Add();
    }

    private void Forget()
    {
        foreach ((RouteKey key, Repairs repairs) in _repairs)
        {
            if (repairs.Pace.Forget())
                _repairs.Remove(key);
        }
    }

    private static string Describe(HostRoute found) =>
        $"{(found.NextHop.IsNone ? "a route" : $"a route via {found.NextHop}")} of protocol {RouteProtocols.Name(found.Protocol)} stood there";

    /// <param name="Found">What stood there at the first: it names the fight for as long as it lasts.</param>
    private sealed record Repairs(string Found, RepairPace Pace);
}

/// <summary>A route of ours that somebody keeps changing.</summary>
/// <param name="Found">What was found in its place, as a sentence without its end.</param>
internal readonly record struct ContestedRoute(Prefix Destination, string Found);
