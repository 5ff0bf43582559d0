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
        return new()
        {
            Routes = RouteDiff.Between(plan, state.Routes, ledger, adopt),
            ChangesNat = everything,
            Nat = plan.Nat,
            ChangesForward = everything,
            ForwardAccept = plan.ForwardAccept,
            PodCidrs = plan.OwnPodCidrs,
            ChangesCni = everything && plan.Cni is not { Mtu: 0 },
            Cni = plan.Cni,
            EnableForwardingIPv4 = everything && plan.ForwardIPv4 && (state.Forwarding.IPv4 == false || IsOffOnUplink(plan, state)),
            UplinkIPv4 = plan.InterfaceIPv4.Interface?.Name,
            EnableForwardingIPv6 = everything && plan.ForwardIPv6 && state.Forwarding.IPv6 == false,
            Peers = everything ? plan.Routes.Length : 0,
        };
    }

    private static bool IsOffOnUplink(Plan plan, HostState state) =>
        state.Forwarding.IPv4 == true && plan.InterfaceIPv4.Interface is { ForwardsIPv4: false };
}
