using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>The decision on one podCIDR of one node, or on a node without podCIDR.</summary>
/// <param name="PodCidr">None if the node has no podCIDR or one that is not a CIDR.</param>
/// <param name="Reason">For people; empty if there is nothing to explain.</param>
/// <param name="NextHop">
/// Of a routed one, through the tunnel the peer's node address; of another one the last good next hop of a Node that lost all addresses,
/// or none.
/// </param>
/// <param name="Interface">The index of the interface of a routed one.</param>
internal readonly record struct Verdict(
    ClusterNode Node, Prefix PodCidr, VerdictKind Kind, string Reason, Ip NextHop = default, int Interface = 0)
{
    public VerdictFault Fault { get; init; }

    /// <summary>How packets reach the podCIDR through the tunnel; null: natively, or not at all.</summary>
    public Encapsulation? Tunnel { get; init; }

    /// <summary>The tunnel is to carry its packets and cannot yet: what is installed stays until it can.</summary>
    public bool AwaitsTunnel { get; init; }

    /// <summary>What <see cref="Kind"/> would be without the tunnel.</summary>
    public VerdictKind NativeKind
    {
        get => Tunnel is null ? Kind : field;
        init;
    }

    /// <summary>Its next hop is on-link, whether or not the tunnel is used.</summary>
    public bool IsOnLink => NativeKind == VerdictKind.Routed;
}

/// <summary>What must be changed so that a podCIDR is accepted, or routed without doubt.</summary>
internal enum VerdictFault : byte
{
    /// <summary>The peer's Node.</summary>
    Peer,

    /// <summary>This node's own Node: see <see cref="Plan.Faults"/>.</summary>
    Self,

    /// <summary>The DNS resolver that this host uses.</summary>
    Resolver,

    /// <summary>This host's routes: one of HostGw's is kept although none is on-link any more.</summary>
    Host,

    /// <summary>Pods of this host with addresses of a podCIDR that its Node had before it was re-created.</summary>
    FormerPods,

    /// <summary>An interface of this host, in a network that is for pods: it leads to no other host.</summary>
    Interface,
}

/// <summary>Ordered by severity.</summary>
internal enum VerdictKind : byte
{
    /// <summary>This host's own podCIDR: no route, its pods are here.</summary>
    Self,

    /// <summary>Natively or through the tunnel.</summary>
    Routed,

    /// <summary>Excluded by the annotation hostgw.io/skip or the setting nodeSelector.</summary>
    Skipped,

    /// <summary>The node has no podCIDR yet.</summary>
    NoPodCidr,

    /// <summary>This host lacks an interface or address for it at the moment; installed routes are kept.</summary>
    Waiting,

    /// <summary>The node has no address of the podCIDR's family that may be a next hop.</summary>
    NoAddress,

    /// <summary>The podCIDR has no room for a gateway.</summary>
    NoGateway,

    /// <summary>The next hop is not on this host's segment.</summary>
    NotAdjacent,

    /// <summary>A guard refuses the podCIDR.</summary>
    Rejected,
}

/// <summary>The names of verdicts in status, metrics and logs.</summary>
internal static class VerdictNames
{
    public static string Of(VerdictKind kind) => kind switch
    {
        VerdictKind.Self => "self",
        VerdictKind.Routed => "routed",
        VerdictKind.Skipped => "skipped",
        VerdictKind.NoPodCidr => "noPodCidr",
        VerdictKind.Waiting => "waiting",
        VerdictKind.NoAddress => "noAddress",
        VerdictKind.NoGateway => "noGateway",
        VerdictKind.NotAdjacent => "notAdjacent",
        _ => "rejected",
    };
}

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
