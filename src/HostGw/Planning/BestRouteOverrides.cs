namespace HostGw.Planning;

/// <summary>
/// Finds the foreign routes that packets to peers take on Windows instead of HostGw's. There are no policy rules: of the routes to one
/// destination the lowest metric of route and interface together decides, and Windows itself is asked which one that is.
/// </summary>
/// <param name="conflicts">Foreign routes that are reported as conflicts already, or that this pass has replaced.</param>
/// <param name="ask">Returns the route that packets to an address take; their source is not considered.</param>
internal sealed class BestRouteOverrides(
    Plan plan, HostState host, IReadOnlySet<(Prefix Destination, Ip NextHop, int Interface)> conflicts, Func<Ip, RouteAnswer> ask)
{
    public static IReadOnlyList<RouteOverride> Find(
        Plan plan, HostState host, IReadOnlySet<(Prefix Destination, Ip NextHop, int Interface)> conflicts, Func<Ip, RouteAnswer> ask) =>
        plan.Scope == PlanScope.Everything ? [.. new BestRouteOverrides(plan, host, conflicts, ask).Find()] : [];

    /// <summary>The command that removes this route and no other.</summary>
    public static string Removal(HostRoute route) => $"Remove-NetRoute {Name(route)}";

    private IEnumerable<RouteOverride> Find() =>
        from peer in Sample()
        let winner = Winner(peer)
        where winner is not null
        group (peer, winner.Value) by (winner.Value.NextHop, winner.Value.Interface) into same
        let first = same.First()
        select new RouteOverride(
            Text(first.Value, first.peer), "from this node's pods to other nodes' pods", "it",
            $"{Removal(first.Value)}; or, to keep it, Set-NetRoute {Name(first.Value)} -RouteMetric {Above(first.Value)}",
            same.Select(s => s.peer.Destination).ToHashSet());

    // Those with a competing route first; of the others as many as there is room for, evenly spaced.
    private IEnumerable<PodRoute> Sample()
    {
        ILookup<bool, PodRoute> peers = plan.Routes.Where(r => !r.NextHop.IsNone && !r.IsToOneAddress)
            .DistinctBy(r => r.Destination).ToLookup(p => Foreign(p.Destination).Any());
        PodRoute[] contested = [.. peers[true].Take(Overrides.MostLookups)], others = [.. peers[false]];
        int room = Overrides.MostLookups - contested.Length;
        int step = room == 0 ? 0 : (others.Length + room - 1) / room;
        return step == 0 ? contested : contested.Concat(others.Where((_, i) => i % step == 0));
    }

    // Null also where Windows does not say. A longer prefix is reported as a shadow, a shorter one wins where HostGw's route is missing.
    private HostRoute? Winner(PodRoute peer)
    {
        RouteAnswer answer = ask(SampleAddress(peer.Destination));
        if (answer.Kind != RouteAnswerKind.Route || answer.Destination != peer.Destination ||
            conflicts.Contains((answer.Destination, answer.NextHop, answer.Interface)))
            return null;
        foreach (HostRoute foreign in Foreign(peer.Destination))
        {
            if (foreign.NextHop == answer.NextHop && foreign.Interface == answer.Interface)
                return foreign;
        }
        return null;
    }

    private IEnumerable<HostRoute> Foreign(Prefix destination)
    {
        for (int i = host.FirstRouteFrom(destination); i < host.Routes.Count && host.Routes[i].Destination == destination; i++)
        {
            if (!host.Routes[i].IsOurs)
                yield return host.Routes[i];
        }
    }

    // A pod's, where the podCIDR has room for one.
    private static Ip SampleAddress(Prefix podCidr)
    {
        Ip first = podCidr.Aligned.Address;
        return podCidr.Length > first.Bits - 2 ? first : first.Plus(2);
    }

    private string Text(HostRoute foreign, PodRoute peer)
    {
        string hop = foreign.NextHop.IsNone ? "" : $" via {foreign.NextHop}";
        return $"the route {foreign.Destination}{hop} over {host.Interface(foreign.Interface)?.Name}, " +
            $"whose metric with its interface's is {MetricOf(foreign)}, and that of HostGw's {Best(peer.Destination)}";
    }

    private ulong MetricOf(HostRoute foreign) => host.MetricOf(foreign.Destination, foreign.Metric, foreign.Interface);

    private ulong Best(Prefix destination)
    {
        ulong best = ulong.MaxValue;
        foreach (PodRoute route in plan.RoutesTo(destination))
            best = Math.Min(best, host.MetricOf(destination, route.Metric, route.Interface));
        return best;
    }

    // The lowest metric with which it no longer wins.
    private ulong Above(HostRoute foreign)
    {
        ulong best = Best(foreign.Destination);
        return best + 1 + foreign.Metric - Math.Min(MetricOf(foreign), best);
    }

    private static string Name(HostRoute route)
    {
        string none = route.Destination.IsIPv4 ? "0.0.0.0" : "::";
        return $"-DestinationPrefix {route.Destination} -InterfaceIndex {route.Interface} " +
            $"-NextHop {(route.NextHop.IsNone ? none : route.NextHop.ToString())}";
    }
}
