using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Decides what is masqueraded: traffic of this node's pods to whatever is not exempt.</summary>
internal static class NatPlanner
{
    private static readonly ImmutableArray<Prefix> Multicast = [Prefix.Parse("224.0.0.0/4"), Prefix.Parse("ff00::/8")];
    private static readonly Prefix Broadcast = Prefix.Parse("255.255.255.255/32");

    /// <param name="own">This node's podCIDRs.</param>
    /// <param name="accepted">Every podCIDR in the cluster that passed the guards, our own included.</param>
    public static NatPlan Plan(Policy policy, HostState host, ImmutableArray<Prefix> own, IEnumerable<Prefix> accepted, IReadOnlyList<ClusterNode> nodes)
    {
        bool any = policy.Nat.Source == NatSource.Any;
        bool v4 = any || own.Any(p => p.IsIPv4);
        bool v6 = policy.Nat.IPv6 && (any || own.Any(p => p.IsIPv6));

        IEnumerable<Prefix> exempt = Multicast.Concat(policy.ClusterCidrs).Concat(own).Concat(policy.Nat.Exempt);
        if (any)
            exempt = exempt.Append(Broadcast);
        // Linux has put the pod's address in a service's place before it comes to this.
        if (host.Windows is not null)
            exempt = exempt.Concat(policy.ServiceCidrs);
        // Nearly always one of these few holds what comes of thousands of nodes.
        PrefixForest few = new(exempt);
        exempt = exempt.Concat(accepted.Where(p => few.Covering(p) < 0));
        if (policy.Nat.ExemptNodes)
            exempt = exempt.Concat(NodeAddresses(host, nodes).Where(p => few.Covering(p) < 0));

        return new(
            policy.Nat.Source, v4, v6, policy.Nat.RandomFully,
            Sources: any ? [] : [.. Minimal(own, v4, v6)],
            Exempt: [.. Minimal(exempt, v4, v6)]);
    }

    private static IEnumerable<Prefix> Minimal(IEnumerable<Prefix> prefixes, bool v4, bool v6) =>
        new PrefixForest(prefixes.Where(p => p.IsIPv4 ? v4 : v6)).Roots();

    // A node may claim any address: exempting a public one that is no neighbour would cut our pods off from it.
    private static IEnumerable<Prefix> NodeAddresses(HostState host, IReadOnlyList<ClusterNode> nodes)
    {
        PrefixForest connected = new(host.Addresses.Select(a => a.Connected));
        return nodes.SelectMany(n => n.InternalIPs.Concat(n.ExternalIPs))
            .Where(ip => PodCidrGuard.IsPrivate(Prefix.Host(ip)) || connected.Covering(ip) >= 0)
            .Select(Prefix.Host);
    }
}
