using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Problems.Rules;

/// <summary>Whether the kernel's settings let pods' packets through.</summary>
internal static class SysctlRules
{
    private const int Strict = 1;
    private const ushort Learnt = 9; // RTPROT_RA
    private const int RoomPerPeer = 4;
    private const string Lasting = " (to outlast a reboot, also in a file of /etc/sysctl.d)";

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
                   $"sysctl -w {AcceptRaSetting(change)}" +
                       $"{(takesFromPods ? Forget(change.Interface, seen.Host) : "")}{ByAgent(seen)}");
    }

    // The setting does not take back what the host has learnt already.
    private static string Forget(string link, HostState host)
    {
        bool hasLearnt = host.Routes.Any(
            r => r is { Protocol: Learnt, Destination: { IsIPv6: true, Length: 0 } } && host.Interface(r.Interface)?.Name == link);
        return hasLearnt ? $" && ip -6 route del default dev {link} proto {Learnt}" : "";
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
                // The larger one of this and of net.ipv4.conf.all.rp_filter takes effect.
                $"sysctl -w net.ipv4.conf.{SysctlName.Of(other.Name)}.rp_filter=2{Lasting}, " +
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
            "set kube-proxy's ipvs.strictARP to false and sysctl -w net.ipv4.conf.all.arp_ignore=0 " +
            $"net.ipv4.conf.{SysctlName.Of(uplink.Name)}.arp_ignore=0{Lasting}, or set nextHop to NodeAddress on all nodes");
    }

    public static IEnumerable<Problem> NeighbourLimit(Examination seen)
    {
        if (seen.Plan is not { } plan)
            return [];
        int wanted = RoomPerPeer * plan.NativeRoutes;
        (string Family, int? Limit)[] tables = [("ipv4", seen.Facts.NeighbourLimitIPv4), ("ipv6", seen.Facts.NeighbourLimitIPv6)];
        return from table in tables
               where table.Limit < wanted
               select new Problem("neighbourLimit",
                   $"the {table.Family} neighbour table holds {table.Limit} entries and should hold {wanted}: " +
                   "beyond that peers become unreachable by turns",
                   // The largest first: the three must stay ascending.
                   $"sysctl -w {Threshold(table.Family, 3, wanted)} {Threshold(table.Family, 2, wanted / 2)} " +
                   $"{Threshold(table.Family, 1, wanted / 4)}; the agent does so where it runs in the host's first network namespace");
    }

    private static string Threshold(string family, int level, int value) => $"net.{family}.neigh.default.gc_thresh{level}={value}";

    private static IEnumerable<Problem> ForwardingIPv4(Examination seen, Plan plan)
    {
        if (!plan.OwnPodCidrs.Any(p => p.IsIPv4) || NoInterfaceHas(seen, seen.Host.Forwarding.IPv4))
            yield break;
        if (seen.Host.Forwarding.IPv4 != true)
        {
            string command = OnWindows("IPv4", plan.InterfaceIPv4, seen) ?? "sysctl -w net.ipv4.ip_forward=1";
            yield return IsOff("IPv4", seen.Host.Forwarding.IPv4, command, seen);
        }
        foreach (string link in seen.Host.Forwarding.IPv4 == true ? InterfaceForwarding.Lacking(plan, seen.Host) : [])
        {
            string command = OnWindows("IPv4", link, seen) ?? $"sysctl -w net.ipv4.conf.{SysctlName.Of(link)}.forwarding=1";
            string where = link == InterfaceForwarding.NewInterfaces ? "for new interfaces (conf.default)" : $"on {link}";
            yield return new("forwarding",
                $"IPv4 forwarding is off {where}: packets of pods that come in there are dropped", command + ByAgent(seen));
        }
    }

    private static IEnumerable<Problem> ForwardingIPv6(Examination seen, Plan plan)
    {
        if (!plan.OwnPodCidrs.Any(p => p.IsIPv6) || seen.Host.Forwarding.IPv6 == true || NoInterfaceHas(seen, seen.Host.Forwarding.IPv6))
            yield break;
        // As the agent does it, in this order. Without accept_ra=2 an uplink loses its default route; a pod's interface must not get it.
        string before = string.Concat(RouterAdvertisements.Needed(plan, seen.Host).Select(c => $"{AcceptRaSetting(c)} "));
        string command = $"sysctl -w {before}net.ipv6.conf.all.forwarding=1";
        yield return IsOff("IPv6", seen.Host.Forwarding.IPv6, OnWindows("IPv6", plan.InterfaceIPv6, seen) ?? command, seen);
    }

    // Windows itself says which interfaces lack it, and the obstacles name them.
    private static bool NoInterfaceHas(Examination seen, bool? forwards) => seen.Host.Windows is not null && forwards is null;

    private static string? OnWindows(string family, InterfaceChoice uplink, Examination seen) =>
        OnWindows(family, uplink.Interface?.Name ?? "INTERFACE", seen);

    private static string? OnWindows(string family, string link, Examination seen) => seen.Host.Windows is null ? null
        : $"Set-NetIPInterface -InterfaceAlias {PowerShell.Quote(link)} -AddressFamily {family} -Forwarding Enabled";

    private static Problem IsOff(string family, bool? state, string command, Examination seen) => state is null
        ? ProblemCatalog.ForwardingUnknown(family) with { Rule = "forwarding" }
        : new("forwarding", $"{family} forwarding is off: no packet passes between pods and other nodes", command + ByAgent(seen));

    private static string ByAgent(Examination seen) =>
        seen.Policy.Forwarding ? "; the agent does so" : $"{(seen.Host.Windows is null ? Lasting : "")}, or set forwarding to true";

    private static bool IsOverAnother(Verdict verdict, HostInterface link) =>
        verdict is { Kind: VerdictKind.Routed, Tunnel: null, PodCidr.IsIPv4: true } && verdict.Interface != link.Index;

    // A peer that is natively routed to over another interface, but has an address on the segment of this one.
    private static (ClusterNode Peer, HostInterface Uplink)? PeerOn(HostInterface link, Examination seen, Plan plan)
    {
        HostAddress[] addresses = [.. seen.Host.Addresses.Where(a => a.Interface == link.Index && a.Address.IsIPv4)];
        if (addresses.Length == 0)
            return null;
        foreach (Verdict verdict in plan.Verdicts.Where(v => IsOverAnother(v, link)))
        {
            bool isOn = verdict.Node.InternalIPs.Concat(verdict.Node.ExternalIPs).Any(ip => addresses.Any(a => a.Connected.Contains(ip)));
            if (isOn && plan.Uplink(verdict) is { } uplink)
                return (verdict.Node, uplink);
        }
        return null;
    }
}
