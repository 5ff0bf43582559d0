using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Reconciliation;

/// <summary>The interfaces of this node's pods: those that hold an address, or have a route, inside its own podCIDRs. Pure.</summary>
internal static class PodInterfaces
{
    /// <returns>Their indexes; an uplink is among them where pods share it.</returns>
    public static HashSet<int> Of(ImmutableArray<Prefix> own, HostState state)
    {
        HashSet<int> interfaces = [];
        foreach (Prefix podCidr in own)
        {
            // ptp gives an interface its address some time before the pod's route.
            foreach (HostAddress address in state.Addresses)
            {
                if (podCidr.Contains(address.Address))
                    interfaces.Add(address.Interface);
            }

            // The routes are sorted by destination: those inside a prefix are neighbours.
            int next = state.FirstRouteFrom(new(podCidr.Address, 0));
            for (; next < state.Routes.Count && podCidr.Contains(state.Routes[next].Destination.Address); next++)
            {
                if (podCidr.Contains(state.Routes[next].Destination))
                    interfaces.Add(state.Routes[next].Interface);
            }
        }
        return interfaces;
    }
}

/// <summary>
/// IPv4 forwarding of single interfaces: the kernel drops what comes in by one where it is off, even if the host forwards. Pure.
/// </summary>
/// <remarks>https://docs.kernel.org/networking/ip-sysctl.html; IPv6 forwards by conf.all alone.</remarks>
internal static class InterfaceForwarding
{
    /// <summary>The name of what new interfaces get, beside those of interfaces in /proc/sys/net/ipv4/conf.</summary>
    public const string NewInterfaces = "default";

    /// <summary>The interfaces that pods or peers use and on which it is off; those of nobody's pods are left alone.</summary>
    public static IReadOnlyList<string> Lacking(Plan plan, HostState host)
    {
        string[] future = host.NewInterfacesForwardIPv4 ? [] : [NewInterfaces];
        if (host.Interfaces.All(i => i.ForwardsIPv4))
            return future;
        HashSet<int> used = host.Windows is { } windows ? [windows.PodEndpoint?.Index ?? 0] : Used(plan, host);
        if (plan.InterfaceIPv4.Interface is { } uplink)
            used.Add(uplink.Index);
        return [.. host.Interfaces.Where(i => !i.ForwardsIPv4 && !i.IsLoopback && used.Contains(i.Index)).Select(i => i.Name), .. future];
    }

    private static HashSet<int> Used(Plan plan, HostState host)
    {
        HashSet<int> used = PodInterfaces.Of([.. plan.OwnPodCidrs.Where(p => p.IsIPv4)], host);
        foreach (PodRoute route in plan.Routes)
        {
            if (route.Destination.IsIPv4)
                used.Add(route.Interface);
        }
        return used;
    }
}
