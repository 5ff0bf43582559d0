using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Finds the address that traffic to a peer's podCIDR is handed to.</summary>
/// <param name="self">This node, or null while the API has none.</param>
internal sealed class NextHops(Policy policy, HostState host, PodCidrClaims claims, ClusterNode? self)
{
    private readonly HashSet<Ip> _local = [.. host.Addresses.Select(a => a.Address)];

    /// <param name="choice">The interface for the podCIDR's family.</param>
    public Verdict For(ClusterNode peer, Prefix podCidr, InterfaceChoice choice)
    {
        if (!choice.IsUsable)
            return new(peer, podCidr, VerdictKind.Waiting, choice.Reason);
        if (peer.NextHopOverride is { IsEmpty: true })
            return new(peer, podCidr, VerdictKind.Rejected, "its annotation hostgw.io/next-hop holds no address, or two of one family");

        ImmutableArray<Ip> annotated = peer.NextHopOverride ?? [];
        bool isAnnotated = Holds(annotated, podCidr.IsIPv4);
        if (!isAnnotated && policy.NextHop == NextHopMode.PodGateway && podCidr.IsIPv4)
            return InsidePodCidr(peer, podCidr);

        ImmutableArray<Ip> addresses = isAnnotated ? annotated
            : Holds(peer.InternalIPs, podCidr.IsIPv4) ? peer.InternalIPs
            : peer.ExternalIPs;
        return BestOf(addresses, peer, podCidr, choice.Interface!);
    }

    private static Verdict InsidePodCidr(ClusterNode peer, Prefix podCidr)
    {
        Ip gateway = PodGateway.Of(podCidr, peer.IsWindows);
        return gateway.IsNone
            ? new(peer, podCidr, VerdictKind.NoGateway, "has no room for a gateway address")
            : new(peer, podCidr, VerdictKind.Routed, "", gateway);
    }

    // The first address that passes; if none does, what is wrong with the first, unless another is waited for.
    private Verdict BestOf(ImmutableArray<Ip> addresses, ClusterNode peer, Prefix podCidr, HostInterface link)
    {
        (VerdictKind Kind, string Reason)? worst = null;
        foreach (Ip address in addresses)
        {
            if (address.IsIPv4 != podCidr.IsIPv4)
                continue;
            if (Judge(address, link) is not { } fault)
                return new(peer, podCidr, VerdictKind.Routed, Warning(address), address);
            if (worst is null || (fault.Kind == VerdictKind.Waiting && worst.Value.Kind != VerdictKind.Waiting))
                worst = fault;
        }
        (VerdictKind kind, string reason) = worst ?? (VerdictKind.NoAddress, $"the node has no {Family(podCidr.IsIPv4)} address");
        return new(peer, podCidr, kind, reason);
    }

    // Null: it may be a next hop.
    private (VerdictKind Kind, string Reason)? Judge(Ip nextHop, HostInterface link)
    {
        if (PodCidrGuard.Covers(policy.ClusterCidrs, Prefix.Host(nextHop)))
            return (VerdictKind.NoAddress, $"its address {nextHop} lies inside clusterCidrs, where pods live");
        if (claims.HolderOf(nextHop) is var (held, holder))
            return (VerdictKind.NoAddress, $"its address {nextHop} lies inside {held}, where the pods of {holder.Name} live");
        if (_local.Contains(nextHop))
            return (VerdictKind.NoAddress, $"its address {nextHop} is an address of this host");
        return JudgeOnSegment(nextHop, link);
    }

    private (VerdictKind Kind, string Reason)? JudgeOnSegment(Ip nextHop, HostInterface link)
    {
        bool any = false, isAdjacent = false;
        foreach (HostAddress address in host.Addresses)
        {
            if (address.Interface != link.Index || address.Address.IsIPv4 != nextHop.IsIPv4)
                continue;
            any |= !IsLinkLocal(address.Address);
            if (!address.Connected.Contains(nextHop))
                continue;
            // Of prefixes inside one another each has its own: the kernel would refuse the route.
            if (Collective(nextHop, address.Connected) is { } meaning)
                return (VerdictKind.NoAddress, $"its address {nextHop} is the {meaning} of {address.Connected}");
            isAdjacent = true;
        }
        if (isAdjacent)
            return null;
        if (!any)
            return (VerdictKind.Waiting, $"interface {link.Name} has no {Family(nextHop.IsIPv4)} address");
        return Missing(nextHop.IsIPv4) is { } missing
            ? (VerdictKind.Waiting, $"{nextHop} is not on this host's segment ({link.Name}), and this node's address {missing} is on no interface at the moment")
            : (VerdictKind.NotAdjacent, $"{nextHop} is not on this host's segment ({link.Name})");
    }

    // While this node's own address is away, nothing can be said of who is its neighbour.
    private Ip? Missing(bool isIPv4)
    {
        Ip[] own = [.. self?.InternalIPs.Where(ip => ip.IsIPv4 == isIPv4) ?? []];
        return own.Length == 0 || own.Any(_local.Contains) ? null : own[0];
    }

    private static bool IsLinkLocal(Ip ip) => ip.IsIPv6 && ip.High >> 54 == 0xFE80 >> 6;

    // RFC 3021 and RFC 6164: the two addresses of a /31 or /127 are hosts. RFC 4291 2.6.1: all routers answer to the first of a longer one.
    private static string? Collective(Ip ip, Prefix connected)
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

    private static bool Holds(ImmutableArray<Ip> addresses, bool isIPv4)
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
