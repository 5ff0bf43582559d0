using HostGw.Platform;
using Microsoft.Extensions.Hosting;

namespace HostGw.Reconciliation;

/// <summary>Passes what the host announces on to the loop. It listens before the first pass reads, so that nothing falls between.</summary>
internal sealed class HostWatch(IHostNetwork host, WakeUp wakeUp) : BackgroundService
{
    private readonly CancellationTokenSource _stop = new();
    private Task _watching = Task.CompletedTask;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _watching = host.WatchAsync(wakeUp.Signal, _stop.Token);
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _stop.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _watching;
}
