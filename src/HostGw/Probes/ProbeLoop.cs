using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using HostGw.Planning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Netlink;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Probes;

/// <summary>The settings of the probes.</summary>
/// <param name="Port">The UDP port that peers answer on, and this host.</param>
/// <param name="Interval">Between two rounds with one peer.</param>
internal sealed record ProbeSettings(int Port, TimeSpan Interval)
{
    public TunnelPolicy Tunnel { get; init; } = new();
}

/// <summary>Probes the peers and answers their probes, on a thread of its own: everything else may take as long as it likes.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ProbeLoop : IHostedService, IDisposable
{
    // What a socket receives in one go. More is a flood: then the loop rests, so that it takes a bounded part of a processor.
    private const int FewAnswers = 16;
    private const int ManyQuestions = 64;
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

    /// <param name="changed">Called at most once a second when a verdict or a path has changed.</param>
    public ProbeLoop(ProbeSettings settings, Action changed, TimeProvider time, ILogger logger)
    {
        _settings = settings;
        _prober = new(settings, _counters, Draw, changed, time);
        _responder = new(_counters, _prober.Questioned, time);
        _sockets = new(settings.Port, _prober.Report, time, logger);
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
        while (_prober.TryTake(out ProbeQuestion question))
        {
            new ProbeDatagram(ProbeKind.Question, question.Flags, question.Peer, question.Nonce).Write(bytes);
            int hops = question.Path switch { ProbePaths.Hop => 1, ProbePaths.Node => ProbeDatagram.AllHops, _ => 0 };
            int error = _sockets.Client(question.Destination.IsIPv4, question.Port) is { } socket
                ? socket.Send(bytes, question.Source, question.Destination, _settings.Port, hops)
                : Errno.EAFNOSUPPORT;
            _counters.Count(error == 0 ? ProbeResult.Sent : ProbeResult.NotSent);
            if (IsOwnFault(error, question.Path))
                _prober.GiveUp(question, hasNoRoute: error == Errno.ENETUNREACH);
        }
    }

    // The source address is not this host's, which newer kernels call an unreachable network, or its own routes forbid it. After other
    // errors an answer is missing, as if the network had lost the question.
    private static bool IsOwnFault(int error, ProbePaths path) =>
        error is Errno.EINVAL or Errno.EADDRNOTAVAIL or Errno.EAFNOSUPPORT || (error == Errno.ENETUNREACH && path != ProbePaths.Node);

    // True: a socket may have more than it should.
    private bool ReceiveAnswers()
    {
        Span<byte> bytes = stackalloc byte[ProbeDatagram.Size + 1];
        bool isFlooded = false;
        for (int number = ProbeSockets.FirstClient; number < ProbeSockets.Count; number++)
        {
            int left = FewAnswers;
            while (left > 0 && _sockets.WithErrors(number)?.TryReceiveError(bytes, out DatagramError error) == true)
            {
                left--;
                if (error.IsTimeExceeded && TryRead(bytes[..error.Length], out ProbeDatagram question))
                    _prober.Expired(question, error.From);
            }
            while (left > 0 && _sockets.WithDatagrams(number)?.TryReceive(bytes, out ReceivedDatagram received) == true)
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
        for (int number = 0; number < ProbeSockets.FirstClient; number++)
        {
            int left = ManyQuestions;
            while (left > 0 && _sockets.WithDatagrams(number) is { } socket && socket.TryReceive(bytes, out ReceivedDatagram received))
            {
                left--;
                if (_responder.TryAnswer(bytes[..received.Length], received.From, received.Port, received.Hops, answer))
                    socket.Send(answer, received.To, received.From, received.Port);
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
