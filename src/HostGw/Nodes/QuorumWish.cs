namespace HostGw.Nodes;

/// <summary>Somebody wants all nodes read by quorum, whatever is under way.</summary>
internal sealed class QuorumWish : IDisposable
{
    private readonly Lock _lock = new();
    private CancellationTokenSource _interrupt = new();
    private bool _isMade;

    public bool IsMade
    {
        get
        {
            lock (_lock)
                return _isMade;
        }
    }

    /// <summary>Cancelled when it is made.</summary>
    public CancellationToken Interrupt
    {
        get
        {
            lock (_lock)
                return _interrupt.Token;
        }
    }

    public void Make()
    {
        lock (_lock)
        {
            _isMade = true;
            _interrupt.Cancel();
        }
    }

    public void Fulfilled()
    {
        lock (_lock)
        {
            _isMade = false;
            _interrupt.Dispose();
            _interrupt = new();
        }
    }

    public void Dispose() => _interrupt.Dispose();
}
