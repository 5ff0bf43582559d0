using HostGw.Planning;
using HostGw.Probes;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Probes;

/// <summary>
/// Two nodes whose agents probe each other, passes that install what the probes decide, and the network between them, in time that passes
/// when a test says so.
/// </summary>
internal sealed class ProbedPair
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(1);

    private readonly PriorityQueue<Action, (TimeSpan At, int Number)> _events = new();
    private readonly long _start;
    private int _number;

    public ProbedPair(
        TunnelPolicy? a = null, TunnelPolicy? b = null, bool isOnLink = true, bool isIPv6 = false, string hostile = "",
        bool isOfOtherFamily = false)
    {
        _start = Time.GetTimestamp();
        TimeSpan interval = TimeSpan.FromSeconds(10);
        string[] nodes = isOfOtherFamily ? ["a fd00:10:244:1::/64 10.0.0.1", "b fd00:10:244:2::/64 10.0.0.2"]
            : isIPv6 ? ["a fd00:10:244:1::/64 fd00:aaaa::1", "b fd00:10:244:2::/64 fd00:aaaa::2"]
            : ["a 10.244.1.0/24 10.0.0.1", isOnLink ? "b 10.244.2.0/24 10.0.0.2" : "b 10.244.2.0/24 10.1.0.2"];
        nodes = hostile.Length > 0 ? [.. nodes, hostile] : nodes;
        A = new(this, "a", nodes, "eth0 10.0.0.1/24 fd00:aaaa::1/64", new(9158, interval) { Tunnel = a ?? Auto });
        B = new(this, "b", nodes, $"eth0 {(isOnLink ? "10.0.0.2/24" : "10.1.0.2/24")} fd00:aaaa::2/64", new(9158, interval) { Tunnel = b ?? Auto });
    }

    public static TunnelPolicy Auto { get; } = new() { Mode = TunnelMode.Auto };

    public ManualTime Time { get; } = new();

    public TimeSpan Now => Time.GetElapsedTime(_start);

    public ProbedEnd A { get; }

    public ProbedEnd B { get; }

    public ProbedEnd[] Ends => [A, B];

    /// <summary>Whether the network drops packets of this node that carry a pod's address.</summary>
    public Func<ProbedEnd, bool> DropsPods { get; set; } = static _ => false;

    /// <summary>Where they are on two segments: each has a router for all that it has no other route to.</summary>
    public bool HasRouter { get; set; } = true;

    /// <summary>It looks at the source alone.</summary>
    public bool DropsBySource { get; set; }

    /// <summary>Whether the network drops the tunnel's packets of this node.</summary>
    public Func<ProbedEnd, bool> DropsTunnel { get; set; } = static _ => false;

    /// <summary>How long packets took one way in one direction and another one in the other, at the latest change.</summary>
    public double Apart => Math.Abs((A.Changes[^1] - B.Changes[^1]).TotalSeconds);

    /// <summary>A network that drops pods' packets, and both agents have seen it.</summary>
    public static ProbedPair Tunnelled(bool isOnLink = true, string hostile = "", bool hasRouter = true)
    {
        ProbedPair pair = new(isOnLink: isOnLink, hostile: hostile) { HasRouter = hasRouter };
        pair.Start();
        pair.DropsPods = static _ => true;
        pair.RunUntil(() => pair.A.IsTunnelled && pair.B.IsTunnelled);
        return pair;
    }

    public ProbedEnd Other(ProbedEnd end) => end == A ? B : A;

    /// <summary>Starts both agents and waits until they know each other.</summary>
    public void Start()
    {
        foreach (ProbedEnd end in Ends)
            end.Start();
        Run(30);
    }

    public void After(double seconds, Action action) => _events.Enqueue(action, (Now + TimeSpan.FromSeconds(seconds), _number++));

    public void Run(double seconds)
    {
        TimeSpan end = Now + TimeSpan.FromSeconds(seconds);
        while (true)
        {
            TimeSpan next = end;
            foreach (ProbedEnd each in Ends)
                next = each.SendDue() is { } wait && wait >= TimeSpan.Zero && Now + wait < next ? Now + wait : next;
            bool isEvent = _events.TryPeek(out _, out (TimeSpan At, int) first) && first.At <= next;
            next = isEvent ? first.At : next;
            Time.Advance(next - Now);
            if (isEvent)
                _events.Dequeue()();
            else if (next >= end)
                return;
        }
    }

    /// <summary>Runs until something is so, and says how long that took.</summary>
    public double RunUntil(Func<bool> isSo)
    {
        TimeSpan start = Now;
        while (!isSo())
        {
            Run(0.01);
            Assert.True(Now - start < TimeSpan.FromMinutes(20), $"a: {A.Reach}, b: {B.Reach}");
        }
        return (Now - start).TotalSeconds;
    }

    /// <summary>Carries a packet over the way that the sender's routes choose.</summary>
    public void Carry(ProbedEnd from, Ip source, Ip destination, Action<ProbedEnd> deliver)
    {
        bool isTunnelled = from.Tunnels(destination);
        bool hasPods = Ends.Any(e => e.PodCidr.Contains(source) || (e.PodCidr.Contains(destination) && !DropsBySource));
        ProbedEnd to = Other(from);
        if (isTunnelled ? DropsTunnel(from) || !to.HasLink : hasPods && DropsPods(from))
            return;
        After(Delay.TotalSeconds, () => deliver(to));
    }
}

/// <summary>One of the two nodes.</summary>
internal sealed class ProbedEnd
{
    private readonly ProbedPair _pair;
    private readonly string[] _nodes;
    private readonly string _host;
    private readonly string _name;
    private ProbeSettings _settings;
    private Prober _prober;
    private ProbeResponder _responder;
    private Plan _plan = new();
    private readonly Queue<Action> _received = [];
    private ulong _nonces;
    private bool _isRunning;

    public ProbedEnd(ProbedPair pair, string name, string[] nodes, string host, ProbeSettings settings)
    {
        (_pair, _name, _nodes, _host, _settings) = (pair, name, nodes, host, settings);
        Node = Given.Node(nodes[name == "a" ? 0 : 1], 0);
        (_prober, _responder) = New();
    }

    public ClusterNode Node { get; }

    public Prefix PodCidr => Node.PodCidrs[0];

    public ProbeCounters Counters { get; } = new();

    public Prober Prober => _prober;

    public Reach Reach => _prober.Verdicts.Of(Peer.PodCidr);

    /// <summary>The link hostgw0 is there.</summary>
    public bool HasLink { get; private set; }

    /// <summary>Pods' packets to the peer take the tunnel.</summary>
    public bool IsTunnelled => Tunnels(Peer.PodCidr.Address.Plus(5));

    /// <summary>Its agent does nothing (SIGSTOP); what it receives waits in the sockets.</summary>
    public bool IsFrozen { get; private set; }

    /// <summary>Each change of that.</summary>
    public List<TimeSpan> Changes { get; } = [];

    /// <summary>When it removed the link though the peer's packets still came by it.</summary>
    public List<TimeSpan> Stranded { get; } = [];

    /// <summary>From what causes a pass to its end.</summary>
    public double PassSeconds { get; set; } = 0.05;

    public List<ProbeQuestion> Asked { get; } = [];

    /// <summary>It cannot send on these ways.</summary>
    public ProbePaths Unsendable { get; set; }

    /// <summary>That is because there is no route.</summary>
    public bool HasNoRoute { get; set; }

    /// <summary>Its firewall drops questions from pod addresses.</summary>
    public bool FiltersPods { get; set; }

    /// <summary>No agent answers.</summary>
    public bool IsSilent { get; set; }

    /// <summary>The planner cannot use the tunnel any more.</summary>
    public bool IsRefused { get; set; }

    /// <summary>The link hostgw0 does not come up any more.</summary>
    public bool LinkFails { get; set; }

    private ProbedEnd Peer => _pair.Other(this);

    private Ip Source => TunnelSource.Of(PodCidr, _settings.Tunnel.Source);

    public void Start(TunnelPolicy? tunnel = null)
    {
        _settings = _settings with { Tunnel = tunnel ?? _settings.Tunnel };
        (_prober, _responder) = New();
        _isRunning = true;
        Pass();
    }

    /// <summary>Something asks for a pass.</summary>
    public void Wake() => _pair.After(PassSeconds, () => WhenAwake(Pass));

    /// <summary>The agent ends; what it installed stays.</summary>
    public void Stop() => _isRunning = false;

    public void Freeze(double seconds)
    {
        if (IsFrozen)
            return;
        IsFrozen = true;
        _pair.After(seconds, () =>
        {
            IsFrozen = false;
            while (_received.TryDequeue(out Action? received))
                received();
        });
    }

    /// <summary>Sends what is due.</summary>
    /// <returns>For how long there is nothing to do; negative: for ever.</returns>
    public TimeSpan SendDue()
    {
        while (_isRunning && !IsFrozen && _prober.TryTake(out ProbeQuestion question))
        {
            Asked.Add(question);
            if ((Unsendable & question.Path) != 0)
            {
                _prober.GiveUp(question, HasNoRoute);
                continue;
            }
            byte[] bytes = new byte[ProbeDatagram.Size];
            new ProbeDatagram(ProbeKind.Question, question.Flags, question.Peer, question.Nonce).Write(bytes);
            Ip source = question.Source.IsNone ? Node.InternalIPs[0] : question.Source;
            _pair.Carry(this, source, question.Destination, to => to.Receive(bytes, source, question));
        }
        return _isRunning && !IsFrozen ? _prober.Wait : Timeout.InfiniteTimeSpan;
    }

    public bool Tunnels(Ip destination)
    {
        PodRoute[] routes = [.. _plan.Routes.Where(r => r.Destination.Contains(destination)).OrderBy(r => r.Destination.Length)];
        return routes.Length > 0 && routes[^1].Tunnel is not null;
    }

    private (Prober, ProbeResponder) New()
    {
        Prober prober = new(_settings, Counters, () => new(1, _nonces++), Wake, _pair.Time);
        return (prober, new(Counters, prober.Questioned, _pair.Time));
    }

    private void Receive(byte[] bytes, Ip source, ProbeQuestion question)
    {
        if (question.Path == ProbePaths.OneHop)
        {
            // The kernel's 'time exceeded'.
            ProbeDatagram quoted = new(ProbeKind.Question, question.Flags, question.Peer, question.Nonce);
            _pair.Carry(this, Node.InternalIPs[0], source, to => to.WhenAwake(() => to._prober.Expired(quoted, Node.InternalIPs[0])));
            return;
        }
        WhenAwake(() => Answer(bytes, source, question));
    }

    private void WhenAwake(Action action)
    {
        if (IsFrozen)
            _received.Enqueue(action);
        else
            action();
    }

    private void Answer(byte[] bytes, Ip source, ProbeQuestion question)
    {
        byte[] answer = new byte[ProbeDatagram.Size];
        bool isDropped = !_isRunning || IsSilent || (FiltersPods && Peer.PodCidr.Contains(source));
        if (isDropped || !_responder.TryAnswer(bytes, source, 40000, 64, answer))
            return;
        Assert.True(ProbeDatagram.TryRead(answer, out ProbeDatagram read, out _));
        _pair.Carry(this, question.Destination, source, to => to.WhenAwake(() => to._prober.Answered(read, question.Destination)));
    }

    // The first pass makes the link, the second one the routes that need it.
    private void Pass()
    {
        if (!_isRunning)
            return;
        TunnelMode mode = _settings.Tunnel.Mode;
        PeerPath path = Reach.Path != PeerPath.Undecided ? Reach.Path
            : IsTunnelled ? PeerPath.Tunnel
            : Tunnels(Peer.Source) ? PeerPath.Compared
            : PeerPath.Native;
        path = mode == TunnelMode.Off || IsRefused ? PeerPath.Native : mode == TunnelMode.Always ? PeerPath.Tunnel : path;
        bool wasTunnelled = IsTunnelled, hadLink = HasLink;
        HasLink = path != PeerPath.Native && !LinkFails;
        if (HasLink && !hadLink)
            Wake();
        if (hadLink && !HasLink && Peer.IsTunnelled)
            Stranded.Add(_pair.Now);
        _plan = path != PeerPath.Native ? WithTunnel(HasLink && hadLink ? path : PeerPath.Native) : Natively;
        if (IsTunnelled != wasTunnelled)
            Changes.Add(_pair.Now);
        ProbePlan probes = ProbePlan.Of(_plan, _plan.ProbeAddresses, _settings.Tunnel);
        _responder.Follow(probes.Known);
        _prober.Follow(probes);
    }

    private Plan Natively => Planner.Plan(Given.Nodes(_nodes), Given.Host(_host), Given.Policy("") with { NodeName = _name });

    private Plan WithTunnel(PeerPath path)
    {
        Plan plan = Natively;
        bool isOnLink = plan.Verdicts.Any(v => v.Node.Name == Peer.Node.Name && v.Kind == VerdictKind.Routed);
        Encapsulation tunnel = new(157, Peer.Node.InternalIPs[0], Source, 1464);
        PodRoute encapsulated = new(Peer.PodCidr, 0, Peer.Node.InternalIPs[0], 9) { Tunnel = tunnel };
        List<PodRoute> routes = [.. plan.Routes];
        if (path != PeerPath.Native)
        {
            Prefix probed = Prefix.Host(ProbeAddress.Of(Peer.PodCidr));
            if (isOnLink)
                routes.Add(routes.Find(r => r.Destination == Peer.PodCidr) with { Destination = probed });
            else if (_pair.HasRouter)
                routes.Add(new(probed, 0, Ip.Parse("10.0.0.254"), 2));
            routes.Add(encapsulated with { Destination = Prefix.Host(Peer.Source) });
        }
        if (path == PeerPath.Tunnel)
        {
            routes.RemoveAll(r => r.Destination == Peer.PodCidr);
            routes.Add(encapsulated);
        }
        return plan with
        {
            Tunnel = new(4790, 157, [Source]),
            Routes = [.. routes.OrderBy(r => r.Destination)],
            Verdicts =
            [
                .. plan.Verdicts.Select(v => v.Node.Name != Peer.Node.Name || path != PeerPath.Tunnel ? v : v with
                {
                    Kind = VerdictKind.Routed,
                    NativeKind = v.Kind,
                    NextHop = tunnel.Node,
                    Tunnel = tunnel,
                }),
            ],
        };
    }
}
