using System.Collections.Immutable;
using System.ComponentModel;
using System.Net.Sockets;
using HostGw.Platform;
using Microsoft.Extensions.Logging;

namespace HostGw.Probes;

/// <summary>What became of a question that was to be sent.</summary>
internal enum SendResult
{
    Sent,

    /// <summary>It is lost, as if the network had lost it.</summary>
    Failed,

    /// <summary>This host has no route there, or on newer kernels the source address is not this host's.</summary>
    NoRoute,

    /// <summary>The source address is not this host's, or this host has no such family.</summary>
    NoSource,
}

/// <summary>
/// The sockets of the probes: some that answer, and for each source of questions <see cref="Prober.Ports"/> that ask. Those that cannot be
/// opened are tried again every minute. One thread uses them; <see cref="Follow"/> and <see cref="Wake"/> may be called by any.
/// </summary>
/// <param name="report">Takes why questions of peers are not received; empty: they are.</param>
internal abstract class ProbeSockets(int port, Action<string> report, TimeProvider time, ILogger logger) : IDisposable
{
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMinutes(1);

    private long? _triedAt;
    private bool _isComplete;
    private string _fault = "";

    /// <summary>How many sockets answer: they have the first numbers.</summary>
    public abstract int Servers { get; }

    /// <summary>How many sockets there are, open or not.</summary>
    public abstract int Count { get; }

    /// <summary>The UDP port that agents answer on.</summary>
    protected int Port => port;

    /// <param name="own">This node's addresses at which it is asked, as far as this host has them.</param>
    public abstract void Follow(ImmutableArray<Ip> own);

    /// <summary>Opens those that are not open, at most once a minute.</summary>
    public virtual void Open()
    {
        if (_isComplete || (_triedAt is { } at && time.GetElapsedTime(at) < BetweenAttempts))
            return;
        _triedAt = time.GetTimestamp();
        _isComplete = true;
        string fault = "";
        for (int number = 0; number < Count; number++)
        {
            try
            {
                _isComplete &= TryOpen(number);
            }
            catch (Win32Exception e)
            {
                bool hasFamily = e is not SocketException { SocketErrorCode: SocketError.AddressFamilyNotSupported };
                (fault, _isComplete) = hasFamily ? (e.Message.TrimEnd('.'), false) : (fault, _isComplete);
            }
        }
        if (fault.Length > 0)
            logger.ProbesNotReceived(port, BetweenAttempts.TotalSeconds, fault);
        if (fault != _fault)
            report(_fault = fault);
    }

    /// <summary>Waits until something is received, <see cref="Wake"/> is called or the time is over; negative: it never is.</summary>
    public void Wait(TimeSpan atMost) =>
        Await(!_isComplete && (atMost < TimeSpan.Zero || atMost > BetweenAttempts) ? BetweenAttempts : atMost);

    /// <summary>Ends the wait, or the next one.</summary>
    public abstract void Wake();

    public abstract SendResult Ask(ReadOnlySpan<byte> datagram, in ProbeQuestion question);

    /// <summary>Sends an answer from the address that was asked.</summary>
    /// <param name="number">Of the socket that has received the question.</param>
    public abstract void Answer(int number, ReadOnlySpan<byte> datagram, in ReceivedDatagram question);

    /// <summary>Takes the next datagram of a socket that had some when the wait ended; false: there is none.</summary>
    /// <param name="buffer">One that is longer is cut.</param>
    public abstract bool TryReceive(int number, Span<byte> buffer, out ReceivedDatagram received);

    /// <summary>Takes the next ICMP message about a question; false: there is none, or this host does not receive them.</summary>
    /// <param name="buffer">Receives the question, as far as the message quotes it.</param>
    public abstract bool TryReceiveError(int number, Span<byte> buffer, out DatagramError error);

    public abstract void Dispose();

    /// <returns>False: this host does not have its address yet.</returns>
    /// <exception cref="Win32Exception">It cannot be opened.</exception>
    protected abstract bool TryOpen(int number);

    protected abstract void Await(TimeSpan atMost);

    /// <summary>Those that are not open are opened at once.</summary>
    protected void Reopen() => (_isComplete, _triedAt) = (false, null);

    /// <summary>One has failed and was closed. It is opened again, not more often than others.</summary>
    protected void Lost(string reason)
    {
        _isComplete = false;
        logger.ProbesNotReceived(port, BetweenAttempts.TotalSeconds, reason);
    }
}
