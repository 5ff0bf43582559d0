using System.IO.Enumeration;

namespace HostGw.Planning;

/// <summary>The interface that routes of one family go out of, or why there is none at the moment.</summary>
internal readonly record struct InterfaceChoice(HostInterface? Interface, string Reason)
{
    public bool IsUsable => Interface is { IsUp: true };

    /// <param name="self">This node, or null while the API has none.</param>
    public static InterfaceChoice For(bool ipv6, string setting, HostState host, ClusterNode? self)
    {
        if (setting == "auto")
            return Automatic(ipv6, host, self);
        return Prefix.TryParse(setting, out Prefix cidr) ? ByCidr(cidr, host) : ByName(setting, host);
    }

    private static InterfaceChoice Automatic(bool ipv6, HostState host, ClusterNode? self)
    {
        if (self is null)
            return new(null, "this node's address is not known yet");

        Ip wanted = self.InternalIPs.FirstOrDefault(ip => ip.IsIPv6 == ipv6);
        // A family without an address of its own leaves by the same door as the other one.
        Ip node = wanted.IsNone ? self.InternalIPs.FirstOrDefault() : wanted;
        if (node.IsNone)
            return new(null, "this node has no InternalIP");

        HostInterface? holder = Holding(Prefix.Host(node), host) ?? RoutingTo(node, host);
        return holder is null
            ? new(null, $"no interface holds this node's InternalIP {node} or routes to it")
            : Checked(holder);
    }

    private static InterfaceChoice ByCidr(Prefix cidr, HostState host)
    {
        HostInterface? holder = Holding(cidr, host);
        return holder is null ? new(null, $"no interface has an address in {cidr} (setting interface)") : Checked(holder);
    }

    private static InterfaceChoice ByName(string pattern, HostState host)
    {
        HostInterface[] matches =
        [
            .. host.Interfaces.Where(i => !i.IsLoopback && FileSystemName.MatchesSimpleExpression(pattern, i.Name, ignoreCase: false)),
        ];
        // Of several that match, those that are down do not count.
        HostInterface[] usable = matches.Length > 1 ? [.. matches.Where(i => i.IsUp)] : matches;
        return usable.Length switch
        {
            1 => Checked(usable[0]),
            0 => new(null, $"no usable interface matches '{pattern}' (setting interface)"),
            _ => new(null, $"'{pattern}' (setting interface) matches {string.Join(", ", usable.Select(i => i.Name))}: it must match one"),
        };
    }

    private static InterfaceChoice Checked(HostInterface candidate) =>
        new(candidate, candidate.IsUp ? "" : $"interface {candidate.Name} is down");

    private static HostInterface? Holding(Prefix wanted, HostState host)
    {
        foreach (HostAddress address in host.Addresses)
        {
            if (wanted.Contains(address.Address) && host.Interface(address.Interface) is { IsLoopback: false } holder)
                return holder;
        }
        return null;
    }

    private static HostInterface? RoutingTo(Ip address, HostState host)
    {
        HostRoute? best = null;
        foreach (HostRoute route in host.Routes)
        {
            bool better = best is not { } b || route.Destination.Length > b.Destination.Length ||
                (route.Destination.Length == b.Destination.Length && route.Metric < b.Metric);
            if (better && route.IsUnicast && !route.IsOurs && route.Destination.Contains(address))
                best = route;
        }
        return best is { } found && host.Interface(found.Interface) is { IsLoopback: false } holder ? holder : null;
    }
}
