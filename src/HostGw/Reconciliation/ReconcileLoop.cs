using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using Microsoft.Extensions.Hosting;

namespace HostGw.Reconciliation;

/// <summary>Runs a pass when something changed, when a pass failed, and once in a while regardless.</summary>
/// <param name="apiServer">The address that the API client is connected to at the moment.</param>
/// <param name="record">Takes the report of every pass.</param>
internal sealed class ReconcileLoop(
    Reconciler reconciler, NodeStore nodes, Func<Ip> apiServer, WakeUp wakeUp, LoopTimes times, TimeProvider time, PassClock clock,
    Action<PassReport> record, PassLog log) : BackgroundService
{
    // Nodes, or routes.
    private const int Many = 1000;

    private bool _owes;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        PassTimes passTimes = new(times, time);
        WakeCauses causes = WakeCauses.None;
        while (!stoppingToken.IsCancellationRequested)
        {
            causes |= await wakeUp.WaitAsync(passTimes.Wait, passTimes.Otherwise, stoppingToken);
            // Before the first complete list an empty set of nodes would look like "remove everything".
            if (nodes.Snapshot is not { IsComplete: true } snapshot)
                continue;

            clock.Begin();
            PassReport report = reconciler.Run(snapshot, apiServer(), passTimes.WithDue(causes));
            log.Write(report);
            record(report);
            clock.End();
            passTimes.After(report);
            causes = WakeCauses.None;
            GiveBack(report);

            // The first change after quiet is applied at once; under a storm the rest of it gathers meanwhile.
            await Task.Delay(times.BetweenPasses, time, stoppingToken);
        }
    }

    // A first list leaves many times what stays of it, and a quiet agent has no other occasion to give it back. Once
    // more a while later, when what else begins with it has run, too.
    private void GiveBack(PassReport report)
    {
        bool much = report.Causes.HasFlag(WakeCauses.Start) || report.Routes.Add.Count >= Many;
        if (!much && !(_owes && report.Causes.HasFlag(WakeCauses.Resync)))
            return;
        _owes = much;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
    }
}
