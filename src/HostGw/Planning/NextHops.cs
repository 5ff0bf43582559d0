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

        bool overridden = peer.NextHopOverride?.Any(ip => ip.IsIPv4 == podCidr.IsIPv4) == true;
        if (!overridden && policy.NextHop == NextHopMode.PodGateway && podCidr.IsIPv4)
            return InsidePodCidr(peer, podCidr);

        return BestOf(Candidates(peer, podCidr, overridden), peer, podCidr, choice.Interface!);
    }

    private static Verdict InsidePodCidr(ClusterNode peer, Prefix podCidr)
    {
        Ip gateway = PodGateway.Of(podCidr, peer.IsWindows);
        return gateway.IsNone
            ? new(peer, podCidr, VerdictKind.NoGateway, "has no room for a gateway address")
            : new(peer, podCidr, VerdictKind.Routed, "", gateway);
    }

    private static IEnumerable<Ip> Candidates(ClusterNode peer, Prefix podCidr, bool overridden)
    {
        if (overridden)
            return OfFamily(peer.NextHopOverride!.Value, podCidr);
        IEnumerable<Ip> internalIPs = OfFamily(peer.InternalIPs, podCidr);
        return internalIPs.Any() ? internalIPs : OfFamily(peer.ExternalIPs, podCidr);
    }

    private static IEnumerable<Ip> OfFamily(ImmutableArray<Ip> addresses, Prefix podCidr) =>
        addresses.Where(ip => ip.IsIPv4 == podCidr.IsIPv4);

    // The first address that passes; if none does, what is wrong with the first.
    private Verdict BestOf(IEnumerable<Ip> candidates, ClusterNode peer, Prefix podCidr, HostInterface link)
    {
        Verdict? first = null;
        foreach (Ip candidate in candidates)
        {
            Verdict verdict = Judge(candidate, peer, podCidr, link);
            if (verdict.Kind == VerdictKind.Routed)
                return verdict;
            first ??= verdict;
        }
        string family = podCidr.IsIPv4 ? "IPv4" : "IPv6";
        return first ?? new(peer, podCidr, VerdictKind.NoAddress, $"the node has no {family} address");
    }

    private Verdict Judge(Ip nextHop, ClusterNode peer, Prefix podCidr, HostInterface link)
    {
        Verdict Is(VerdictKind kind, string reason) => new(peer, podCidr, kind, reason);

        if (policy.ClusterCidrs.Any(c => c.Contains(nextHop)))
            return Is(VerdictKind.NoAddress, $"its address {nextHop} lies inside clusterCidrs, where pods live");
        if (claims.HolderOf(nextHop) is var (held, holder))
            return Is(VerdictKind.NoAddress, $"its address {nextHop} lies inside {held}, where the pods of {holder.Name} live");
        if (_local.Contains(nextHop))
            return Is(VerdictKind.NoAddress, $"its address {nextHop} is an address of this host");
        return OnSegment(nextHop, Is, link) ?? Accepted(nextHop, peer, podCidr);
    }

    private Verdict? OnSegment(Ip nextHop, Func<VerdictKind, string, Verdict> verdict, HostInterface link)
    {
        bool any = false;
        foreach (HostAddress address in host.Addresses)
        {
            if (address.Interface != link.Index || address.Address.IsIPv4 != nextHop.IsIPv4)
                continue;
            any |= !IsLinkLocal(address.Address);
            if (!address.Connected.Contains(nextHop))
                continue;
            return Collective(nextHop, address.Connected) is { } meaning
                ? verdict(VerdictKind.NoAddress, $"its address {nextHop} is the {meaning} of {address.Connected}")
                : null;
        }
        if (!any)
            return verdict(VerdictKind.Waiting, $"interface {link.Name} has no {(nextHop.IsIPv4 ? "IPv4" : "IPv6")} address");
        return Missing(nextHop.IsIPv4) is { } missing
            ? verdict(VerdictKind.Waiting, $"{nextHop} is not on this host's segment ({link.Name}), and this node's address {missing} is on no interface at the moment")
            : verdict(VerdictKind.NotAdjacent, $"{nextHop} is not on this host's segment ({link.Name})");
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

    private Verdict Accepted(Ip nextHop, ClusterNode peer, Prefix podCidr)
    {
        bool isGateway = host.Protected.Any(p => p.Role == ProtectedRole.Gateway && p.Address == nextHop);
        string warning = isGateway ? $"warning: {nextHop} is also a gateway of this host" : "";
        return new(peer, podCidr, VerdictKind.Routed, warning, nextHop);
    }
}
