namespace HostGw.Planning;

/// <summary>Node addresses that two Nodes claim: a virtual address listed by both, or a mistake. Usually there are none.</summary>
internal sealed class SharedAddresses
{
    private readonly Dictionary<Ip, (ClusterNode First, ClusterNode? Second)> _claimants = [];

    public SharedAddresses(IReadOnlyList<ClusterNode> nodes)
    {
        // Hashes in an array: a dictionary of all addresses would be the largest garbage of a pass.
        HashSet<ulong> repeated = RepeatedHashes(nodes);
        if (repeated.Count > 0)
            Claim(nodes, repeated);
    }

    /// <summary>Another node that claims the address as well, the first by name; or null.</summary>
    public ClusterNode? OtherClaimant(Ip address, ClusterNode node) =>
        !_claimants.TryGetValue(address, out (ClusterNode First, ClusterNode? Second) found) ? null
        : ReferenceEquals(found.First, node) ? found.Second
        : found.Second is null ? null : found.First;

    private static HashSet<ulong> RepeatedHashes(IReadOnlyList<ClusterNode> nodes)
    {
        int most = 0, count = 0;
        foreach (ClusterNode node in nodes)
            most += node.InternalIPs.Length + node.ExternalIPs.Length;
        ulong[] hashes = new ulong[most];
        foreach (ClusterNode node in nodes)
        {
            foreach (Ip ip in node.InternalIPs)
                hashes[count++] = Hash(ip);
            foreach (Ip ip in node.ExternalIPs)
                hashes[count++] = Hash(ip);
        }
        Array.Sort(hashes);
        HashSet<ulong> repeated = [];
        for (int i = 1; i < count; i++)
        {
            if (hashes[i] == hashes[i - 1])
                repeated.Add(hashes[i]);
        }
        return repeated;
    }

    private void Claim(IReadOnlyList<ClusterNode> nodes, HashSet<ulong> repeated)
    {
        foreach (ClusterNode node in nodes)
        {
            foreach (Ip ip in node.InternalIPs.AddRange(node.ExternalIPs))
            {
                if (repeated.Contains(Hash(ip)))
                    _claimants[ip] = _claimants.TryGetValue(ip, out (ClusterNode, ClusterNode?) found) ? With(found, node) : (node, null);
            }
        }
    }

    // Of any number of claimants, the first two by name.
    private static (ClusterNode First, ClusterNode? Second) With((ClusterNode First, ClusterNode? Second) found, ClusterNode node)
    {
        if (ReferenceEquals(found.First, node) || ReferenceEquals(found.Second, node))
            return found;
        if (string.CompareOrdinal(node.Name, found.First.Name) < 0)
            return (node, found.First);
        bool isSecond = found.Second is null || string.CompareOrdinal(node.Name, found.Second.Name) < 0;
        return isSecond ? (found.First, node) : found;
    }

    private static ulong Hash(Ip ip) => (ip.High * 0x9E3779B97F4A7C15) ^ ip.Low;
}

/// <summary>
/// The next hop that a peer had before its Node lost all addresses of a family: a cloud controller that is away, or a kubelet that
/// starts, must not cut the network. Taken from the previous plan; at the first one, and where that knows none, from the installed route.
/// </summary>
/// <param name="previous">Null: this is the first plan.</param>
internal sealed class LastNextHops(Plan? previous, HostState host)
{
    /// <summary>
    /// None if the Node has addresses of the family, is another one, or never had a next hop. One of the other family is the node address
    /// that the tunnel led to.
    /// </summary>
    public Ip Of(ClusterNode peer, Prefix podCidr) =>
        NextHops.ListsNone(peer, podCidr.IsIPv4) ? Before(peer, podCidr) : default;

    private Ip Before(ClusterNode peer, Prefix podCidr)
    {
        if (previous is null)
            return Installed(podCidr);
        ReadOnlySpan<Verdict> verdicts = previous.Verdicts.AsSpan();
        for (int i = FirstOf(peer.Name, verdicts); i < verdicts.Length && verdicts[i].Node.Name == peer.Name; i++)
        {
            if (verdicts[i].PodCidr == podCidr && verdicts[i].Node.Uid == peer.Uid)
                return verdicts[i].NextHop.IsNone ? Installed(podCidr) : verdicts[i].NextHop;
        }
        return default;
    }

    private Ip Installed(Prefix podCidr) => host.OwnRouteTo(podCidr)?.NextHop ?? default;

    // Verdicts are in the order of the nodes' names.
    private static int FirstOf(string name, ReadOnlySpan<Verdict> verdicts)
    {
        int low = 0, high = verdicts.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (string.CompareOrdinal(verdicts[middle].Node.Name, name) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
