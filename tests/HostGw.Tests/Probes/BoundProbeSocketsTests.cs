using System.Net.Sockets;
using HostGw.Platform;
using HostGw.Probes;
using HostGw.Tests.Reconciliation;
using Microsoft.Extensions.Logging.Abstractions;

namespace HostGw.Tests.Probes;

/// <summary>The sockets of the probes on Windows, which are .NET's: here on this system's loopback.</summary>
public sealed class BoundProbeSocketsTests : IDisposable
{
    private const string Node = "127.77.1.1", Pod = "127.77.1.2", Peer = "127.77.2.1";

    /// <summary>Reached only by a defect.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ManualTime _time = new();
    private readonly List<string> _faults = [];
    private readonly int _port;
    private readonly BoundProbeSockets _sockets;

    public BoundProbeSocketsTests()
    {
        using (Socket free = At(Node, 0))
            _port = PortOf(free);
        _sockets = new(_port, _faults.Add, _time, NullLogger.Instance);
    }

    public void Dispose() => _sockets.Dispose();

    [Theory]
    [InlineData(Node)]
    [InlineData(Pod)]
    public void A_question_is_answered_from_the_address_that_was_asked(string address)
    {
        Open(Node, Pod);
        using Socket asker = At(Peer, 0);
        asker.SendTo(new byte[ProbeDatagram.Size], To(address));
        (int number, ReceivedDatagram question) = Next();
        Assert.InRange(number, 0, _sockets.Servers - 1);
        Assert.Equal(new(ProbeDatagram.Size, Ip.Parse(Peer), PortOf(asker), Ip.Parse(address), 0), question);

        _sockets.Answer(number, [1, 2, 3], question);
        Assert.Equal((3, $"{address}:{_port}"), Receive(asker));
    }

    [Fact]
    public void Each_address_asks_from_eight_ports_and_answers_come_back()
    {
        Open(Node, Pod);
        using Socket peer = At(Peer, _port);
        foreach (string source in (string[])[Node, Pod])
        {
            HashSet<string> from = [];
            for (int port = 0; port < Prober.Ports; port++)
            {
                Assert.Equal(SendResult.Sent, _sockets.Ask([1, 2], Question(source, port)));
                (int length, string sender) = Receive(peer);
                Assert.Equal(2, length);
                Assert.StartsWith($"{source}:", sender, StringComparison.Ordinal);
                from.Add(sender);
                peer.SendTo([1, 2, 3, 4], IPEndPoint.Parse(sender));
                (int number, ReceivedDatagram answer) = Next();
                Assert.InRange(number, _sockets.Servers, _sockets.Count - 1);
                Assert.Equal((4, Ip.Parse(Peer), _port), (answer.Length, answer.From, answer.Port));
            }
            Assert.Equal(Prober.Ports, from.Count);
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(65, 65)]
    [InlineData(1472, 65)]
    [InlineData(60_000, 65)]
    public void A_datagram_of_any_size_is_received_once_and_cut(int length, int expected)
    {
        Open(Node);
        using Socket asker = At(Peer, 0);
        asker.SendTo(new byte[length], To(Node));
        asker.SendTo([7], To(Node));
        Assert.Equal(expected, Next().Received.Length);
        Assert.Equal(1, Next().Received.Length);
    }

    [Fact]
    public void An_address_that_this_host_does_not_have_is_no_fault_and_hinders_no_other()
    {
        Open("192.0.2.77", Node);
        Assert.Equal(SendResult.NoSource, _sockets.Ask([1], Question("192.0.2.77", 0)));
        Assert.Equal(SendResult.NoSource, _sockets.Ask([1], Question("192.0.2.78", 0)));
        Assert.Equal(SendResult.Sent, _sockets.Ask([1], Question(Node, 0)));
        using Socket asker = At(Peer, 0);
        asker.SendTo([7], To(Node));
        Assert.Equal(1, Next().Received.Length);
        Assert.Empty(_faults);
    }

    [Fact]
    public void A_port_that_is_taken_is_said_and_tried_again_after_a_minute()
    {
        using (Socket other = At(Node, _port))
        {
            Open(Node);
            Assert.NotEqual("", Assert.Single(_faults));
        }
        _time.Advance(TimeSpan.FromSeconds(59));
        _sockets.Open();
        Assert.Single(_faults);
        _time.Advance(TimeSpan.FromSeconds(1));
        _sockets.Open();
        Assert.Equal("", Assert.Single(_faults.Skip(1)));
        using Socket asker = At(Peer, 0);
        asker.SendTo([7], To(Node));
        Assert.Equal(1, Next().Received.Length);
    }

    [Fact]
    public void An_address_that_is_this_nodes_no_more_is_left_and_a_new_one_opened_at_once()
    {
        Open(Node, Pod);
        Open(Node);
        using Socket other = At(Pod, _port);
        Assert.Equal(SendResult.NoSource, _sockets.Ask([1], Question(Pod, 0)));
        Open(Node, Peer);
        Assert.Equal(SendResult.Sent, _sockets.Ask([1], Question(Peer, 0)));
        Assert.Empty(_faults);
    }

    [Fact]
    public async Task A_wake_up_ends_one_wait_and_no_later_one()
    {
        Open(Node);
        var waiting = Task.Run(() => _sockets.Wait(Timeout.InfiniteTimeSpan), TestContext.Current.CancellationToken);
        _sockets.Wake();
        await waiting.WaitAsync(Patience, TestContext.Current.CancellationToken);
        for (int i = 0; i < 10_000; i++)
            _sockets.Wake();
        _sockets.Wait(Timeout.InfiniteTimeSpan);
        // However often it was woken before: what ends it is the next one.
        waiting = Task.Run(() => _sockets.Wait(Timeout.InfiniteTimeSpan), TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<TimeoutException>(
            () => waiting.WaitAsync(TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken));
        _sockets.Wake();
        await waiting.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    private void Open(params string[] own)
    {
        _sockets.Follow([.. own.Select(Ip.Parse)]);
        _sockets.Open();
    }

    private (int Number, ReceivedDatagram Received) Next()
    {
        byte[] buffer = new byte[ProbeDatagram.Size + 1];
        _sockets.Wait(Patience);
        for (int number = 0; number < _sockets.Count; number++)
        {
            if (_sockets.TryReceive(number, buffer, out ReceivedDatagram received))
                return (number, received);
        }
        throw new TimeoutException("nothing was received");
    }

    private static ProbeQuestion Question(string source, int port) =>
        new(0, ProbePaths.Node, port, Ip.Parse(source), Ip.Parse(Peer), default);

    private IPEndPoint To(string address) => new(IPAddress.Parse(address), _port);

    private static int PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private static (int Length, string From) Receive(Socket socket)
    {
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        int length = socket.ReceiveFrom(new byte[100], ref from);
        return (length, $"{from}");
    }

    private static Socket At(string address, int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveTimeout = (int)Patience.TotalMilliseconds,
        };
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
        return socket;
    }
}
