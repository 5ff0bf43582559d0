namespace HostGw.FakeApi.Http;

/// <summary>How many lists are sent at once. The others wait, and who waits for too long is told to come again.</summary>
/// <remarks>
/// https://kubernetes.io/docs/concepts/cluster-administration/flow-control: a streaming list has a seat until its initial events are
/// sent, and a request waits for a quarter of its timeout of a minute at most.
/// </remarks>
internal sealed class Seats(int count, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(15);

    private readonly SemaphoreSlim _free = new(count);

    /// <summary>Disposed when the list is sent.</summary>
    /// <exception cref="ApiException">429, with Retry-After.</exception>
    public async Task<Seat> TakeAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(LongestWait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await _free.WaitAsync(either.Token);
            return new(_free);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw ApiException.NoSeat();
        }
    }

    public void Dispose() => _free.Dispose();
}

/// <summary>The place of one list among those that are sent.</summary>
internal sealed class Seat(SemaphoreSlim free) : IDisposable
{
    private SemaphoreSlim? _free = free;

    public void Dispose() => Interlocked.Exchange(ref _free, null)?.Release();
}
