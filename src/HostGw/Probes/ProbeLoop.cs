using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using HostGw.Planning;
using HostGw.Platform;
using Microsoft.Extensions.Hosting;

namespace HostGw.Probes;

/// <summary>The settings of the probes.</summary>
/// <param name="Port">The UDP port that peers answer on, and this host.</param>
/// <param name="Interval">Between two rounds with one peer.</param>
internal sealed record ProbeSettings(int Port, TimeSpan Interval)
{
    public TunnelPolicy Tunnel { get; init; } = new();
}

/// <summary>Probes the peers and answers their probes, on a thread of its own: everything else may take as long as it likes.</summary>
internal sealed class ProbeLoop : IHostedService, IDisposable
{
    // What a socket receives in one go. More is a flood: then the loop rests, so that it takes a bounded part of a processor.
    private const int FewAnswers = 16;
    private const int ManyQuestions = 64;

    // What is sent in one go: an answer that comes meanwhile waits, and its round trip looks longer.
    private const int FewQuestions = 4;
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    // Random numbers are drawn in stock: that costs as much for one as for many.
    private const int Stock = 64;

    private readonly ProbeSettings _settings;
    private readonly ProbeNonce[] _nonces = new ProbeNonce[Stock];
    private int _drawn = Stock;
    private readonly ProbeCounters _counters = new();
    private readonly Prober _prober;
    private readonly ProbeResponder _responder;
    private readonly ProbeSockets _sockets;
    private readonly Thread _thread;
    private Plan? _plan;
    private ImmutableArray<Ip> _held = [];
    private readonly ManualResetEventSlim _stopping = new(initialState: false, spinCount: 0);

    /// <param name="open">Makes the sockets, which pass on why questions of peers are not received.</param>
    /// <param name="changed">Called at most once a second when a verdict or a path has changed.</param>
    public ProbeLoop(ProbeSettings settings, Func<Action<string>, ProbeSockets> open, Action changed, TimeProvider time)
    {
        _settings = settings;
        _prober = new(settings, _counters, Draw, changed, time);
        _responder = new(_counters, _prober.Questioned, time);
        _sockets = open(_prober.Report);
        _thread = new(Run, maxStackSize: 256 * 1024) { IsBackground = true, Name = "probes" };
    }

    public ProbeCounters Counters => _counters;

    /// <inheritdoc cref="Prober.Verdicts"/>
    public Reachability Read() => _prober.Verdicts;

    /// <inheritdoc cref="Prober.Latest"/>
    public Reachability ReadLatest() => _prober.Latest;

    /// <summary>Follows the peers of a plan that was carried out. One pass at a time calls it.</summary>
    /// <param name="held">The probe addresses whose local routes are there.</param>
    public void Follow(Plan plan, ImmutableArray<Ip> held)
    {
        // Without this node's own podCIDRs the peers stay those of the plan before.
        if (plan.Scope != PlanScope.Everything || (ReferenceEquals(plan, _plan) && held.SequenceEqual(_held)))
            return;
        (_plan, _held) = (plan, held);
        ProbePlan probes = ProbePlan.Of(plan, held, _settings.Tunnel);
        _sockets.Follow(probes.Own);
        _responder.Follow(probes.Known);
        _prober.Follow(probes);
        _sockets.Wake();
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _thread.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping.Set();
        _sockets.Wake();
        if (_thread.IsAlive)
            _thread.Join();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _sockets.Dispose();
        _stopping.Dispose();
    }

    // The prober calls it from one thread at a time.
    private ProbeNonce Draw()
    {
        if (_drawn == _nonces.Length)
        {
            RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(_nonces.AsSpan()));
            _drawn = 0;
        }
        return _nonces[_drawn++];
    }

    private void Run()
    {
        while (!_stopping.IsSet)
        {
            _sockets.Open();
            SendDue();
            _sockets.Wait(_prober.Wait);
            // Answers before questions: a flood of these must not delay them.
            if (ReceiveAnswers() | ReceiveQuestions())
                _stopping.Wait(Rest);
        }
    }

    private void SendDue()
    {
        Span<byte> bytes = stackalloc byte[ProbeDatagram.Size];
        for (int left = FewQuestions; left > 0 && _prober.TryTake(out ProbeQuestion question); left--)
        {
            new ProbeDatagram(ProbeKind.Question, question.Flags, question.Peer, question.Nonce).Write(bytes);
            SendResult result = _sockets.Ask(bytes, question);
            _counters.Count(result == SendResult.Sent ? ProbeResult.Sent : ProbeResult.NotSent);
            if (result == SendResult.NoSource || (result == SendResult.NoRoute && question.Path != ProbePaths.Node))
                _prober.GiveUp(question, hasNoRoute: result == SendResult.NoRoute);
        }
    }

    // True: a socket may have more than it should.
    private bool ReceiveAnswers()
    {
        Span<byte> bytes = stackalloc byte[ProbeDatagram.Size + 1];
        bool isFlooded = false;
        for (int number = _sockets.Servers; number < _sockets.Count; number++)
        {
            int left = FewAnswers;
            while (left > 0 && _sockets.TryReceiveError(number, bytes, out DatagramError error))
            {
                left--;
                if (error.IsTimeExceeded && TryRead(bytes[..error.Length], out ProbeDatagram question))
                    _prober.Expired(question, error.From);
            }
            while (left > 0 && _sockets.TryReceive(number, bytes, out ReceivedDatagram received))
            {
                left--;
                if (TryRead(bytes[..received.Length], out ProbeDatagram answer))
                    _prober.Answered(answer, received.Port == _settings.Port ? received.From : default);
            }
            isFlooded |= left == 0;
        }
        return isFlooded;
    }

    private bool ReceiveQuestions()
    {
        Span<byte> bytes = stackalloc byte[ProbeDatagram.Size + 1];
        Span<byte> answer = stackalloc byte[ProbeDatagram.Size];
        bool isFlooded = false;
        for (int number = 0; number < _sockets.Servers; number++)
        {
            int left = ManyQuestions;
            while (left > 0 && _sockets.TryReceive(number, bytes, out ReceivedDatagram received))
            {
                left--;
                if (_responder.TryAnswer(bytes[..received.Length], received.From, received.Port, received.Hops, answer))
                    _sockets.Answer(number, answer, received);
            }
            isFlooded |= left == 0;
        }
        return isFlooded;
    }

    private bool TryRead(ReadOnlySpan<byte> bytes, out ProbeDatagram datagram)
    {
        if (ProbeDatagram.TryRead(bytes, out datagram, out ProbeResult fault))
            return true;
        _counters.Count(fault);
        return false;
    }
}
