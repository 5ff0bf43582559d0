using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>Slows down where somebody undoes our repairs of the masquerade rule or the accept in chain FORWARD.</summary>
internal sealed class RuleBrake(TimeProvider time)
{
    private const int FreeRepairs = 5;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    // Time stamps, not clock time: a clock that is set back must not put a repair off for as long.
    private readonly List<long> _times = [];

    /// <summary>What had to be repaired and who last changed it, as found when it became a fight; null: there is none.</summary>
    public string? Contested { get; private set; }

    /// <summary>How long until rules may be repaired again; null: now.</summary>
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

    /// <summary>Counts the repair that a pass made, if it made one: one that the host refused was none.</summary>
    public void Count(ApplyResult result)
    {
        bool failed = result.Failures.Any(f => f.Part is HostPart.Nat or HostPart.Forward);
        string[] what = [.. ((string[])[result.NatChange, result.ForwardChange]).Where(w => w.Length > 0)];
        if (failed || what.Length == 0)
            return;
        _times.Add(time.GetTimestamp());
        if (_times.Count >= FreeRepairs)
            Contested ??= $"{string.Join("; ", what)}{(result.RulesWriter.Length > 0 ? $"; last changed by the program {result.RulesWriter}" : "")}";
    }
}
