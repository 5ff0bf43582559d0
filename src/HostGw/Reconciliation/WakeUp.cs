using System.Threading.Channels;

namespace HostGw.Reconciliation;

/// <summary>Why a pass runs. Several causes may share one pass.</summary>
[Flags]
internal enum WakeCauses
{
    None = 0,
    Start = 1,
    Nodes = 2,
    Routes = 4,
    Links = 8,
    Addresses = 16,
    Forwarding = 32,
    Nat = 64,

    /// <summary>The kernel told more than could be read: anything may have changed.</summary>
    Overrun = 128,

    /// <summary>An operation failed, or could not be finished.</summary>
    Retry = 256,

    /// <summary>Nothing was announced for the resync interval.</summary>
    Resync = 512,
}

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
        try
        {
            await _signal.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return otherwise;
        }
        return (WakeCauses)Interlocked.Exchange(ref _causes, 0);
    }
}
