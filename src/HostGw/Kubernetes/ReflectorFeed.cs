using Microsoft.Extensions.Logging;

namespace HostGw.Kubernetes;

/// <summary>How current a reflector's store is.</summary>
/// <param name="ListedAt">When the last list was complete.</param>
/// <param name="HeardAt">When the last event, bookmark or list was received.</param>
/// <param name="Problem">Why the API server cannot be followed at present; null while it can.</param>
/// <param name="Failures">Failed attempts to follow it since the start.</param>
internal readonly record struct ReflectorFeed(DateTimeOffset? ListedAt, DateTimeOffset? HeardAt, string? Problem, long Failures);

/// <summary>Keeps the <see cref="ReflectorFeed"/> up to date and logs its problems; may be read from any thread.</summary>
internal sealed class ReflectorFeedState(TimeProvider time, ILogger logger)
{
    private long _listedTicks, _heardTicks, _failures;
    private string? _problem;

    public ReflectorFeed Now =>
        new(At(ref _listedTicks), At(ref _heardTicks), Volatile.Read(ref _problem), Interlocked.Read(ref _failures));

    public void Listed()
    {
        Heard();
        Interlocked.Exchange(ref _listedTicks, Interlocked.Read(ref _heardTicks));
    }

    public void Heard() => Interlocked.Exchange(ref _heardTicks, time.GetUtcNow().UtcTicks);

    /// <summary>The server is followed.</summary>
    public void Reached()
    {
        if (Interlocked.Exchange(ref _problem, null) is not null)
            logger.NodesReachable();
    }

    /// <summary>It cannot be followed. Logged once per reason, however long that lasts.</summary>
    public void Failed(string reason)
    {
        Interlocked.Increment(ref _failures);
        if (Interlocked.Exchange(ref _problem, reason) != reason)
            logger.NodesUnreachable(reason);
    }

    private static DateTimeOffset? At(ref long ticks) => Interlocked.Read(ref ticks) is > 0 and { } at ? new(at, TimeSpan.Zero) : null;
}
