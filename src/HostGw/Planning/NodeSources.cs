using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>
/// The addresses that this node's own Node lists and that this host holds on an interface that is up: peers know no others. In the order
/// of the Node; one that another Node lists as well is last, for peers cannot tell whose it is, and it may move there.
/// </summary>
internal sealed class HeldNodeAddresses
{
    private readonly ImmutableArray<HostAddress> _held;

    private HeldNodeAddresses(ImmutableArray<HostAddress> held) => _held = held;

    public static HeldNodeAddresses None { get; } = new([]);

    /// <param name="self">This node; null: the API has none.</param>
    public static HeldNodeAddresses Of(HostState host, ClusterNode? self, SharedAddresses shared)
    {
        if (self is null)
            return None;
        Ip[] listed = [.. self.InternalIPs, .. self.ExternalIPs];
        return new(
        [
            .. host.Addresses.Where(a => listed.Contains(a.Address) && host.Interface(a.Interface) is { IsUp: true })
                .OrderBy(a => shared.OtherClaimant(a.Address, self) is not null).ThenBy(a => Array.IndexOf(listed, a.Address)),
        ]);
    }

    /// <summary>They are on several interfaces.</summary>
    public bool HasChoice(bool isIPv4) => _held.Where(a => a.Address.IsIPv4 == isIPv4).Select(a => a.Interface).Distinct().Count() > 1;

    /// <summary>The first one of a family; none: this host holds none.</summary>
    public Ip First(bool isIPv4) => Find(isIPv4, link: 0);

    /// <summary>The first one on an interface, so that answers come back over it; else that of any.</summary>
    public Ip First(bool isIPv4, int link) => Find(isIPv4, link) is { IsNone: false } there ? there : First(isIPv4);

    /// <param name="link">0: any.</param>
    private Ip Find(bool isIPv4, int link)
    {
        foreach (HostAddress address in _held)
        {
            if (address.Address.IsIPv4 == isIPv4 && (link == 0 || address.Interface == link))
                return address.Address;
        }
        return default;
    }
}

/// <summary>
/// From which of its <see cref="HeldNodeAddresses"/> this node asks each peer at its node address: the first one on the interface of the
/// route to the peer. Pure.
/// </summary>
internal sealed class NodeSources
{
    private readonly HeldNodeAddresses _held;

    // Of the peers that are not asked from the first one of the family, sorted.
    private readonly ImmutableArray<(Ip Peer, Ip Source)> _others;

    private NodeSources(HeldNodeAddresses held, ImmutableArray<(Ip Peer, Ip Source)> others) => (_held, _others) = (held, others);

    public static NodeSources None { get; } = new(HeldNodeAddresses.None, []);

    public static NodeSources Of(HostState host, HeldNodeAddresses held, ImmutableArray<Verdict> verdicts) =>
        new(held, Others(held, host, verdicts));

    /// <summary>Whether a host with the same addresses and interfaces, and these routes, has the same.</summary>
    public bool IsOf(HostState host, ImmutableArray<Verdict> verdicts) =>
        Others(_held, host, verdicts).AsSpan().SequenceEqual(_others.AsSpan());

    /// <summary>None: this host holds none of the family.</summary>
    public Ip To(Ip peer) =>
        _others.AsSpan().BinarySearch(new ByPeer(peer)) is >= 0 and var index ? _others[index].Source : _held.First(peer.IsIPv4);

    // The routes are only looked at where the addresses are on several interfaces.
    private static ImmutableArray<(Ip Peer, Ip Source)> Others(
        HeldNodeAddresses held, HostState host, ImmutableArray<Verdict> verdicts)
    {
        bool hasChoiceIPv4 = held.HasChoice(isIPv4: true), hasChoiceIPv6 = held.HasChoice(isIPv4: false);
        if (!hasChoiceIPv4 && !hasChoiceIPv6)
            return [];
        ForeignRoutes routes = new(host);
        SortedDictionary<Ip, Ip> others = [];
        foreach (Verdict verdict in verdicts)
        {
            foreach (ImmutableArray<Ip> peers in (ReadOnlySpan<ImmutableArray<Ip>>)[verdict.Node.InternalIPs, verdict.Node.ExternalIPs])
            {
                foreach (Ip peer in peers)
                    Add(peer);
            }
            // Of a Node that lists no address any more the last one.
            Add(verdict.NextHop);
        }
        return [.. others.Select(o => (o.Key, o.Value))];

        void Add(Ip peer)
        {
            bool hasChoice = peer.IsIPv4 ? hasChoiceIPv4 : peer.IsIPv6 && hasChoiceIPv6;
            if (hasChoice && routes.To(peer) is { } route && held.First(peer.IsIPv4, route.Interface) is var source &&
                source != held.First(peer.IsIPv4))
                others[peer] = source;
        }
    }

    private readonly record struct ByPeer(Ip Peer) : IComparable<(Ip Peer, Ip Source)>
    {
        public int CompareTo((Ip Peer, Ip Source) other) => Peer.CompareTo(other.Peer);
    }
}
