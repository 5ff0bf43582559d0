namespace HostGw.Kubernetes;

/// <summary>A request from another thread to list by quorum, whatever the reflector is doing.</summary>
internal sealed class QuorumReadRequest : IDisposable
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

    /// <summary>Cancelled when the request is made.</summary>
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
