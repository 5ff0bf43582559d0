namespace HostGw.FakeApi.Http;

/// <summary>Ends all open watches at once, cleanly or with an ERROR event.</summary>
internal sealed class WatchEnds : IDisposable
{
    private WatchEnd _next = new();

    /// <summary>What ends the watches that begin now.</summary>
    public WatchEnd Next => Volatile.Read(ref _next);

    // The one that came is left to the collector: watches may be linking to it.
    public void End(bool expired) => Interlocked.Exchange(ref _next, new WatchEnd()).Come(expired);

    public void Dispose() => _next.Dispose();
}

/// <summary>One such end.</summary>
internal sealed class WatchEnd : CancellationTokenSource
{
    /// <summary>It has come, and the watches should say that their revision is too old.</summary>
    public bool IsExpiry { get; private set; }

    public void Come(bool expired)
    {
        IsExpiry = expired;
        Cancel();
    }
}
