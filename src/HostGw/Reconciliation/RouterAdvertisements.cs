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
