using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>A desired route, and a foreign one inside its destination. The kernel takes the longest prefix.</summary>
/// <param name="More">How many others there are inside it.</param>
internal readonly record struct RouteShadow(PodRoute Route, HostRoute Foreign, int More)
{
    /// <summary>The first shadow of each desired route. Walks two sorted lists once.</summary>
    public static IReadOnlyList<RouteShadow> Find(Plan plan, IReadOnlyList<HostRoute> installed)
    {
        List<RouteShadow> found = [];
        for (int i = 0, next = 0; i < installed.Count; i++)
        {
            HostRoute foreign = installed[i];
            if (foreign.IsOurs)
                continue;
            while (next < plan.Routes.Length && plan.Routes[next].Destination.CompareTo(foreign.Destination) <= 0)
                next++;
            if (plan.PeerRouteBefore(next, foreign.Destination) is { } route && TakesPartOf(route, foreign))
                Add(found, route, foreign);
        }
        return found;
    }

    private static bool TakesPartOf(PodRoute route, HostRoute foreign) =>
        foreign.Destination.Length > route.Destination.Length &&
        !(foreign.IsUnicast && foreign.NextHopCount == 1 && !foreign.Extras.HasFlag(RouteExtras.Encapsulation) &&
            foreign.NextHop == route.NextHop && foreign.Interface == route.Interface);

    private static void Add(List<RouteShadow> found, PodRoute route, HostRoute foreign)
    {
        if (found.Count > 0 && found[^1].Route.Destination == route.Destination)
            found[^1] = found[^1] with { More = found[^1].More + 1 };
        else
            found.Add(new(route, foreign, 0));
    }
}
