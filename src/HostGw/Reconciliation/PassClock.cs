namespace HostGw.Reconciliation;

/// <summary>
/// Whether passes go on, for the kubelet's probes. Monotonic: setting the clock changes nothing. One writer, any number of readers.
/// </summary>
internal sealed class PassClock(TimeProvider time, TimeSpan resync)
{
    private static readonly TimeSpan LongestPass = TimeSpan.FromMinutes(2);

    // Time stamps; 0: none.
    private long _began;
    private long _ended;

    /// <summary>Why this host is not ready; null: the last pass is recent, or there was none yet.</summary>
    public string? Overdue => Older(_ended, Longer(TimeSpan.FromSeconds(60), 3 * resync), "the last pass ended");

    /// <summary>Why the agent should be restarted; null: it works, or waits for its first list of nodes.</summary>
    public string? Stuck => Older(_began, LongestPass, "a pass began") ??
        Older(_ended, Longer(TimeSpan.FromSeconds(120), 5 * resync), "the last pass ended");

    public void Begin() => Volatile.Write(ref _began, time.GetTimestamp());

    public void End()
    {
        Volatile.Write(ref _ended, time.GetTimestamp());
        Volatile.Write(ref _began, 0);
    }

    private string? Older(in long since, TimeSpan limit, string what) =>
        Volatile.Read(in since) is var at and not 0 && time.GetElapsedTime(at) is var age && age > limit
            ? $"{what} {age.TotalSeconds:F0} s ago and none has ended since; at most {limit.TotalSeconds:F0} s are normal"
            : null;

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
