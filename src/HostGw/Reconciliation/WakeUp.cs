using System.Threading.Channels;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>Tells the loop that something changed. However many signals come during a pass, they make one more pass.</summary>
internal sealed class WakeUp(TimeProvider time)
{
    private readonly Channel<bool> _signal =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private int _causes;

    public void Signal(WakeCauses cause)
    {
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
                return otherwise;
            }
            // None: the previous call took the cause when this signal had not been written yet.
            if (Interlocked.Exchange(ref _causes, 0) is var causes and not 0)
                return (WakeCauses)causes;
        }
    }
}
