namespace HostGw.Planning;

/// <summary>A route that stands in this host's table.</summary>
internal readonly record struct HostRoute
{
    public required Prefix Destination { get; init; }

    public uint Metric { get; init; }

    /// <summary>Type of service; a route with one stands beside ours, not on its key.</summary>
    public byte Tos { get; init; }

    /// <summary>None for a route whose destinations are neighbours.</summary>
    public Ip NextHop { get; init; }

    public int Interface { get; init; }

    /// <summary>The next hop counts as a neighbour whatever addresses the interface has.</summary>
    public bool IsOnLink { get; init; }

    /// <summary>More than one: multipath, of which <see cref="NextHop"/> is the first.</summary>
    public int NextHopCount { get; init; }

    /// <summary>Number of the object that keeps the next hops in its place (ip nexthop); 0: there is none.</summary>
    public uint NextHopObject { get; init; }

    /// <summary>False for blackhole, unreachable, local and the like.</summary>
    public bool IsUnicast { get; init; }

    /// <summary>Who installed it: RTPROT_* of rtnetlink; on Windows 256 + NL_ROUTE_PROTOCOL.</summary>
    public ushort Protocol { get; init; }

    /// <summary>The kernel made it for an address of this host, and would miss it.</summary>
    public bool IsConnected { get; init; }

    /// <summary>It may also be in a store from which it comes back when the host boots.</summary>
    public bool MayReturn { get; init; }

    /// <summary>It carries our mark.</summary>
    public bool IsOurs { get; init; }

    public RouteKey Key => new(Destination, Metric);
}

/// <summary>What a table allows only one route for.</summary>
internal readonly record struct RouteKey(Prefix Destination, uint Metric) : IComparable<RouteKey>
{
    public int CompareTo(RouteKey other)
    {
        int result = Destination.CompareTo(other.Destination);
        return result != 0 ? result : Metric.CompareTo(other.Metric);
    }
}

/// <summary>A route that this host should have.</summary>
/// <param name="NextHop">None for the cluster route, whose destinations are neighbours.</param>
internal readonly record struct PodRoute(Prefix Destination, uint Metric, Ip NextHop, int Interface)
{
    public RouteKey Key => new(Destination, Metric);

    /// <summary>As it is read back.</summary>
    /// <param name="protocol">The number that marks it as ours.</param>
    public HostRoute InstalledBy(ushort protocol) => new()
    {
        Destination = Destination,
        Metric = Metric,
        NextHop = NextHop,
        Interface = Interface,
        IsOnLink = !NextHop.IsNone,
        NextHopCount = 1,
        IsUnicast = true,
        Protocol = protocol,
        IsOurs = true,
    };

    public bool IsInstalledAs(HostRoute route) =>
        route.Key == Key && route.Tos == 0 && route.IsOurs && route.NextHopCount == 1 && route.NextHopObject == 0 && route.Interface == Interface &&
        route.NextHop == NextHop && route.IsOnLink == !NextHop.IsNone;
}
