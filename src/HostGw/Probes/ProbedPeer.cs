using HostGw.Planning;

namespace HostGw.Probes;

/// <summary>What is known of a peer in one family. There is one for each peer, so that its size matters.</summary>
internal struct ProbedPeer
{
    /// <summary>Of questions before the peer's turn: one that a change of our own causes, and one that it causes.</summary>
    private static readonly TimeSpan BetweenEarlyTurns = TimeSpan.FromMilliseconds(500);

    private const ProbeFlags TunnelFlags = ProbeFlags.TunnelsToYou | ProbeFlags.WantsTunnel;

    private const byte Seldom = 6;

    private ProbeTarget _target;
    private Observations _observed;
    private ProbePaths _planned, _waiting, _asked;
    private byte _turn;
    private bool _wasAsked;
    private bool _isEarlyTurnScheduled;
    private ReachKind _kind;
    private ReachKind _native;

    /// <summary>The Unix time of the latest change of the verdict; 0: none yet.</summary>
    private uint _since;

    private uint _roundTripMicroseconds;

    /// <summary>Since when the native path has answered without a loss, in seconds of the prober's clock; 0: it has not.</summary>
    private uint _nativeSince;

    /// <summary>When the peer was last asked before its turn, in milliseconds of the prober's clock.</summary>
    private uint _earlyTurnAt;

    /// <summary>Of the questions that wait for an answer.</summary>
    private ProbeNonce _nonce;

    /// <param name="number">
    /// Of the peer. Those whose turns are taken together are asked in the same sixth turn, because the first of several datagrams costs
    /// most, and on different source ports.
    /// </param>
    public ProbedPeer(ProbeTarget target, TunnelMode mode, int number) =>
        (_target, _observed.Path, _turn) =
            (target, First(target, mode), (byte)((number / ProbeTurns.AtOnce % Seldom) + (Seldom * (number % 4))));

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
    public readonly int Port => _turn & (Prober.Ports - 1);

    /// <summary>
    /// Whether a message that the pod path's question had no hop left can only be of this peer, whatever its source: a kernel chooses
    /// that, and may choose an address that the Node does not list. On other ways a router may be the first hop.
    /// </summary>
    public readonly bool IsFirstHop => _target.IsNextHop && (_observed.AnswerFlags & ProbeFlags.MetNoRouter) != 0;

    /// <summary>
    /// What our datagrams say to the peer. It keeps its end of the tunnel until no route of ours leads there any more, which is later than
    /// the decision.
    /// </summary>
    public readonly ProbeFlags Flags => _observed.Path.Flags | (_target.IsTunnelled ? ProbeFlags.TunnelsToYou : ProbeFlags.None);

    /// <summary>What the peer's latest answer says of its tunnel.</summary>
    public readonly ProbeFlags PeerTunnelFlags => _observed.AnswerFlags & TunnelFlags;

    public readonly Reach Reach =>
        new(_kind, _since, _roundTripMicroseconds)
        {
            Path = _observed.Path.Path,
            Native = IsInTunnel ? _native : default,
            PodsFellSilent = _target.IsEchoOnly && _observed.Echo.IsBad && _kind == ReachKind.Unknown &&
                (_observed.Answers & Answers.OfPods) != 0,
            IsUnsendable = IsUnsendable,
        };

    private readonly bool IsSeldom => _turn % Seldom == 0;

    private readonly bool IsInTunnel => _observed.Path.Path == PeerPath.Tunnel;

    private readonly bool IsUnsendable => IsInTunnel ? IsTunnelUnsendable : IsNativeUnsendable;

    private readonly bool IsNativeUnsendable =>
        _observed.Node.IsUnsendable || (_observed.Echo.IsUnsendable && _observed.OneHop.IsUnsendable);

    private readonly bool IsTunnelUnsendable => _observed.Node.IsUnsendable || _observed.Tunnel.IsUnsendable;

    private static PathState First(in ProbeTarget target, TunnelMode mode) =>
        target.IsEchoOnly ? default : PathDecision.First(mode, target.IsTunnelled, target.HasTunnelPath);

    /// <summary>Follows a later form of its Node. On another way the old verdict holds until there is evidence.</summary>
    /// <returns>Whether it is to be asked at once: the way is another one, or the tunnel can be asked from now on.</returns>
    public bool Follow(ProbeTarget target, bool isNewSource)
    {
        bool isNewWay = isNewSource || target.NodeAddress != _target.NodeAddress || target.IsOnLink != _target.IsOnLink ||
            target.IsNextHop != _target.IsNextHop;
        bool isNewTunnel = target.HasTunnelPath != _target.HasTunnelPath;
        _target = target;
        if (isNewWay)
        {
            ForgetPods();
            _observed.Node = default;
            GiveUp(ProbePaths.Node);
        }
        if (isNewTunnel)
            _observed.Tunnel = default;
        // Nothing asks on the native path then.
        if (target is { IsTunnelled: true, HasNativePath: false })
            (_observed.Echo, _observed.OneHop, _nativeSince) = (default, default, 0);
        bool isUrgent = isNewWay || (isNewTunnel && target.HasTunnelPath);
        _wasAsked &= !isUrgent;
        return isUrgent;
    }

    /// <summary>This host has no tunnel any more, so that the peer is not reached by it.</summary>
    /// <returns>Whether it was.</returns>
    public bool LeaveTunnel()
    {
        bool wasInTunnel = IsInTunnel;
        if (wasInTunnel)
            (_observed.Path, _nativeSince) = (new(PeerPath.Compared, true), 0);
        return wasInTunnel;
    }

    /// <summary>What is asked once the node path has answered.</summary>
    public readonly ProbePaths PathsAfterNode(bool hasTunnel)
    {
        // Questions on a route that leads into the tunnel, or will in a moment, say nothing of the native path.
        ProbePaths native = _target.IsEchoOnly ? ProbePaths.Echo
            : !IsInTunnel && !_target.IsTunnelled ? ProbePaths.Pod
            : _target.HasNativePath ? ProbePaths.Echo
            : ProbePaths.None;
        return hasTunnel && CanAskTunnel ? native | ProbePaths.Tunnel : native;
    }

    private readonly bool CanAskTunnel => _target.HasTunnelPath && _observed.Path.Path is PeerPath.Compared or PeerPath.Tunnel;

    /// <summary>Whether a peer's question with these flags says what its answers have not.</summary>
    public readonly bool IsNews(ProbeFlags flags) =>
        (flags & TunnelFlags) != PeerTunnelFlags || ((flags & ProbeFlags.ThroughTunnel) != 0 && CanAskTunnel && !_observed.Tunnel.IsGood);

    /// <summary>The peer is to be asked before its turn.</summary>
    /// <returns>When: not too often. Null: that is planned already.</returns>
    public TimeSpan? ScheduleEarlyTurn(TimeSpan now)
    {
        if (_isEarlyTurnScheduled || !_wasAsked)
            return null;
        _isEarlyTurnScheduled = true;
        TimeSpan since = TimeSpan.FromMilliseconds(Milliseconds(now) - _earlyTurnAt);
        return since < BetweenEarlyTurns ? now + BetweenEarlyTurns - since : now;
    }

    /// <summary>Its turn comes now.</summary>
    public void BeginEarlyTurn(TimeSpan now) => (_isEarlyTurnScheduled, _wasAsked, _earlyTurnAt) = (false, false, Milliseconds(now));

    /// <summary>Its turn: what a round begins with. Of one that has never answered, a round in every sixth turn only.</summary>
    /// <param name="isHeld">Answers on the pod path reach this host.</param>
    /// <returns>None: nothing.</returns>
    public ProbePaths TakeTurn(bool isHeld)
    {
        _turn++;
        bool isSilent = _wasAsked && _observed.Node.IsBad && _observed.Answers == Answers.None;
        return isSilent && !IsSeldom ? ProbePaths.None : Begin(isHeld);
    }

    /// <summary>Asks once more, for something was lost.</summary>
    /// <inheritdoc cref="TakeTurn"/>
    public ProbePaths Repeat(bool isHeld)
    {
        _turn++;
        return Begin(isHeld);
    }

    // On the node path. Where the native pod path has answered last time, it says everything: the peer's kernel alone answers most rounds,
    // and its agent every sixth.
    private ProbePaths Begin(bool isHeld)
    {
        bool isNative = isHeld && _wasAsked && _observed.Path.Path is PeerPath.Native or PeerPath.Undecided;
        bool asksAgent = IsSeldom || !(_observed.Echo.IsSteady || _observed.Echo.IsBad);
        ProbePaths first = isNative && _observed.OneHop.IsSteady ? (asksAgent ? ProbePaths.Pod : ProbePaths.OneHop)
            : isNative && (_observed.OneHop.IsBad || _target.IsEchoOnly) && _observed.Echo.IsSteady ? ProbePaths.Echo
            : ProbePaths.Node;
        if (_waiting != ProbePaths.None || !Plan(first))
            return ProbePaths.None;
        _wasAsked = true;
        return first;
    }

    /// <summary>Plans questions, which are to be asked together.</summary>
    /// <returns>False: others are planned already.</returns>
    public bool Plan(ProbePaths paths)
    {
        if (_planned != ProbePaths.None)
            return false;
        _planned = paths;
        return true;
    }

    /// <summary>Asks what is planned.</summary>
    public void Ask(ProbeNonce nonce, TimeSpan now) =>
        (_waiting, _asked, _planned, _nonce, AskedAt) = (_planned, _planned, ProbePaths.None, nonce, now);

    /// <summary>This host cannot send a question, nor the others of that way.</summary>
    public void NotSent(ProbePaths path)
    {
        GiveUp(path);
        Evidence(path).NotSent();
        if ((path & ProbePaths.Pod) != 0)
            Evidence(path ^ ProbePaths.Pod).NotSent();
        _nativeSince = IsNativeUnsendable ? 0 : _nativeSince;
        if (_observed.Node.IsUnsendable)
            ForgetPods();
    }

    /// <summary>A question is not asked, nor are the others of that way.</summary>
    private void GiveUp(ProbePaths path)
    {
        ProbePaths left = path switch
        {
            ProbePaths.Node => ProbePaths.None,
            ProbePaths.Tunnel => ~ProbePaths.Tunnel,
            _ => ProbePaths.Tunnel,
        };
        (_planned, _waiting) = (_planned & left, _waiting & left);
    }

    /// <param name="flags">Those of the answer.</param>
    public void Answered(ProbePaths path, ProbeFlags flags, TimeSpan now)
    {
        _waiting &= ~path;
        ProbeFlags told = (flags & ProbeFlags.Undetermined) == 0 ? TunnelFlags : ProbeFlags.None;
        if (path == ProbePaths.Node)
            told |= ProbeFlags.MetNoRouter;
        _observed.AnswerFlags = (_observed.AnswerFlags & ~told) | (flags & told);
        _observed.Answers |= path == ProbePaths.Echo ? Answers.Some | Answers.OfPods : Answers.Some;
        Evidence(path).Answered();
        // Without a route into the tunnel it is not asked, and carries nothing.
        if (path == ProbePaths.Node && IsInTunnel && !_target.HasTunnelPath)
            _observed.Tunnel.Missed();
        if ((path & ProbePaths.Pod) != 0 && _nativeSince == 0)
            _nativeSince = 1 + (uint)now.TotalSeconds;
        // Of the way that pods' packets take.
        if (path != ProbePaths.Node && (path == ProbePaths.Tunnel) == IsInTunnel)
            _roundTripMicroseconds = (uint)Math.Max(1, (now - AskedAt).TotalMicroseconds);
    }

    /// <summary>What still waits is lost.</summary>
    /// <returns>How many questions, and whether they should be asked again soon: fewer than five in a row are missing.</returns>
    public (int Lost, bool IsOpen) LoseWaiting()
    {
        int lost = 0;
        bool isOpen = false;
        ProbePaths native = _asked & ProbePaths.Pod;
        if (native != 0 && (_waiting & native) == native)
            _nativeSince = 0;
        foreach (ProbePaths path in (ReadOnlySpan<ProbePaths>)[ProbePaths.Node, ProbePaths.Echo, ProbePaths.OneHop, ProbePaths.Tunnel])
        {
            if ((_waiting & path) == 0)
                continue;
            ref PathEvidence evidence = ref Evidence(path);
            isOpen |= evidence.Missed();
            lost++;
        }
        _waiting = ProbePaths.None;
        // The pod path is not asked any more, and what is known of it grows old.
        if (_observed.Node.IsBad)
            ForgetPods();
        return (lost, isOpen);
    }

    /// <summary>Draws the conclusion from the evidence.</summary>
    /// <returns>Whether it is another one than before.</returns>
    public bool Judge(TunnelPolicy tunnel, TimeSpan now, DateTimeOffset clock)
    {
        (PathState, ReachKind, ReachKind) before = (_observed.Path, _kind, _native);
        _native = JudgedNative();
        if (tunnel.Mode == TunnelMode.Auto && !_target.IsEchoOnly)
            Decide(Facts(tunnel.NativeAfter, now));
        ReachKind kind = IsInTunnel ? JudgedTunnel() : _native;
        if (kind != _kind)
            (_kind, _since) = (kind, (uint)clock.ToUnixTimeSeconds());
        return (_observed.Path, _kind, _native) != before;
    }

    // What is known of the way before does not prove that a later one is good for long.
    private void Decide(PathFacts facts)
    {
        PathState next = PathDecision.Next(_observed.Path, facts);
        if (next.Path != _observed.Path.Path)
            (_nativeSince, _observed.OneHop) = (0, next.Path == PeerPath.Tunnel ? default : _observed.OneHop);
        _observed.Path = next;
    }

    private readonly PathFacts Facts(TimeSpan nativeAfter, TimeSpan now)
    {
        bool isProven = _nativeSince != 0 && now.TotalSeconds - _nativeSince >= nativeAfter.TotalSeconds;
        PathFacts native = isProven ? PathFacts.NativeGood | PathFacts.NativeProven : PathFacts.NativeGood;
        return If(_observed.Echo.IsGood || _observed.OneHop.IsGood, native) |
            If(_observed.Echo.IsBad && _observed.OneHop.IsBad, PathFacts.NativeDropped) |
            If(_observed.Tunnel.IsGood, PathFacts.TunnelGood) | If(_observed.Tunnel.IsBad, PathFacts.TunnelBad) |
            If((_observed.AnswerFlags & ProbeFlags.WantsTunnel) != 0, PathFacts.PeerWants) |
            If((_observed.AnswerFlags & ProbeFlags.TunnelsToYou) != 0, PathFacts.PeerTunnels);
    }

    private static PathFacts If(bool condition, PathFacts fact) => condition ? fact : PathFacts.None;

    private readonly ReachKind JudgedNative()
    {
        if (_observed.Node.IsBad)
            return IsInTunnel ? _native : Silent;
        if (IsNativeUnsendable)
            return ReachKind.Unknown;
        if (_observed.Echo.IsGood || _observed.OneHop.IsGood)
        {
            return !_target.IsOnLink ? ReachKind.RoutedByNetwork
                : _observed.Echo.IsBad ? ReachKind.ProbeFiltered
                : ReachKind.Reachable;
        }
        // The port may be blocked there as well.
        if (_target.IsEchoOnly)
            return _observed.Node.IsGood && _observed.Echo.IsBad ? ReachKind.Unknown : _native;
        return _observed.Node.IsGood && _observed.Echo.IsBad && (_observed.OneHop.IsBad || IsInTunnel)
            ? ReachKind.PodTrafficDropped
            : _native;
    }

    private readonly ReachKind JudgedTunnel() =>
        _observed.Node.IsBad ? Silent
        : IsTunnelUnsendable ? ReachKind.Unknown
        : _observed.Tunnel.IsGood ? ReachKind.Reachable
        : _observed.Tunnel.IsBad ? ReachKind.PodTrafficDropped
        : _kind;

    private readonly ReachKind Silent => _observed.Answers == Answers.None ? ReachKind.Unknown : ReachKind.Unreachable;

    private void ForgetPods() => (_observed.Echo, _observed.OneHop, _observed.Tunnel, _nativeSince) = (default, default, default, 0);

    private static uint Milliseconds(TimeSpan now) => (uint)(long)now.TotalMilliseconds;

    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    private ref PathEvidence Evidence(ProbePaths path)
    {
        switch (path)
        {
            case ProbePaths.Node:
                return ref _observed.Node;
            case ProbePaths.Echo:
                return ref _observed.Echo;
            case ProbePaths.Tunnel:
                return ref _observed.Tunnel;
            default:
                return ref _observed.OneHop;
        }
    }

    /// <summary>What the answers have shown, in one struct: the runtime aligns each to eight bytes.</summary>
    private struct Observations
    {
        public PathEvidence Node, Echo, OneHop, Tunnel;
        public PathState Path;

        /// <summary>The flags of the peer's latest answer; MetNoRouter of the latest one on the node path.</summary>
        public ProbeFlags AnswerFlags;

        public Answers Answers;
    }

    /// <summary>What has ever been answered.</summary>
    [Flags]
    private enum Answers : byte
    {
        None = 0,
        Some = 1,

        /// <summary>In the pod network, by the peer's agent.</summary>
        OfPods = 2,
    }
}
