using HostGw.Platform;
using Microsoft.Extensions.Hosting;

namespace HostGw.Reconciliation;

/// <summary>Passes what the host announces on to the loop.</summary>
internal sealed class HostWatch(IHostNetwork host, WakeUp wakeUp) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => host.WatchAsync(wakeUp.Signal, stoppingToken);
}
