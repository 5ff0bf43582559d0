using System.IO.Enumeration;

namespace HostGw.Planning;

/// <summary>The interface for the routes of one family, or why there is none at the moment.</summary>
internal readonly record struct InterfaceChoice(HostInterface? Interface, string Reason)
{
    public bool IsUsable => Interface is { IsUp: true };

    /// <param name="self">This node, or null if the API has none.</param>
    public static InterfaceChoice For(bool ipv6, Policy policy, HostState host, ClusterNode? self)
    {
        string setting = policy.Interface;
        if (setting == "auto")
            return Automatic(ipv6, policy.NextHop, host, self);
        return Prefix.TryParse(setting, out Prefix cidr) ? ByCidr(cidr, host, self) : ByName(setting, host);
    }

    private static InterfaceChoice Automatic(bool ipv6, NextHopMode mode, HostState host, ClusterNode? self)
    {
        if (self is null)
            return new(null, "this node's address is not known yet");

        Ip ofFamily = self.InternalIPs.FirstOrDefault(ip => ip.IsIPv6 == ipv6);
        // A family without an InternalIP uses the interface of the other family.
        Ip own = ofFamily.IsNone ? self.InternalIPs.FirstOrDefault() : ofFamily;
        if (own.IsNone)
            return new(null, "this node has no InternalIP");

        // In PodGateway mode adjacency is not checked: without this node's address the gateway could be sought on a wrong segment.
        if (!ipv6 && mode == NextHopMode.PodGateway && !host.Addresses.Any(a => a.Address == own))
            return new(null, $"this node's InternalIP {own} is on no interface at the moment (if it never is, set interface)");

        HostInterface? holder = BestOf(Holding(a => a == own, host)) ?? RoutingTo(own, host);
        return holder is null
            ? new(null, $"no interface holds this node's InternalIP {own} or routes to it")
            : Checked(holder);
    }

    // The CIDR may also contain addresses of this node's pod bridge; those do not count.
    private static InterfaceChoice ByCidr(Prefix cidr, HostState host, ClusterNode? self)
    {
        bool IsPod(Ip address) => self is not null && self.PodCidrs.Any(p => p.Contains(address));
        return OneOf(
            Holding(a => cidr.Contains(a) && !IsPod(a), host),
            cidr.ToString(), $"no interface has an address in {cidr} (setting interface)");
    }

    private static InterfaceChoice ByName(string pattern, HostState host)
    {
        IEnumerable<HostInterface> matches = host.Interfaces.Where(
            i => !i.IsLoopback && FileSystemName.MatchesSimpleExpression(pattern, i.Name, ignoreCase: false));
        return OneOf([.. matches], pattern, $"no usable interface matches '{pattern}' (setting interface)");
    }

    private static InterfaceChoice OneOf(HostInterface[] matches, string setting, string ifNone)
    {
        // If several match, interfaces that are down do not count.
        HostInterface[] usable = matches.Length > 1 ? [.. matches.Where(i => i.IsUp)] : matches;
        return usable.Length switch
        {
            1 => Checked(usable[0]),
            0 => new(null, ifNone),
            _ => new(null, $"'{setting}' (setting interface) matches {string.Join(", ", usable.Select(i => i.Name))}: it must match one"),
        };
    }

    private static InterfaceChoice Checked(HostInterface candidate) =>
        new(candidate, candidate.IsUp ? "" : $"interface {candidate.Name} is down");

    private static HostInterface? BestOf(HostInterface[] holders) => holders.FirstOrDefault(i => i.IsUp) ?? holders.FirstOrDefault();

    private static HostInterface[] Holding(Func<Ip, bool> wanted, HostState host)
    {
        HashSet<int> holders = [.. host.Addresses.Where(a => wanted(a.Address)).Select(a => a.Interface)];
        return [.. host.Interfaces.Where(i => !i.IsLoopback && holders.Contains(i.Index))];
    }

    private static HostInterface? RoutingTo(Ip address, HostState host) =>
        BestRoute(address, host) is { } found && host.Interface(found.Interface) is { IsLoopback: false } holder ? holder : null;

    /// <summary>The route this host would use if HostGw's were not installed.</summary>
    public static HostRoute? BestRoute(Ip address, HostState host)
    {
        HostRoute? best = null;
        foreach (HostRoute route in host.Routes)
        {
            if (!route.IsUnicast || route.IsOurs || !route.Destination.Contains(address))
                continue;
            bool better = best is not { } b || route.Destination.Length > b.Destination.Length ||
                (route.Destination.Length == b.Destination.Length && Metric(route, host) < Metric(b, host));
            if (better)
                best = route;
        }
        return best;
    }

    private static ulong Metric(HostRoute route, HostState host) => route.Metric +
        (ulong)(host.Interface(route.Interface) is { } link ? route.Destination.IsIPv4 ? link.MetricIPv4 : link.MetricIPv6 : 0);
}
