using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>An on-link route to a cluster CIDR, over which gateways inside pod subnets are resolved by ARP.</summary>
/// <param name="Refusal">Why it is not installed, or null.</param>
internal readonly record struct ClusterRoute(Prefix Destination, string? Refusal)
{
    /// <summary>One per IPv4 cluster CIDR, or none if the setting clusterRoute turns it off.</summary>
    public static ImmutableArray<ClusterRoute> For(Policy policy, HostState host, ClusterNode? self, PodCidrGrants grants)
    {
        bool wanted = policy.ClusterRoute == ClusterRouteMode.On ||
            (policy.ClusterRoute == ClusterRouteMode.Auto && policy.NextHop == NextHopMode.PodGateway);
        return wanted ? [.. policy.ClusterCidrs.Where(c => c.IsIPv4).Select(c => new ClusterRoute(c, Refuse(c, host, self, grants)))] : [];
    }

    // Everything it covers becomes on-link: an address that is elsewhere could no longer be reached.
    private static string? Refuse(Prefix clusterCidr, HostState host, ClusterNode? self, PodCidrGrants grants)
    {
        if (grants.HolderOf(clusterCidr) is var (podCidr, holder))
            return $"lies inside {podCidr}, the podCIDR of node {holder.Name}, and would take its traffic";
        foreach (HostAddress address in host.Addresses)
        {
            if (address.Connected.Contains(clusterCidr))
            {
                string? name = host.Interface(address.Interface)?.Name;
                return $"lies inside {address.Connected}, which is connected to this host's interface {name}";
            }
        }
        foreach (ProtectedAddress guarded in host.Protected)
        {
            if (clusterCidr.Contains(guarded.Address))
                return $"covers {guarded.Address}, {PodCidrGuard.Describe(guarded.Role)}";
        }
        // Another Node may list any address: it must not take the route from this host.
        foreach (Ip address in self is null ? [] : self.InternalIPs.Concat(self.ExternalIPs))
        {
            if (clusterCidr.Contains(address))
                return $"covers {address}, the address of this node";
        }
        return null;
    }
}
