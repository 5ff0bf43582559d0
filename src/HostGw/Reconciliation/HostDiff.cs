using System.Collections.Immutable;
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
            Routes = Routes(plan, host, owned, adopt),
            PolicyRules = PolicyRuleChanges.Between(plan, host),
            ProbeRoutes = ProbeRouteChanges.Between(plan, host),
            Tunnel = TunnelChanges.Between(plan, host),
            Guards = plan.Guards,
            Nat = plan.Nat,
            ForwardAccept = plan.ForwardAccept,
            Cni = plan.Cni,
        };
        return plan.Scope == PlanScope.Everything ? WithRulesAndSettings(changes, plan, host) : changes;
    }

    private static RouteChanges Routes(Plan plan, HostState host, IReadOnlySet<RouteKey> owned, AdoptMode adopt)
    {
        RouteChanges routes = RouteDiff.Between(plan, host.Routes, owned, adopt, onePerNextHop: host.Windows is not null);
        return routes with
        {
            Conflicts = [.. routes.Conflicts.Where(c => IsConflict(c, plan, host))],
            Shadows = RouteShadow.Find(plan, host),
        };
    }

    // Whether rules differ is found out when they are applied: each backend reads its own.
    private static HostChanges WithRulesAndSettings(HostChanges changes, Plan plan, HostState host)
    {
        IReadOnlyList<string> lacking = plan.ForwardIPv4 ? InterfaceForwarding.Lacking(plan, host) : [];
        bool lacksIPv6 = plan.ForwardIPv6 && Links(plan.InterfaceIPv6, host).Any(i => i is { HasIPv6: true, ForwardsIPv6: false });
        return changes with
        {
            ChangesNat = true,
            ChangesGuards = true,
            ChangesForward = true,
            ChangesCni = plan.Cni is not { Mtu: 0 },
            EnableForwardingIPv4 = plan.ForwardIPv4 && Lacks(host.Forwarding.IPv4, lacking.Count > 0),
            ForwardIPv4On = lacking,
            EnableForwardingIPv6 = plan.ForwardIPv6 && Lacks(host.Forwarding.IPv6, lacksIPv6),
            WithoutDad = DuplicateAddressDetection.Unneeded(plan, host),
            AcceptRa = RouterAdvertisements.Between(plan, host),
            Peers = plan.NativeRoutes,
        };
    }

    // On Windows the metric of a route alone does not say that it takes precedence.
    private static bool IsConflict(RouteConflict conflict, Plan plan, HostState host)
    {
        HostRoute foreign = conflict.Foreign;
        if (host.Windows is null || foreign.Key == conflict.Route.Key)
            return true;
        ulong best = ulong.MaxValue;
        foreach (PodRoute route in plan.RoutesTo(foreign.Destination))
        {
            // On Windows destination, next hop and interface are the key of a route: the metric is not.
            if (route.NextHop == foreign.NextHop && route.Interface == foreign.Interface)
                return true;
            best = Math.Min(best, host.MetricOf(route.Destination, route.Metric, route.Interface));
        }
        return host.MetricOf(foreign.Destination, foreign.Metric, foreign.Interface) <= best;
    }

    // Null: a family that cannot be read is left alone.
    private static bool Lacks(bool? isOn, bool lacksSome) => isOn is { } known && (!known || lacksSome);

    // The interfaces on which pods' packets come and go.
    private static IEnumerable<HostInterface> Links(InterfaceChoice uplink, HostState host) =>
        ((HostInterface?[])[uplink.Interface, host.Windows?.PodEndpoint]).OfType<HostInterface>();
}

/// <summary>
/// IPv4 forwarding of single interfaces: the kernel drops what comes in by one where it is off, even if the host forwards. Pure.
/// </summary>
/// <remarks>https://docs.kernel.org/networking/ip-sysctl.html; IPv6 forwards by conf.all alone.</remarks>
internal static class InterfaceForwarding
{
    /// <summary>The entry of /proc/sys/net/ipv4/conf from which new interfaces inherit.</summary>
    public const string NewInterfaces = "default";

    /// <summary>The interfaces without IPv4 forwarding that pods or peers use, also to reach the outside. Others are left alone.</summary>
    public static IReadOnlyList<string> Lacking(Plan plan, HostState host)
    {
        string[] future = host.NewInterfacesForwardIPv4 ? [] : [NewInterfaces];
        if (host.Interfaces.All(i => i.ForwardsIPv4 || !i.HasIPv4))
            return future;
        HashSet<int> used = host.Windows is { } windows ? [windows.PodEndpoint?.Index ?? 0] : Used(plan, host);
        if (plan.InterfaceIPv4.Interface is { } uplink)
            used.Add(uplink.Index);
        IEnumerable<HostInterface> lacking = host.Interfaces.Where(i => i is { HasIPv4: true, ForwardsIPv4: false, IsLoopback: false });
        return [.. lacking.Where(i => used.Contains(i.Index)).Select(i => i.Name), .. future];
    }

    private static HashSet<int> Used(Plan plan, HostState host)
    {
        HashSet<int> used = PodInterfaces.Of([.. plan.OwnPodCidrs.Where(p => p.IsIPv4)], host);
        // Answers from outside the cluster come in there. A default route on-link makes no uplink of the guards.
        used.UnionWith(plan.HostUplinks);
        foreach (ref readonly HostRoute route in host.RouteSpan)
        {
            if (route.IsUnicast && route.Destination is { IsIPv4: true, Length: 0 })
                used.Add(route.Interface);
        }
        foreach (PodRoute route in plan.Routes)
        {
            if (route.Destination.IsIPv4)
                used.Add(route.Interface);
        }
        // Peers may use the tunnel before this host does.
        if (plan.Tunnel is not null && host.Tunnel is { IsOurs: true } tunnel)
            used.Add(tunnel.Index);
        return used;
    }
}

/// <summary>Decides from which interfaces of a host that forwards IPv6 the kernel may take router advertisements. Pure.</summary>
/// <remarks>
/// accept_ra of https://docs.kernel.org/networking/ip-sysctl.html: 0 never, 1 unless the host forwards, 2 always.
/// With 1, an uplink loses the default route it learnt as soon as forwarding is turned on. With 2 on an interface of pods, a
/// pod that sends an advertisement becomes the host's default gateway (CVE-2020-13401).
/// </remarks>
internal static class RouterAdvertisements
{
    private const int Never = 0;
    private const int UnlessForwarding = 1;
    private const int Always = 2;

    /// <summary>One entry for each interface whose accept_ra must change; none while this host need not forward IPv6.</summary>
    public static IReadOnlyList<AcceptRaChange> Between(Plan plan, HostState state) =>
        plan.ForwardIPv6 && state.Forwarding.IPv6 is not null ? Needed(plan, state) : [];

    /// <summary>The same for a host that is to forward IPv6, whoever turns that on.</summary>
    public static IReadOnlyList<AcceptRaChange> Needed(Plan plan, HostState state)
    {
        HashSet<int> podInterfaces = PodInterfaces.Of(plan.OwnPodCidrs, state);
        List<AcceptRaChange> changes = [];
        foreach (HostInterface link in state.Interfaces)
        {
            // Not those towards single peers: a Node may list any address that is on-link.
            bool isOwn = link.Index == plan.InterfaceIPv6.Interface?.Index;
            if (!isOwn && podInterfaces.Contains(link.Index))
            {
                if (link.AcceptRa != Never)
                    changes.Add(new(link.Name, Never));
            }
            else if ((isOwn || link.HasLearntRoute) && link.AcceptRa == UnlessForwarding)
            {
                changes.Add(new(link.Name, Always));
            }
        }
        return changes;
    }
}

/// <summary>
/// Finds the host's ends of new pods' interfaces, on which duplicate address detection is turned off (accept_dad) before the plugin ptp
/// gives them the pods' IPv6 gateway address. Until detection ends, one to two seconds later, nobody answers for that address, and the
/// pod's IPv6 is dead. Only the pod itself could have it. Pure.
/// </summary>
internal static class DuplicateAddressDetection
{
    /// <summary>Their names; none unless HostGw's own CNI configuration makes them, with IPv6 addresses.</summary>
    public static IReadOnlyList<string> Unneeded(Plan plan, HostState host)
    {
        if (!host.UsesOwnCni || plan.Cni is null || !plan.Cni.PodCidrs.Any(p => p.IsIPv6))
            return [];
        List<string> names = [];
        foreach (HostInterface link in host.Interfaces)
        {
            // ptp waits for the pod's own address, a second at least, before it adds the host's: this pass comes before.
            if (link is { IsPeerElsewhere: true, AcceptDad: > 0 } && link.Name.StartsWith("veth", StringComparison.Ordinal) &&
                !HasAddress(link, host))
                names.Add(link.Name);
        }
        return names;
    }

    private static bool HasAddress(HostInterface link, HostState host)
    {
        foreach (HostAddress address in host.Addresses)
        {
            if (address.Interface == link.Index && !address.Address.IsIPv6LinkLocal)
                return true;
        }
        return false;
    }
}
