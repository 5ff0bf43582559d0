using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>
/// Settles who holds which podCIDR. On this host our own always win; between peers the older Node does
/// (creationTimestamp, then UID). Same nodes, same outcome, in whatever order they come.
/// </summary>
internal sealed class PodCidrClaims
{
    private readonly PrefixForest _forest;
    private readonly ClusterNode?[] _holders;
    private readonly ClusterNode?[] _holdersInside;
    private readonly Dictionary<Prefix, ClusterNode> _oldestInside = [];

    /// <param name="nodes">Those whose claims passed <see cref="PodCidrGuard"/>, with these claims; our own first, then by age.</param>
    /// <param name="addresses">The nodes whose primary addresses no younger node may cover.</param>
    public PodCidrClaims(IReadOnlyList<(ClusterNode Node, Prefix PodCidr)> claims, IEnumerable<ClusterNode> addresses, Policy policy)
    {
        _forest = new(claims.Select(c => c.PodCidr));
        _holders = new ClusterNode?[_forest.Count];
        _holdersInside = new ClusterNode?[_forest.Count];
        foreach (ClusterNode node in addresses)
            NoteAddresses(node, policy);
        foreach ((ClusterNode node, Prefix podCidr) in claims)
        {
            // Of our own none may fall, not even one around another: our pods are there.
            if (node.Name == policy.NodeName || Refuse(node, podCidr, policy) is null)
                Hold(node, podCidr);
        }
    }

    public IEnumerable<Prefix> Held => Enumerable.Range(0, _forest.Count).Where(i => _holders[i] is not null).Select(i => _forest[i]);

    /// <summary>The podCIDR that holds <paramref name="address"/> and whose it is, or null.</summary>
    public (Prefix PodCidr, ClusterNode Node)? HolderOf(Ip address) => HolderOf(Prefix.Host(address));

    /// <summary>The podCIDR that holds all of <paramref name="prefix"/> and whose it is, or null.</summary>
    public (Prefix PodCidr, ClusterNode Node)? HolderOf(Prefix prefix) => HolderFrom(_forest.Covering(prefix));

    /// <summary>Why the claim does not stand, or null.</summary>
    public string? Refuse(ClusterNode node, Prefix podCidr, Policy policy)
    {
        int index = _forest.IndexOf(podCidr);
        if (ReferenceEquals(_holders[index], node))
            return null;
        if (HolderFrom(index) is var (held, holder))
            return $"overlaps {held} of {Describe(holder, node, policy)}";
        if (_holdersInside[index] is { } inner)
            return $"covers a podCIDR of {Describe(inner, node, policy)}";
        if (node.Name != policy.NodeName && _oldestInside.TryGetValue(podCidr, out ClusterNode? inside) && Age.Compare(inside, node) < 0)
            return $"covers the address of the older node {inside.Name}";
        return null;
    }

    private static string Describe(ClusterNode holder, ClusterNode claimant, Policy policy) =>
        ReferenceEquals(holder, claimant) ? "the same node"
        : holder.Name == policy.NodeName ? "this host's own node"
        : $"the older node {holder.Name}";

    private void Hold(ClusterNode node, Prefix podCidr)
    {
        int index = _forest.IndexOf(podCidr);
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

    private void NoteAddresses(ClusterNode node, Policy policy)
    {
        foreach (Ip primary in Primary(node))
        {
            // Inside clusterCidrs it is no address of a node to begin with: else one kubelet could knock out another's podCIDR.
            if (PodCidrGuard.Covers(policy.ClusterCidrs, Prefix.Host(primary)))
                continue;

            for (int i = _forest.Covering(primary); i >= 0; i = _forest.Parent(i))
            {
                if (!_oldestInside.TryGetValue(_forest[i], out ClusterNode? oldest) || Age.Compare(node, oldest) < 0)
                    _oldestInside[_forest[i]] = node;
            }
        }
    }

    private static IEnumerable<Ip> Primary(ClusterNode node)
    {
        bool v4 = false, v6 = false;
        foreach (Ip ip in node.InternalIPs)
        {
            if (ip.IsIPv4 ? !v4 : !v6)
                yield return ip;
            v4 |= ip.IsIPv4;
            v6 |= ip.IsIPv6;
        }
    }

    /// <summary>Older first; the UID decides between nodes of the same second.</summary>
    public static IComparer<ClusterNode> Age { get; } = Comparer<ClusterNode>.Create((a, b) =>
    {
        int result = a.CreatedAt.CompareTo(b.CreatedAt);
        result = result != 0 ? result : string.CompareOrdinal(a.Uid, b.Uid);
        return result != 0 ? result : string.CompareOrdinal(a.Name, b.Name);
    });
}
