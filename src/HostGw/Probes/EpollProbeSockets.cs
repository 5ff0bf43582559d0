using System.Collections.Immutable;
using System.ComponentModel;
using System.Runtime.Versioning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Interop;
using HostGw.Platform.Linux.Netlink;
using Microsoft.Extensions.Logging;

namespace HostGw.Probes;

/// <summary>
/// On Linux: in each family one that answers at all addresses, eight that ask nodes, and eight that ask in pod networks and through the
/// tunnel. All choose the source of each question. Only the latter receive ICMP messages: the kernel would wake this thread for each node
/// that is absent, seconds after its question was lost.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class EpollProbeSockets(int port, Action<string> report, TimeProvider time, ILogger logger)
    : ProbeSockets(port, report, time, logger)
{
    private const int FirstClient = 2;
    private const int ClientsOfFamily = 2 * Prober.Ports;
    private const int All = FirstClient + (2 * ClientsOfFamily);

    private readonly DatagramSocket?[] _sockets = new DatagramSocket?[All];

    private readonly Epoll _epoll = new(All);

    public override int Servers => FirstClient;

    public override int Count => All;

    /// <summary>Nothing depends on these addresses.</summary>
    public override void Follow(ImmutableArray<Ip> own)
    {
    }

    public override void Wake() => _epoll.Wake();

    public override SendResult Ask(ReadOnlySpan<byte> datagram, in ProbeQuestion question)
    {
        int number = FirstClient + (question.Destination.IsIPv4 ? 0 : ClientsOfFamily) +
            (question.Path == ProbePaths.Node ? 0 : Prober.Ports) + question.Port;
        int hops = question.Path switch { ProbePaths.OneHop => 1, ProbePaths.Node => ProbeDatagram.AllHops, _ => 0 };
        return _sockets[number] is { } socket
            ? Result(socket.Send(datagram, question.Source, question.Destination, Port, hops))
            : SendResult.NoSource;
    }

    public override void Answer(int number, ReadOnlySpan<byte> datagram, in ReceivedDatagram question) =>
        _sockets[number]!.Send(datagram, question.To, question.From, question.Port);

    public override bool TryReceive(int number, Span<byte> buffer, out ReceivedDatagram received)
    {
        received = default;
        return Ready(number, LibcDatagrams.EPOLLIN) is { } socket && socket.TryReceive(buffer, out received);
    }

    public override bool TryReceiveError(int number, Span<byte> buffer, out DatagramError error)
    {
        error = default;
        return Ready(number, LibcDatagrams.EPOLLERR) is { } socket && socket.TryReceiveError(buffer, out error);
    }

    public override void Dispose()
    {
        foreach (DatagramSocket? socket in _sockets)
            socket?.Dispose();
        _epoll.Dispose();
    }

    protected override bool TryOpen(int number)
    {
        _sockets[number] ??= Watched(
            number < FirstClient ? DatagramSocket.Server(isIPv4: number == 0, Port) : Client(number - FirstClient), number);
        return true;
    }

    protected override void Await(TimeSpan atMost) =>
        _epoll.Wait(atMost < TimeSpan.Zero ? -1 : (int)Math.Min(Math.Ceiling(atMost.TotalMilliseconds), int.MaxValue));

    private static DatagramSocket Client(int number) =>
        DatagramSocket.Client(isIPv4: number < ClientsOfFamily, receivesErrors: number % ClientsOfFamily >= Prober.Ports);

    private static SendResult Result(int error) => error switch
    {
        0 => SendResult.Sent,
        Errno.ENETUNREACH => SendResult.NoRoute,
        Errno.EINVAL or Errno.EADDRNOTAVAIL or Errno.EAFNOSUPPORT => SendResult.NoSource,
        _ => SendResult.Failed,
    };

    private DatagramSocket? Ready(int number, uint what) => (_epoll[number] & what) != 0 ? _sockets[number] : null;

    private DatagramSocket Watched(DatagramSocket socket, int number)
    {
        try
        {
            _epoll.Add(socket.Fd, number);
            return socket;
        }
        catch (Win32Exception)
        {
            socket.Dispose();
            throw;
        }
    }
}
