namespace HostGw.Tests.Nodes;

/// <summary>
/// The system's clock, with limits that come twenty times as late: a slow machine may take that long for an answer. Shorter timers are
/// pauses and as long as ever.
/// </summary>
/// <param name="shortestLimit">Of the part of the product that gets this clock.</param>
internal sealed class PatientTime(TimeSpan shortestLimit) : TimeProvider
{
    private const int Times = 20;

    public static PatientTime OfClient { get; } = new(TimeSpan.FromSeconds(5));

    public static PatientTime OfReflector { get; } = new(TimeSpan.FromSeconds(10));

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new ChangedTimer(base.CreateTimer(callback, state, Later(dueTime), period), Later);

    public TimeSpan Later(TimeSpan dueTime) => dueTime >= shortestLimit ? dueTime * Times : dueTime;
}

/// <summary>Timers of more than <paramref name="from"/> and up to <paramref name="upTo"/> fire so many times too soon; other limits of a
/// reflector are patient.</summary>
internal sealed class FastTime(double times, TimeSpan upTo, TimeSpan from = default) : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new ChangedTimer(base.CreateTimer(callback, state, Sooner(dueTime), period), Sooner);

    private TimeSpan Sooner(TimeSpan dueTime) => dueTime > from && dueTime < upTo ? dueTime / times : PatientTime.OfReflector.Later(dueTime);
}

/// <summary>A timer that is set to another time than it is told.</summary>
internal sealed class ChangedTimer(ITimer timer, Func<TimeSpan, TimeSpan> change) : ITimer
{
    public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(change(dueTime), period);

    public void Dispose() => timer.Dispose();

    public ValueTask DisposeAsync() => timer.DisposeAsync();
}
