using System.Collections.Immutable;
using System.Globalization;
using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>The smallest set of changes that turns the installed routes into the desired ones.</summary>
internal sealed record RouteChanges
{
    public static RouteChanges None { get; } = new();

    public IReadOnlyList<PodRoute> Add { get; init; } = [];

    public IReadOnlyList<RouteCorrection> Replace { get; init; } = [];

    public IReadOnlyList<HostRoute> Delete { get; init; } = [];

    /// <summary>Desired routes that cannot be installed, because a foreign route is in their place.</summary>
    public IReadOnlyList<RouteConflict> Conflicts { get; init; } = [];

    /// <summary>
    /// Desired routes, and this node's podCIDRs, of which a foreign route takes a part: it is more specific, or for one type of service;
    /// one for each.
    /// </summary>
    public IReadOnlyList<RouteShadow> Shadows { get; init; } = [];

    /// <summary>Desired routes that wait: what is installed in their place, or around them, is kept.</summary>
    public IReadOnlySet<RouteKey> Held { get; init; } = ImmutableHashSet<RouteKey>.Empty;

    /// <summary>Not everything can be done at once: another pass must follow this one.</summary>
    public bool IsUnfinished { get; init; }

    public bool IsEmpty => Add.Count == 0 && Replace.Count == 0 && Delete.Count == 0;

    /// <summary>What is kept after the pass: the problems, and what waits.</summary>
    public RouteChanges Lasting() =>
        new() { Conflicts = Conflicts, Shadows = Shadows, Held = Held, IsUnfinished = IsUnfinished };

    /// <summary>Without the changes on these keys.</summary>
    public RouteChanges Without(IReadOnlySet<RouteKey> keys) => keys.Count == 0 ? this : WithoutInstalling(keys) with
    {
        Delete = [.. Delete.Where(r => !keys.Contains(r.Key))],
    };

    /// <summary>Without the additions and replacements on these keys; deletions remain.</summary>
    public RouteChanges WithoutInstalling(IReadOnlySet<RouteKey> keys) => keys.Count == 0 ? this : this with
    {
        Add = [.. Add.Where(r => !keys.Contains(r.Key))],
        Replace = [.. Replace.Where(c => !keys.Contains(c.Route.Key))],
    };

    /// <summary>Collects changes one by one.</summary>
    internal sealed class Builder
    {
        public List<PodRoute> Add { get; } = [];

        public List<RouteCorrection> Replace { get; } = [];

        public List<HostRoute> Delete { get; } = [];

        public List<RouteConflict> Conflicts { get; } = [];

        public bool IsUnfinished { get; set; }

        public RouteChanges Build() =>
            new() { Add = Add, Replace = Replace, Delete = Delete, Conflicts = Conflicts, IsUnfinished = IsUnfinished };
    }
}

/// <summary>A route and the installed one that it replaces.</summary>
internal readonly record struct RouteCorrection(PodRoute Route, HostRoute Instead, CorrectionCause Cause)
{
    /// <summary>What the installed route had and should not have, such as "dev eth1, metric 5": without the next hop.</summary>
    public string Difference(HostState host)
    {
        List<string> parts = [];
        if (Instead.Interface != Route.Interface)
            parts.Add($"dev {host.Interface(Instead.Interface)?.Name ?? $"{Instead.Interface}"}");
        if (Instead.Metric != Route.Metric)
            parts.Add($"metric {Instead.Metric}");
        if (Instead.NextHopCount > 1)
            parts.Add($"{Instead.NextHopCount} next hops");
        if (Instead.NextHopObject != 0)
            parts.Add($"nexthop object {Instead.NextHopObject}");
        if (Route.Tunnel is { } tunnel)
            parts.AddRange(TunnelText.Difference(Instead, tunnel));
        else if (Instead.Extras != RouteExtras.None)
            parts.Add(RouteExtrasText.Of(Instead.Extras));
        if (Instead.NextHop == Route.NextHop && (Instead.Tunnel ?? Route.Tunnel) is null && Instead.IsOnLink != !Route.NextHop.IsNone)
            parts.Add(Instead.IsOnLink ? "onlink" : "no onlink");
        return string.Join(", ", parts);
    }
}

/// <summary>The attributes of a tunnelled route other than its next hop, as `ip route` writes them.</summary>
internal static class TunnelText
{
    public static string Of(Encapsulation tunnel) => $"id {tunnel.Vni}, " +
        (tunnel.OuterSource.IsNone ? "" : $"encap src {tunnel.OuterSource}, ") + $"src {tunnel.Source}, mtu {tunnel.Mtu}";

    /// <summary>What an installed route says otherwise than the tunnelled one that should be there.</summary>
    public static IEnumerable<string> Difference(HostRoute installed, Encapsulation desired)
    {
        if (installed.Tunnel is not { } found)
            return Unread(installed.Extras);
        List<string> parts = [];
        if (found.Vni != desired.Vni)
            parts.Add($"id {found.Vni}");
        if (found.OuterSource != desired.OuterSource)
            parts.Add(found.OuterSource.IsNone ? "no encap src" : $"encap src {found.OuterSource}");
        if (found.Source != desired.Source)
            parts.Add($"src {found.Source}");
        if (found.Mtu != desired.Mtu)
            parts.Add($"mtu {found.Mtu}");
        return parts;
    }

    // A native route in its place is named by its next hop. Of another encapsulation only the values of HostGw's are known.
    private static IEnumerable<string> Unread(RouteExtras extras) => (extras & RouteExtras.Encapsulation) == 0
        ? extras == RouteExtras.None ? [] : [RouteExtrasText.Of(extras)]
        : extras switch
        {
            RouteExtras.Encapsulation => ["no src, no mtu"],
            RouteExtras.Encapsulation | RouteExtras.Source => ["no mtu"],
            RouteExtras.Encapsulation | RouteExtras.Metrics => ["no src"],
            _ => ["other options of encap, or other metrics"],
        };
}

/// <summary>The attributes of a route other than its next hop, as `ip route` writes them.</summary>
internal static class RouteExtrasText
{
    public static string Of(RouteExtras extras) => string.Join(", ", Words(extras));

    private static IEnumerable<string> Words(RouteExtras extras)
    {
        if (extras.HasFlag(RouteExtras.Source))
            yield return "a source address (src)";
        if (extras.HasFlag(RouteExtras.Metrics))
            yield return "metrics such as mtu";
        if (extras.HasFlag(RouteExtras.Encapsulation))
            yield return "an encapsulation (encap)";
    }
}

internal enum CorrectionCause
{
    /// <summary>HostGw's, but the plan has changed, or another program changed it and kept the protocol number.</summary>
    Differs,

    /// <summary>Foreign: it replaced HostGw's.</summary>
    Overwritten,

    /// <summary>A foreign one that has the same effect.</summary>
    Adopted,
}

/// <summary>A desired route, and the foreign one in its place.</summary>
/// <param name="IsShared">There are other routes on its key, such as HostGw's own: none can be taken over.</param>
internal readonly record struct RouteConflict(PodRoute Route, HostRoute Foreign, bool IsShared = false);

/// <summary>
/// A desired route, or the CNI plugin's to this node's own pods, and a foreign one inside its destination. The kernel takes the longest
/// prefix, and of several with it the one for the packet's type of service.
/// </summary>
/// <param name="More">How many others there are inside it.</param>
internal readonly record struct RouteShadow(PodRoute Route, HostRoute Foreign, int More)
{
    /// <summary>The first shadow of each desired route and of each podCIDR of this node. Walks two sorted lists once.</summary>
    public static IReadOnlyList<RouteShadow> Find(Plan plan, HostState host)
    {
        List<RouteShadow> found = [];
        int next = 0;
        foreach (ref readonly HostRoute foreign in host.RouteSpan)
        {
            if (foreign.IsOurs)
                continue;
            while (next < plan.Routes.Length && plan.Routes[next].Destination.CompareTo(foreign.Destination) <= 0)
                next++;
            if (plan.PeerRouteBefore(next, foreign.Destination) is { } route && TakesPartOf(route, foreign))
                Add(found, route, foreign);
        }
        foreach (Prefix own in plan.OwnPodCidrs)
            FindInside(own, host, found);
        return found;
    }

    private static void FindInside(Prefix own, HostState host, List<RouteShadow> found)
    {
        for (int i = host.FirstRouteFrom(own); i < host.Routes.Count && own.Contains(host.Routes[i].Destination); i++)
        {
            HostRoute foreign = host.Routes[i];
            if (!IsToPods(foreign, host) && PodRouteUnder(foreign, own, host) is { } hidden)
                Add(found, new(own, hidden.Metric, default, hidden.Interface), foreign);
        }
    }

    // To the pods' bridge the kernel makes one for its address; to each pod's own interface the plugin ptp makes one.
    private static bool IsToPods(HostRoute route, HostState host) =>
        route.IsUnicast && route.NextHop.IsNone && (route.IsConnected || route.IsOurs || route.Destination.IsOneAddress) &&
        host.Interface(route.Interface) is { IsUp: true, IsLoopback: false };

    private static HostRoute? PodRouteUnder(HostRoute foreign, Prefix own, HostState host)
    {
        for (int i = host.FirstRouteFrom(own); i < host.Routes.Count && own.Contains(host.Routes[i].Destination); i++)
        {
            HostRoute route = host.Routes[i];
            if (IsHidden(route, foreign, host) && IsToPods(route, host) && !HasTheSameEffect(foreign, route.NextHop, route.Interface))
                return route;
        }
        return null;
    }

    private static bool IsHidden(HostRoute route, HostRoute foreign, HostState host) =>
        route.Destination != foreign.Destination ? route.Destination.Contains(foreign.Destination)
        : route.Tos != foreign.Tos ? route.Tos == 0
        : host.MetricOf(route.Destination, route.Metric, route.Interface) >
            host.MetricOf(foreign.Destination, foreign.Metric, foreign.Interface);

    private static bool TakesPartOf(PodRoute route, HostRoute foreign) =>
        (foreign.Destination.Length > route.Destination.Length || foreign.Tos != 0) &&
        !(route.Tunnel is null && HasTheSameEffect(foreign, route.NextHop, route.Interface));

    private static bool HasTheSameEffect(HostRoute foreign, Ip nextHop, int link) =>
        foreign.IsUnicast && foreign.NextHopCount == 1 && !foreign.Extras.HasFlag(RouteExtras.Encapsulation) &&
        foreign.NextHop == nextHop && foreign.Interface == link;

    private static void Add(List<RouteShadow> found, PodRoute route, HostRoute foreign)
    {
        if (found.Count > 0 && found[^1].Route.Destination == route.Destination)
            found[^1] = found[^1] with { More = found[^1].More + 1 };
        else
            found.Add(new(route, foreign, 0));
    }
}

/// <summary>Who installs routes under which number (linux/rtnetlink.h, iproute2's rt_protos; nldef.h).</summary>
internal static class RouteProtocols
{
    /// <summary>Where Windows's numbers begin.</summary>
    public const ushort Windows = 256;

    public static string Name(ushort protocol) => protocol >= Windows ? NameOnWindows(protocol - Windows) : protocol switch
    {
        2 => "kernel",
        3 => "boot (by hand, flannel or another agent)",
        4 => "static",
        9 => "ra",
        11 => "zebra",
        12 => "bird",
        16 => "dhcp",
        17 => "mrouted or kube-router",
        80 => "calico",
        186 => "bgp",
        188 => "ospf",
        _ => protocol.ToString(CultureInfo.InvariantCulture),
    };

    private static string NameOnWindows(int protocol) => protocol switch
    {
        1 => "other",
        2 => "local",
        3 => "NetMgmt (New-NetRoute, flannel or another agent)",
        4 => "icmp",
        14 => "bgp",
        19 => "dhcp",
        10002 => "NT autostatic",
        10006 => "NT static (route add)",
        10007 => "NT static non-DoD",
        _ => protocol.ToString(CultureInfo.InvariantCulture),
    };
}
