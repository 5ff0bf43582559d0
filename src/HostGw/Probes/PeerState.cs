using HostGw.Planning;

namespace HostGw.Probes;

/// <summary>The ways on which a peer is asked.</summary>
[Flags]
internal enum ProbePaths : byte
{
    None = 0,

    /// <summary>Node address → node address.</summary>
    Node = 1,

    /// <summary>Probe address → probe address, where the peer's agent answers.</summary>
    Echo = 2,

    /// <summary>Probe address → an address that the peer forwards to, with one hop to live: its kernel answers 'time exceeded'.</summary>
    Hop = 4,

    Pod = Echo | Hop,
}

/// <summary>A question that is due.</summary>
/// <param name="Peer">The number of the peer.</param>
/// <param name="Port">Which of the source ports.</param>
internal readonly record struct ProbeQuestion(uint Peer, ProbePaths Path, int Port, Ip Source, Ip Destination, ProbeNonce Nonce);

/// <summary>What is known of a peer in one family. There is one for each peer, so that its size matters.</summary>
internal struct PeerState
{
    private ProbeTarget _target;
    private PathEvidence _node, _echo, _hop;
    private ProbePaths _planned, _waiting;
    private byte _port;
    private bool _hasAnswered;
    private bool _wasAsked;
    private bool _metNoRouter;

    /// <summary>The Unix time of the latest change of <see cref="Kind"/>; 0: none yet.</summary>
    private uint _since;

    private uint _roundTripMicroseconds;

    /// <summary>Of the questions that wait for an answer.</summary>
    private ProbeNonce _nonce;

    public PeerState(ProbeTarget target) => _target = target;

    /// <summary>False: no peer has this place.</summary>
    public readonly bool IsTaken => _target.Node is not null;

    public readonly ProbeTarget Target => _target;

    public readonly bool WasAsked => _wasAsked;

    /// <summary>The questions that are to be asked next.</summary>
    public readonly ProbePaths Planned => _planned;

    /// <summary>The questions that wait for an answer.</summary>
    public readonly ProbePaths Waiting => _waiting;

    public readonly ProbeNonce Nonce => _nonce;

    /// <summary>When they were asked: all at the same time.</summary>
    public TimeSpan AskedAt { get; private set; }

    /// <summary>Which of the eight source ports this round uses.</summary>
    public readonly int Port => _port & (Prober.Ports - 1);

    /// <summary>
    /// Whether a message that the pod path's question had no hop left can only be of this peer, whatever its source: a kernel chooses
    /// that, and may choose an address that the Node does not list. On other ways a router may be the first hop.
    /// </summary>
    public readonly bool IsFirstHop => _target.IsNextHop && _metNoRouter;

    public ReachKind Kind { get; private set; }

    public readonly Reach Reach => new(Kind, _since, _roundTripMicroseconds);

    /// <summary>Follows a later form of its Node. On another way the old verdict holds until there is evidence.</summary>
    /// <returns>Whether the way is another one.</returns>
    public bool Follow(ProbeTarget target, bool isNewSource)
    {
        bool isNewWay = isNewSource || target.NodeAddress != _target.NodeAddress || target.IsOnLink != _target.IsOnLink ||
            target.IsNextHop != _target.IsNextHop;
        _target = target;
        if (isNewWay)
        {
            (_node, _echo, _hop) = (default, default, default);
            _wasAsked = false;
            GiveUp();
        }
        return isNewWay;
    }

    /// <summary>Plans questions, which are to be asked together. Those of the node path begin a round.</summary>
    /// <returns>False: they are planned already.</returns>
    public bool Plan(ProbePaths paths)
    {
        if (_planned != ProbePaths.None)
            return false;
        if (paths == ProbePaths.Node)
            (_port, _wasAsked) = ((byte)(_port + 1), true);
        _planned = paths;
        return true;
    }

    /// <summary>Asks what is planned.</summary>
    public void Ask(ProbeNonce nonce, TimeSpan now) =>
        (_waiting, _planned, _nonce, AskedAt) = (_planned, ProbePaths.None, nonce, now);

    /// <summary>The questions cannot be asked: that says nothing about the peer.</summary>
    public void GiveUp() => (_planned, _waiting) = (ProbePaths.None, ProbePaths.None);

    /// <param name="flags">Those of the answer.</param>
    public void Answered(ProbePaths path, ProbeFlags flags, TimeSpan now)
    {
        _waiting &= ~path;
        _hasAnswered = true;
        Evidence(path).Answered();
        if (path == ProbePaths.Node)
            _metNoRouter = (flags & ProbeFlags.MetNoRouter) != 0;
        else
            _roundTripMicroseconds = (uint)Math.Max(1, (now - AskedAt).TotalMicroseconds);
    }

    /// <summary>What still waits is lost.</summary>
    /// <returns>How many questions, and whether they should be asked again soon: fewer than five in a row are missing.</returns>
    public (int Lost, bool IsOpen) Lose()
    {
        int lost = 0;
        bool isOpen = false;
        foreach (ProbePaths path in (ReadOnlySpan<ProbePaths>)[ProbePaths.Node, ProbePaths.Echo, ProbePaths.Hop])
        {
            if ((_waiting & path) == 0)
                continue;
            ref PathEvidence evidence = ref Evidence(path);
            isOpen |= evidence.Missed();
            lost++;
        }
        _waiting = ProbePaths.None;
        // The pod path is not asked any more, and what is known of it grows old.
        if (_node.IsBad)
            (_echo, _hop) = (default, default);
        return (lost, isOpen);
    }

    /// <summary>Draws the conclusion from the evidence.</summary>
    /// <returns>Whether it is another one than before.</returns>
    public bool Judge(DateTimeOffset now)
    {
        ReachKind kind = Judged();
        if (kind == Kind)
            return false;
        (Kind, _since) = (kind, (uint)now.ToUnixTimeSeconds());
        return true;
    }

    private readonly ReachKind Judged()
    {
        if (_node.IsBad)
            return _hasAnswered ? ReachKind.Unreachable : ReachKind.Unknown;
        if (_echo.IsGood || _hop.IsGood)
        {
            return !_target.IsOnLink ? ReachKind.RoutedByNetwork
                : _echo.IsBad ? ReachKind.ProbeFiltered
                : ReachKind.Reachable;
        }
        return _node.IsGood && _echo.IsBad && _hop.IsBad ? ReachKind.PodTrafficDropped : Kind;
    }

    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    private ref PathEvidence Evidence(ProbePaths path)
    {
        switch (path)
        {
            case ProbePaths.Node:
                return ref _node;
            case ProbePaths.Echo:
                return ref _echo;
            default:
                return ref _hop;
        }
    }
}

/// <summary>What the questions on one path have shown. One answer makes it good, five missing in a row make it bad.</summary>
internal struct PathEvidence
{
    private const byte Enough = 5;

    private byte _missed;

    /// <summary>Neither good nor bad: nothing is known yet.</summary>
    public bool IsGood { get; private set; }

    public readonly bool IsBad => _missed == Enough;

    public void Answered() => (_missed, IsGood) = (0, true);

    /// <returns>Whether more may come of asking again soon.</returns>
    public bool Missed()
    {
        if (IsBad)
            return false;
        _missed++;
        IsGood &= !IsBad;
        return !IsBad;
    }
}
