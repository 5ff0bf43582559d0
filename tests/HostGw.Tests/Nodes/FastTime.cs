namespace HostGw.Tests.Nodes;

/// <summary>Timers of more than <paramref name="from"/> and up to <paramref name="upTo"/> fire so many times too soon.</summary>
internal sealed class FastTime(double times, TimeSpan upTo, TimeSpan from = default) : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new FastTimer(base.CreateTimer(callback, state, Sooner(dueTime), period), this);

    private TimeSpan Sooner(TimeSpan dueTime) => dueTime > from && dueTime < upTo ? dueTime / times : dueTime;

    private sealed class FastTimer(ITimer timer, FastTime time) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(time.Sooner(dueTime), period);

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
