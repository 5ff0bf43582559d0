using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>
/// From which address this node asks each peer at its node address: one that its own Node lists, for peers know no others, and that this
/// host holds. Of several the first one on the interface of the route to the peer, so that the answer comes back. Pure.
/// </summary>
internal sealed class NodeSources
{
    // In the order in which they are taken.
    private readonly ImmutableArray<HostAddress> _held;

    // Of the peers that are not asked from the first one of the family, sorted.
    private readonly ImmutableArray<(Ip Peer, Ip Source)> _others;

    private NodeSources(ImmutableArray<HostAddress> held, ImmutableArray<(Ip Peer, Ip Source)> others) => (_held, _others) = (held, others);

    public static NodeSources None { get; } = new([], []);

    /// <param name="self">This node; null: the API has none.</param>
    /// <param name="shared">An address that another Node lists as well is taken last: peers cannot tell who asks.</param>
    public static NodeSources Of(HostState host, ClusterNode? self, SharedAddresses shared, ImmutableArray<Verdict> verdicts)
    {
        if (self is null)
            return None;
        Ip[] listed = [.. self.InternalIPs, .. self.ExternalIPs];
        ImmutableArray<HostAddress> held =
        [
            .. host.Addresses.Where(a => listed.Contains(a.Address) && host.Interface(a.Interface) is { IsUp: true })
                .OrderBy(a => shared.OtherClaimant(a.Address, self) is not null).ThenBy(a => Array.IndexOf(listed, a.Address)),
        ];
        return new(held, Others(held, host, verdicts));
    }

    /// <summary>Whether a host with the same addresses and interfaces, and these routes, has the same.</summary>
    public bool IsOf(HostState host, ImmutableArray<Verdict> verdicts) =>
        Others(_held, host, verdicts).AsSpan().SequenceEqual(_others.AsSpan());

    /// <summary>None: this host holds none of the family.</summary>
    public Ip To(Ip peer) =>
        _others.AsSpan().BinarySearch(new ByPeer(peer)) is >= 0 and var index ? _others[index].Source : First(_held, peer.IsIPv4);

    // The routes are only looked at where the addresses are on several interfaces.
    private static ImmutableArray<(Ip Peer, Ip Source)> Others(
        ImmutableArray<HostAddress> held, HostState host, ImmutableArray<Verdict> verdicts)
    {
        bool hasChoiceIPv4 = HasChoice(held, isIPv4: true), hasChoiceIPv6 = HasChoice(held, isIPv4: false);
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
            if (hasChoice && routes.To(peer) is { } route && First(held, peer.IsIPv4, route.Interface) is { IsNone: false } source &&
                source != First(held, peer.IsIPv4))
                others[peer] = source;
        }
    }

    private static bool HasChoice(ImmutableArray<HostAddress> held, bool isIPv4) =>
        held.Where(a => a.Address.IsIPv4 == isIPv4).Select(a => a.Interface).Distinct().Count() > 1;

    /// <param name="link">0: any interface.</param>
    private static Ip First(ImmutableArray<HostAddress> held, bool isIPv4, int link = 0)
    {
        foreach (HostAddress address in held)
        {
            if (address.Address.IsIPv4 == isIPv4 && (link == 0 || address.Interface == link))
                return address.Address;
        }
        return default;
    }

    private readonly record struct ByPeer(Ip Peer) : IComparable<(Ip Peer, Ip Source)>
    {
        public int CompareTo((Ip Peer, Ip Source) other) => Peer.CompareTo(other.Peer);
    }
}
