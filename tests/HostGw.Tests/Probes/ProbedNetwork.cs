using HostGw.Planning;
using HostGw.Probes;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Probes;

/// <summary>A prober, its peers and the network between them, in time that passes when a test says so.</summary>
internal sealed class ProbedNetwork
{
    private readonly TimeSpan _delay;
    private readonly PriorityQueue<(ProbeQuestion Question, Ip From), TimeSpan> _coming = new();
    private readonly Dictionary<uint, Ip> _nodes = [];
    private ulong _nonces;

    public ProbedNetwork(double intervalSeconds = 10, double delaySeconds = 0.001, TunnelMode tunnel = TunnelMode.Off)
    {
        _delay = TimeSpan.FromSeconds(delaySeconds);
        Start = Time.GetTimestamp();
        Prober = new(
            new(9158, TimeSpan.FromSeconds(intervalSeconds)) { Tunnel = new() { Mode = tunnel } }, Counters, () => new(1, _nonces++), () => Signals.Add(Now), Time);
    }

    public ManualTime Time { get; } = new();

    public Prober Prober { get; }

    public ProbeCounters Counters { get; } = new();

    /// <summary>How often the prober wanted to do something without having received anything.</summary>
    public int Wakes { get; private set; }

    /// <summary>How late a wake-up is, by its number: a kernel's timers are never early.</summary>
    public Func<int, TimeSpan> Lateness { get; set; } = static _ => TimeSpan.Zero;

    public List<TimeSpan> Signals { get; } = [];

    public List<(TimeSpan At, ProbeQuestion Question)> Asked { get; } = [];

    /// <summary>The ways on which questions are answered.</summary>
    public ProbePaths Answering { get; set; } = ProbePaths.Node | ProbePaths.Pod;

    /// <summary>Which peers have failed altogether.</summary>
    public Func<Ip, bool> IsDown { get; set; } = static _ => false;

    /// <summary>Which of this host's probe addresses have no local route.</summary>
    public Func<Ip, bool> IsMissing { get; set; } = static _ => false;

    /// <summary>This host cannot send on these ways.</summary>
    public ProbePaths Unsendable { get; set; }

    /// <summary>Who says that a question had no hop left to live; none: the Node itself.</summary>
    public Ip Router { get; set; }

    /// <summary>A router is between this host and the peers' node addresses, though they look on-link: it answers ARP in their place.</summary>
    public bool HasRouter { get; set; }

    public string Self { get; init; } = Given.Self;

    /// <summary>What answers say in addition.</summary>
    public ProbeFlags Says { get; set; }

    public TimeSpan Now => Time.GetElapsedTime(Start);

    private long Start { get; }

    public void Follow(params string[] peers) => Follow(Given.Lan, peers);

    public void Follow(string host, string[] peers)
    {
        Plan plan = Planner.Plan(Given.Nodes([Self, .. peers]), Given.Host(host), Given.Policy(""));
        Prober.Follow(ProbePlan.Of(plan, [.. plan.ProbeAddresses.Concat(plan.EndpointAddresses).Where(a => !IsMissing(a))]));
    }

    public ReachKind Of(string podCidr) => Prober.Verdicts.Of(Prefix.Parse(podCidr)).Kind;

    public void Run(double seconds)
    {
        TimeSpan end = Now + TimeSpan.FromSeconds(seconds);
        while (true)
        {
            SendDue();
            TimeSpan next = Now + (Prober.Wait is { } wait && wait == Timeout.InfiniteTimeSpan ? TimeSpan.FromDays(1) : wait);
            bool isAnswer = _coming.TryPeek(out _, out TimeSpan at) && at <= next;
            next = isAnswer ? at : next;
            if (next > end)
            {
                Time.Advance(end > Now ? end - Now : TimeSpan.Zero);
                return;
            }
            Time.Advance(next - Now);
            if (!isAnswer)
                Time.Advance(Lateness(Wakes++));
            else
                Deliver(_coming.Dequeue());
        }
    }

    /// <summary>Runs until a verdict is so, and says how long that took.</summary>
    public TimeSpan RunUntil(string podCidr, ReachKind kind)
    {
        TimeSpan start = Now;
        while (Of(podCidr) != kind)
        {
            Run(0.01);
            Assert.True(Now - start < TimeSpan.FromMinutes(10), $"{podCidr} is {Of(podCidr)}");
        }
        return Now - start;
    }

    public static ProbeDatagram AnswerTo(ProbeQuestion question) => new(ProbeKind.Answer, ProbeFlags.None, question.Peer, question.Nonce);

    private void SendDue()
    {
        while (Prober.TryTake(out ProbeQuestion question))
        {
            Asked.Add((Now, question));
            if (question.Path == ProbePaths.Node)
                _nodes[question.Peer] = question.Destination;
            if ((Unsendable & question.Path) != 0)
                Prober.GiveUp(question);
            else if ((Answering & question.Path) != 0 && !IsDown(question.Destination))
                _coming.Enqueue((question, question.Path == ProbePaths.OneHop ? Router : question.Destination), Now + _delay);
        }
    }

    // 'Time exceeded' comes from the address of the node that was asked before.
    private void Deliver((ProbeQuestion Question, Ip From) answer)
    {
        if (answer.Question.Path != ProbePaths.OneHop)
        {
            ProbeFlags met = HasRouter ? ProbeFlags.None : ProbeFlags.MetNoRouter;
            Prober.Answered(AnswerTo(answer.Question) with { Flags = met | Says }, answer.From);
        }
        else
        {
            Ip from = answer.From.IsNone ? _nodes[answer.Question.Peer] : answer.From;
            Prober.Expired(AnswerTo(answer.Question) with { Kind = ProbeKind.Question }, from);
        }
    }
}
