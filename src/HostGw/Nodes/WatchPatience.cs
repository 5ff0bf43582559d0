namespace HostGw.Nodes;

/// <summary>How long a watch may go on, and how long it may say nothing before its connection counts as dead.</summary>
/// <param name="atMost">The server ends it then.</param>
/// <param name="pinged">Its connection is asked whether it lives: silence means nothing.</param>
internal sealed class WatchPatience(TimeSpan atMost, bool pinged, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    // An old server begins an ordinary watch where it is asked for a list; on a quiet cluster it then says nothing.
    private static readonly TimeSpan SilenceInList = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(25);

    private readonly CancellationTokenSource _end = new(atMost + Grace, time);

    /// <summary>Cancelled when it has lasted too long.</summary>
    public CancellationToken End => _end.Token;

    /// <summary>More of the list must come, and soon.</summary>
    public void AwaitList() => _end.CancelAfter(SilenceInList);

    /// <summary>Changes are what comes from now on.</summary>
    public void AwaitEvents() => _end.CancelAfter(pinged ? atMost + Grace : Silence);

    /// <summary>An event came.</summary>
    public void Heard()
    {
        if (!pinged)
            _end.CancelAfter(Silence);
    }

    public void Dispose() => _end.Dispose();
}
