using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>Compares a plan with the host's state. Pure.</summary>
internal static class HostDiff
{
    /// <param name="owned">See <see cref="OwnedKeys"/>.</param>
    public static HostChanges Between(Plan plan, HostState host, IReadOnlySet<RouteKey> owned, AdoptMode adopt)
    {
        HostChanges changes = new()
        {
            Plan = plan,
            Host = host,
            Routes = RouteDiff.Between(plan, host.Routes, owned, adopt, onePerNextHop: host.Windows is not null) with
            {
                Shadows = RouteShadow.Find(plan, host.Routes),
            },
            PolicyRules = PolicyRuleChanges.Between(plan, host),
            Nat = plan.Nat,
            ForwardAccept = plan.ForwardAccept,
            PodCidrs = plan.OwnPodCidrs,
            Cni = plan.Cni,
            UplinkIPv4 = plan.InterfaceIPv4.Interface?.Name,
            UplinkIPv6 = plan.InterfaceIPv6.Interface?.Name,
        };
        IReadOnlyList<string> lacking = plan.ForwardIPv4 ? InterfaceForwarding.Lacking(plan, host) : [];
        return plan.Scope != PlanScope.Everything ? changes : changes with
        {
            ChangesNat = true,
            ChangesForward = true,
            ChangesCni = plan.Cni is not { Mtu: 0 },
            EnableForwardingIPv4 = plan.ForwardIPv4 && Lacks(host.Forwarding.IPv4, lacking.Count > 0),
            ForwardIPv4On = lacking,
            EnableForwardingIPv6 =
                plan.ForwardIPv6 && Lacks(host.Forwarding.IPv6, Links(plan.InterfaceIPv6, host).Any(i => !i.ForwardsIPv6)),
            WithoutDad = DuplicateAddressDetection.Unneeded(plan, host),
            AcceptRa = RouterAdvertisements.Between(plan, host),
            Peers = plan.Routes.Length,
        };
    }

    // Null: a family that cannot be read is left alone.
    private static bool Lacks(bool? isOn, bool lacksSome) => isOn is { } known && (!known || lacksSome);

    // The interfaces on which pods' packets come and go.
    private static IEnumerable<HostInterface> Links(InterfaceChoice uplink, HostState host) =>
        ((HostInterface?[])[uplink.Interface, host.Windows?.PodEndpoint]).OfType<HostInterface>();
}
