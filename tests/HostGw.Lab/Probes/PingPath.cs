using System.Diagnostics;
using System.Net.Sockets;
using HostGw.Lab.Network;

namespace HostGw.Lab.Probes;

/// <summary>One path of a flood: counts what was sent and what came back.</summary>
internal sealed class PingPath(NetworkNamespace from, IPAddress to, TimeSpan firstReply) : IDisposable
{
    // Of no ping that is counted.
    private const uint Last = uint.MaxValue;

    private readonly IcmpSocket _socket = new(from, to, firstReply);
    private readonly HashSet<uint> _answered = [];
    private long _lastReply;
    private TimeSpan _longestGap;
    private int _sent;
    private int _received;
    private volatile bool _isLastAnswered;

    public int Sent => Volatile.Read(ref _sent);

    public int Lost => Sent - Volatile.Read(ref _received);

    public TimeSpan LongestGap => _longestGap;

    /// <summary>Replies come in order: what was sent before <see cref="SendLast"/> and is not answered is lost.</summary>
    public bool IsLastAnswered => _isLastAnswered;

    public void Start()
    {
        _socket.Send(0);
        if (_socket.Receive() is null)
            throw new InvalidOperationException($"{this} does not answer, so there is nothing to lose");
        _lastReply = Stopwatch.GetTimestamp();
        new Thread(Receive) { IsBackground = true }.Start();
    }

    public void Send()
    {
        uint number = (uint)Interlocked.Increment(ref _sent);
        TrySend(number);
    }

    public void SendLast()
    {
        if (!TrySend(Last))
            _isLastAnswered = true;
    }

    public void Dispose() => _socket.Dispose();

    public override string ToString() => $"{from.Name} -> {to}";

    // False: not even sent (no route). It counts as sent, and so as lost.
    private bool TrySend(uint number)
    {
        try
        {
            _socket.Send(number);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Receive()
    {
        try
        {
            while (true)
            {
                uint? number = _socket.Receive();
                if (number == Last)
                    _isLastAnswered = true;
                else if (number is not null && _answered.Add(number.Value))
                    Count();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The flood ended.
        }
    }

    private void Count()
    {
        long now = Stopwatch.GetTimestamp();
        TimeSpan gap = Stopwatch.GetElapsedTime(_lastReply, now);
        if (gap > _longestGap)
            _longestGap = gap;
        _lastReply = now;
        Interlocked.Increment(ref _received);
    }
}
