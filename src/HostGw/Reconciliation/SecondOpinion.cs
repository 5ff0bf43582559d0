namespace HostGw.Reconciliation;

/// <summary>
/// Has all nodes read by quorum where what was read is hard to believe: most of our routes would go, or our own Node is
/// missing. A list that left it out for a moment would otherwise stand for as long as nothing changes.
/// </summary>
/// <param name="read">Reads them; a pass follows in any case.</param>
internal sealed class SecondOpinion(Action read, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private ITimer? _timer;
    private TimeSpan _pause = FirstPause;

    public void After(PassReport report)
    {
        if (report.HeldRemovals is not null)
            read();
        if (report.Plan is not { } plan)
            return;
        lock (_lock)
        {
            if (plan.KnowsSelf)
                _pause = FirstPause;
            else if (_timer is null)
                ReadLater();
        }
    }

    public void Dispose()
    {
        lock (_lock)
            _timer?.Dispose();
    }

    // A node that is not registered yet, or no more, must not cost the API server a list every second.
    private void ReadLater()
    {
        _timer = time.CreateTimer(_ => ReadNow(), null, _pause, Timeout.InfiniteTimeSpan);
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
    }

    private void ReadNow()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
        }
        read();
    }
}
