using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Finds the address that traffic to a peer's podCIDR is handed to.</summary>
internal sealed class NextHops(Policy policy, HostState host, PodCidrClaims claims)
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
            return Is(VerdictKind.Rejected, $"its address {nextHop} lies inside clusterCidrs, where pods live");
        if (claims.HolderOf(nextHop) is var (held, holder))
            return Is(VerdictKind.Rejected, $"its address {nextHop} lies inside {held}, where the pods of {holder.Name} live");
        if (_local.Contains(nextHop))
            return Is(VerdictKind.Rejected, $"its address {nextHop} is an address of this host");
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
            return IsUnusual(nextHop, address.Connected)
                ? verdict(VerdictKind.Rejected, $"its address {nextHop} is the network or broadcast address of {address.Connected}")
                : null;
        }
        return any
            ? verdict(VerdictKind.NotAdjacent, $"{nextHop} is not on this host's segment ({link.Name})")
            : verdict(VerdictKind.Waiting, $"interface {link.Name} has no {(nextHop.IsIPv4 ? "IPv4" : "IPv6")} address");
    }

    private static bool IsLinkLocal(Ip ip) => ip.IsIPv6 && ip.High >> 54 == 0xFE80 >> 6;

    // RFC 3021: a /31 has neither.
    private static bool IsUnusual(Ip ip, Prefix connected) =>
        ip.IsIPv4 && connected.Length < 31 && (ip == connected.Address || ip == connected.Last);

    private Verdict Accepted(Ip nextHop, ClusterNode peer, Prefix podCidr)
    {
        bool isGateway = host.Protected.Any(p => p.Role == ProtectedRole.Gateway && p.Address == nextHop);
        string warning = isGateway ? $"warning: {nextHop} is also a gateway of this host" : "";
        return new(peer, podCidr, VerdictKind.Routed, warning, nextHop);
    }
}
