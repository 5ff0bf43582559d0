using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Probes;

/// <summary>
/// The peers by number, and the addresses from which they ask. A peer keeps its number for as long as it is followed: it is in its
/// datagrams, and in the prober's queues.
/// </summary>
internal sealed class PeerTable(TunnelPolicy tunnel, Func<ProbeNonce> draw)
{
    private readonly Stack<int> _unused = [];
    private PeerState[] _peers = [];
    private int _count;
    private ProbeSource _sourceIPv4, _sourceIPv6;
    private KnownAddresses _known = KnownAddresses.None;

    // By the index of the target.
    private int[] _numbers = [];

    /// <summary>How many peers there are.</summary>
    public int Active => _count - _unused.Count;

    /// <summary>By number; not all numbers are in use.</summary>
    public Span<PeerState> All => _peers.AsSpan(0, _count);

    public ref PeerState this[int number] => ref _peers[number];

    /// <summary>This node's own addresses in the family of a peer.</summary>
    public ProbeSource Source(in ProbeTarget target) => target.NodeAddress.IsIPv4 ? _sourceIPv4 : _sourceIPv6;

    /// <summary>The number of the peer that has this address; -1: none has; or <see cref="KnownAddresses.Disputed"/>.</summary>
    public int Find(Ip address)
    {
        _ = _known.TryFind(address, out int target);
        return target >= 0 ? _numbers[target] : target;
    }

    /// <summary>Follows the peers of a new plan. A peer of the same Node and podCIDR keeps what is known of it.</summary>
    /// <param name="turns">Receives those that are to be asked at once.</param>
    /// <returns>Whether a path is another one.</returns>
    public bool Follow(ProbePlan probes, ProbeTurns turns)
    {
        bool isNewIPv4 = probes.IPv4.IsAnother(_sourceIPv4), isNewIPv6 = probes.IPv6.IsAnother(_sourceIPv6), isOtherPath = false;
        (_sourceIPv4, _sourceIPv6, _known) = (probes.IPv4, probes.IPv6, probes.Known);

        Dictionary<Prefix, int> left = Numbers();
        _numbers = new int[probes.Targets.Length];
        List<int> added = [];
        for (int i = 0; i < _numbers.Length; i++)
        {
            ProbeTarget target = probes.Targets[i];
            if (!left.TryGetValue(target.PodCidr, out int number) || _peers[number].Target.Node.Uid != target.Node.Uid)
            {
                added.Add(i);
                continue;
            }
            left.Remove(target.PodCidr);
            _numbers[i] = number;
            if (_peers[number].Follow(target, target.PodCidr.IsIPv4 ? isNewIPv4 : isNewIPv6))
                turns.Add(number);
            isOtherPath |= tunnel.Mode == TunnelMode.Auto && Source(target).Tunnel.IsNone && _peers[number].LeaveTunnel();
        }
        foreach (int gone in left.Values)
        {
            _peers[gone] = default;
            _unused.Push(gone);
        }
        Add(probes.Targets, added, turns);
        return isOtherPath;
    }

    /// <summary>The verdict on each podCIDR.</summary>
    public List<(Prefix PodCidr, Reach Reach)> Read()
    {
        List<(Prefix, Reach)> reaches = new(Active);
        foreach (ref readonly PeerState peer in All)
        {
            if (!peer.IsTaken)
                continue;
            ProbeTarget target = peer.Target;
            for (int i = 0; i < Math.Min(target.Node.PodCidrs.Length, ProbeTarget.MostPodCidrs); i++)
            {
                if ((target.PodCidrs >> i & 1) != 0)
                    reaches.Add((target.Node.PodCidrs[i], peer.Reach));
            }
        }
        return reaches;
    }

    // No podCIDR is granted to two Nodes.
    private Dictionary<Prefix, int> Numbers()
    {
        Dictionary<Prefix, int> numbers = new(Active);
        for (int i = 0; i < _count; i++)
        {
            if (_peers[i].IsTaken)
                numbers.Add(_peers[i].Target.PodCidr, i);
        }
        return numbers;
    }

    // Beginning anywhere: agents that were started together must not ask all peers in the same order at the same time.
    private void Add(ImmutableArray<ProbeTarget> targets, List<int> added, ProbeTurns turns)
    {
        int start = added.Count == 0 ? 0 : (int)(draw().Low % (ulong)added.Count);
        for (int i = 0; i < added.Count; i++)
        {
            if (!_unused.TryPop(out int number))
                number = _count++;
            if (number >= _peers.Length)
                Array.Resize(ref _peers, Math.Max(added.Count, _peers.Length + (_peers.Length / 4) + 1));
            int target = added[(start + i) % added.Count];
            (_peers[number], _numbers[target]) = (new(targets[target], tunnel.Mode), number);
            turns.Add(number);
        }
    }
}
