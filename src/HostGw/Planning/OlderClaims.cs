using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>
/// Older Nodes that hold a podCIDR of this node. All other nodes route it there, so the fault is this node's: its pods would have
/// addresses of pods there.
/// </summary>
/// <param name="Faults">One sentence for each podCIDR of this node that is not its own.</param>
/// <param name="Holders">The older Nodes, which are in order.</param>
internal sealed record OlderClaims(ImmutableArray<string> Faults, ImmutableArray<ClusterNode> Holders)
{
    public static OlderClaims None { get; } = new([], []);

    /// <param name="own">This node's podCIDRs.</param>
    public static OlderClaims On(ImmutableArray<Prefix> own, PodCidrClaim[] claims, IReadOnlyList<ClusterNode> nodes, Policy policy)
    {
        if (Planner.Self(nodes, policy) is not { } self || !IsContested(own, claims, nodes, self))
            return None;

        // As the other nodes grant podCIDRs: this node has no precedence.
        PodCidrClaim[] all = Array.ConvertAll(claims, c => ReferenceEquals(c.Node, self) ? c with { Refusal = null } : c);
        PodCidrGrants grants = new(all, nodes, policy with { NodeName = "" });
        List<string> faults = [];
        HashSet<ClusterNode> holders = [];
        foreach (Prefix podCidr in own)
        {
            if (grants.ObstacleTo(self, podCidr) is not { } obstacle || ReferenceEquals(obstacle.Holder, self))
                continue;
            faults.Add(Fault(self, podCidr, obstacle.Reason, policy));
            holders.Add(obstacle.Holder);
        }
        return new([.. faults], [.. holders]);
    }

    // Nearly always false: what follows would plan all podCIDRs a second time.
    private static bool IsContested(ImmutableArray<Prefix> own, PodCidrClaim[] claims, IEnumerable<ClusterNode> nodes, ClusterNode self)
    {
        foreach (Prefix podCidr in own)
        {
            foreach (PodCidrClaim claim in claims)
            {
                if (claim.PodCidr.Overlaps(podCidr) && !ReferenceEquals(claim.Node, self))
                    return true;
            }
            foreach (ClusterNode node in nodes)
            {
                foreach (Ip address in node.InternalIPs)
                {
                    if (podCidr.Contains(address) && !ReferenceEquals(node, self))
                        return true;
                }
            }
        }
        return false;
    }

    private static string Fault(ClusterNode self, Prefix podCidr, string reason, Policy policy) =>
        $"this node's podCIDR {podCidr} {reason}, and the other nodes accept the older claim; " +
        (policy.InstallCni ? "no CNI configuration is written, for pods here would get addresses that belong there; " : "") +
        $"re-create this node's Node {self.Name} so that it gets another podCIDR " +
        $"(kubectl delete node {self.Name}, then restart its kubelet)";
}
