using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.Versioning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Interop;
using Microsoft.Extensions.Logging;

namespace HostGw.Probes;

/// <summary>
/// The sockets of the probes: in each family eight that ask, each with its own port, and one that answers. One thread uses them;
/// <see cref="Wake"/> may be called by any.
/// </summary>
/// <param name="report">Takes why questions of peers are not received; empty: they are.</param>
[SupportedOSPlatform("linux")]
internal sealed class ProbeSockets(int port, Action<string> report, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>The sockets that answer come first, then those that ask.</summary>
    public const int FirstClient = 2;

    public const int Count = FirstClient + (2 * Prober.Ports);

    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMinutes(1);

    private readonly DatagramSocket?[] _sockets = new DatagramSocket?[Count];

    private readonly Epoll _epoll = new(Count);
    private long? _triedAt;
    private bool _isComplete;
    private string _fault = "";

    /// <summary>Null: this host has no such family.</summary>
    public DatagramSocket? Client(bool isIPv4, int number) => _sockets[FirstClient + (isIPv4 ? 0 : Prober.Ports) + number];

    /// <summary>The socket of that number if it has received datagrams; null: it has not.</summary>
    public DatagramSocket? WithDatagrams(int number) => Ready(number, LibcDatagrams.EPOLLIN);

    /// <summary>The socket of that number if it has received ICMP messages; null: it has not.</summary>
    public DatagramSocket? WithErrors(int number) => Ready(number, LibcDatagrams.EPOLLERR);

    /// <summary>Opens those that are not open, at most once a minute.</summary>
    public void Open()
    {
        if (_isComplete || (_triedAt is { } at && time.GetElapsedTime(at) < BetweenAttempts))
            return;
        _triedAt = time.GetTimestamp();
        _isComplete = true;
        string fault = "";
        for (int number = 0; number < Count; number++)
        {
            if (_sockets[number] is null && Open(number) is { Length: > 0 } failed)
                (fault, _isComplete) = (failed, false);
        }
        if (fault.Length > 0)
            logger.ProbesNotReceived(port, BetweenAttempts.TotalSeconds, fault);
        if (fault != _fault)
            report(_fault = fault);
    }

    /// <summary>Waits until something is received, <see cref="Wake"/> is called or the time is over.</summary>
    public void Wait(TimeSpan atMost)
    {
        TimeSpan longest = !_isComplete && (atMost < TimeSpan.Zero || atMost > BetweenAttempts) ? BetweenAttempts : atMost;
        int milliseconds = longest < TimeSpan.Zero ? -1 : (int)Math.Min(Math.Ceiling(longest.TotalMilliseconds), int.MaxValue);
        _epoll.Wait(milliseconds);
    }

    public void Wake() => _epoll.Wake();

    public void Dispose()
    {
        foreach (DatagramSocket? socket in _sockets)
            socket?.Dispose();
        _epoll.Dispose();
    }

    private DatagramSocket? Ready(int number, uint what) => (_epoll[number] & what) != 0 ? _sockets[number] : null;

    // Why it is not open; empty: it is, or this host has no such family.
    private string Open(int number)
    {
        try
        {
            DatagramSocket socket = number < FirstClient
                ? DatagramSocket.Server(isIPv4: number == 0, port)
                : DatagramSocket.Client(isIPv4: number < FirstClient + Prober.Ports);
            _sockets[number] = Watched(socket, number);
            return "";
        }
        catch (Win32Exception e)
        {
            return e is SocketException { SocketErrorCode: SocketError.AddressFamilyNotSupported } ? "" : e.Message;
        }
    }

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
