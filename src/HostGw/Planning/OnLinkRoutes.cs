using System.Runtime.InteropServices;

namespace HostGw.Planning;

/// <summary>
/// Which addresses are on-link, and over which interfaces, as table main says without HostGw's own routes: an address is on-link if the
/// longest matching route has no gateway and its interface has link-layer addresses. Holds only the prefixes of routes without a gateway
/// and the routes inside them: a router's 150,000 other routes are passed over.
/// </summary>
internal sealed class OnLinkRoutes : IEquatable<OnLinkRoutes>
{
    // By prefix; of each prefix those with the best metric.
    private readonly List<LinkRoute> _routes = [];

    // Routes without a gateway over other interfaces are left out; null: any.
    private readonly IReadOnlySet<int>? _allowed;

    private OnLinkRoutes(IReadOnlySet<int>? allowed) => _allowed = allowed;

    // Made when it is first asked for: a pass without changes only compares the routes. Passes are made by one thread.
    private PrefixForest? _prefixes;
    private int[] _firsts = [];

    public static OnLinkRoutes None { get; } = new(allowed: null);

    /// <param name="allowed">The interfaces that the setting interface allows; null: any.</param>
    public static OnLinkRoutes Of(HostState host, IReadOnlySet<int>? allowed)
    {
        OnLinkRoutes table = new(allowed);
        new Builder(host, table).Add(host.RouteSpan);
        return table;
    }

    /// <summary>
    /// A unicast route without gateway or tunnel, and not one for everything: a default route on a link proves no neighbour.
    /// </summary>
    public static bool IsDirect(in HostRoute route) =>
        route is { IsOurs: false, IsUnicast: true, NextHop.IsNone: true, Tos: 0 } &&
        (route.Extras & RouteExtras.Encapsulation) == 0 &&
        route.Destination.Length > (route.Destination.IsIPv4 ? 1 : 0) && !IsMulticast(route.Destination.Address);

    /// <summary>The routes of the longest prefix that contains the address, all with the best metric; empty: no such prefix.</summary>
    public ReadOnlySpan<LinkRoute> Find(Ip address)
    {
        _prefixes ??= Index();
        int index = _prefixes.Covering(address);
        return index < 0 ? [] : CollectionsMarshal.AsSpan(_routes)[_firsts[index].._firsts[index + 1]];
    }

    /// <summary>Whether the setting interface leaves any out.</summary>
    public bool IsNarrowed => _allowed is not null;

    /// <summary>Whether the setting interface allows it.</summary>
    public bool Allows(int link) => _allowed is null || _allowed.Contains(link);

    /// <summary>Whether a change of this route, which has appeared or gone, may change what is on-link.</summary>
    public bool MayChange(in HostRoute route, bool isGone)
    {
        if (IsLeftOut(route))
            return false;
        bool isKnown = false, isInside = false;
        foreach (LinkRoute known in _routes)
        {
            isKnown |= known.Destination == route.Destination && known.Interface == route.Interface && known.Gateway == route.NextHop;
            isInside |= known.Destination.Contains(route.Destination);
        }
        return (isInside || IsDirect(route)) && (isGone || !isKnown);
    }

    public bool Equals(OnLinkRoutes? other) =>
        other is not null && CollectionsMarshal.AsSpan(_routes).SequenceEqual(CollectionsMarshal.AsSpan(other._routes));

    public override bool Equals(object? obj) => Equals(obj as OnLinkRoutes);

    public override int GetHashCode() => _routes.Count;

    private bool IsLeftOut(in HostRoute route) => _allowed is not null && IsDirect(route) && !_allowed.Contains(route.Interface);

    private static bool IsMulticast(Ip ip) => ip.IsIPv4 ? ip.Low >> 28 == 0xE || ip.Low == uint.MaxValue : ip.High >> 56 == 0xFF;

    private PrefixForest Index()
    {
        List<Prefix> prefixes = [];
        List<int> firsts = [];
        for (int i = 0; i < _routes.Count; i++)
        {
            if (i > 0 && _routes[i].Destination == _routes[i - 1].Destination)
                continue;
            prefixes.Add(_routes[i].Destination);
            firsts.Add(i);
        }
        _firsts = [.. firsts, _routes.Count];
        return new([.. prefixes]);
    }

    private sealed class Builder(HostState host, OnLinkRoutes table)
    {
        private readonly List<LinkRoute> _result = table._routes;

        // The kernel may list an interface twice while it changes.
        private readonly Dictionary<int, HostInterface> _interfaces = host.Interfaces.DistinctBy(i => i.Index).ToDictionary(i => i.Index);
        private readonly List<(LinkRoute Route, ulong Metric)> _same = [];

        // The last prefix of a direct route that lies in no other: routes are sorted, so those inside it follow.
        private Prefix _outer;

        /// <param name="routes">Sorted by key.</param>
        public void Add(ReadOnlySpan<HostRoute> routes)
        {
            for (int i = 0; i < routes.Length; i++)
            {
                ref readonly HostRoute route = ref routes[i];
                if (route.IsOurs || !(IsDirect(route) || _outer.Contains(route.Destination)) || table.IsLeftOut(route))
                    continue;
                // A direct route may come after one with a gateway and a better metric.
                int first = i, next = i + 1;
                while (first > 0 && routes[first - 1].Destination == route.Destination)
                    first--;
                while (next < routes.Length && routes[next].Destination == route.Destination)
                    next++;
                if (next - first > 1)
                    AddBest(routes[first..next]);
                else if (route.Tos == 0)
                    _result.Add(Read(route));
                if (!_outer.Contains(route.Destination))
                    _outer = route.Destination;
                i = next - 1;
            }
        }

        private void AddBest(ReadOnlySpan<HostRoute> routes)
        {
            _same.Clear();
            foreach (ref readonly HostRoute route in routes)
            {
                if (!route.IsOurs && route.Tos == 0 && !table.IsLeftOut(route))
                    _same.Add((Read(route), Metric(route)));
            }
            if (_same.Count == 0)
                return;

            ulong best = _same.Min(r => r.Metric);
            LinkRoute first = _same.Find(r => r.Metric == best).Route;
            // Each link has link-local addresses of its own: metrics do not choose between links.
            bool isAnyMetric = first.Destination.Address.IsIPv6LinkLocal;
            foreach ((LinkRoute route, ulong metric) in _same)
            {
                if ((metric == best || isAnyMetric) && (route == first || (route.IsDirect && first.IsDirect)))
                    _result.Add(route);
            }
        }

        private LinkRoute Read(in HostRoute route) => new(route.Destination, route.NextHop, route.Interface, Fault(route));

        private LinkFault Fault(in HostRoute route)
        {
            if (!route.IsUnicast)
                return LinkFault.Special;
            if (!IsDirect(route))
                return LinkFault.Gateway;
            if (!_interfaces.TryGetValue(route.Interface, out HostInterface? link) || link.IsLoopback)
                return LinkFault.NoNeighbours;
            if (!link.IsUp)
                return LinkFault.Down;
            return (link.IsPointToPoint ? IsFarEnd(route) : link.HasNeighbours) ? LinkFault.None : LinkFault.NoNeighbours;
        }

        private bool IsFarEnd(HostRoute route) => route.Destination.Length == route.Destination.Address.Bits &&
            host.Addresses.Any(a => a.Interface == route.Interface && a.Connected == route.Destination);

        private ulong Metric(in HostRoute route) =>
            route.Metric + (_interfaces.TryGetValue(route.Interface, out HostInterface? link) ? link.AddedMetric(route.Destination) : 0UL);
    }
}

/// <summary>A route that decides whether the addresses of its prefix are on-link.</summary>
/// <param name="Gateway">None if it has none.</param>
internal readonly record struct LinkRoute(Prefix Destination, Ip Gateway, int Interface, LinkFault Fault)
{
    public bool IsDirect => Fault is not (LinkFault.Gateway or LinkFault.Special);
}

/// <summary>Why the addresses of a prefix are not on-link.</summary>
internal enum LinkFault
{
    None,

    Gateway,

    /// <summary>A blackhole, for example.</summary>
    Special,

    Down,

    /// <summary>The interface has no link-layer addresses (NOARP, loopback), or is a point-to-point link to another address.</summary>
    NoNeighbours,
}
