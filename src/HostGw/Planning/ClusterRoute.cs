using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>An on-link route to a cluster CIDR, over which gateways inside pod subnets are resolved by ARP.</summary>
/// <param name="Refusal">Why it is not installed, or null.</param>
internal readonly record struct ClusterRoute(Prefix Destination, string? Refusal)
{
    /// <summary>One per IPv4 cluster CIDR, or none if the setting clusterRoute turns it off.</summary>
    public static ImmutableArray<ClusterRoute> For(Policy policy, HostState host, IReadOnlyList<ClusterNode> nodes, PodCidrGrants grants)
    {
        bool wanted = policy.ClusterRoute == ClusterRouteMode.On ||
            (policy.ClusterRoute == ClusterRouteMode.Auto && policy.NextHop == NextHopMode.PodGateway);
        return wanted ? [.. policy.ClusterCidrs.Where(c => c.IsIPv4).Select(c => new ClusterRoute(c, Refuse(c, host, nodes, grants)))] : [];
    }

    // Everything it covers becomes on-link: an address that is elsewhere could no longer be reached.
    private static string? Refuse(Prefix clusterCidr, HostState host, IReadOnlyList<ClusterNode> nodes, PodCidrGrants grants)
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
        foreach (ClusterNode node in nodes)
        {
            foreach (Ip address in node.InternalIPs.Concat(node.ExternalIPs))
            {
                if (clusterCidr.Contains(address))
                    return $"covers {address}, the address of node {node.Name}";
            }
        }
        return null;
    }
}
