using System.Threading.Channels;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using Microsoft.Extensions.Hosting;

namespace HostGw.Reconciliation;

/// <summary>Runs a pass when something changed, when a pass failed, and periodically.</summary>
/// <param name="apiServer">The address that the API client is connected to at the moment.</param>
/// <param name="record">Takes the report of every pass.</param>
internal sealed class ReconcileLoop(
    Reconciler reconciler, NodeStore nodes, Func<Ip> apiServer, WakeUp wakeUp, LoopTimes times, TimeProvider time, PassClock clock,
    Action<PassReport> record) : BackgroundService
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
            record(report);
            clock.End();
            passTimes.After(report);
            causes = WakeCauses.None;
            GiveBack(report);

            // The first change after a quiet time is applied at once; in a storm the others are collected meanwhile.
            await Task.Delay(times.BetweenPasses, time, stoppingToken);
        }
    }

    // A first list allocates many times what is kept of it, and a quiet agent has no other occasion to return it. Once more at the
    // next periodic pass, when everything else that starts with the agent has run.
    private void GiveBack(PassReport report)
    {
        bool much = report.Causes.HasFlag(WakeCauses.Start) || report.Routes.Add.Count >= Many;
        if (!much && !(_owes && report.Causes.HasFlag(WakeCauses.Resync)))
            return;
        _owes = much;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
    }
}

/// <param name="Resync">From a pass to the next when nothing happens, and at most from one full pass to the next.</param>
/// <param name="FirstRetry">From a pass that failed to the next; doubled each time up to <paramref name="Resync"/>.</param>
/// <param name="BetweenPasses">At most one pass in this time.</param>
internal sealed record LoopTimes(TimeSpan Resync, TimeSpan FirstRetry, TimeSpan BetweenPasses)
{
    public static LoopTimes WithResync(int seconds) =>
        new(TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(50));
}

/// <summary>When the next pass is due if nothing is announced: periodically, or sooner where one could not finish.</summary>
internal sealed class PassTimes(LoopTimes times, TimeProvider time)
{
    private readonly Backoff _retry = new(times.FirstRetry, times.Resync);
    private int _retries;
    private long? _fullAt;

    public TimeSpan Wait { get; private set; } = times.Resync;

    /// <summary>The cause of that pass.</summary>
    public WakeCauses Otherwise { get; private set; } = WakeCauses.Resync;

    /// <summary>Adds Resync where that is due: frequent notifications must not put the periodic pass off for ever.</summary>
    public WakeCauses WithDue(WakeCauses causes) =>
        _fullAt is { } at && time.GetElapsedTime(at) >= times.Resync ? causes | WakeCauses.Resync : causes;

    public void After(PassReport report)
    {
        if (_fullAt is null || report.Causes.HasFlag(WakeCauses.Resync))
            _fullAt = time.GetTimestamp();
        // Only a retry doubles the pause: a storm of notifications must not put the next one off.
        if (!report.IsUnfinished)
            _retries = 0;
        else if (report.Causes.HasFlag(WakeCauses.Retry))
            _retries++;

        TimeSpan wait = report.IsUnfinished ? _retry.Delay(_retries) : times.Resync;
        Wait = report.HeldRepairs.For is { } held && held < wait ? held : wait;
        Otherwise = report.IsUnfinished || report.HeldRepairs.For is not null ? WakeCauses.Retry : WakeCauses.Resync;
    }
}

/// <summary>Tells the loop that something changed. However many signals come during a pass, they make one more pass.</summary>
internal sealed class WakeUp(TimeProvider time)
{
    private readonly Channel<bool> _signal =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private int _causes;
    private long _firstNews;

    /// <summary>When the first of the signals came that the latest wait returned for; null where it returned without one.</summary>
    public long? NewsAt { get; private set; }

    public void Signal(WakeCauses cause)
    {
        // Before the cause: whoever takes the cause takes its time with it.
        Interlocked.CompareExchange(ref _firstNews, time.GetTimestamp(), 0);
        Interlocked.Or(ref _causes, (int)cause);
        _signal.Writer.TryWrite(true);
    }

    /// <returns>The causes at the next signal, or <paramref name="otherwise"/> after <paramref name="atMost"/> without one.</returns>
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
                NewsAt = null;
                return otherwise;
            }
            // None: the previous call took the cause when this signal had not been written yet.
            if (Interlocked.Exchange(ref _causes, 0) is var causes and not 0)
            {
                NewsAt = Interlocked.Exchange(ref _firstNews, 0) is var at and not 0 ? at : null;
                return (WakeCauses)causes;
            }
        }
    }
}

/// <summary>Wakes the loop when the host announces a change.</summary>
internal sealed class HostWatch(IHostNetwork host, WakeUp wakeUp) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => host.WatchAsync(wakeUp.Signal, stoppingToken);
}
