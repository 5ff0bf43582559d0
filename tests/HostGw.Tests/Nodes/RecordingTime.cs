namespace HostGw.Tests.Nodes;

/// <summary>Remembers to what timers were set after they were made, and how long they were waited for.</summary>
internal sealed class RecordingTime : TimeProvider
{
    private readonly List<TimeSpan> _set = [];
    private long _waited;

    /// <summary>The pauses that are over, however much longer the machine took.</summary>
    public TimeSpan Waited => new(Interlocked.Read(ref _waited));

    public TimeSpan[] Set
    {
        get
        {
            lock (_set)
                return [.. _set];
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new RecordingTimer(this, () => callback(state)).Begin(dueTime, period);

    private sealed class RecordingTimer : ITimer
    {
        private readonly RecordingTime _time;
        private readonly ITimer _timer;
        private TimeSpan _due;

        public RecordingTimer(RecordingTime time, Action callback)
        {
            _time = time;
            _timer = TimeProvider.System.CreateTimer(_ => Fire(callback), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public RecordingTimer Begin(TimeSpan dueTime, TimeSpan period)
        {
            _due = dueTime;
            _timer.Change(dueTime, period);
            return this;
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (_time._set)
                _time._set.Add(dueTime);
            Begin(dueTime, period);
            return true;
        }

        public void Dispose() => _timer.Dispose();

        public ValueTask DisposeAsync() => _timer.DisposeAsync();

        private void Fire(Action callback)
        {
            Interlocked.Add(ref _time._waited, _due.Ticks);
            callback();
        }
    }
}
