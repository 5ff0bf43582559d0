using System.Collections.Immutable;
using System.IO.Enumeration;

namespace HostGw.Planning;

/// <summary>The interface of this node's address in one family, or why there is none. Peers may be reached over others.</summary>
internal readonly record struct InterfaceChoice(HostInterface? Interface, string Reason)
{
    public const string NoAddress = "this node's Node lists no address, neither InternalIP nor ExternalIP";

    public bool IsUsable => Interface is { IsUp: true };

    /// <param name="self">This node, or null if the API has none.</param>
    public static InterfaceChoice For(bool ipv6, Policy policy, HostState host, ClusterNode? self) =>
        policy.Interface == "auto" ? Automatic(ipv6, policy.NextHop, host, self) : Named(policy.Interface, host, self);

    /// <summary>The indexes of the interfaces that the setting interface allows; null: any.</summary>
    public static IReadOnlySet<int>? Allowed(Policy policy, HostState host, ClusterNode? self) =>
        policy.Interface == "auto" ? null : Matches(policy.Interface, host, self).Select(i => i.Index).ToHashSet();

    /// <summary>The interfaces that hold an address of this node.</summary>
    public static HashSet<int> OfNode(HostState host, ClusterNode? self)
    {
        Ip[] own = self is null ? [] : [.. self.InternalIPs, .. self.ExternalIPs];
        return [.. host.Addresses.Where(a => own.Contains(a.Address)).Select(a => a.Interface)];
    }

    private static InterfaceChoice Automatic(bool ipv6, NextHopMode mode, HostState host, ClusterNode? self)
    {
        if (self is null)
            return new(null, "this node's address is not known yet");

        Ip[] own = OwnAddresses(ipv6, self);
        if (own.Length == 0)
            return new(null, NoAddress);

        bool isHeld = host.Addresses.Any(a => own.Contains(a.Address));
        // The cluster route makes all of clusterCidrs on-link: not on a segment that this node's address may not be on.
        if (!ipv6 && mode == NextHopMode.PodGateway && !isHeld)
            return new(null, $"this node's address {own[0]} is on no interface; if that is right, set interface");

        HostInterface? holder = BestOf([.. own.SelectMany(ip => Holding(a => a == ip, host))]) ?? RoutingTo(own[0], host);
        return holder is null
            ? new(null, $"no interface holds this node's address {own[0]} or routes to it")
            : Checked(holder);
    }

    // A family without an address uses the interface of the other family.
    private static Ip[] OwnAddresses(bool ipv6, ClusterNode self)
    {
        foreach (bool family in (bool[])[ipv6, !ipv6])
        {
            foreach (ImmutableArray<Ip> addresses in (ImmutableArray<Ip>[])[self.InternalIPs, self.ExternalIPs])
            {
                Ip[] own = [.. addresses.Where(ip => ip.IsIPv6 == family)];
                if (own.Length > 0)
                    return own;
            }
        }
        return [];
    }

    private static InterfaceChoice Named(string setting, HostState host, ClusterNode? self)
    {
        HostInterface[] matches = Matches(setting, host, self);
        // If several match, interfaces that are down do not count, and one with this node's address is preferred.
        HostInterface[] usable = matches.Length > 1 ? [.. matches.Where(i => i.IsUp)] : matches;
        if (usable.Length > 1 && OfNode(host, self) is var own && usable.FirstOrDefault(i => own.Contains(i.Index)) is { } preferred)
            return Checked(preferred);
        return usable.Length switch
        {
            1 => Checked(usable[0]),
            0 when Prefix.TryParse(setting, out Prefix cidr) => new(null, $"no interface has an address in {cidr} (setting interface)"),
            0 => new(null, $"no usable interface matches '{setting}' (setting interface)"),
            _ => new(null, $"'{setting}' (setting interface) matches {string.Join(", ", usable.Select(i => i.Name))}, " +
                "and none of them holds this node's address: it must match one"),
        };
    }

    // The CIDR may also contain addresses of this node's pod bridge; those do not count.
    private static HostInterface[] Matches(string setting, HostState host, ClusterNode? self)
    {
        bool IsPod(Ip address) => self is not null && self.PodCidrs.Any(p => p.Contains(address));
        return Prefix.TryParse(setting, out Prefix cidr)
            ? Holding(a => cidr.Contains(a) && !IsPod(a), host)
            : [.. host.Interfaces.Where(i => !i.IsLoopback && i.Name != TunnelPlan.LinkName &&
                FileSystemName.MatchesSimpleExpression(setting, i.Name, ignoreCase: false))];
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

    private static ulong Metric(HostRoute route, HostState host) => host.MetricOf(route.Destination, route.Metric, route.Interface);
}
