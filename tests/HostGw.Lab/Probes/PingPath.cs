using System.Diagnostics;
using System.Net.Sockets;
using HostGw.Lab.Network;

namespace HostGw.Lab.Probes;

/// <summary>One path of a flood: counts what was sent and what came back.</summary>
internal sealed class PingPath(NetworkNamespace from, IPAddress to) : IDisposable
{
    private static readonly TimeSpan FirstReply = TimeSpan.FromSeconds(5);

    private readonly IcmpSocket _socket = new(from, to, FirstReply);
    private readonly HashSet<uint> _answered = [];
    private long _lastReply;
    private TimeSpan _longestGap;
    private int _sent;
    private int _received;

    public int Sent => Volatile.Read(ref _sent);

    public int Lost => Sent - Volatile.Read(ref _received);

    public TimeSpan LongestGap => _longestGap;

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
        try
        {
            _socket.Send(number);
        }
        catch (SocketException)
        {
            // Not even sent (no route): counted as sent, so it will count as lost.
        }
    }

    public void Dispose() => _socket.Dispose();

    public override string ToString() => $"{from.Name} -> {to}";

    private void Receive()
    {
        try
        {
            while (true)
            {
                if (_socket.Receive() is uint number && _answered.Add(number))
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
