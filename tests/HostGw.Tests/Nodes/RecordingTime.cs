namespace HostGw.Tests.Nodes;

/// <summary>Remembers to what timers were set after they were made.</summary>
internal sealed class RecordingTime : TimeProvider
{
    private readonly List<TimeSpan> _set = [];

    public TimeSpan[] Set
    {
        get
        {
            lock (_set)
                return [.. _set];
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new RecordingTimer(base.CreateTimer(callback, state, dueTime, period), this);

    private sealed class RecordingTimer(ITimer timer, RecordingTime time) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._set)
                time._set.Add(dueTime);
            return timer.Change(dueTime, period);
        }

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
