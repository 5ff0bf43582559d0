namespace HostGw.Reconciliation;

/// <summary>How often one thing had to be repaired, and when it may be again: two agents that fight at full speed help nobody.</summary>
internal sealed class RepairPace(TimeProvider time)
{
    /// <summary>How many repairs within a minute are made at once.</summary>
    public const int FreeRepairs = 5;

    /// <summary>Between repairs from then on.</summary>
    public const int IntervalSeconds = 10;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(IntervalSeconds);

    // Time stamps, not clock time: a clock that is set back must not put a repair off for as long.
    private readonly List<long> _times = [];

    public bool IsFight => _times.Count >= FreeRepairs;

    /// <summary>How long until it may be repaired; zero: now. Never less, for somebody will wait so long.</summary>
    public TimeSpan Pause => IsFight && Interval - time.GetElapsedTime(_times[^1]) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>Counts a repair.</summary>
    public void Add() => _times.Add(time.GetTimestamp());

    /// <summary>Forgets repairs of more than a minute ago.</summary>
    /// <returns>Whether none is left.</returns>
    public bool Forget()
    {
        _times.RemoveAll(at => time.GetElapsedTime(at) > Window);
        return _times.Count == 0;
    }
}
