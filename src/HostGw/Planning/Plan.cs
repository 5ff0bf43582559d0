using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace HostGw.Planning;

/// <summary>The desired state of this host, and the verdict on each node's podCIDRs.</summary>
internal sealed record Plan
{
    // Made when it is first asked for: only foreign routes in the place of desired ones need it. Any thread may ask.
    private volatile Dictionary<Prefix, ClusterNode>? _routedPeers;

    /// <summary>The settings that it follows; null: those of no agent.</summary>
    public Policy? Policy { get; init; }

    public PlanScope Scope { get; init; }

    /// <summary>Whether the API has a Node of this name.</summary>
    public bool KnowsSelf { get; init; }

    /// <summary>What is wrong with this node's own Node object, with the cure.</summary>
    public ImmutableArray<string> Faults { get; init; } = [];

    /// <summary>Those of them that concern the addresses that it lists.</summary>
    public ImmutableArray<string> AddressFaults { get; init; } = [];

    /// <summary>Sorted by key; no two share one.</summary>
    public ImmutableArray<PodRoute> Routes { get; init; } = [];

    /// <summary>Destinations whose routes are left unchanged, sorted: an interface or address of this host is missing.</summary>
    public ImmutableArray<Prefix> Waiting { get; init; } = [];

    public ImmutableArray<ClusterRoute> ClusterRoutes { get; init; } = [];

    /// <summary>One per installed cluster route that makes the addresses of Nodes on-link.</summary>
    public ImmutableArray<CoveredNodes> CoveredNodes { get; init; } = [];

    /// <summary>On Windows: the route that keeps the API server reachable; null if none is needed.</summary>
    public ApiServerRoute? ApiServerRoute { get; init; }

    /// <summary>Null: no masquerade rule.</summary>
    public NatPlan? Nat { get; init; }

    /// <summary>Sources whose packets are accepted in a chain FORWARD that drops.</summary>
    public ImmutableArray<Prefix> ForwardAccept { get; init; } = [];

    /// <summary>Null: HostGw writes no CNI configuration.</summary>
    public CniPlan? Cni { get; init; }

    /// <summary>Turn on IPv4 forwarding; false: leave it as it is.</summary>
    public bool ForwardIPv4 { get; init; }

    /// <inheritdoc cref="ForwardIPv4"/>
    public bool ForwardIPv6 { get; init; }

    /// <summary>The pod networks for which HostGw installs a policy rule that leads to table main.</summary>
    public ImmutableArray<Prefix> PolicyRules { get; init; } = [];

    /// <summary>This node's own, one per family; empty: none is to be installed.</summary>
    public ImmutableArray<Ip> ProbeAddresses { get; init; } = [];

    /// <summary>On a Windows node: the addresses of its host endpoint at which it is probed. They are there already.</summary>
    public ImmutableArray<Ip> EndpointAddresses { get; init; } = [];

    /// <summary>The link hostgw0; null: none is needed.</summary>
    public TunnelPlan? Tunnel { get; init; }

    /// <summary>Why there is no tunnel where the settings want one, with the cure; empty: nothing prevents it.</summary>
    public string TunnelFault { get; init; } = "";

    /// <summary>Why a pod may get the tunnel's own addresses as well, with the cure; empty: none does, or there is no tunnel.</summary>
    public string TunnelDoubt { get; init; } = "";

    /// <summary>Null: neither probes nor a tunnel, and no guards.</summary>
    public GuardPlan? Guards { get; init; }

    /// <summary>What the guards took from the host's own routes and addresses: see <see cref="Uplinks.OfHost"/>.</summary>
    public ImmutableArray<int> HostUplinks { get; init; } = [];

    /// <summary>From which address peers are probed at their node addresses.</summary>
    public NodeSources NodeSources { get; init; } = NodeSources.None;

    /// <summary>The interface of this node's address; peers' routes may use others.</summary>
    public InterfaceChoice InterfaceIPv4 { get; init; }

    /// <inheritdoc cref="InterfaceIPv4"/>
    public InterfaceChoice InterfaceIPv6 { get; init; }

    /// <summary>All interfaces of this host.</summary>
    public ImmutableArray<HostInterface> Interfaces { get; init; } = [];

    /// <summary>What the plan took from the host's routes.</summary>
    public OnLinkRoutes OnLink { get; init; } = OnLinkRoutes.None;

    /// <summary>This node's podCIDRs; empty unless <see cref="Scope"/> is Everything.</summary>
    public ImmutableArray<Prefix> OwnPodCidrs { get; init; } = [];

    /// <summary>One per podCIDR, and one per node without any; in the order of the nodes' names.</summary>
    public ImmutableArray<Verdict> Verdicts
    {
        get;
        init => (field, _routedPeers) = (value, null);
    } = [];

    /// <summary>The interface of a routed verdict.</summary>
    public HostInterface? Uplink(Verdict verdict)
    {
        foreach (HostInterface link in Interfaces)
        {
            if (link.Index == verdict.Interface)
                return link;
        }
        return null;
    }

    /// <summary>How many routes to podCIDRs do not lead into the tunnel, and need an entry in the neighbour table.</summary>
    public int NativeRoutes
    {
        get
        {
            int count = 0;
            foreach (ref readonly PodRoute route in Routes.AsSpan())
                count += route is { Tunnel: null, IsToOneAddress: false } ? 1 : 0;
            return count;
        }
    }

    /// <summary>Whether a route to exactly this destination is desired.</summary>
    public bool Wants(Prefix destination) => !RoutesTo(destination).IsEmpty;

    /// <summary>The routes to exactly this destination.</summary>
    public ReadOnlySpan<PodRoute> RoutesTo(Prefix destination)
    {
        ReadOnlySpan<PodRoute> routes = Routes.AsSpan();
        // The search key is equal to no route and comes before all of the destination, so the search returns the complement of their start.
        int first = ~routes.BinarySearch(new StartOf(destination)), next = first;
        while (next < routes.Length && routes[next].Destination == destination)
            next++;
        return routes[first..next];
    }

    /// <summary>The route to a peer that this destination is inside of, or equal to; null: none. One with a next hop.</summary>
    public PodRoute? PeerRouteOver(Prefix destination)
    {
        ReadOnlySpan<PodRoute> routes = Routes.AsSpan();
        int next = ~routes.BinarySearch(new StartOf(destination));
        if (next < routes.Length && routes[next].Destination == destination)
            return routes[next].NextHop.IsNone ? null : routes[next];
        return PeerRouteBefore(next, destination);
    }

    /// <summary>The same, given the index of the first route behind this destination.</summary>
    // podCIDRs do not overlap: the last route to one before it is the only one with a next hop that may contain it. Between the two there
    // may be the routes that compare paths to that peer.
    public PodRoute? PeerRouteBefore(int next, Prefix destination)
    {
        while (next > 0 && Routes[next - 1].IsToOneAddress)
            next--;
        return next > 0 && Routes[next - 1] is { NextHop.IsNone: false } before && before.Destination.Contains(destination) ? before : null;
    }

    /// <summary>Whether this destination lies inside one of this node's podCIDRs, or is one.</summary>
    public bool IsOfOwnPods(Prefix destination)
    {
        foreach (Prefix own in OwnPodCidrs)
        {
            if (own.Contains(destination))
                return true;
        }
        return false;
    }

    /// <summary>The peer that has exactly this podCIDR, and a route to it; null: none has.</summary>
    public ClusterNode? RoutedPeer(Prefix podCidr) => (_routedPeers ??= RoutedPeers()).GetValueOrDefault(podCidr);

    public bool TryGetRoute(RouteKey key, out PodRoute route)
    {
        foreach (PodRoute candidate in RoutesTo(key.Destination))
        {
            route = candidate;
            if (candidate.Metric == key.Metric)
                return true;
        }
        route = default;
        return false;
    }

    private Dictionary<Prefix, ClusterNode> RoutedPeers()
    {
        Dictionary<Prefix, ClusterNode> peers = [];
        foreach (Verdict verdict in Verdicts)
        {
            if (verdict.Kind == VerdictKind.Routed)
                peers.TryAdd(verdict.PodCidr, verdict.Node);
        }
        return peers;
    }

    private readonly record struct StartOf(Prefix Destination) : IComparable<PodRoute>
    {
        public int CompareTo(PodRoute other) => Destination.CompareTo(other.Destination) is var order and not 0 ? order : -1;
    }
}

/// <summary>How much of a plan may be carried out.</summary>
internal enum PlanScope
{
    Everything,

    /// <summary>Add and correct routes; remove none, and leave NAT and forwarding as they are.</summary>
    AddRoutes,

    /// <summary>Change nothing at all.</summary>
    Nothing,
}

/// <summary>A next hop as `ip route` names it: "via 10.0.0.2", "encap to 198.51.100.10", or "on-link" where there is none.</summary>
internal static class NextHopText
{
    /// <summary>Without the interface.</summary>
    public static string Of(Ip nextHop, Encapsulation? tunnel) =>
        tunnel is not null ? $"encap to {tunnel.Node}" : nextHop.IsNone ? "on-link" : $"via {nextHop}";

    /// <summary>With the interface only for a route through the tunnel.</summary>
    public static string Of(in PodRoute route) => OrTunnel(route.NextHop, route.Tunnel);

    /// <inheritdoc cref="Of(in PodRoute)"/>
    public static string Of(in HostRoute route) => OrTunnel(route.NextHop, route.Tunnel);

    private static string OrTunnel(Ip nextHop, Encapsulation? tunnel) =>
        Of(nextHop, tunnel) + (tunnel is null ? "" : $" dev {TunnelPlan.LinkName}");
}

/// <summary>A route that this host should have.</summary>
/// <param name="NextHop">
/// None for an on-link route: a cluster route and, on Windows, the route to this node's own pods. Through the tunnel the peer's node
/// address.
/// </param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct PodRoute(Prefix Destination, uint Metric, Ip NextHop, int Interface)
{
    /// <summary>Null: packets are routed natively.</summary>
    public Encapsulation? Tunnel { get; init; }

    public RouteKey Key => new(Destination, Metric);

    /// <summary>It measures a path to a peer (on Windows it leads to the API server): no podCIDR is that long.</summary>
    public bool IsToOneAddress => Destination.IsOneAddress;

    public bool IsInstalledAs(HostRoute route) =>
        route.Key == Key && route.Tos == 0 && route.IsOurs && route.NextHopCount == 1 && route.NextHopObject == 0 &&
        route.Extras == RouteExtras.None && route.Interface == Interface && route.NextHop == NextHop &&
        route.IsOnLink == (!NextHop.IsNone && Tunnel is null) && route.Tunnel == Tunnel;
}

/// <summary>The CNI configuration that this node should have.</summary>
/// <param name="PodCidrs">This node's, in the order of the API: the first one gives pods their primary address.</param>
/// <param name="Mtu">Of pods' interfaces, in bytes; 0: not known while the uplink is missing.</param>
internal sealed record CniPlan(ImmutableArray<Prefix> PodCidrs, int Mtu)
{
    /// <summary>On Windows, where the CNI plugin masquerades; null on Linux, where a rule of the host does.</summary>
    public PodPolicies? Policies { get; init; }

    /// <summary>With the MTU of this node's interface: those towards single peers change with what these list as their address.</summary>
    /// <param name="v4">The interface of this node's address in IPv4.</param>
    /// <param name="v6">The same in IPv6.</param>
    public static CniPlan For(ImmutableArray<Prefix> own, InterfaceChoice v4, InterfaceChoice v6)
    {
        InterfaceChoice[] used = [.. own.Select(p => p.IsIPv4 ? v4 : v6)];
        bool isKnown = used.Length > 0 && used.All(u => u.IsUsable);
        return new([.. own.Select(p => p.Aligned).Distinct()], isKnown ? used.Min(u => u.Interface!.Mtu) : 0);
    }

    // Each pass builds new arrays, so the prefixes are compared, not the references.
    public bool Equals(CniPlan? other) =>
        other is not null && Mtu == other.Mtu && PodCidrs.SequenceEqual(other.PodCidrs) && Policies == other.Policies;

    public override int GetHashCode() => HashCode.Combine(Mtu, PodCidrs.Length);
}

/// <summary>The endpoint policies of a Windows node's pods.</summary>
/// <param name="Nat">Null: no masquerading.</param>
/// <param name="Services">Service CIDRs, which the pod sends to the host.</param>
internal sealed record PodPolicies(NatPlan? Nat, ImmutableArray<Prefix> Services)
{
    public bool Equals(PodPolicies? other) => other is not null && Nat == other.Nat && Services.SequenceEqual(other.Services);

    public override int GetHashCode() => HashCode.Combine(Nat, Services.Length);
}
