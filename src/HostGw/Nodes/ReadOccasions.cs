using System.Threading.Channels;

namespace HostGw.Nodes;

/// <summary>When API objects other than Nodes are read: after each list of nodes, and periodically.</summary>
internal sealed class ReadOccasions(TimeProvider time)
{
    public static readonly TimeSpan Period = TimeSpan.FromMinutes(10);

    /// <summary>After a list routes are more urgent, and a server that has just restarted is busy.</summary>
    public static readonly TimeSpan AfterList = TimeSpan.FromSeconds(5);

    private readonly Channel<bool> _listed =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>A list of nodes is complete.</summary>
    public void Listed() => _listed.Writer.TryWrite(true);

    /// <summary>Returns <paramref name="afterList"/> after the next list, or after <paramref name="atMost"/> without one.</summary>
    public async Task WaitAsync(TimeSpan afterList, TimeSpan atMost, CancellationToken stoppingToken)
    {
        using var timeout = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stoppingToken);
        try
        {
            await _listed.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            return;
        }
        if (afterList > TimeSpan.Zero)
            await Task.Delay(afterList, time, stoppingToken);
    }
}
