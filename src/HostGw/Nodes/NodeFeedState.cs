using Microsoft.Extensions.Logging;

namespace HostGw.Nodes;

/// <summary>Keeps account of how fresh the nodes are; read at any time.</summary>
internal sealed class NodeFeedState(TimeProvider time, ILogger logger)
{
    private long _listedTicks, _heardTicks, _failures;
    private string? _problem;

    public NodeFeed Now => new(At(ref _listedTicks), At(ref _heardTicks), Volatile.Read(ref _problem), Interlocked.Read(ref _failures));

    public void Listed() => Interlocked.Exchange(ref _listedTicks, Heard());

    public long Heard()
    {
        long now = time.GetUtcNow().UtcTicks;
        Interlocked.Exchange(ref _heardTicks, now);
        return now;
    }

    /// <summary>The server is followed.</summary>
    public void Reached()
    {
        if (Interlocked.Exchange(ref _problem, null) is not null)
            logger.NodesReachable();
    }

    /// <summary>It cannot be followed, and will be asked again after a delay.</summary>
    public void Failed(TimeSpan delay, string reason)
    {
        Interlocked.Increment(ref _failures);
        // Once, however long it lasts.
        if (Interlocked.Exchange(ref _problem, reason) != reason)
            logger.NodesUnreachable(reason);
        logger.NextAttempt(Math.Round(delay.TotalSeconds, 1), reason);
    }

    private static DateTimeOffset? At(ref long ticks) => Interlocked.Read(ref ticks) is > 0 and { } at ? new(at, TimeSpan.Zero) : null;
}
