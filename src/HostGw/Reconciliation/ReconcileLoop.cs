using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using Microsoft.Extensions.Hosting;

namespace HostGw.Reconciliation;

/// <summary>Runs a pass when something changed, when a pass failed, and once in a while regardless.</summary>
/// <param name="apiServer">The address that the API client is connected to at the moment.</param>
/// <param name="record">Takes the report of every pass.</param>
internal sealed class ReconcileLoop(
    Reconciler reconciler, NodeStore nodes, Func<Ip> apiServer, WakeUp wakeUp, LoopTimes times, TimeProvider time,
    Action<PassReport> record, PassLog log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TimeSpan retry = times.FirstRetry;
        TimeSpan wait = times.Resync;
        WakeCauses otherwise = WakeCauses.Resync;
        while (!stoppingToken.IsCancellationRequested)
        {
            WakeCauses causes = await wakeUp.WaitAsync(wait, otherwise, stoppingToken);
            // Before the first complete list an empty set of nodes would look like "remove everything".
            if (nodes.Snapshot is not { IsComplete: true } snapshot)
                continue;

            PassReport report = reconciler.Run(snapshot, apiServer(), causes);
            log.Write(report);
            record(report);

            (wait, otherwise) = report.IsUnfinished ? (retry, WakeCauses.Retry) : (times.Resync, WakeCauses.Resync);
            retry = report.IsUnfinished ? Min(retry * 2, times.Resync) : times.FirstRetry;

            // The first change after quiet is applied at once; under a storm the rest of it gathers meanwhile.
            await Task.Delay(times.BetweenPasses, time, stoppingToken);
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

/// <param name="BetweenPasses">At most one pass in this time.</param>
internal sealed record LoopTimes(TimeSpan Resync, TimeSpan FirstRetry, TimeSpan BetweenPasses)
{
    public static LoopTimes WithResync(int seconds) => new(TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(50));
}
