using HostGw.Planning;

namespace HostGw.Probes;

/// <summary>
/// Decides when which peer is asked, and what follows from answers and from their absence. It knows no sockets: one thread takes the
/// questions from it and tells it what came back. Any thread may pass it a plan and read the verdicts.
/// </summary>
/// <remarks>
/// A round asks on the node path, and once that is answered (the neighbour is resolved then) on the pod path and through the tunnel. After
/// a loss the round is repeated until five are missing in a row. A change of what this node says to a peer, or the peer to this node, is
/// passed on by a round before its turn. Nothing is allocated in a round.
/// </remarks>
/// <param name="changed">Called at most once a second when a verdict or a path has changed.</param>
/// <param name="draw">Draws a nonce that nobody can guess.</param>
internal sealed class Prober(ProbeSettings settings, ProbeCounters counters, Func<ProbeNonce> draw, Action changed, TimeProvider time)
{
    /// <summary>Source ports that are used in turn: a network that spreads flows over several links is tried on more than one.</summary>
    public const int Ports = 8;

    /// <summary>An answer that takes longer is lost.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(800);

    /// <summary>So long after a tick what is asked then may have been asked.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly long _start = time.GetTimestamp();
    private readonly Lock _lock = new();
    private readonly Queue<(int Peer, ProbePaths Path)> _due = [];
    private readonly Queue<(int Peer, TimeSpan AskedAt)> _waiting = [];
    private readonly Queue<(int Peer, TimeSpan At)> _earlyTurns = [];
    private readonly ProbeTurns _turns = new(settings.Interval);
    private readonly PeerTable _peers = new(settings.Tunnel, draw);
    private readonly List<int> _taken = [];

    // Null: a verdict has changed since they were made.
    private Reachability? _verdicts = new([]);
    private Reachability? _latest;
    private TimeSpan _latestAt;
    private string _fault = "";
    private bool _mustSignal;
    private TimeSpan _signalledAt = -Second;

    private TimeSpan Now => time.GetElapsedTime(_start);

    /// <summary>The verdicts: the same instance until one changes. Their round-trip times are of its making.</summary>
    public Reachability Verdicts
    {
        get
        {
            lock (_lock)
                return _verdicts ??= Make();
        }
    }

    /// <summary>The verdicts with round-trip times of the last second.</summary>
    public Reachability Latest
    {
        get
        {
            lock (_lock)
            {
                if (_latest is null || Now - _latestAt >= Second)
                    (_latest, _latestAt) = (Make(), Now);
                _verdicts ??= _latest;
                return _latest;
            }
        }
    }

    /// <summary>Until when there is nothing to do, unless something is received.</summary>
    public TimeSpan Wait
    {
        get
        {
            lock (_lock)
            {
                if (_due.Count > 0)
                    return TimeSpan.Zero;
                TimeSpan at = _turns.NextAt(_peers.Active);
                if (_waiting.TryPeek(out (int Peer, TimeSpan AskedAt) first))
                    at = Earlier(at, LostAt(first.AskedAt));
                if (_earlyTurns.TryPeek(out (int Peer, TimeSpan At) early))
                    at = Earlier(at, early.At);
                if (_mustSignal)
                    at = Earlier(at, _signalledAt + Second);
                return at == TimeSpan.MaxValue ? Timeout.InfiniteTimeSpan : at > Now ? at - Now : TimeSpan.Zero;
            }
        }
    }

    /// <summary>Follows the peers of a new plan. A peer of the same Node and podCIDR keeps what is known of it.</summary>
    public void Follow(ProbePlan probes)
    {
        lock (_lock)
        {
            bool isFirst = _peers.Active == 0;
            _mustSignal |= _peers.Follow(probes, _turns);
            if (isFirst)
                _turns.Restart(Now, _peers.Active);
            (_verdicts, _latest) = (null, null);
        }
    }

    /// <summary>Why questions of peers are not received, which is part of the verdicts; empty: they are.</summary>
    public void Report(string fault)
    {
        lock (_lock)
            (_fault, _verdicts, _latest, _mustSignal) = (fault, null, null, true);
    }

    /// <summary>Takes the next question that is due now.</summary>
    public bool TryTake(out ProbeQuestion question)
    {
        lock (_lock)
        {
            TimeSpan now = Now;
            Expire(now);
            Signal(now);
            while (_earlyTurns.TryPeek(out (int Peer, TimeSpan At) early) && now >= early.At)
                BeginEarlyTurn(_earlyTurns.Dequeue().Peer, now);
            _turns.Take(now, _peers.Active, _peers.All, _taken);
            foreach (int number in _taken)
                Enqueue(number, _peers[number].TakeTurn(_peers.Source(_peers[number].Target).IsHeld));
            while (_due.TryDequeue(out (int Peer, ProbePaths Path) due))
            {
                if (TryAsk(due.Peer, due.Path, now, out question))
                    return true;
            }
            question = default;
            return false;
        }
    }

    /// <summary>
    /// This host cannot send that question. That says nothing about the peer, which is unknown after five of them, but where it is beyond
    /// this segment and there is no route to its pods: then nothing reaches them natively, and the question is lost.
    /// </summary>
    public void GiveUp(in ProbeQuestion question, bool hasNoRoute = false)
    {
        lock (_lock)
        {
            ref ProbedPeer peer = ref _peers[(int)question.Peer];
            bool isLost = hasNoRoute && !peer.Target.IsOnLink;
            if (peer.Nonce != question.Nonce || isLost)
                return;
            peer.NotSent(question.Path);
            Judge((int)question.Peer);
        }
    }

    /// <summary>Takes an answer.</summary>
    /// <param name="from">Its source address; the port is that of the probes.</param>
    public void Answered(in ProbeDatagram answer, Ip from)
    {
        lock (_lock)
        {
            if (!IsAsked(answer, ProbeKind.Answer))
            {
                counters.Count(ProbeResult.NotAsked);
                return;
            }
            ref ProbedPeer peer = ref _peers[(int)answer.Peer];
            ProbeTarget target = peer.Target;
            // Where the last address of the podCIDR is the peer's own, its agent answers.
            ProbePaths path = from == target.NodeAddress ? ProbePaths.Node
                : from == target.PodAddress ? ProbePaths.Echo
                : from == TunnelSource.Of(target.PodCidr, settings.Tunnel.Source) ? ProbePaths.Tunnel
                : from == ProbeAddress.Beyond(target.PodCidr, settings.Tunnel.Source) ? ProbePaths.OneHop
                : ProbePaths.None;
            Take((int)answer.Peer, path, answer.Flags);
        }
    }

    /// <summary>Takes the message of a kernel that a question had no hop left to live.</summary>
    /// <param name="question">As the message quotes it.</param>
    /// <param name="from">The source address of the message.</param>
    public void Expired(in ProbeDatagram question, Ip from)
    {
        lock (_lock)
        {
            if (!IsAsked(question, ProbeKind.Question))
            {
                counters.Count(ProbeResult.NotAsked);
                return;
            }
            // A router on the way says the same.
            ref ProbedPeer peer = ref _peers[(int)question.Peer];
            bool isOfPeer = peer.Target.Has(from) || peer.IsFirstHop;
            Take((int)question.Peer, isOfPeer ? ProbePaths.OneHop : ProbePaths.None, peer.PeerTunnelFlags);
        }
    }

    /// <summary>A peer asks. What it says of its path is only a reason to ask it: anybody may have sent that.</summary>
    /// <returns>What the answer says of the path to that peer.</returns>
    public ProbeFlags Questioned(Ip from, ProbeFlags flags)
    {
        lock (_lock)
        {
            if (settings.Tunnel.Mode == TunnelMode.Off)
                return ProbeFlags.None;
            int number = _peers.Find(from);
            if (number < 0 || (flags & ProbeFlags.Undetermined) != 0)
                return number >= 0 || number == KnownAddresses.Disputed ? ProbeFlags.Undetermined : ProbeFlags.None;
            if (_peers[number].IsNews(flags))
                AskSoon(number);
            return _peers[number].Flags;
        }
    }

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private bool IsAsked(in ProbeDatagram datagram, ProbeKind kind) =>
        datagram.Kind == kind && datagram.Peer < _peers.All.Length && _peers[(int)datagram.Peer].Waiting != ProbePaths.None &&
        _peers[(int)datagram.Peer].Nonce == datagram.Nonce && Now - _peers[(int)datagram.Peer].AskedAt < Patience;

    private void Take(int number, ProbePaths path, ProbeFlags flags)
    {
        ref ProbedPeer peer = ref _peers[number];
        if ((peer.Waiting & path) == 0)
        {
            counters.Count(ProbeResult.NotAsked);
            return;
        }
        TimeSpan now = Now;
        counters.Count(ProbeResult.Answered);
        if (path != ProbePaths.Node)
            counters.CountRoundTrip(now - peer.AskedAt);
        peer.Answered(path, flags, now);
        Judge(number);
        if (path == ProbePaths.Node)
            PlanAfterNode(number);
    }

    private void PlanAfterNode(int number)
    {
        ref ProbedPeer peer = ref _peers[number];
        ProbeSource source = _peers.Source(peer.Target);
        ProbePaths paths = peer.PathsAfterNode(!source.Tunnel.IsNone);
        if (!source.IsHeld)
            paths &= ~ProbePaths.Pod;
        if (paths != ProbePaths.None && peer.Plan(paths))
            Enqueue(number, paths);
    }

    private void Expire(TimeSpan now)
    {
        while (_waiting.TryPeek(out (int Peer, TimeSpan AskedAt) first))
        {
            ref ProbedPeer peer = ref _peers[first.Peer];
            bool isOver = peer.Waiting == ProbePaths.None || peer.AskedAt != first.AskedAt;
            if (!isOver && now < LostAt(first.AskedAt))
                return;
            _waiting.Dequeue();
            bool isOpen = false;
            if (!isOver)
            {
                (int lost, isOpen) = peer.LoseWaiting();
                for (int i = 0; i < lost; i++)
                    counters.Count(ProbeResult.Lost);
                Judge(first.Peer);
            }
            // Its turn may have come while it was being asked.
            if (isOpen || (peer.IsTaken && !peer.WasAsked))
                Enqueue(first.Peer, peer.Repeat(_peers.Source(peer.Target).IsHeld));
        }
    }

    // Losses are found when turns are taken, for to wake up costs more than to ask.
    private static TimeSpan LostAt(TimeSpan askedAt) => ProbeTurns.TickFrom(askedAt + Patience - Late);

    private void Enqueue(int number, ProbePaths planned)
    {
        foreach (ProbePaths path in (ReadOnlySpan<ProbePaths>)[ProbePaths.Node, ProbePaths.Echo, ProbePaths.OneHop, ProbePaths.Tunnel])
        {
            if ((planned & path) != 0)
                _due.Enqueue((number, path));
        }
    }

    // The time counts from here: others may have been asked since the question became due.
    private bool TryAsk(int number, ProbePaths path, TimeSpan now, out ProbeQuestion question)
    {
        ref ProbedPeer peer = ref _peers[number];
        question = default;
        if ((peer.Planned & path) != 0)
        {
            peer.Ask(draw(), now);
            _waiting.Enqueue((number, now));
        }
        // A peer that has gone meanwhile waits for nothing, nor does the one that got its number.
        if ((peer.Waiting & path) == 0)
            return false;
        question = Question(number, path);
        return true;
    }

    private ProbeQuestion Question(int number, ProbePaths path)
    {
        ref ProbedPeer peer = ref _peers[number];
        ProbeTarget target = peer.Target;
        ProbeSource source = _peers.Source(target);
        // In the other family these addresses are those of another peer, of which flags would speak.
        bool isOfOtherFamily = path == ProbePaths.Node && target.NodeAddress.IsIPv4 != target.PodCidr.IsIPv4;
        (Ip from, Ip to) = path switch
        {
            ProbePaths.Node => (_peers.NodeSource(target), target.NodeAddress),
            ProbePaths.Echo => (source.Pod, target.PodAddress),
            ProbePaths.Tunnel => (source.Tunnel, TunnelSource.Of(target.PodCidr, settings.Tunnel.Source)),
            _ => (source.Pod, ProbeAddress.Beyond(target.PodCidr, settings.Tunnel.Source)),
        };
        ProbeFlags flags = isOfOtherFamily ? ProbeFlags.Undetermined
            : path == ProbePaths.Tunnel ? peer.Flags | ProbeFlags.ThroughTunnel
            : peer.Flags;
        return new((uint)number, path, peer.Port, from, to, peer.Nonce) { Flags = flags };
    }

    private void Judge(int number)
    {
        ref ProbedPeer peer = ref _peers[number];
        ProbeFlags before = peer.Flags;
        if (peer.Judge(settings.Tunnel, Now, time.GetUtcNow()))
            (_verdicts, _latest, _mustSignal) = (null, null, true);
        if (peer.Flags != before)
            AskSoon(number);
    }

    private void AskSoon(int number)
    {
        TimeSpan now = Now;
        if (_peers[number].ScheduleEarlyTurn(now) is not { } at)
            return;
        if (at <= now)
            BeginEarlyTurn(number, now);
        else
            _earlyTurns.Enqueue((number, at));
    }

    private void BeginEarlyTurn(int number, TimeSpan now)
    {
        _peers[number].BeginEarlyTurn(now);
        _turns.Add(number);
    }

    private void Signal(TimeSpan now)
    {
        if (!_mustSignal || now - _signalledAt < Second)
            return;
        (_mustSignal, _signalledAt) = (false, now);
        changed();
    }

    private Reachability Make() => _peers.Read(_fault, settings.Port);
}
