using Microsoft.Extensions.Logging;

namespace HostGw.Kubernetes;

/// <summary>How current a reflector's store is, and what keeps it from being so.</summary>
/// <param name="ListedAt">When the last list was complete.</param>
/// <param name="ReceivedAt">When the last event, bookmark or list was received.</param>
/// <param name="Problem">Why the objects cannot be watched at present; null while they can.</param>
/// <param name="Failures">Failed attempts to list or watch since the start.</param>
internal readonly record struct ReflectorHealth(DateTimeOffset? ListedAt, DateTimeOffset? ReceivedAt, string? Problem, long Failures)
{
    /// <summary>Of two reflectors whose stores are used together: as current as the older one.</summary>
    public ReflectorHealth And(ReflectorHealth other) => new(
        Earlier(ListedAt, other.ListedAt), Earlier(ReceivedAt, other.ReceivedAt), Problem ?? other.Problem, Failures + other.Failures);

    // Null: never.
    private static DateTimeOffset? Earlier(DateTimeOffset? a, DateTimeOffset? b) => a is null || b is null ? null : a < b ? a : b;
}

/// <summary>Keeps the <see cref="ReflectorHealth"/> up to date and logs its problems; may be read from any thread.</summary>
/// <param name="what">What is watched.</param>
/// <param name="kept">What does not change while it cannot be watched.</param>
internal sealed class ReflectorHealthTracker(TimeProvider time, ILogger logger, string what, string kept)
{
    // However often the reason changes, as it does where several API servers fail differently.
    private const int MostReasons = 8;

    private readonly HashSet<string> _reasons = new(StringComparer.Ordinal);
    private long _listedTicks, _receivedTicks, _failures;
    private string? _problem;

    public ReflectorHealth Now =>
        new(At(ref _listedTicks), At(ref _receivedTicks), Volatile.Read(ref _problem), Interlocked.Read(ref _failures));

    public void Listed()
    {
        Received();
        Interlocked.Exchange(ref _listedTicks, Interlocked.Read(ref _receivedTicks));
    }

    public void Received() => Interlocked.Exchange(ref _receivedTicks, time.GetUtcNow().UtcTicks);

    /// <summary>A watch is open.</summary>
    public void Watching()
    {
        if (Interlocked.Exchange(ref _problem, null) is null)
            return;
        _reasons.Clear();
        logger.NodesReachable(what);
    }

    /// <summary>No watch can be opened. Logged once per reason until there is a watch again, however long that lasts.</summary>
    public void Failed(string reason)
    {
        Interlocked.Increment(ref _failures);
        Volatile.Write(ref _problem, reason);
        if (_reasons.Count < MostReasons && _reasons.Add(reason))
            logger.NodesUnreachable(what, reason, kept);
    }

    private static DateTimeOffset? At(ref long ticks) => Interlocked.Read(ref ticks) is > 0 and { } at ? new(at, TimeSpan.Zero) : null;
}
