using System.Collections.Immutable;
using System.Diagnostics;
using HostGw.Lab.Network;

namespace HostGw.Lab.Probes;

/// <summary>Echo requests on several paths at once, each at a fixed rate, until stopped.</summary>
public sealed class PingFlood : IDisposable
{
    private static readonly TimeSpan LastReplies = TimeSpan.FromSeconds(1), Caught = TimeSpan.FromMinutes(1);

    private readonly ImmutableArray<PingPath> _paths;
    private readonly TimeSpan _interval;
    private readonly Thread _sender;
    private volatile bool _stop;

    private PingFlood(ImmutableArray<PingPath> paths, TimeSpan interval)
    {
        _paths = paths;
        _interval = interval;
        _sender = new Thread(Send) { IsBackground = true, Priority = ThreadPriority.AboveNormal };
    }

    /// <summary>On all paths, so far.</summary>
    public int Sent => _paths.Sum(path => path.Sent);

    /// <summary>Starts once every path has answered.</summary>
    /// <exception cref="InvalidOperationException">A path does not answer.</exception>
    /// <param name="firstReply">How long one may take; null: a minute.</param>
    public static PingFlood Start(
        IEnumerable<(NetworkNamespace From, IPAddress To)> paths, TimeSpan interval, TimeSpan? firstReply = null)
    {
        TimeSpan patience = firstReply ?? TimeSpan.FromMinutes(1);
        var flood = new PingFlood([.. paths.Select(path => new PingPath(path.From, path.To, patience))], interval);
        foreach (PingPath path in flood._paths)
            path.Start();
        flood._sender.Start();
        return flood;
    }

    /// <summary>Stops sending, waits for replies still under way, and counts.</summary>
    public PingFloodResult Stop()
    {
        _stop = true;
        _sender.Join();
        // A slow machine still reads earlier replies: what is lost is known when a later one has come.
        foreach (PingPath path in _paths.Where(path => path.Lost > 0))
            path.SendLast();
        WaitWhile(path => path.Lost > 0 && !path.IsLastAnswered, Caught);
        WaitWhile(path => path.Lost > 0, LastReplies);
        var result = new PingFloodResult(
            _paths.Length, Sent, _paths.Sum(path => path.Lost), _paths.Max(path => path.LongestGap),
            [.. _paths.Where(path => path.Lost > 0).Select(path => $"{path}: {path.Lost} of {path.Sent} lost")]);
        Dispose();
        return result;
    }

    public void Dispose()
    {
        _stop = true;
        _sender.Join();
        foreach (PingPath path in _paths)
            path.Dispose();
    }

    private void WaitWhile(Func<PingPath, bool> condition, TimeSpan atMost)
    {
        long started = Stopwatch.GetTimestamp();
        while (_paths.Any(condition) && Stopwatch.GetElapsedTime(started) < atMost)
            Thread.Sleep(1);
    }

    private void Send()
    {
        long started = Stopwatch.GetTimestamp();
        for (int round = 1; !_stop; round++)
        {
            foreach (PingPath path in _paths)
                path.Send();
            TimeSpan wait = _interval * round - Stopwatch.GetElapsedTime(started);
            if (wait > TimeSpan.Zero)
                Thread.Sleep(wait);
        }
    }
}
