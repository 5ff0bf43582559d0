using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>Compares a plan with what stands on the host. Pure.</summary>
internal static class HostDiff
{
    /// <param name="ledger">Keys on which a route of ours has stood.</param>
    public static HostChanges Between(Plan plan, HostState state, IReadOnlySet<RouteKey> ledger, AdoptMode adopt)
    {
        bool everything = plan.Scope == PlanScope.Everything;
        RouteChanges routes = RouteDiff.Between(plan, state.Routes, ledger, adopt);
        if (state.Windows is not null)
            SameNextHop.Settle(routes, plan, state.Routes, ledger, adopt);
        return new()
        {
            Plan = plan,
            Host = state,
            Routes = routes,
            ChangesNat = everything,
            Nat = plan.Nat,
            ChangesForward = everything,
            ForwardAccept = plan.ForwardAccept,
            PodCidrs = plan.OwnPodCidrs,
            ChangesCni = everything && plan.Cni is not { Mtu: 0 },
            Cni = plan.Cni,
            EnableForwardingIPv4 = everything && plan.ForwardIPv4 && (state.Forwarding.IPv4 == false || (state.Forwarding.IPv4 == true && On(plan.InterfaceIPv4, state).Any(i => !i.ForwardsIPv4))),
            UplinkIPv4 = plan.InterfaceIPv4.Interface?.Name,
            EnableForwardingIPv6 = everything && plan.ForwardIPv6 && (state.Forwarding.IPv6 == false || (state.Forwarding.IPv6 == true && On(plan.InterfaceIPv6, state).Any(i => !i.ForwardsIPv6))),
            UplinkIPv6 = plan.InterfaceIPv6.Interface?.Name,
            AcceptRa = everything ? RouterAdvertisements.Between(plan, state) : [],
            Peers = everything ? plan.Routes.Length : 0,
        };
    }

    // Where pods' packets come and go.
    private static IEnumerable<HostInterface> On(InterfaceChoice uplink, HostState state) =>
        ((HostInterface?[])[uplink.Interface, state.Windows?.PodEndpoint]).OfType<HostInterface>();
}
