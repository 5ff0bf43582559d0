using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Chooses the next hop for a peer's podCIDR and the interface to it, or says why there is none.</summary>
/// <param name="self">This node, or null if the API has none.</param>
internal sealed class NextHops(Policy policy, HostState host, PodCidrGrants grants, ClusterNode? self)
{
    private readonly HashSet<Ip> _local = [.. host.Addresses.Select(a => a.Address)];
    private readonly HashSet<int> _ownInterfaces = InterfaceChoice.OfNode(host, self);

    // By interface: kube-proxy's ipvs mode gives kube-ipvs0 an address for each Service, and every peer's next hop is checked.
    private readonly Dictionary<int, HostAddress[]> _addressesOf =
        host.Addresses.GroupBy(a => a.Interface).ToDictionary(g => g.Key, g => g.ToArray());

    private readonly Lazy<bool> _lacksIPv4 = new(() => LacksFamily(isIPv4: true, host, self));
    private readonly Lazy<bool> _lacksIPv6 = new(() => LacksFamily(isIPv4: false, host, self));
    private readonly bool _isCoveredIPv4 = !OwnNode.InsideClusterCidrs(self, policy, isIPv4: true).IsNone;
    private readonly bool _isCoveredIPv6 = !OwnNode.InsideClusterCidrs(self, policy, isIPv4: false).IsNone;
    private (Prefix Connected, HostInterface Link)[]? _down;

    // What is on-link without the setting interface: only for the reason of a verdict.
    private readonly Lazy<OnLinkRoutes> _anywhere = new(() => OnLinkRoutes.Of(host, allowed: null));

    public required OnLinkRoutes OnLink { get; init; }

    public required SharedAddresses Shared { get; init; }

    public required LastNextHops Last { get; init; }

    /// <summary>Routed with a next hop, or another kind with the reason.</summary>
    /// <param name="choice">The interface of this node's address in the podCIDR's family.</param>
    public Verdict For(ClusterNode peer, Prefix podCidr, InterfaceChoice choice)
    {
        if (peer.NextHopOverride is { IsEmpty: true })
            return new(peer, podCidr, VerdictKind.NoAddress, "its annotation hostgw.io/next-hop holds no address, or two of one family");

        ImmutableArray<Ip> annotated = peer.NextHopOverride ?? [];
        if (HasFamily(annotated, podCidr.IsIPv4))
            return BestOf(annotated, peer, podCidr, choice);
        if (policy.NextHop == NextHopMode.PodGateway && podCidr.IsIPv4)
            return InsidePodCidr(peer, podCidr, choice);
        Ip last = Last.Of(peer, podCidr);
        if (!last.IsNone && last.IsIPv4 == podCidr.IsIPv4)
            return Kept(last, peer, podCidr, choice);
        Verdict verdict = BestOf(Addresses(peer, podCidr.IsIPv4), peer, podCidr, choice);
        bool keepsNode = !last.IsNone && ListsNoAddress(peer) && policy.Tunnel.Mode != TunnelMode.Off;
        return keepsNode ? verdict with { Reason = KeptFor("address"), NextHop = last } : verdict;
    }

    /// <summary>
    /// The peer's node address, which packets through the tunnel are sent to: the native next hop where it is one, else the first of the
    /// podCIDR's family, else of the other one; one that no other Node lists where there is any. None if the peer has none that is usable.
    /// </summary>
    /// <param name="native">The decision on the podCIDR without the tunnel.</param>
    public Ip NodeOf(in Verdict native)
    {
        ClusterNode peer = native.Node;
        if (ListsNoAddress(peer))
            return native.NextHop.IsNone || FaultOf(native.NextHop) is not null ? default : native.NextHop;
        Ip best = default;
        int rank = int.MaxValue;
        foreach (ImmutableArray<Ip> addresses in (ReadOnlySpan<ImmutableArray<Ip>>)[peer.InternalIPs, peer.ExternalIPs])
        {
            foreach (Ip address in addresses)
            {
                if (FaultOf(address) is null && Rank(address, native) is var found && found < rank)
                    (best, rank) = (address, found);
            }
        }
        return best;
    }

    // Lower is better.
    private int Rank(Ip address, in Verdict native) =>
        (Shared.OtherClaimant(address, native.Node) is null ? 0 : 4) +
        (address.IsIPv4 == native.PodCidr.IsIPv4 ? 0 : 2) + (address == native.NextHop ? 0 : 1);

    /// <summary>
    /// The Node lists no address of the podCIDR's family, not even one that cannot be used, and has no annotated next hop. Packets to its
    /// pods can be tunnelled to an address of the other family; natively they cannot be sent, or only to the last next hop, which is kept.
    /// </summary>
    public static bool HasNoneOfFamily(in Verdict verdict) =>
        verdict.Node.NextHopOverride is null && ListsNone(verdict.Node, verdict.PodCidr.IsIPv4) &&
        (verdict.NativeKind == VerdictKind.NoAddress || (IsNodeAddress(verdict) && !ListsNoAddress(verdict.Node)));

    private static bool IsNodeAddress(in Verdict verdict) =>
        verdict.NativeKind is VerdictKind.Routed or VerdictKind.NotAdjacent && !verdict.PodCidr.Contains(verdict.NextHop);

    /// <summary>The Node lists no address of the family.</summary>
    public static bool ListsNone(ClusterNode node, bool isIPv4) =>
        !HasFamily(node.InternalIPs, isIPv4) && !HasFamily(node.ExternalIPs, isIPv4);

    /// <summary>The addresses, of either family, by which other nodes reach this one's pods of a family.</summary>
    public static ImmutableArray<Ip> Candidates(ClusterNode node, bool isIPv4) =>
        node.NextHopOverride is { } annotated && HasFamily(annotated, isIPv4) ? annotated : Addresses(node, isIPv4);

    private static ImmutableArray<Ip> Addresses(ClusterNode peer, bool isIPv4) =>
        HasFamily(peer.InternalIPs, isIPv4) ? peer.InternalIPs : peer.ExternalIPs;

    private Verdict Kept(Ip last, ClusterNode peer, Prefix podCidr, InterfaceChoice choice)
    {
        Verdict verdict = BestOf([last], peer, podCidr, choice);
        string what = ListsNoAddress(peer) ? "address" : $"{Family(podCidr.IsIPv4)} address";
        return verdict is { Kind: VerdictKind.Routed, Fault: VerdictFault.Peer }
            ? verdict with { Reason = KeptFor(what) }
            : verdict with { NextHop = last };
    }

    private static string KeptFor(string missing) =>
        $"the Node lists no {missing} any more: its last next hop is kept until it lists one again";

    // Whether that gateway answers is not known here: it is resolved by ARP when packets are sent. It is sought on the peer's segment.
    private Verdict InsidePodCidr(ClusterNode peer, Prefix podCidr, InterfaceChoice choice)
    {
        Ip gateway = PodGateway.Of(podCidr, peer.IsWindows);
        if (gateway.IsNone)
            return new(peer, podCidr, VerdictKind.NoGateway, "has no room for a gateway address");

        (VerdictKind Kind, string Reason)? fault = null;
        foreach (Ip address in Addresses(peer, isIPv4: true))
        {
            if (!address.IsIPv4 || _local.Contains(address))
                continue;
            (int link, (VerdictKind Kind, string Reason)? found) = LinkTo(address, podCidr, choice);
            if (found is null)
                return new(peer, podCidr, VerdictKind.Routed, "", gateway, link);
            if (Installed(address, gateway, podCidr, found.Value.Kind) is { } left)
                return KeptOver(left, address, new(peer, podCidr, VerdictKind.Routed, "", gateway));
            fault ??= found;
        }
        if (fault is var (kind, reason))
            return new(peer, podCidr, kind, reason);
        return WithoutAddress(peer, podCidr, gateway, choice);
    }

    // The segment of this node's address, or the one that was found while the peer had addresses.
    private Verdict WithoutAddress(ClusterNode peer, Prefix podCidr, Ip gateway, InterfaceChoice choice)
    {
        if (host.OwnRouteTo(podCidr) is { Tunnel: null } route && host.Interface(route.Interface) is { IsUp: true } link)
            return new(peer, podCidr, VerdictKind.Routed, "", gateway, link.Index);
        return choice.IsUsable
            ? new(peer, podCidr, VerdictKind.Routed, "", gateway, choice.Interface!.Index)
            : new(peer, podCidr, VerdictKind.Waiting, choice.Reason);
    }

    // The first usable address that is this Node's alone, else that of the installed route, else the first usable one. If there is
    // none, the first one's fault is reported, but Waiting takes precedence.
    private Verdict BestOf(ImmutableArray<Ip> addresses, ClusterNode peer, Prefix podCidr, InterfaceChoice choice)
    {
        (VerdictKind Kind, string Reason)? reported = null;
        Verdict? shared = null, kept = null;
        foreach (Ip address in addresses)
        {
            if (address.IsIPv4 != podCidr.IsIPv4)
                continue;
            (int link, (VerdictKind Kind, string Reason)? fault) =
                FaultOf(address) is { } refused ? (0, refused) : LinkTo(address, podCidr, choice);
            Verdict routed = new(peer, podCidr, VerdictKind.Routed, Warning(address), address, link);
            if (fault is null && OtherClaimant(address, peer) is { } other)
                shared ??= routed with { Reason = SharedWith(other, address) };
            else if (fault is null)
                return routed;
            else if (Installed(address, address, podCidr, fault.Value.Kind) is { } left)
                kept ??= KeptOver(left, address, routed);
            else if (reported is null || (fault.Value.Kind == VerdictKind.Waiting && reported.Value.Kind != VerdictKind.Waiting))
                reported = fault;
        }
        (VerdictKind kind, string reason) = reported ?? (VerdictKind.NoAddress, $"the node has no {Family(podCidr.IsIPv4)} address");
        if ((kept ?? shared) is { } usable)
            return usable;
        Verdict refusal = new(peer, podCidr, kind, reason);
        return kind == VerdictKind.NoAddress ? Explained(refusal) : refusal;
    }

    // A fault of this node's own addresses explains it.
    private Verdict Explained(Verdict verdict)
    {
        if (verdict.PodCidr.IsIPv4 ? _isCoveredIPv4 : _isCoveredIPv6)
            return verdict with { Kind = VerdictKind.Waiting, Fault = VerdictFault.Self };
        bool neitherListsAny =
            verdict.Node.NextHopOverride is null && ListsNoAddress(verdict.Node) && self is not null && ListsNoAddress(self);
        return neitherListsAny ? verdict with { Kind = VerdictKind.Waiting, Reason = InterfaceChoice.NoAddress } : verdict;
    }

    private static bool ListsNoAddress(ClusterNode node) => node is { InternalIPs.IsEmpty: true, ExternalIPs.IsEmpty: true };

    // Several nodes may be annotated with one router.
    private ClusterNode? OtherClaimant(Ip address, ClusterNode peer) =>
        peer.NextHopOverride is { } annotated && annotated.Contains(address) ? null : Shared.OtherClaimant(address, peer);

    private static string SharedWith(ClusterNode other, Ip address) =>
        $"node {other.Name} lists its address {address}, too, and packets for both go to the one that answers";

    // Why the address cannot be a next hop on any segment, or null.
    private (VerdictKind Kind, string Reason)? FaultOf(Ip nextHop)
    {
        if (PodCidrGuard.Covers(policy.ClusterCidrs, Prefix.Host(nextHop)))
            return (VerdictKind.NoAddress, $"its address {nextHop} lies inside clusterCidrs, where pods live");
        if (grants.HolderOf(nextHop) is var (held, holder))
            return (VerdictKind.NoAddress, $"its address {nextHop} lies inside {held}, where the pods of {holder.Name} live");
        if (_local.Contains(nextHop))
            return (VerdictKind.NoAddress, $"its address {nextHop} is an address of this host");
        return null;
    }

    // The interface over which the next hop is on-link, or why it is not.
    private (int Interface, (VerdictKind Kind, string Reason)? Fault) LinkTo(Ip nextHop, Prefix podCidr, InterfaceChoice choice)
    {
        ReadOnlySpan<LinkRoute> routes = OnLink.Find(nextHop);
        int link = Choose(routes, podCidr);
        if (link == 0)
            return (0, Away(nextHop, routes, choice));
        foreach (HostAddress address in _addressesOf.GetValueOrDefault(link, []))
        {
            // Nested connected prefixes each have their own broadcast address, and the kernel refuses each as a next hop.
            if (address.Connected.Contains(nextHop) && NonHostAddress(nextHop, address.Connected) is { } meaning)
                return (0, (VerdictKind.NoAddress, $"its address {nextHop} is the {meaning} of {address.Connected}"));
        }
        return (link, null);
    }

    // The interface of the installed route, which works on although the on-link route to its next hop is gone: somebody deleted it, or
    // that of DHCP or a router advertisement expired. A route that leads elsewhere would be a reason to remove it.
    private HostInterface? Installed(Ip address, Ip nextHop, Prefix podCidr, VerdictKind fault) =>
        fault == VerdictKind.NotAdjacent && OnLink.Find(address).IsEmpty && host.OwnRouteTo(podCidr) is { Tunnel: null } route &&
        route.NextHop == nextHop && host.Interface(route.Interface) is { IsUp: true } link ? link : null;

    private static Verdict KeptOver(HostInterface link, Ip address, Verdict routed) => routed with
    {
        Interface = link.Index,
        Reason = $"the on-link route to {address} is gone: the installed route over {link.Name} is kept",
        Fault = VerdictFault.Host,
    };

    // Of several interfaces to one segment: that of the installed route, then one with this node's address, then the first.
    private int Choose(ReadOnlySpan<LinkRoute> routes, Prefix podCidr)
    {
        int first = 0, own = 0;
        int installed = routes.Length > 1 ? host.OwnRouteTo(podCidr)?.Interface ?? 0 : 0;
        foreach (LinkRoute route in routes)
        {
            if (route.Fault != LinkFault.None)
                continue;
            if (route.Interface == installed)
                return installed;
            first = first == 0 ? route.Interface : first;
            own = own == 0 && _ownInterfaces.Contains(route.Interface) ? route.Interface : own;
        }
        return own == 0 ? first : own;
    }

    // Waiting while something of this host is missing, so that it cannot be decided.
    private (VerdictKind Kind, string Reason) Away(Ip nextHop, ReadOnlySpan<LinkRoute> routes, InterfaceChoice choice)
    {
        bool isIPv4 = nextHop.IsIPv4;
        if (!routes.IsEmpty && Elsewhere(nextHop, routes[0]) is { } elsewhere)
            return elsewhere;
        if (DownLinkTo(nextHop) is { } down)
            return (VerdictKind.Waiting, $"interface {down.Name} is down");
        if (isIPv4 ? _lacksIPv4.Value : _lacksIPv6.Value)
        {
            return (VerdictKind.NotAdjacent, $"this node has no {Family(isIPv4)} address: " +
                $"its Node lists none and no interface holds one, so that its pods reach others over {Family(!isIPv4)} only");
        }
        if (!choice.IsUsable)
            return (VerdictKind.Waiting, choice.Reason);
        HostInterface link = choice.Interface!;
        if (!_addressesOf.GetValueOrDefault(link.Index, []).Any(a => IsOfFamily(a, isIPv4, self)))
            return (VerdictKind.Waiting, $"interface {link.Name} has no {Family(isIPv4)} address");
        string away = LeftOut(nextHop) is { } other
            ? $"{nextHop} is on {other}, which the setting interface leaves out"
            : $"{nextHop} is not on this host's segment ({link.Name})";
        return MissingOwnAddress(isIPv4) is { } missing
            ? (VerdictKind.Waiting, $"{away}, and this node's address {missing} is on no interface")
            : (VerdictKind.NotAdjacent, away);
    }

    // The route that takes the address away from the segment that it seems to be on.
    private (VerdictKind Kind, string Reason)? Elsewhere(Ip nextHop, LinkRoute route)
    {
        string name = host.Interface(route.Interface)?.Name ?? "";
        string away = $"{nextHop} is not on this host's segment: the route to {route.Destination}";
        return route.Fault switch
        {
            LinkFault.Down => (VerdictKind.Waiting, $"interface {name} is down"),
            LinkFault.Gateway => (VerdictKind.NotAdjacent, $"{away} leads to the gateway {route.Gateway}"),
            LinkFault.Special => (VerdictKind.NotAdjacent, $"{away} is a blackhole or another special route"),
            LinkFault.NoNeighbours => (VerdictKind.NotAdjacent, $"{away} leads over {name}, which has no link-layer addresses"),
            _ => null,
        };
    }

    private string? LeftOut(Ip nextHop)
    {
        foreach (LinkRoute route in OnLink.IsNarrowed ? _anywhere.Value.Find(nextHop) : [])
        {
            if (route.Fault == LinkFault.None && !OnLink.Allows(route.Interface))
                return host.Interface(route.Interface)?.Name;
        }
        return null;
    }

    // An interface that is down has lost its routes.
    private HostInterface? DownLinkTo(Ip nextHop)
    {
        foreach ((Prefix connected, HostInterface link) in _down ??= [.. DownLinks(host)])
        {
            if (connected.Contains(nextHop) && OnLink.Allows(link.Index))
                return link;
        }
        return null;
    }

    // Not the host prefixes: kube-ipvs0, which is down, has one for each Service.
    private static IEnumerable<(Prefix Connected, HostInterface Link)> DownLinks(HostState host) =>
        from link in host.Interfaces
        where !link.IsUp
        from address in host.Addresses
        where address.Interface == link.Index && address.Connected.Length < address.Address.Bits
        select (address.Connected, link);

    // A node of the other family alone: it waits for nothing.
    private static bool LacksFamily(bool isIPv4, HostState host, ClusterNode? self) => self is not null &&
        self.InternalIPs.Concat(self.ExternalIPs).Any(ip => ip.IsIPv4 != isIPv4) &&
        !self.InternalIPs.Concat(self.ExternalIPs).Any(ip => ip.IsIPv4 == isIPv4) &&
        !host.Addresses.Any(a => IsOfFamily(a, isIPv4, self) && host.Interface(a.Interface) is { IsLoopback: false });

    // While this node's own address is missing, adjacency cannot be decided.
    private Ip? MissingOwnAddress(bool isIPv4)
    {
        Ip[] own = self is null ? [] : [.. Addresses(self, isIPv4).Where(ip => ip.IsIPv4 == isIPv4)];
        return own.Length == 0 || own.Any(_local.Contains) ? null : own[0];
    }

    // Of the network between nodes: not link-local, and not the address of a bridge of this node's pods.
    private static bool IsOfFamily(HostAddress address, bool isIPv4, ClusterNode? self) =>
        address.Address.IsIPv4 == isIPv4 && !address.Address.IsIPv6LinkLocal &&
        !(self?.PodCidrs.Any(p => p.Contains(address.Address)) ?? false);

    // RFC 3021, RFC 6164: both addresses of a /31 or /127 are hosts. RFC 4291 2.6.1: the first address of a prefix is the
    // subnet-router anycast address.
    private static string? NonHostAddress(Ip ip, Prefix connected)
    {
        if (connected.Length >= ip.Bits - 1)
            return null;
        if (ip.IsIPv6)
            return ip == connected.Address ? "routers' anycast address" : null;
        return ip == connected.Address || ip == connected.Last ? "network or broadcast address" : null;
    }

    private string Warning(Ip nextHop)
    {
        foreach (ProtectedAddress guarded in host.Protected)
        {
            if (guarded.Role == ProtectedRole.Gateway && guarded.Address == nextHop)
                return $"warning: {nextHop} is also a gateway of this host";
        }
        return "";
    }

    private static bool HasFamily(ImmutableArray<Ip> addresses, bool isIPv4)
    {
        foreach (Ip address in addresses)
        {
            if (address.IsIPv4 == isIPv4)
                return true;
        }
        return false;
    }

    private static string Family(bool isIPv4) => isIPv4 ? "IPv4" : "IPv6";
}

/// <summary>The gateway address inside a pod subnet: the first address on Linux nodes, the second on Windows nodes.</summary>
/// <remarks>On Windows the first is the HNS network's own gateway.</remarks>
internal static class PodGateway
{
    /// <summary>None if the prefix is too small.</summary>
    public static Ip Of(Prefix podCidr, bool isWindows)
    {
        Ip gateway = podCidr.Aligned.Address.Plus(isWindows ? 2u : 1u);
        return podCidr.Contains(gateway) && gateway.CompareTo(podCidr.Last) < 0 ? gateway : default;
    }
}
