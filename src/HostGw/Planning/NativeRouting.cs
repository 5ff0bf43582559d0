using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>How each podCIDR of the cluster is reached without the tunnel.</summary>
/// <param name="Grants">To which node each podCIDR belongs.</param>
/// <param name="Older">Older Nodes that hold a podCIDR of this node.</param>
/// <param name="Verdicts">In the order of the nodes and of their podCIDRs.</param>
internal sealed record NativeRouting(PodCidrGrants Grants, OlderClaims Older, NextHops NextHops, ImmutableArray<Verdict> Verdicts)
{
    /// <param name="nodes">Sorted by name.</param>
    /// <param name="previous">The plan before this one; null: this is the first.</param>
    public static NativeRouting Of(IReadOnlyList<ClusterNode> nodes, HostState host, Policy policy, OwnNode own, Plan? previous)
    {
        PodCidrClaim[] claims = Claims(nodes, new PodCidrGuard(policy, host, own));
        PodCidrGrants grants = new(claims, nodes, policy);
        OlderClaims older = OlderClaims.On(own.PodCidrs, claims, nodes, policy);
        NextHops nextHops = new(policy, host, grants, own.Node)
        {
            OnLink = OnLinkRoutes.Of(host, InterfaceChoice.Allowed(policy, host, own.Node)),
            Shared = new(nodes),
            Last = new(previous, host),
        };
        VerdictPlanner verdicts = new(policy, grants, nextHops, own.IPv4, own.IPv6) { HeldByOlder = older.Holders };
        return new(grants, older, nextHops, verdicts.For(nodes, claims));
    }

    // In the order of the nodes and of their podCIDRs: VerdictPlanner relies on it.
    private static PodCidrClaim[] Claims(IReadOnlyList<ClusterNode> nodes, PodCidrGuard guard)
    {
        int count = 0;
        foreach (ClusterNode node in nodes)
            count += node.PodCidrs.Length;
        var claims = new PodCidrClaim[count];
        int next = 0;
        foreach (ClusterNode node in nodes)
        {
            foreach (Prefix podCidr in node.PodCidrs)
                claims[next++] = new(node, podCidr, guard.Refuse(podCidr, out VerdictFault fault)) { Fault = fault };
        }
        return claims;
    }
}
