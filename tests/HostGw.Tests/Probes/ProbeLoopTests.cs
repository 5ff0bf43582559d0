using System.Collections.Concurrent;
using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Probes;
using HostGw.Tests.Planning;
using Microsoft.Extensions.Logging.Abstractions;

namespace HostGw.Tests.Probes;

public sealed class ProbeLoopTests : IDisposable
{
    private const int Peers = 30;

    private readonly RecordedSockets _sockets = new();
    private readonly ProbeLoop _loop;

    public ProbeLoopTests() => _loop = new(new(9158, TimeSpan.FromHours(1)), _ => _sockets, static () => { }, TimeProvider.System);

    public void Dispose() => _loop.Dispose();

    // A round trip would look longer by all that is sent before its answer is received.
    [Fact]
    public async Task At_most_four_questions_are_sent_before_answers_are_received()
    {
        Plan plan = Planner.Plan(
            Given.Nodes([Given.Self, .. Enumerable.Range(2, Peers).Select(i => $"p{i:00} 10.244.{i}.0/24 10.0.0.{i}")]),
            Given.Host(Given.Lan), Given.Policy(""));
        _loop.Follow(plan, plan.ProbeAddresses);
        await _loop.StartAsync(TestContext.Current.CancellationToken);
        Assert.True(SpinWait.SpinUntil(() => _sockets.Calls.Count(c => c == 'a') >= Peers, TimeSpan.FromMinutes(1)));
        await _loop.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal(4, string.Concat(_sockets.Calls).Split('w').Max(asked => asked.Length));
    }

    /// <summary>Takes everything and receives nothing. Calls: a(sk), w(ait).</summary>
    private sealed class RecordedSockets() : ProbeSockets(9158, static _ => { }, TimeProvider.System, NullLogger.Instance)
    {
        private readonly ManualResetEventSlim _wake = new();

        public ConcurrentQueue<char> Calls { get; } = new();

        public override int Servers => 0;

        public override int Count => 0;

        public override void Follow(ImmutableArray<Ip> own)
        {
        }

        public override void Wake() => _wake.Set();

        public override SendResult Ask(ReadOnlySpan<byte> datagram, in ProbeQuestion question)
        {
            Calls.Enqueue('a');
            return SendResult.Sent;
        }

        public override void Answer(int number, ReadOnlySpan<byte> datagram, in ReceivedDatagram question) =>
            throw new NotSupportedException();

        public override bool TryReceive(int number, Span<byte> buffer, out ReceivedDatagram received) => throw new NotSupportedException();

        public override bool TryReceiveError(int number, Span<byte> buffer, out DatagramError error) => throw new NotSupportedException();

        public override void Dispose() => _wake.Dispose();

        protected override bool TryOpen(int number) => throw new NotSupportedException();

        protected override void Await(TimeSpan atMost)
        {
            Calls.Enqueue('w');
            _wake.Wait(atMost);
            _wake.Reset();
        }
    }
}
