using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

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
        HashSet<int> podInterfaces = PodInterfaces(plan, state);
        List<AcceptRaChange> changes = [];
        foreach (HostInterface link in state.Interfaces)
        {
            bool isTowardsPeers = link.Index == plan.InterfaceIPv6.Interface?.Index || plan.UplinksIPv6.Any(i => i.Index == link.Index);
            if (!isTowardsPeers && podInterfaces.Contains(link.Index))
            {
                if (link.AcceptRa != Never)
                    changes.Add(new(link.Name, Never));
            }
            else if ((isTowardsPeers || link.HasLearntRoute) && link.AcceptRa == UnlessForwarding)
            {
                changes.Add(new(link.Name, Always));
            }
        }
        return changes;
    }

    private static HashSet<int> PodInterfaces(Plan plan, HostState state)
    {
        HashSet<int> interfaces = [];
        foreach (Prefix own in plan.OwnPodCidrs)
        {
            // The routes are sorted by destination: those inside a prefix are neighbours.
            int next = FirstAtOrAfter(state.Routes, own.Address);
            for (; next < state.Routes.Count && own.Contains(state.Routes[next].Destination.Address); next++)
            {
                if (own.Contains(state.Routes[next].Destination))
                    interfaces.Add(state.Routes[next].Interface);
            }
        }
        return interfaces;
    }

    private static int FirstAtOrAfter(IReadOnlyList<HostRoute> routes, Ip address)
    {
        int low = 0, high = routes.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (routes[middle].Destination.Address.CompareTo(address) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
