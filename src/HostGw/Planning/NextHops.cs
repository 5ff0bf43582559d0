using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Chooses the next hop for a peer's podCIDR, or says why there is none.</summary>
/// <param name="self">This node, or null if the API has none.</param>
internal sealed class NextHops(Policy policy, HostState host, PodCidrGrants grants, ClusterNode? self)
{
    private readonly HashSet<Ip> _local = [.. host.Addresses.Select(a => a.Address)];

    // By interface: kube-proxy's ipvs mode gives kube-ipvs0 an address for each Service, and every peer's next hop is checked.
    private readonly Dictionary<int, HostAddress[]> _addressesOf =
        host.Addresses.GroupBy(a => a.Interface).ToDictionary(g => g.Key, g => g.ToArray());

    /// <summary>Routed with a next hop, or another kind with the reason.</summary>
    /// <param name="choice">The interface for the podCIDR's family.</param>
    public Verdict For(ClusterNode peer, Prefix podCidr, InterfaceChoice choice)
    {
        if (!choice.IsUsable)
            return new(peer, podCidr, VerdictKind.Waiting, choice.Reason);
        if (peer.NextHopOverride is { IsEmpty: true })
            return new(peer, podCidr, VerdictKind.NoAddress, "its annotation hostgw.io/next-hop holds no address, or two of one family");

        ImmutableArray<Ip> annotated = peer.NextHopOverride ?? [];
        bool isAnnotated = HasFamily(annotated, podCidr.IsIPv4);
        if (!isAnnotated && policy.NextHop == NextHopMode.PodGateway && podCidr.IsIPv4)
            return InsidePodCidr(peer, podCidr);

        ImmutableArray<Ip> addresses = isAnnotated ? annotated
            : HasFamily(peer.InternalIPs, podCidr.IsIPv4) ? peer.InternalIPs
            : peer.ExternalIPs;
        return BestOf(addresses, peer, podCidr, choice.Interface!);
    }

    // Whether that address answers is not known here: it is resolved by ARP when packets are sent.
    private static Verdict InsidePodCidr(ClusterNode peer, Prefix podCidr)
    {
        Ip gateway = PodGateway.Of(podCidr, peer.IsWindows);
        return gateway.IsNone
            ? new(peer, podCidr, VerdictKind.NoGateway, "has no room for a gateway address")
            : new(peer, podCidr, VerdictKind.Routed, "", gateway);
    }

    // The first usable address. If there is none, the first one's fault is reported, but Waiting takes precedence.
    private Verdict BestOf(ImmutableArray<Ip> addresses, ClusterNode peer, Prefix podCidr, HostInterface link)
    {
        (VerdictKind Kind, string Reason)? reported = null;
        foreach (Ip address in addresses)
        {
            if (address.IsIPv4 != podCidr.IsIPv4)
                continue;
            if (FaultOf(address, link) is not { } fault)
                return new(peer, podCidr, VerdictKind.Routed, Warning(address), address);
            if (reported is null || (fault.Kind == VerdictKind.Waiting && reported.Value.Kind != VerdictKind.Waiting))
                reported = fault;
        }
        (VerdictKind kind, string reason) = reported ?? (VerdictKind.NoAddress, $"the node has no {Family(podCidr.IsIPv4)} address");
        return new(peer, podCidr, kind, reason);
    }

    // Why the address cannot be a next hop, or null.
    private (VerdictKind Kind, string Reason)? FaultOf(Ip nextHop, HostInterface link)
    {
        if (PodCidrGuard.Covers(policy.ClusterCidrs, Prefix.Host(nextHop)))
            return (VerdictKind.NoAddress, $"its address {nextHop} lies inside clusterCidrs, where pods live");
        if (grants.HolderOf(nextHop) is var (held, holder))
            return (VerdictKind.NoAddress, $"its address {nextHop} lies inside {held}, where the pods of {holder.Name} live");
        if (_local.Contains(nextHop))
            return (VerdictKind.NoAddress, $"its address {nextHop} is an address of this host");
        return FaultOnSegment(nextHop, link);
    }

    private (VerdictKind Kind, string Reason)? FaultOnSegment(Ip nextHop, HostInterface link)
    {
        bool hasAddress = false, isAdjacent = false;
        foreach (HostAddress address in _addressesOf.GetValueOrDefault(link.Index, []))
        {
            if (address.Address.IsIPv4 != nextHop.IsIPv4)
                continue;
            hasAddress |= !IsLinkLocal(address.Address);
            if (!address.Connected.Contains(nextHop))
                continue;
            // Nested connected prefixes each have their own broadcast address, and the kernel refuses each as a next hop.
            if (NonHostAddress(nextHop, address.Connected) is { } meaning)
                return (VerdictKind.NoAddress, $"its address {nextHop} is the {meaning} of {address.Connected}");
            isAdjacent = true;
        }
        if (isAdjacent)
            return null;
        if (!hasAddress)
            return (VerdictKind.Waiting, $"interface {link.Name} has no {Family(nextHop.IsIPv4)} address");
        string away = $"{nextHop} is not on this host's segment ({link.Name})";
        return MissingOwnAddress(nextHop.IsIPv4) is { } missing
            ? (VerdictKind.Waiting, $"{away}, and this node's address {missing} is on no interface at the moment")
            : (VerdictKind.NotAdjacent, away);
    }

    // While this node's own address is missing, adjacency cannot be decided.
    private Ip? MissingOwnAddress(bool isIPv4)
    {
        Ip[] own = [.. self?.InternalIPs.Where(ip => ip.IsIPv4 == isIPv4) ?? []];
        return own.Length == 0 || own.Any(_local.Contains) ? null : own[0];
    }

    private static bool IsLinkLocal(Ip ip) => ip.IsIPv6 && ip.High >> 54 == 0xFE80 >> 6;

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
