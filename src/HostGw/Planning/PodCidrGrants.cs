using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>A node's claim to a podCIDR.</summary>
/// <param name="Refusal">Why <see cref="PodCidrGuard"/> rejects it, or null.</param>
internal readonly record struct PodCidrClaim(ClusterNode Node, Prefix PodCidr, string? Refusal)
{
    /// <summary>What must be changed, where a guard refuses it.</summary>
    public VerdictFault Fault { get; init; }
}

/// <summary>
/// Grants each podCIDR to one node. This node's own are always granted; of overlapping ones the oldest Node's is
/// (creationTimestamp, then UID), whatever the order of the nodes.
/// </summary>
internal sealed class PodCidrGrants
{
    private readonly Policy _policy;
    private readonly PrefixForest _forest;

    // Of each claim, the index of its podCIDR in the forest; -1: the guard refuses it.
    private readonly int[] _indexes;

    // For each prefix of the forest: whom it was granted to, and the first to whom one inside it was granted.
    private readonly ClusterNode?[] _holders;
    private readonly ClusterNode?[] _holdersInside;

    // For the few prefixes of the forest that cover a node's primary address: the oldest such node.
    private readonly Dictionary<int, ClusterNode> _oldestInside = [];

    /// <param name="claims">Of all nodes; this node's own are granted even if the guard refuses them.</param>
    /// <param name="nodes">All nodes: no younger node's podCIDR may cover the primary address of one.</param>
    public PodCidrGrants(PodCidrClaim[] claims, IEnumerable<ClusterNode> nodes, Policy policy)
    {
        _policy = policy;
        (_forest, _indexes) = Plant(claims);
        _holders = new ClusterNode?[_forest.Count];
        _holdersInside = new ClusterNode?[_forest.Count];
        foreach (ClusterNode node in nodes)
            NoteAddresses(node);
        GrantAll(claims);
    }

    private (PrefixForest Forest, int[] Indexes) Plant(PodCidrClaim[] claims)
    {
        // Usually all are valid, and nothing is copied.
        bool all = Array.TrueForAll(claims, IsValid);
        PodCidrClaim[] valid = all ? claims : Array.FindAll(claims, IsValid);
        PrefixForest forest = new(Array.ConvertAll(valid, c => c.PodCidr.Aligned), out int[] indexes);
        int next = 0;
        return (forest, all ? indexes : Array.ConvertAll(claims, c => IsValid(c) ? indexes[next++] : -1));
    }

    // A podCIDR that overlaps no other is granted. Overlapping ones are granted in order: this node's own first, then by age.
    private void GrantAll(PodCidrClaim[] claims)
    {
        bool[] contested = Contested();
        List<(ClusterNode Node, int At)> rest = [];
        for (int i = 0; i < claims.Length; i++)
        {
            int index = _indexes[i];
            if (index >= 0 && contested[index])
                rest.Add((claims[i].Node, index));
            else if (index >= 0)
                GrantIfFree(claims[i].Node, index);
        }
        foreach ((ClusterNode node, int index) in rest.OrderBy(c => !IsOwn(c.Node)).ThenBy(c => c.Node, Age))
            GrantIfFree(node, index);
    }

    private bool[] Contested()
    {
        bool[] once = new bool[_forest.Count], contested = new bool[_forest.Count];
        foreach (int index in _indexes)
        {
            if (index < 0)
                continue;
            contested[index] |= once[index];
            once[index] = true;
            for (int i = _forest.Parent(index); i >= 0; i = _forest.Parent(i))
                contested[index] = contested[i] = true;
        }
        return contested;
    }

    private void GrantIfFree(ClusterNode node, int index)
    {
        // This node's own are granted even where they overlap each other: its pods use them.
        if (IsOwn(node) || ObstacleTo(node, index) is null)
            Grant(node, index);
    }

    /// <summary>All podCIDRs that were granted.</summary>
    public IEnumerable<Prefix> Granted()
    {
        for (int i = 0; i < _forest.Count; i++)
        {
            if (_holders[i] is not null)
                yield return _forest[i];
        }
    }

    /// <summary>The podCIDR that holds <paramref name="address"/> and whose it is, or null.</summary>
    public (Prefix PodCidr, ClusterNode Node)? HolderOf(Ip address) => HolderOf(Prefix.Host(address));

    /// <summary>The podCIDR that holds all of <paramref name="prefix"/> and whose it is, or null.</summary>
    public (Prefix PodCidr, ClusterNode Node)? HolderOf(Prefix prefix) => HolderFrom(_forest.Covering(prefix));

    /// <summary>Why the claim is not granted, or null.</summary>
    /// <param name="number">Its place among the claims.</param>
    public string? Refuse(PodCidrClaim claim, int number) => claim.Refusal ?? ObstacleTo(claim.Node, _indexes[number]);

    /// <summary>The node to which a part of the podCIDR, or more, is granted instead, with the reason; null: none.</summary>
    public (string Reason, ClusterNode Holder)? HeldInstead(ClusterNode node, Prefix podCidr) =>
        HeldInstead(node, _forest.IndexOf(podCidr.Aligned));

    private (string Reason, ClusterNode Holder)? HeldInstead(ClusterNode node, int index)
    {
        if (ReferenceEquals(_holders[index], node))
            return null;
        if (HolderFrom(index) is var (held, holder))
            return ($"overlaps {held} of {Describe(holder, node)}", holder);
        if (_holdersInside[index] is { } inner)
            return ($"covers a podCIDR of {Describe(inner, node)}", inner);
        return null;
    }

    private string? ObstacleTo(ClusterNode node, int index)
    {
        if (ReferenceEquals(_holders[index], node))
            return null;
        // First: what such a claim does not get a younger node may.
        bool covers = !IsOwn(node) && _oldestInside.TryGetValue(index, out ClusterNode? inside) && Age.Compare(inside, node) < 0;
        return covers ? $"covers the address of the older node {_oldestInside[index].Name}" : HeldInstead(node, index)?.Reason;
    }

    private string Describe(ClusterNode holder, ClusterNode claimant) =>
        ReferenceEquals(holder, claimant) ? "the same node"
        : IsOwn(holder) ? "this host's own node"
        : $"the older node {holder.Name}";

    private bool IsValid(PodCidrClaim claim) => claim.Refusal is null || IsOwn(claim.Node);

    private bool IsOwn(ClusterNode node) => node.Name == _policy.NodeName;

    private void Grant(ClusterNode node, int index)
    {
        _holders[index] = node;
        for (int i = _forest.Parent(index); i >= 0; i = _forest.Parent(i))
            _holdersInside[i] ??= node;
    }

    private (Prefix, ClusterNode)? HolderFrom(int index)
    {
        for (int i = index; i >= 0; i = _forest.Parent(i))
        {
            if (_holders[i] is { } holder)
                return (_forest[i], holder);
        }
        return null;
    }

    // The primary address is the first InternalIP of its family, else the first ExternalIP.
    private void NoteAddresses(ClusterNode node)
    {
        bool v4 = false, v6 = false;
        foreach (ImmutableArray<Ip> addresses in (ReadOnlySpan<ImmutableArray<Ip>>)[node.InternalIPs, node.ExternalIPs])
        {
            foreach (Ip ip in addresses)
            {
                if (ip.IsIPv4 ? !v4 : !v6)
                    NotePrimary(node, ip);
                v4 |= ip.IsIPv4;
                v6 |= ip.IsIPv6;
            }
        }
    }

    private void NotePrimary(ClusterNode node, Ip primary)
    {
        // An address inside clusterCidrs cannot be a node's: else one kubelet could block another node's podCIDR.
        if (PodCidrGuard.Covers(_policy.ClusterCidrs, Prefix.Host(primary)))
            return;
        for (int i = _forest.Covering(primary); i >= 0; i = _forest.Parent(i))
        {
            if (!_oldestInside.TryGetValue(i, out ClusterNode? oldest) || Age.Compare(node, oldest) < 0)
                _oldestInside[i] = node;
        }
    }

    /// <summary>Older first; the UID decides between nodes of the same second.</summary>
    public static IComparer<ClusterNode> Age { get; } = Comparer<ClusterNode>.Create((a, b) =>
    {
        int result = a.CreatedAt.CompareTo(b.CreatedAt);
        result = result != 0 ? result : a.Uid.CompareTo(b.Uid);
        return result != 0 ? result : string.CompareOrdinal(a.Name, b.Name);
    });
}

/// <summary>
/// Older Nodes that hold a podCIDR of this node. All other nodes route it there, so the fault is this node's: its pods would have
/// addresses of pods there. An address of another Node in it is no fault of this node: a kubelet can list any.
/// </summary>
/// <param name="Faults">One sentence for each podCIDR of this node that is not its own.</param>
/// <param name="Holders">Each such podCIDR of this node, and the older Node to which it is granted.</param>
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
        $"re-create this node's Node {self.Name} so that it gets another podCIDR: " +
        $"{OwnNode.Drain(self.Name)}, kubectl delete node {self.Name}, then restart its kubelet";
}
