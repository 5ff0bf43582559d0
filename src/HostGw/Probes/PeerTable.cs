using System.Collections.Immutable;
using System.Numerics;
using HostGw.Planning;

namespace HostGw.Probes;

/// <summary>
/// The peers by number, and the addresses from which they ask. A peer keeps its number for as long as it is followed: it is in its
/// datagrams, and in the prober's queues.
/// </summary>
internal sealed class PeerTable(TunnelPolicy tunnel, Func<ProbeNonce> draw)
{
    private readonly Stack<int> _unused = [];
    private ProbedPeer[] _peers = [];
    private int _count;
    private ProbeSource _sourceIPv4, _sourceIPv6;
    private NodeSources _nodeSources = NodeSources.None;
    private KnownAddresses _known = KnownAddresses.None;

    // By the index of the target.
    private int[] _numbers = [];

    // All that are probed, sorted, and the number of the peer of each: verdicts are made of them, which may be once a second.
    private Prefix[] _podCidrs = [];
    private int[] _peerOf = [];

    /// <summary>How many peers there are.</summary>
    public int Active => _count - _unused.Count;

    /// <summary>By number; not all numbers are in use.</summary>
    public Span<ProbedPeer> All => _peers.AsSpan(0, _count);

    public ref ProbedPeer this[int number] => ref _peers[number];

    /// <summary>This node's own addresses in the pod network of a peer's family.</summary>
    public ProbeSource Source(in ProbeTarget target) => target.PodCidr.IsIPv4 ? _sourceIPv4 : _sourceIPv6;

    /// <summary>From which address a peer is asked at its node address; none: the kernel chooses.</summary>
    public Ip NodeSource(in ProbeTarget target) => _nodeSources.To(target.NodeAddress);

    /// <summary>The number of the peer that has this address; -1: none has; or <see cref="KnownAddresses.Disputed"/>.</summary>
    public int Find(Ip address)
    {
        int target = _known.TargetOf(address);
        return target >= 0 ? _numbers[target] : target;
    }

    /// <summary>Follows the peers of a new plan. A peer of the same Node and podCIDR keeps what is known of it.</summary>
    /// <param name="turns">Receives those that are to be asked at once.</param>
    /// <returns>Whether a path is another one.</returns>
    public bool Follow(ProbePlan probes, ProbeTurns turns)
    {
        bool isNewIPv4 = probes.IPv4.IsAnother(_sourceIPv4), isNewIPv6 = probes.IPv6.IsAnother(_sourceIPv6), isOtherPath = false;
        NodeSources before = _nodeSources;
        (_sourceIPv4, _sourceIPv6, _nodeSources, _known) = (probes.IPv4, probes.IPv6, probes.NodeSources, probes.Known);

        bool[] isFollowed = new bool[_count];
        _numbers = new int[probes.Targets.Length];
        List<int> added = [];
        for (int i = 0; i < _numbers.Length; i++)
        {
            ProbeTarget target = probes.Targets[i];
            if (Find(target) is not (>= 0 and var number))
            {
                added.Add(i);
                continue;
            }
            (_numbers[i], isFollowed[number]) = (number, true);
            bool isNewSource = (target.PodCidr.IsIPv4 ? isNewIPv4 : isNewIPv6) || NodeSource(target) != before.To(target.NodeAddress);
            if (_peers[number].Follow(target, isNewSource))
                turns.Add(number);
            isOtherPath |= tunnel.Mode == TunnelMode.Auto && Source(target).Tunnel.IsNone && _peers[number].LeaveTunnel();
        }
        RemoveAllBut(isFollowed);
        Add(probes.Targets, added, turns);
        Index(probes.Targets);
        return isOtherPath;
    }

    /// <summary>The verdict on each podCIDR.</summary>
    /// <param name="fault">See <see cref="Reachability.Fault"/>.</param>
    /// <param name="port">See <see cref="Reachability.Port"/>.</param>
    public Reachability Read(string fault, int port)
    {
        Reach[] reaches = new Reach[_peerOf.Length];
        for (int i = 0; i < reaches.Length; i++)
            reaches[i] = _peers[_peerOf[i]].Reach;
        return new(_podCidrs, reaches) { Fault = fault, Port = port };
    }

    // No podCIDR is granted to two Nodes. Negative: it is a new peer.
    private int Find(in ProbeTarget target)
    {
        if (Array.BinarySearch(_podCidrs, target.PodCidr) is not (>= 0 and var index))
            return -1;
        ProbeTarget known = _peers[_peerOf[index]].Target;
        bool isSame = known.PodCidr == target.PodCidr && known.Node.Uid == target.Node.Uid && known.IsEchoOnly == target.IsEchoOnly;
        return isSame ? _peerOf[index] : -1;
    }

    private void RemoveAllBut(bool[] isFollowed)
    {
        for (int number = 0; number < isFollowed.Length; number++)
        {
            if (isFollowed[number] || !_peers[number].IsTaken)
                continue;
            _peers[number] = default;
            _unused.Push(number);
        }
    }

    private void Index(ImmutableArray<ProbeTarget> targets)
    {
        _podCidrs = new Prefix[targets.Sum(t => BitOperations.PopCount(t.PodCidrs))];
        _peerOf = new int[_podCidrs.Length];
        int next = 0;
        for (int i = 0; i < targets.Length; i++)
        {
            for (uint left = targets[i].PodCidrs; left != 0; left &= left - 1)
                (_podCidrs[next], _peerOf[next++]) = (targets[i].Node.PodCidrs[BitOperations.TrailingZeroCount(left)], _numbers[i]);
        }
        Array.Sort(_podCidrs, _peerOf);
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
            (_peers[number], _numbers[target]) = (new(targets[target], tunnel.Mode, number), number);
            turns.Add(number);
        }
    }
}
