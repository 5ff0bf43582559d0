namespace HostGw.Reconciliation;

/// <summary>Slows down where somebody undoes our CNI configuration, as agents do that want to be the only one.</summary>
internal sealed class CniBrake(TimeProvider time)
{
    private const int FreeRepairs = 5;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly List<long> _times = [];

    /// <summary>What had to be done when it became a fight; null: there is none.</summary>
    public string? Contested { get; private set; }

    /// <summary>How long until it may be written again; null: now.</summary>
    public TimeSpan? Pause()
    {
        _times.RemoveAll(at => time.GetElapsedTime(at) > Window);
        if (_times.Count < FreeRepairs)
        {
            Contested = _times.Count == 0 ? null : Contested;
            return null;
        }
        TimeSpan left = Interval - time.GetElapsedTime(_times[^1]);
        return left > TimeSpan.Zero ? left : null;
    }

    /// <param name="what">What a pass did though nobody asked for another configuration.</param>
    public void Count(string what)
    {
        _times.Add(time.GetTimestamp());
        if (_times.Count >= FreeRepairs)
            Contested ??= what;
    }
}
