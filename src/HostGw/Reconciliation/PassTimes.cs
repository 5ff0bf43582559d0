using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>When the next pass is due if nothing is announced: in a while, or sooner where one could not finish.</summary>
internal sealed class PassTimes(LoopTimes times, TimeProvider time)
{
    private TimeSpan _retry = times.FirstRetry;
    private long? _wholeAt;

    public TimeSpan Wait { get; private set; } = times.Resync;

    /// <summary>The cause of that pass.</summary>
    public WakeCauses Otherwise { get; private set; } = WakeCauses.Resync;

    /// <summary>What woke, and Resync with it where that is due: who is woken often enough never waits for so long.</summary>
    public WakeCauses WithDue(WakeCauses causes) => _wholeAt is { } at && time.GetElapsedTime(at) >= times.Resync ? causes | WakeCauses.Resync : causes;

    public void After(PassReport report)
    {
        if (_wholeAt is null || report.Causes.HasFlag(WakeCauses.Resync))
            _wholeAt = time.GetTimestamp();
        // Only a retry doubles the pause: a storm of other wake-ups must not put the next one off.
        if (!report.IsUnfinished)
            _retry = times.FirstRetry;
        else if (report.Causes.HasFlag(WakeCauses.Retry))
            _retry = Min(_retry * 2, times.Resync);

        TimeSpan wait = report.IsUnfinished ? _retry : times.Resync;
        Wait = Min(wait, report.HeldBackFor ?? times.Resync);
        Otherwise = report.IsUnfinished || report.HeldBackFor is not null ? WakeCauses.Retry : WakeCauses.Resync;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

/// <param name="Resync">From a pass to the next when nothing happens, and at most from one that trusts nothing to the next.</param>
/// <param name="FirstRetry">From a pass that failed to the next; doubled each time up to <paramref name="Resync"/>.</param>
/// <param name="BetweenPasses">At most one pass in this time.</param>
internal sealed record LoopTimes(TimeSpan Resync, TimeSpan FirstRetry, TimeSpan BetweenPasses)
{
    public static LoopTimes WithResync(int seconds) => new(TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(50));
}
