using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Interop;
using HostGw.Platform.Linux.Netlink;
using Microsoft.Extensions.Logging;

namespace HostGw.Probes;

/// <summary>
/// The sockets of the probes: in each family eight that ask, each with its own port, and one that answers. One thread uses them;
/// <see cref="Wake"/> may be called by any.
/// </summary>
/// <param name="report">Takes why questions of peers are not received; empty: they are.</param>
[SupportedOSPlatform("linux")]
internal sealed unsafe class ProbeSockets(int port, Action<string> report, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>The sockets that ask come first, then those that answer.</summary>
    public const int Clients = 2 * Prober.Ports;

    public const int Count = Clients + 2;

    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMinutes(1);

    private readonly DatagramSocket?[] _sockets = new DatagramSocket?[Count];

    // What poll(2) is asked: the sockets in their order, then the descriptor that wakes it. It ignores negative ones.
    private readonly pollfd[] _polled = new pollfd[Count + 1];
    private readonly int _wake = LibcDatagrams.eventfd(0, LibcDatagrams.EFD_CLOEXEC | LibcDatagrams.EFD_NONBLOCK);
    private long? _triedAt;
    private bool _isComplete;
    private string _fault = "";

    /// <summary>Null: this host has no such family.</summary>
    public DatagramSocket? Client(bool isIPv4, int number) => _sockets[(isIPv4 ? 0 : Prober.Ports) + number];

    /// <summary>The socket of that number if it has received datagrams; null: it has not.</summary>
    public DatagramSocket? WithDatagrams(int number) => Ready(number, LibcDatagrams.POLLIN);

    /// <summary>The socket of that number if it has received ICMP messages; null: it has not.</summary>
    public DatagramSocket? WithErrors(int number) => Ready(number, LibcDatagrams.POLLERR);

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
    /// <param name="onlyWake">What is received is left for later.</param>
    public void Wait(TimeSpan atMost, bool onlyWake)
    {
        for (int i = 0; i < Count; i++)
            _polled[i] = new() { fd = onlyWake ? -1 : _sockets[i]?.Fd ?? -1, events = LibcDatagrams.POLLIN };
        _polled[Count] = new() { fd = _wake, events = LibcDatagrams.POLLIN };
        int milliseconds = atMost < TimeSpan.Zero ? -1 : (int)Math.Min(Math.Ceiling(Sooner(atMost).TotalMilliseconds), int.MaxValue);
        fixed (pollfd* first = _polled)
        {
            // After a signal nothing is ready: the loop comes back here.
            if (LibcDatagrams.poll(first, Count + 1, milliseconds) < 0 && Marshal.GetLastPInvokeError() != Errno.EINTR)
                throw new NetlinkException("wait for probes", Marshal.GetLastPInvokeError());
        }
        ulong calls;
        if (_polled[Count].revents != 0)
            _ = LibcDatagrams.read(_wake, &calls, sizeof(ulong));
    }

    public void Wake()
    {
        ulong one = 1;
        _ = LibcDatagrams.write(_wake, &one, sizeof(ulong));
    }

    public void Dispose()
    {
        foreach (DatagramSocket? socket in _sockets)
            socket?.Dispose();
        _ = Libc.close(_wake);
    }

    private DatagramSocket? Ready(int number, short what) => (_polled[number].revents & what) != 0 ? _sockets[number] : null;

    private TimeSpan Sooner(TimeSpan atMost) => _isComplete || atMost < BetweenAttempts ? atMost : BetweenAttempts;

    // Why it is not open; empty: it is, or this host has no such family.
    private string Open(int number)
    {
        try
        {
            _sockets[number] = number < Clients
                ? DatagramSocket.Client(isIPv4: number < Prober.Ports)
                : DatagramSocket.Server(isIPv4: number == Clients, port);
            return "";
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.AddressFamilyNotSupported ? "" : e.Message;
        }
    }
}
