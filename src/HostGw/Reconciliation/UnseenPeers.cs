using HostGw.Net;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>
/// HostGw's installed routes to Nodes that the agent has not seen since it started, while a part of the node digest was never read. A
/// younger Node is granted their podCIDRs, if it claims them: until all is read, these routes stay, and none is added inside them.
/// </summary>
internal sealed class UnseenPeers
{
    // Their destinations; null: not looked for yet. Only routes from before the start lead to such Nodes: none is added to the first ones.
    private HashSet<Prefix>? _destinations;

    /// <summary>Their routes on this host.</summary>
    public HostRoute[] Routes(HostChanges changes)
    {
        if (_destinations is { Count: 0 })
            return [];
        HashSet<Ip> seen = Addresses(changes.Plan);
        HostRoute[] unseen =
        [
            .. from route in changes.Host.Routes
               where RemovalBrake.Counts(route) && !route.Target.IsNone && (_destinations?.Contains(route.Destination) ?? true) &&
                   !seen.Contains(route.Target) && !LeadsThere(changes.Plan, route)
               select route,
        ];
        _destinations = [.. unseen.Select(r => r.Destination)];
        return unseen;
    }

    /// <summary>The changes without those of these routes, and without additions inside them.</summary>
    public static RouteChanges Keep(RouteChanges changes, HostRoute[] unseen)
    {
        if (unseen.Length == 0)
            return changes;
        HashSet<HostRoute> kept = [.. unseen];
        PrefixForest around = new(unseen.Select(r => r.Destination));
        HashSet<RouteKey> held =
        [
            .. changes.Replace.Where(c => kept.Contains(c.Instead)).Select(c => c.Route.Key),
            .. changes.Add.Where(r => around.Covering(r.Destination) >= 0).Select(r => r.Key),
        ];
        return changes.WithoutInstalling(held) with { Delete = [.. changes.Delete.Where(r => !kept.Contains(r))], Held = held };
    }

    private static HashSet<Ip> Addresses(Plan plan)
    {
        HashSet<Ip> addresses = [];
        foreach (Verdict verdict in plan.Verdicts)
        {
            foreach (Ip address in verdict.Node.InternalIPs)
                addresses.Add(address);
            foreach (Ip address in verdict.Node.ExternalIPs)
                addresses.Add(address);
        }
        return addresses;
    }

    // A Node that lost its addresses keeps its next hop, several Nodes may be annotated with one router, and a gateway inside the
    // podCIDR is that of whoever has the podCIDR.
    private static bool LeadsThere(Plan plan, HostRoute route)
    {
        foreach (PodRoute planned in plan.RoutesTo(route.Destination))
        {
            if (planned.NextHop == route.Target || route.Destination.Contains(route.Target))
                return true;
        }
        return false;
    }
}
