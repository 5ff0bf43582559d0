namespace HostGw.Reconciliation;

/// <summary>
/// Has all nodes read by quorum where the list is doubtful: most of our routes would be removed, or this host's own Node is missing.
/// A list that left it out for a moment would otherwise remain in effect until something changes.
/// </summary>
/// <param name="read">Reads them; a pass follows in any case.</param>
internal sealed class QuorumReadTrigger(Action read, TimeProvider time) : IDisposable
{
    // A Node that is not registered yet, or no longer, must not cost the API server a list every second. No jitter: each agent
    // starts at another moment. A timer and no Polly pipeline: an attempt's outcome is a later pass, which comes from elsewhere.
    private static readonly Backoff Backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));

    private readonly Lock _lock = new();
    private ITimer? _timer;
    private int _reads;

    public void After(PassReport report)
    {
        if (report.HeldRemovals is not null)
            read();
        if (report.Plan is not { } plan)
            return;
        lock (_lock)
        {
            if (plan.KnowsSelf)
                _reads = 0;
            else
                _timer ??= time.CreateTimer(_ => Read(), null, Backoff.Delay(_reads++), Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_lock)
            _timer?.Dispose();
    }

    private void Read()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
        }
        read();
    }
}
