using System.Threading.Channels;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>Tells the loop that something changed. However many signals come during a pass, they make one more pass.</summary>
internal sealed class WakeUp(TimeProvider time)
{
    private readonly Channel<bool> _signal =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private int _causes;
    private long _firstNews;

    /// <summary>When the first of the signals came that the latest wait returned for; null where it returned without one.</summary>
    public long? NewsAt { get; private set; }

    public void Signal(WakeCauses cause)
    {
        // Before the cause: whoever takes the cause takes its time with it.
        Interlocked.CompareExchange(ref _firstNews, time.GetTimestamp(), 0);
        Interlocked.Or(ref _causes, (int)cause);
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Returns the causes at the next signal, or <paramref name="otherwise"/> after <paramref name="atMost"/> without one.</summary>
    public async Task<WakeCauses> WaitAsync(TimeSpan atMost, WakeCauses otherwise, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        while (true)
        {
            try
            {
                await _signal.Reader.ReadAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                NewsAt = null;
                return otherwise;
            }
            // None: the previous call took the cause when this signal had not been written yet.
            if (Interlocked.Exchange(ref _causes, 0) is var causes and not 0)
            {
                NewsAt = Interlocked.Exchange(ref _firstNews, 0) is var at and not 0 ? at : null;
                return (WakeCauses)causes;
            }
        }
    }
}
