namespace HostGw.Planning;

/// <summary>
/// The next hop that a peer had before its Node lost all addresses: a cloud controller that is away, or a kubelet that starts, must not
/// cut the network. Taken from the previous plan; at the first one, and where that knows none, from the installed route.
/// </summary>
/// <param name="previous">Null: this is the first plan.</param>
internal sealed class LastNextHops(Plan? previous, HostState host)
{
    /// <summary>None if the Node has addresses, is another one, or never had a next hop.</summary>
    public Ip Of(ClusterNode peer, Prefix podCidr)
    {
        if (!peer.InternalIPs.IsEmpty || !peer.ExternalIPs.IsEmpty)
            return default;
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
