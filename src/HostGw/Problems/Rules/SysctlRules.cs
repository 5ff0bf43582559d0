using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Problems.Rules;

/// <summary>Whether the kernel's settings let pods' packets through.</summary>
internal static class SysctlRules
{
    private const int Strict = 1;
    private const int RoomPerPeer = 4;

    public static IEnumerable<Problem> Forwarding(Examination seen)
    {
        if (seen.Plan is not { Scope: PlanScope.Everything } plan)
            return [];
        return [.. ForwardingIPv4(seen, plan), .. ForwardingIPv6(seen, plan)];
    }

    /// <summary>What <see cref="RouterAdvertisements"/> sets, where it does harm that it is not.</summary>
    public static IEnumerable<Problem> AcceptRa(Examination seen)
    {
        if (seen is not { Plan: { Scope: PlanScope.Everything } plan, Host.Forwarding.IPv6: true } || !plan.OwnPodCidrs.Any(p => p.IsIPv6))
            return [];
        bool hasDefaultRoute = seen.Host.Routes.Any(r => r.Destination is { IsIPv6: true, Length: 0 });
        return from change in RouterAdvertisements.Needed(plan, seen.Host)
               let takesFromPods = change.Value == 0 && seen.Host.Interfaces.Any(i => i.Name == change.Interface && i.AcceptRa == 2)
               where takesFromPods || (change.Value != 0 && !hasDefaultRoute)
               select new Problem("routerAdvertisements",
                   takesFromPods
                       ? $"a pod on {change.Interface} that sends a router advertisement becomes this host's default gateway (accept_ra=2)"
                       : $"{change.Interface} ignores router advertisements, for this host forwards (accept_ra=1): " +
                           "a default route learnt from them does not come back",
                   $"sysctl -w {AcceptRaSetting(change)}{ByAgent(seen)}");
    }

    private static string AcceptRaSetting(AcceptRaChange change) =>
        $"net.ipv6.conf.{SysctlName.Of(change.Interface)}.accept_ra={change.Value}";

    /// <summary>Where the host has a second way to a peer, what comes by it is answered by the first, and dropped.</summary>
    public static IEnumerable<Problem> ReversePath(Examination seen)
    {
        if (seen.Plan is not { } plan)
            yield break;
        foreach (HostInterface other in seen.Host.Interfaces.Where(i => i is { IsUp: true, IsLoopback: false }))
        {
            if (seen.Facts.ReversePathFilters.GetValueOrDefault(other.Name) != Strict ||
                PeerOn(other, seen, plan) is not var (peer, uplink))
                continue;
            yield return new("rpFilter",
                $"rp_filter is strict on {other.Name}, by which {peer.Name} can also send, " +
                $"while routes to its pods leave by {uplink.Name}: packets of its pods that come in by {other.Name} are dropped",
                $"sysctl -w net.ipv4.conf.{SysctlName.Of(other.Name)}.rp_filter=2 (and net.ipv4.conf.all.rp_filter to 0 or 2), " +
                "or keep one interface on the nodes' segment");
        }
    }

    public static IEnumerable<Problem> ArpIgnore(Examination seen)
    {
        if (seen is not { Policy.NextHop: NextHopMode.PodGateway, Plan.InterfaceIPv4.Interface: { } uplink } ||
            seen.Facts.ArpIgnore.GetValueOrDefault(uplink.Name) == 0)
            yield break;
        yield return new("arpIgnore",
            $"arp_ignore is on for {uplink.Name} (kube-proxy's strictARP sets it): " +
            "peers that ask for this node's pod gateway get no answer",
            "set kube-proxy's ipvs.strictARP to false and sysctl -w net.ipv4.conf.all.arp_ignore=0, " +
            "or set nextHop to NodeAddress on all nodes");
    }

    public static IEnumerable<Problem> NeighbourLimit(Examination seen)
    {
        if (seen.Plan is not { } plan)
            return [];
        int wanted = RoomPerPeer * plan.Routes.Length;
        (string Family, int? Limit)[] tables = [("ipv4", seen.Facts.NeighbourLimitIPv4), ("ipv6", seen.Facts.NeighbourLimitIPv6)];
        return from table in tables
               where table.Limit < wanted
               select new Problem("neighbourLimit",
                   $"the {table.Family} neighbour table holds {table.Limit} entries and should hold {wanted}: " +
                   "beyond that peers become unreachable by turns",
                   $"sysctl -w net.{table.Family}.neigh.default.gc_thresh3={wanted} (and thresh2 to half, thresh1 to a quarter of it); " +
                   "the agent does so where it runs in the first network namespace");
    }

    private static IEnumerable<Problem> ForwardingIPv4(Examination seen, Plan plan)
    {
        if (!plan.OwnPodCidrs.Any(p => p.IsIPv4))
            yield break;
        if (seen.Host.Forwarding.IPv4 != true)
            yield return IsOff("IPv4", seen.Host.Forwarding.IPv4, $"sysctl -w net.ipv4.ip_forward=1{ByAgent(seen)}");
        foreach (string link in seen.Host.Forwarding.IPv4 == true ? InterfaceForwarding.Lacking(plan, seen.Host) : [])
        {
            string command = seen.Host.Windows is null
                ? $"sysctl -w net.ipv4.conf.{SysctlName.Of(link)}.forwarding=1"
                : $"Set-NetIPInterface -InterfaceAlias '{link}' -AddressFamily IPv4 -Forwarding Enabled";
            string where = link == InterfaceForwarding.NewInterfaces ? "for new interfaces (conf.default)" : $"on {link}";
            yield return new("forwarding",
                $"IPv4 forwarding is off {where}: packets of pods that come in there are dropped", command + ByAgent(seen));
        }
    }

    private static IEnumerable<Problem> ForwardingIPv6(Examination seen, Plan plan)
    {
        if (!plan.OwnPodCidrs.Any(p => p.IsIPv6) || seen.Host.Forwarding.IPv6 == true)
            yield break;
        // As the agent does it. Without accept_ra=2 an uplink loses its default route; a pod's interface must not get it.
        string before = string.Join(
            ", ", RouterAdvertisements.Needed(plan, seen.Host).Select(AcceptRaSetting));
        yield return IsOff("IPv6", seen.Host.Forwarding.IPv6,
            $"sysctl -w net.ipv6.conf.all.forwarding=1{(before.Length > 0 ? $", after {before}" : "")}{ByAgent(seen)}");
    }

    private static Problem IsOff(string family, bool? state, string cure)
    {
        string how = state is null ? "unknown (is /proc/sys/net mounted? setting procSysNet)" : "off";
        return new("forwarding", $"{family} forwarding is {how}: no packet passes between pods and other nodes", cure);
    }

    private static string ByAgent(Examination seen) => seen.Policy.Forwarding ? "; the agent does so" : ", or set forwarding to true";

    // A peer that is routed to over another interface, but has an address on the segment of this one.
    private static (ClusterNode Peer, HostInterface Uplink)? PeerOn(HostInterface link, Examination seen, Plan plan)
    {
        HostAddress[] addresses = [.. seen.Host.Addresses.Where(a => a.Interface == link.Index && a.Address.IsIPv4)];
        if (addresses.Length == 0)
            return null;
        foreach (Verdict verdict in plan.Verdicts.Where(v => v.Kind == VerdictKind.Routed && v.PodCidr.IsIPv4 && v.Interface != link.Index))
        {
            bool isOn = verdict.Node.InternalIPs.Any(ip => addresses.Any(a => a.Connected.Contains(ip)));
            if (isOn && plan.Uplink(verdict) is { } uplink)
                return (verdict.Node, uplink);
        }
        return null;
    }
}
