namespace HostGw.Tests.Nodes;

/// <summary>Remembers to what timers were set after they were made, and how long they were waited for. Limits are patient.</summary>
/// <param name="times">Pauses are over so many times too soon, and count as if they were not.</param>
internal sealed class RecordingTime(double times = 1) : TimeProvider
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

    private TimeSpan Actual(TimeSpan dueTime) => PatientTime.OfReflector.Later(dueTime) is var later && later > dueTime ? later
        : dueTime > TimeSpan.Zero ? dueTime / times
        : dueTime;

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
            _timer.Change(_time.Actual(dueTime), period);
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
