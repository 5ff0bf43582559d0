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
    /// <summary>The sockets that answer come first, then those that ask.</summary>
    public const int FirstClient = 2;

    public const int Count = FirstClient + (2 * Prober.Ports);

    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMinutes(1);

    private const int AfterFailure = 100; // milliseconds

    private readonly DatagramSocket?[] _sockets = new DatagramSocket?[Count];

    // What poll(2) is asked: the descriptor that wakes it, then the sockets in their order. It ignores negative ones.
    private readonly pollfd[] _polled = new pollfd[1 + Count];
    private readonly int _wake = LibcDatagrams.eventfd(0, LibcDatagrams.EFD_CLOEXEC | LibcDatagrams.EFD_NONBLOCK);
    private long? _triedAt;
    private bool _isComplete;
    private string _fault = "";

    /// <summary>The sockets whose datagrams end a wait. Each costs time whenever anything is received.</summary>
    public enum Set
    {
        None,
        Servers,
        All,
    }

    /// <summary>Null: this host has no such family.</summary>
    public DatagramSocket? Client(bool isIPv4, int number) => _sockets[FirstClient + (isIPv4 ? 0 : Prober.Ports) + number];

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
    /// <param name="set">What the others receive is left for later.</param>
    public void Wait(TimeSpan atMost, Set set)
    {
        for (int i = 0; i < _polled.Length; i++)
            _polled[i] = new() { fd = i == 0 ? _wake : _sockets[i - 1]?.Fd ?? -1, events = LibcDatagrams.POLLIN };
        int count = set switch { Set.None => 1, Set.Servers => 1 + FirstClient, _ => _polled.Length };
        TimeSpan longest = !_isComplete && (atMost < TimeSpan.Zero || atMost > BetweenAttempts) ? BetweenAttempts : atMost;
        int milliseconds = longest < TimeSpan.Zero ? -1 : (int)Math.Min(Math.Ceiling(longest.TotalMilliseconds), int.MaxValue);
        fixed (pollfd* first = _polled)
        {
            // Nothing is ready then. It fails while the process may not have as many files open, and that passes.
            if (LibcDatagrams.poll(first, (nuint)count, milliseconds) < 0 && Marshal.GetLastPInvokeError() != Errno.EINTR)
                _ = LibcDatagrams.poll(null, 0, AfterFailure);
        }
        ulong calls;
        if (_polled[0].revents != 0)
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

    private DatagramSocket? Ready(int number, short what) => (_polled[1 + number].revents & what) != 0 ? _sockets[number] : null;

    // Why it is not open; empty: it is, or this host has no such family.
    private string Open(int number)
    {
        try
        {
            _sockets[number] = number < FirstClient
                ? DatagramSocket.Server(isIPv4: number == 0, port)
                : DatagramSocket.Client(isIPv4: number < FirstClient + Prober.Ports);
            return "";
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.AddressFamilyNotSupported ? "" : e.Message;
        }
    }
}
