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

/// <summary>Decides on every podCIDR of every node: the guards, then the annotation hostgw.io/skip, nodeSelector, the next hop.</summary>
internal sealed class VerdictPlanner(
    Policy policy, PodCidrGrants grants, NextHops nextHops, InterfaceChoice v4, InterfaceChoice v6)
{
    private const string MistypedSkip = "not skipped: its annotation hostgw.io/skip is neither \"true\" nor \"false\"";

    /// <summary>This node's podCIDRs that an older Node holds: what is rejected for overlapping one is not that Node's fault.</summary>
    public ImmutableArray<(Prefix PodCidr, ClusterNode Node)> HeldByOlder { get; init; } = [];

    /// <param name="claimed">The podCIDRs of all nodes, in the order of the nodes.</param>
    public ImmutableArray<Verdict> For(IReadOnlyList<ClusterNode> nodes, ReadOnlySpan<PodCidrClaim> claimed)
    {
        int next = 0;
        var verdicts = ImmutableArray.CreateBuilder<Verdict>(nodes.Count);
        foreach (ClusterNode node in nodes)
        {
            foreach (string unreadable in node.UnreadablePodCidrs)
                verdicts.Add(new(node, default, VerdictKind.Rejected, $"podCIDR '{PodCidrGuard.Printable(unreadable)}' is not a CIDR"));
            foreach (Prefix _ in node.PodCidrs)
            {
                verdicts.Add(For(claimed[next], next));
                next++;
            }
            if (node.PodCidrs.IsEmpty && node.UnreadablePodCidrs.IsEmpty)
                verdicts.Add(new(node, default, VerdictKind.NoPodCidr, "the node has no podCIDR yet"));
        }
        return verdicts.DrainToImmutable();
    }

    private VerdictFault FaultOf(in PodCidrClaim claim)
    {
        if (claim.Fault != VerdictFault.Peer)
            return claim.Fault;
        (ClusterNode node, Prefix podCidr, string? refusal) = claim;
        bool isOwn = refusal is null && HeldByOlder.Any(h => ReferenceEquals(h.Node, node) && h.PodCidr.Overlaps(podCidr));
        return isOwn ? VerdictFault.Self : VerdictFault.Peer;
    }

    private static string Join(string reason, string another) => reason.Length > 0 ? $"{reason}; {another}" : another;

    private Verdict For(in PodCidrClaim claim, int number)
    {
        (ClusterNode node, Prefix podCidr, _) = claim;
        // This node's own podCIDR never gets a route through a gateway, even if a guard refuses it.
        if (node.Name == policy.NodeName)
            return new(node, podCidr, VerdictKind.Self, "");
        if (grants.Refuse(claim, number) is { } reason)
            return new(node, podCidr, VerdictKind.Rejected, reason) { Fault = FaultOf(claim) };
        if (node.Skip == true)
            return new(node, podCidr, VerdictKind.Skipped, "annotation hostgw.io/skip");
        if (!policy.NodeSelector.Matches(node))
            return new(node, podCidr, VerdictKind.Skipped, "the setting nodeSelector does not select it");
        Verdict verdict = nextHops.For(node, podCidr, podCidr.IsIPv4 ? v4 : v6);
        bool isMistyped = node.Skip is null && verdict.Kind == VerdictKind.Routed;
        return isMistyped ? verdict with { Reason = Join(verdict.Reason, MistypedSkip) } : verdict;
    }
}
