using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Goes through all nodes and says of every podCIDR what becomes of it.</summary>
internal sealed class Verdicts(
    Policy policy, PodCidrGuard guard, PodCidrClaims claims, NextHops nextHops, InterfaceChoice v4, InterfaceChoice v6)
{
    public ImmutableArray<Verdict> For(IReadOnlyList<ClusterNode> nodes)
    {
        var verdicts = ImmutableArray.CreateBuilder<Verdict>(nodes.Count);
        foreach (ClusterNode node in nodes)
        {
            foreach (string unreadable in node.UnreadablePodCidrs)
                verdicts.Add(new(node, default, VerdictKind.Rejected, $"podCIDR '{PodCidrGuard.Printable(unreadable)}' is not a CIDR"));
            foreach (Prefix podCidr in node.PodCidrs)
                verdicts.Add(For(node, podCidr));
            if (node.PodCidrs.IsEmpty && node.UnreadablePodCidrs.IsEmpty)
                verdicts.Add(new(node, default, VerdictKind.NoPodCidr, "the node has no podCIDR yet"));
        }
        return verdicts.DrainToImmutable();
    }

    private Verdict For(ClusterNode node, Prefix podCidr)
    {
        // Never a route over a gateway for our own pods, whatever our Node object says.
        if (node.Name == policy.NodeName)
            return new(node, podCidr, VerdictKind.Self, "");
        if ((guard.Refuse(podCidr) ?? claims.Refuse(node, podCidr, policy)) is { } reason)
            return new(node, podCidr, VerdictKind.Rejected, reason);
        if (node.Skip)
            return new(node, podCidr, VerdictKind.Skipped, "annotation hostgw.io/skip");
        if (!policy.NodeSelector.Matches(node))
            return new(node, podCidr, VerdictKind.Skipped, "the setting nodeSelector does not select it");
        return nextHops.For(node, podCidr, podCidr.IsIPv4 ? v4 : v6);
    }
}
