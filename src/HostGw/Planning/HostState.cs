using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace HostGw.Planning;

/// <summary>Everything that one pass read from this host.</summary>
internal sealed record HostState
{
    public ImmutableArray<HostInterface> Interfaces { get; init; } = [];

    public ImmutableArray<HostAddress> Addresses { get; init; } = [];

    /// <summary>Those that this host was given and does not use: another machine on the segment has the same.</summary>
    public ImmutableArray<HostAddress> DuplicateAddresses { get; init; } = [];

    /// <summary>All routes of the table that HostGw writes to, sorted by <see cref="HostRoute.Key"/>.</summary>
    public IReadOnlyList<HostRoute> Routes { get; init; } = [];

    /// <summary>The interfaces of all but the first next hop of other programs' multipath routes, by index, sorted.</summary>
    public ImmutableArray<int> MultipathInterfaces { get; init; } = [];

    /// <summary>IPv6 routes of that table for packets from certain sources only.</summary>
    public ImmutableArray<SourceRoute> SourceRoutes { get; init; } = [];

    /// <summary>Routes of Linux's table local that other programs made, without those of type throw.</summary>
    public ImmutableArray<ForeignLocalRoute> ForeignLocalRoutes { get; init; } = [];

    /// <summary>All policy rules, in the order in which they are tried; empty where there are only the three of every host.</summary>
    public ImmutableArray<PolicyRule> PolicyRules { get; init; } = [];

    /// <summary>The routes of Linux's table local that carry HostGw's protocol number.</summary>
    public ImmutableArray<ProbeRoute> ProbeRoutes { get; init; } = [];

    /// <summary>The interface hostgw0; null: there is none.</summary>
    public TunnelLink? Tunnel { get; init; }

    /// <summary>Why this host cannot have the guards of a tunnel, with the cure (no nf_tables); empty: it can.</summary>
    public string GuardObstacle { get; init; } = "";

    /// <summary>Why the CNI configuration in use is not known to reserve the gateway address of podCIDRs; empty: it does.</summary>
    public string SourceObstacle { get; init; } = "";

    /// <summary>The subnets whose gateway address the CNI configuration in use reserves; null: those of all podCIDRs.</summary>
    public ImmutableArray<Prefix>? ReservedSubnets { get; init; }

    /// <summary>The paths to nodes that tunnelled routes lead to, sorted by address.</summary>
    public ImmutableArray<NodePath> NodePaths { get; init; } = [];

    /// <summary>Addresses that no podCIDR may cover: gateways, resolvers, the API server.</summary>
    public ImmutableArray<ProtectedAddress> Protected { get; init; } = [];

    public ForwardingState Forwarding { get; init; }

    /// <summary>Linux's ipv4/conf/default/forwarding: what comes in by an interface that is made later may be forwarded.</summary>
    public bool NewInterfacesForwardIPv4 { get; init; } = true;

    /// <summary>The container runtime used HostGw's CNI configuration at the end of the last pass, and no other program's.</summary>
    public bool UsesOwnCni { get; init; }

    /// <summary>The metric of HostGw's routes: the kernel's default for the family.</summary>
    public uint MetricIPv4 { get; init; }

    /// <inheritdoc cref="MetricIPv4"/>
    public uint MetricIPv6 { get; init; } = 1024;

    /// <summary>Null on Linux.</summary>
    public WindowsFacts? Windows { get; init; }

    /// <summary>The same to walk over: a list copies each route that it is asked for, and a pass over thousands feels it.</summary>
    public ReadOnlySpan<HostRoute> RouteSpan => Routes is List<HostRoute> list ? CollectionsMarshal.AsSpan(list) : Routes.ToArray();

    /// <summary>The index in <see cref="Routes"/> of the first route to this destination or to a later one.</summary>
    public int FirstRouteFrom(Prefix destination)
    {
        int low = 0, high = Routes.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (Routes[middle].Destination.CompareTo(destination) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>
    /// HostGw's route to exactly this destination, or null. Not the second one that peers have over the pods' bridge on Windows: it does
    /// not say over which interface the peer is reached.
    /// </summary>
    public HostRoute? OwnRouteTo(Prefix destination)
    {
        for (int i = FirstRouteFrom(destination); i < Routes.Count && Routes[i].Destination == destination; i++)
        {
            if (Routes[i].IsOurs && Routes[i].Interface != Windows?.PodEndpoint?.Index)
                return Routes[i];
        }
        return null;
    }

    /// <summary>The metric that decides between routes to one destination: on Windows the interface's is added.</summary>
    public ulong MetricOf(Prefix destination, uint metric, int link) =>
        (ulong)metric + (Interface(link)?.AddedMetric(destination) ?? 0);

    public HostInterface? Interface(int index)
    {
        foreach (HostInterface candidate in Interfaces)
        {
            if (candidate.Index == index)
                return candidate;
        }
        return null;
    }
}

/// <summary>A network interface. IsUp is its administrative state.</summary>
internal sealed record HostInterface(int Index, string Name, bool IsUp, bool IsLoopback)
{
    /// <summary>Its neighbours have link-layer addresses, which ARP or neighbour discovery resolves: false for NOARP.</summary>
    public bool HasNeighbours { get; init; } = true;

    public bool IsPointToPoint { get; init; }

    /// <summary>Packets received on this interface may be forwarded, if the host forwards.</summary>
    public bool ForwardsIPv4 { get; init; } = true;

    /// <summary>In bytes.</summary>
    public int Mtu { get; init; } = 1500;

    /// <inheritdoc cref="ForwardsIPv4"/>
    public bool ForwardsIPv6 { get; init; } = true;

    /// <summary>False where the protocol is not bound to the interface: it has no address, route or setting of the family.</summary>
    public bool HasIPv4 { get; init; } = true;

    /// <inheritdoc cref="HasIPv4"/>
    public bool HasIPv6 { get; init; } = true;

    /// <summary>Linux's accept_ra: 0 ignores router advertisements, 1 does so while the host forwards, 2 never does.</summary>
    public int AcceptRa { get; init; }

    /// <summary>Linux's accept_dad: 0 makes no duplicate address detection, unless it is on for all.</summary>
    public int AcceptDad { get; init; }

    /// <summary>One end of a pair whose other end is in another network namespace, and no port of a bridge.</summary>
    public bool IsPeerElsewhere { get; init; }

    /// <summary>It carries a mark of HostGw's tunnel, whatever its name is.</summary>
    public bool IsTunnel { get; init; }

    /// <summary>It carries both marks.</summary>
    public bool HasAllTunnelMarks { get; init; }

    /// <summary>A route over an interface of this name was learnt from a router advertisement since the agent started.</summary>
    public bool HasLearntRoute { get; init; }

    /// <summary>What Windows adds to the metric of each route over this interface; 0 on Linux.</summary>
    public uint MetricIPv4 { get; init; }

    /// <inheritdoc cref="MetricIPv4"/>
    public uint MetricIPv6 { get; init; }

    /// <summary>What is added to the metric of a route to this destination.</summary>
    public uint AddedMetric(Prefix destination) => destination.IsIPv4 ? MetricIPv4 : MetricIPv6;

    /// <summary>Whether it can have a route to this destination.</summary>
    public bool HasFamilyOf(Prefix destination) => destination.IsIPv4 ? HasIPv4 : HasIPv6;

    /// <summary>On Windows: identifies the interface also after it was renamed or got another index.</summary>
    public ulong Luid { get; init; }
}

/// <summary>An address of this host and its connected prefix (on a point-to-point link the peer's).</summary>
internal readonly record struct HostAddress(Ip Address, Prefix Connected, int Interface)
{
    /// <summary>Duplicate address detection has failed: the kernel does not use it (RFC 4862, 5.4.5).</summary>
    public bool IsDuplicate { get; init; }
}

/// <summary>An address that this host's own traffic depends on.</summary>
internal readonly record struct ProtectedAddress(Ip Address, ProtectedRole Role);

internal enum ProtectedRole
{
    Gateway,
    Resolver,
    ApiServer,
}

/// <summary>Whether this host forwards packets; null where it does not have the family.</summary>
internal readonly record struct ForwardingState(bool? IPv4, bool? IPv6);

/// <summary>A route in the table of this host that HostGw writes to.</summary>
// A pass reads thousands: in the order in which the fields are declared each would take a quarter more.
[StructLayout(LayoutKind.Auto)]
internal readonly record struct HostRoute
{
    public required Prefix Destination { get; init; }

    public uint Metric { get; init; }

    /// <summary>Type of service; routes that differ in it do not conflict.</summary>
    public byte Tos { get; init; }

    /// <summary>None for an on-link route without a gateway; the first gateway of a multipath route.</summary>
    public Ip NextHop { get; init; }

    public int Interface { get; init; }

    /// <summary>RTNH_F_ONLINK: the kernel does not check that the next hop is in a prefix of the interface.</summary>
    public bool IsOnLink { get; init; }

    /// <summary>More than one for a multipath route.</summary>
    public ushort NextHopCount { get; init; }

    /// <summary>RTA_NH_ID: the nexthop object (ip nexthop) that the route refers to; 0 if none.</summary>
    public uint NextHopObject { get; init; }

    public RouteExtras Extras { get; init; }

    /// <summary>The encapsulation, source and MTU, where the route says no more than a tunnelled one of HostGw's does; else null.</summary>
    public Encapsulation? Tunnel { get; init; }

    /// <summary>False for types such as blackhole, unreachable and local.</summary>
    public bool IsUnicast { get; init; }

    /// <summary>Who installed it: RTPROT_* of rtnetlink; on Windows 256 + NL_ROUTE_PROTOCOL.</summary>
    public ushort Protocol { get; init; }

    /// <summary>The kernel made it for an address of this host; removing it would break that address.</summary>
    public bool IsConnected { get; init; }

    /// <summary>On Windows: it may also be in the persistent store, from which it returns at boot.</summary>
    public bool MayReturn { get; init; }

    /// <summary>It carries HostGw's mark: its protocol number, on Windows its record of routes.</summary>
    public bool IsOurs { get; init; }

    public RouteKey Key => new(Destination, Metric);

    /// <summary>Where packets go next: the next hop, or the node at the other end of the tunnel; none: on-link.</summary>
    public Ip Target => Tunnel?.Node ?? NextHop;
}

/// <summary>Attributes of a route other than its next hop and <see cref="HostRoute.Tunnel"/>. HostGw's routes have none.</summary>
[Flags]
internal enum RouteExtras : byte
{
    None = 0,

    /// <summary>RTA_PREFSRC (src): the source address of the host's own packets.</summary>
    Source = 1,

    /// <summary>RTA_METRICS: mtu, advmss, window and others.</summary>
    Metrics = 2,

    /// <summary>RTA_ENCAP (encap): packets leave by a tunnel.</summary>
    Encapsulation = 4,
}

/// <summary>How this host's packets reach a node, with policy rules and the path MTU that the kernel has learnt.</summary>
internal readonly record struct NodePath(Ip Node, int Mtu, int Interface);

/// <param name="Type">As `ip route` names it: local, blackhole, unicast and others.</param>
/// <param name="Tos">0: for packets of any type of service.</param>
/// <param name="Interface">0: none, or several.</param>
/// <param name="Protocol">Who installed it: RTPROT_*.</param>
internal readonly record struct ForeignLocalRoute(string Type, Prefix Destination, byte Tos, int Interface, ushort Protocol)
{
    /// <summary>As `ip route` writes it, without the interface.</summary>
    public override string ToString() => $"{Type} {Destination}{TosText.Of(Tos)}";
}

/// <summary>A type of service as `ip route` takes it, with a space before it; empty for none.</summary>
internal static class TosText
{
    public static string Of(byte tos) => tos == 0 ? "" : $" tos 0x{tos:x2}";
}

/// <summary>The key of a route: a table holds one route per key.</summary>
internal readonly record struct RouteKey(Prefix Destination, uint Metric) : IComparable<RouteKey>
{
    public int CompareTo(RouteKey other)
    {
        int result = Destination.CompareTo(other.Destination);
        return result != 0 ? result : Metric.CompareTo(other.Metric);
    }
}

/// <summary>A next hop in the neighbour table (ARP, NDP) of an interface.</summary>
internal readonly record struct Neighbour(Ip Address, int Interface);

/// <summary>State that only Windows hosts have.</summary>
/// <param name="PodEndpoint">The host's endpoint on the pods' bridge; peers get a second route over it. Null: none.</param>
/// <param name="PodEndpointMetric">The metric of those second routes.</param>
internal sealed record WindowsFacts(HostInterface? PodEndpoint, uint PodEndpointMetric);
