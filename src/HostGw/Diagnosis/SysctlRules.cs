using HostGw.Planning;

namespace HostGw.Diagnosis;

/// <summary>Whether the kernel's settings let pods' packets through.</summary>
internal static class SysctlRules
{
    private const int Strict = 1;
    private const int RoomPerPeer = 4;

    public static IEnumerable<Finding> Forwarding(Examination seen)
    {
        if (seen.Plan is not { Scope: PlanScope.Everything } plan)
            yield break;
        string agent = seen.Policy.Forwarding ? "; the agent does so" : ", or set forwarding to true";
        if (plan.OwnPodCidrs.Any(p => p.IsIPv4) && seen.Host.Forwarding.IPv4 != true)
            yield return new("forwarding", $"IPv4 forwarding is {Off(seen.Host.Forwarding.IPv4)}: no packet passes between pods and other nodes", $"sysctl -w net.ipv4.ip_forward=1{agent}");
        else if (plan.OwnPodCidrs.Any(p => p.IsIPv4) && plan.InterfaceIPv4.Interface is { ForwardsIPv4: false } link)
            yield return new("forwarding", $"IPv4 forwarding is off on {link.Name}: what comes in there for pods is dropped", (seen.Host.Windows is null ? $"sysctl -w net.ipv4.conf.{link.Name}.forwarding=1" : $"Set-NetIPInterface -InterfaceAlias '{link.Name}' -AddressFamily IPv4 -Forwarding Enabled") + agent);
        if (plan.OwnPodCidrs.Any(p => p.IsIPv6) && seen.Host.Forwarding.IPv6 != true)
        {
            yield return new("forwarding", $"IPv6 forwarding is {Off(seen.Host.Forwarding.IPv6)}: no packet passes between pods and other nodes",
                $"sysctl -w net.ipv6.conf.all.forwarding=1, after accept_ra=2 on interfaces whose default route comes from router advertisements{agent}");
        }
    }

    /// <summary>Where the host has a second way to a peer, what comes by it is answered by the first, and dropped.</summary>
    public static IEnumerable<Finding> ReversePath(Examination seen)
    {
        if (seen.Plan?.InterfaceIPv4.Interface is not { } uplink)
            yield break;
        foreach (HostInterface other in seen.Host.Interfaces.Where(i => i is { IsUp: true, IsLoopback: false } && i.Index != uplink.Index))
        {
            if (seen.Facts.ReversePathFilters.GetValueOrDefault(other.Name) != Strict || PeerOn(other, seen) is not { } peer)
                continue;
            yield return new("rpFilter",
                $"rp_filter is strict on {other.Name}, by which {peer.Name} can also send, while routes to its pods leave by {uplink.Name}: packets of its pods that come in by {other.Name} are dropped",
                $"sysctl -w net.ipv4.conf.{other.Name}.rp_filter=2 (and net.ipv4.conf.all.rp_filter to 0 or 2), or keep one interface on the nodes' segment");
        }
    }

    public static IEnumerable<Finding> ArpIgnore(Examination seen)
    {
        if (seen is { Policy.NextHop: NextHopMode.PodGateway, Plan.InterfaceIPv4.Interface: { } uplink } && seen.Facts.ArpIgnore.GetValueOrDefault(uplink.Name) > 0)
        {
            yield return new("arpIgnore", $"arp_ignore is on for {uplink.Name} (kube-proxy's strictARP sets it): peers that ask for this node's pod gateway get no answer",
                "set kube-proxy's ipvs.strictARP to false and sysctl -w net.ipv4.conf.all.arp_ignore=0, or set nextHop to NodeAddress on all nodes");
        }
    }

    public static IEnumerable<Finding> NeighbourLimit(Examination seen)
    {
        if (seen.Plan is not { } plan)
            yield break;
        int wanted = RoomPerPeer * plan.Routes.Length;
        foreach ((string family, int? limit) in ((string, int?)[])[("ipv4", seen.Facts.NeighbourLimitIPv4), ("ipv6", seen.Facts.NeighbourLimitIPv6)])
        {
            if (limit < wanted)
            {
                yield return new("neighbourLimit", $"the {family} neighbour table holds {limit} entries and should hold {wanted}: beyond that peers become unreachable by turns",
                    $"sysctl -w net.{family}.neigh.default.gc_thresh3={wanted} (and thresh2 to half, thresh1 to a quarter of it); the agent does so where it runs in the first network namespace");
            }
        }
    }

    private static ClusterNode? PeerOn(HostInterface link, Examination seen)
    {
        HostAddress[] addresses = [.. seen.Host.Addresses.Where(a => a.Interface == link.Index && a.Address.IsIPv4)];
        return seen.Nodes.FirstOrDefault(n => n.Name != seen.Policy.NodeName && n.InternalIPs.Any(ip => addresses.Any(a => a.Connected.Contains(ip))));
    }

    private static string Off(bool? state) => state is null ? "unknown (is /proc/sys/net mounted? setting procSysNet)" : "off";
}
