namespace HostGw.FakeApi.Http;

/// <summary>Ends all open watches at once, cleanly or with an ERROR event.</summary>
internal sealed class WatchEnds : IDisposable
{
    private CancellationTokenSource _current = new();

    public CancellationToken Token => Volatile.Read(ref _current).Token;

    /// <summary>Whether the watches that end now should say that their revision expired.</summary>
    public bool LastWasExpiry { get; private set; }

    public void End(bool expired)
    {
        LastWasExpiry = expired;
        using CancellationTokenSource ended = Interlocked.Exchange(ref _current, new CancellationTokenSource());
        ended.Cancel();
    }

    public void Dispose() => _current.Dispose();
}
