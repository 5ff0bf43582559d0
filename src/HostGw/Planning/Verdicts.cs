using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Goes through all nodes and says of every podCIDR what becomes of it.</summary>
internal sealed class Verdicts(
    Policy policy, PodCidrClaims claims, NextHops nextHops, InterfaceChoice v4, InterfaceChoice v6)
{
    private const string MistypedSkip = "not skipped: its annotation hostgw.io/skip is neither \"true\" nor \"false\"";

    /// <param name="claimed">The nodes' podCIDRs, in their order.</param>
    public ImmutableArray<Verdict> For(IReadOnlyList<ClusterNode> nodes, ReadOnlySpan<PodCidrClaim> claimed)
    {
        int next = 0;
        var verdicts = ImmutableArray.CreateBuilder<Verdict>(nodes.Count);
        foreach (ClusterNode node in nodes)
        {
            foreach (string unreadable in node.UnreadablePodCidrs)
                verdicts.Add(new(node, default, VerdictKind.Rejected, $"podCIDR '{PodCidrGuard.Printable(unreadable)}' is not a CIDR"));
            foreach (Prefix _ in node.PodCidrs)
                verdicts.Add(For(claimed[next++]));
            if (node.PodCidrs.IsEmpty && node.UnreadablePodCidrs.IsEmpty)
                verdicts.Add(new(node, default, VerdictKind.NoPodCidr, "the node has no podCIDR yet"));
        }
        return verdicts.DrainToImmutable();
    }

    private static string Join(string reason, string another) => reason.Length > 0 ? $"{reason}; {another}" : another;

    private Verdict For(PodCidrClaim claim)
    {
        (ClusterNode node, Prefix podCidr, string? refusal) = claim;
        // Never a route over a gateway for our own pods, whatever our Node object says.
        if (node.Name == policy.NodeName)
            return new(node, podCidr, VerdictKind.Self, "");
        if ((refusal ?? claims.Refuse(node, podCidr)) is { } reason)
            return new(node, podCidr, VerdictKind.Rejected, reason);
        if (node.Skip == true)
            return new(node, podCidr, VerdictKind.Skipped, "annotation hostgw.io/skip");
        if (!policy.NodeSelector.Matches(node))
            return new(node, podCidr, VerdictKind.Skipped, "the setting nodeSelector does not select it");
        Verdict verdict = nextHops.For(node, podCidr, podCidr.IsIPv4 ? v4 : v6);
        return node.Skip is null && verdict.Kind == VerdictKind.Routed ? verdict with { Reason = Join(verdict.Reason, MistypedSkip) } : verdict;
    }
}
