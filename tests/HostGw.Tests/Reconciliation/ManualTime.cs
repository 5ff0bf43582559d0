namespace HostGw.Tests.Reconciliation;

/// <summary>Time that passes when a test says so.</summary>
internal sealed class ManualTime : TimeProvider
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private TimeSpan _clockIsAhead;
    private DateTimeOffset _now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
            return _now + _clockIsAhead;
    }

    public override long GetTimestamp()
    {
        lock (_lock)
            return _now.UtcTicks;
    }

    /// <summary>Somebody sets the clock; no time passes.</summary>
    public void SetClock(TimeSpan by) => _clockIsAhead += by;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        ManualTimer[] due;
        lock (_lock)
        {
            _now += by;
            due = [.. _timers.Where(t => t.At <= _now).OrderBy(t => t.At)];
            _timers.RemoveAll(t => t.At <= _now);
        }
        foreach (ManualTimer timer in due)
            timer.Fire();
    }

    /// <summary>Waits until somebody waits for exactly so long from now.</summary>
    public async Task AwaitedAsync(TimeSpan duration)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (!IsAwaited(duration))
        {
            Assert.False(deadline.IsCancellationRequested, $"nobody waits for {duration}, but for {string.Join(", ", Pending())}");
            await Task.Delay(1, CancellationToken.None);
        }
    }

    public TimeSpan[] Pending()
    {
        lock (_lock)
            return [.. _timers.Select(t => t.At - _now).Order()];
    }

    private bool IsAwaited(TimeSpan duration) => Pending().Contains(duration);

    private sealed class ManualTimer(ManualTime time, Action callback) : ITimer
    {
        public DateTimeOffset At { get; private set; }

        public void Fire() => callback();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                time._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                At = time._now + dueTime;
                time._timers.Add(this);
                return true;
            }
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
