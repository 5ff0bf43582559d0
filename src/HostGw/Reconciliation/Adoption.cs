using HostGw.Planning;

namespace HostGw.Reconciliation;

/// <summary>Which routes of others become ours: flannel's host-gw, or those made by hand, on a node that changes to HostGw.</summary>
internal static class Adoption
{
    public static bool Allows(AdoptMode mode, Plan plan, PodRoute route, HostRoute foreign) => mode switch
    {
        AdoptMode.All => true,
        // What comes back at boot is only taken over by whoever knows: to delete it is not to be rid of it.
        AdoptMode.Equivalent => !foreign.MayReturn && IsEquivalent(plan, route, foreign),
        _ => false,
    };

    // Same interface, and a next hop that would do for this peer in one mode or the other.
    private static bool IsEquivalent(Plan plan, PodRoute route, HostRoute foreign)
    {
        if (!foreign.IsUnicast || foreign.NextHopCount != 1 || foreign.Interface != route.Interface)
            return false;
        if (foreign.NextHop == route.NextHop)
            return true;
        if (route.NextHop.IsNone || foreign.NextHop.IsNone)
            return false;

        ClusterNode? peer = plan.Verdicts.FirstOrDefault(v => v.Kind == VerdictKind.Routed && v.PodCidr == route.Destination).Node;
        return peer is not null && (peer.InternalIPs.Contains(foreign.NextHop) || peer.ExternalIPs.Contains(foreign.NextHop) ||
            foreign.NextHop == PodGateway.Of(route.Destination, peer.IsWindows));
    }
}
