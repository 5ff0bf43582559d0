using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Decides what is masqueraded: traffic from this node's pods to destinations that are not exempt.</summary>
internal static class NatPlanner
{
    private static readonly ImmutableArray<Prefix> Multicast = [Prefix.Parse("224.0.0.0/4"), Prefix.Parse("ff00::/8")];
    private static readonly Prefix Broadcast = Prefix.Parse("255.255.255.255/32");

    /// <param name="own">This node's podCIDRs.</param>
    /// <param name="granted">Every podCIDR that was granted to a node (<see cref="PodCidrGrants"/>), this node's own included.</param>
    public static NatPlan Plan(
        Policy policy, HostState host, ImmutableArray<Prefix> own, IEnumerable<Prefix> granted, IReadOnlyList<ClusterNode> nodes)
    {
        bool any = policy.Nat.Source == NatSource.Any;
        bool v4 = any || own.Any(p => p.IsIPv4);
        bool v6 = policy.Nat.IPv6 && (any || own.Any(p => p.IsIPv6));

        List<Prefix> exempt = [.. Multicast, .. policy.ClusterCidrs, .. own, .. policy.Nat.Exempt];
        if (any)
            exempt.Add(Broadcast);
        // On Linux kube-proxy has replaced the service's address before postrouting sees the packet; on Windows it has not.
        if (host.Windows is not null)
            exempt.AddRange(policy.ServiceCidrs);
        // These few usually cover the prefixes of all nodes; dropping those first keeps the sort small.
        PrefixForest few = new(exempt);
        exempt.AddRange(granted.Where(p => few.Covering(p) < 0));
        if (policy.Nat.ExemptNodes)
            exempt.AddRange(NodeAddresses(host, nodes).Where(p => few.Covering(p) < 0));

        return new(
            policy.Nat.Source, v4, v6, policy.Nat.RandomFully,
            Sources: any ? [] : [.. Minimal(own, v4, v6)],
            Exempt: [.. Minimal(exempt, v4, v6)]);
    }

    private static IEnumerable<Prefix> Minimal(IEnumerable<Prefix> prefixes, bool v4, bool v6) =>
        new PrefixForest(prefixes.Where(p => p.IsIPv4 ? v4 : v6)).Roots();

    // A Node may claim any address: exempting a public one that is not on-link would cut this node's pods off from it.
    private static IEnumerable<Prefix> NodeAddresses(HostState host, IReadOnlyList<ClusterNode> nodes)
    {
        PrefixForest connected = new(host.Addresses.Select(a => a.Connected));
        return nodes.SelectMany(n => n.InternalIPs.Concat(n.ExternalIPs))
            .Where(ip => PodCidrGuard.IsPrivate(Prefix.Host(ip)) || connected.Covering(ip) >= 0)
            .Select(Prefix.Host);
    }
}

/// <summary>The masquerade rule this host should have. Each list is aligned and sorted, and none of its prefixes covers another.</summary>
/// <param name="Sources">This node's podCIDRs; empty in a family that is not masqueraded. Ignored with <see cref="NatSource.Any"/>.</param>
/// <param name="Exempt">Destinations that keep the pod's address, of both families.</param>
internal sealed record NatPlan(
    NatSource Source,
    bool IPv4,
    bool IPv6,
    bool RandomFully,
    ImmutableArray<Prefix> Sources,
    ImmutableArray<Prefix> Exempt)
{
    // Each pass builds new arrays, so the prefixes are compared, not the references.
    public bool Equals(NatPlan? other) => other is not null &&
        (Source, IPv4, IPv6, RandomFully) == (other.Source, other.IPv4, other.IPv6, other.RandomFully) &&
        Sources.SequenceEqual(other.Sources) && Exempt.SequenceEqual(other.Exempt);

    public override int GetHashCode() => HashCode.Combine(Source, IPv4, IPv6, RandomFully, Sources.Length, Exempt.Length);
}

/// <summary>The backend that a pass used, and why.</summary>
internal sealed record NatBackendChoice(string Name, string Why);
