using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>
/// Older Nodes that hold a podCIDR of this node. All other nodes route it there, so the fault is this node's: its pods would have
/// addresses of pods there. An address of another Node in it is no fault of this node: a kubelet can list any.
/// </summary>
/// <param name="Faults">One sentence for each podCIDR of this node that is not its own.</param>
/// <param name="Holders">Each such podCIDR of this node, and the older Node that holds it and is in order.</param>
internal sealed record OlderClaims(ImmutableArray<string> Faults, ImmutableArray<(Prefix PodCidr, ClusterNode Node)> Holders)
{
    public static OlderClaims None { get; } = new([], []);

    /// <param name="own">This node's podCIDRs.</param>
    public static OlderClaims On(ImmutableArray<Prefix> own, PodCidrClaim[] claims, IReadOnlyList<ClusterNode> nodes, Policy policy)
    {
        if (Planner.Self(nodes, policy) is not { } self || !IsContested(own, claims, self))
            return None;

        // As the other nodes grant podCIDRs: this node has no precedence.
        PodCidrClaim[] all = Array.ConvertAll(claims, c => ReferenceEquals(c.Node, self) ? c with { Refusal = null } : c);
        PodCidrGrants grants = new(all, nodes, policy with { NodeName = "" });
        List<string> faults = [];
        List<(Prefix, ClusterNode)> holders = [];
        foreach (Prefix podCidr in own)
        {
            // A younger one holds it where an address inside kept the others from granting it to this node.
            if (grants.HeldInstead(self, podCidr) is not { } held || PodCidrGrants.Age.Compare(held.Holder, self) >= 0)
                continue;
            faults.Add(Fault(self, podCidr, held.Reason, policy));
            holders.Add((podCidr, held.Holder));
        }
        return new([.. faults], [.. holders]);
    }

    // Nearly always false: what follows would plan all podCIDRs a second time.
    private static bool IsContested(ImmutableArray<Prefix> own, PodCidrClaim[] claims, ClusterNode self)
    {
        foreach (Prefix podCidr in own)
        {
            foreach (PodCidrClaim claim in claims)
            {
                if (claim.PodCidr.Overlaps(podCidr) && !ReferenceEquals(claim.Node, self))
                    return true;
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
