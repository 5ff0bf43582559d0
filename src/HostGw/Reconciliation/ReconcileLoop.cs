using System.Threading.Channels;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using Microsoft.Extensions.Hosting;

namespace HostGw.Reconciliation;

/// <summary>Runs a pass when something changed, when a pass failed, and periodically.</summary>
/// <param name="apiServers">The known addresses of the API server, beginning with the one that the API client is connected to.</param>
/// <param name="record">Takes the report of every pass.</param>
internal sealed class ReconcileLoop(
    Reconciler reconciler, NodeStore nodes, Func<IReadOnlyList<Ip>> apiServers, WakeUp wakeUp, LoopTimes times, TimeProvider time,
    PassClock clock, Action<PassReport> record) : BackgroundService
{
    private const int ManyRoutes = 1000;

    // Longer than what a pass starts takes: Events, the saved nodes, the condition of the Node.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    private readonly Timer _collection = new(_ => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive));
    private Plan? _plan;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        PassTimes passTimes = new(times, time);
        WakeCauses causes = WakeCauses.None;
        while (!stoppingToken.IsCancellationRequested)
        {
            causes |= await wakeUp.WaitAsync(passTimes.Wait, passTimes.CauseAfterWait, stoppingToken);
            // Before the first complete list an empty set of nodes would look like "remove everything".
            if (nodes.Snapshot is not { IsComplete: true } snapshot)
                continue;

            clock.Begin();
            PassReport report = reconciler.Run(snapshot, apiServers(), passTimes.WithDue(causes));
            record(report);
            clock.End();
            passTimes.After(report);
            causes = WakeCauses.None;
            CollectGarbageAfter(report);

            // The first change after a quiet time is applied at once; in a storm the others are collected meanwhile.
            if (!report.Continues)
                await Task.Delay(times.BetweenPasses, time, stoppingToken);
        }
    }

    public override void Dispose()
    {
        _collection.Dispose();
        base.Dispose();
    }

    // A list, a new plan and a pass with many routes allocate many times what is kept, and a quiet agent has no other occasion to
    // return that memory to the system: 3 MB at 5,000 nodes. Not in a storm, where the next pass leaves as much.
    private void CollectGarbageAfter(PassReport report)
    {
        if (ReferenceEquals(report.Plan, _plan) && report.Routes.Add.Count < ManyRoutes)
            return;
        _plan = report.Plan;
        _collection.Change(Quiet, Timeout.InfiniteTimeSpan);
    }
}

/// <summary>The times between passes.</summary>
/// <param name="Resync">From a pass to the next when nothing happens; also the longest time between two full passes.</param>
/// <param name="FirstRetry">
/// From a pass that failed to the next; doubled each time up to <paramref name="Resync"/>, at most a minute.
/// </param>
/// <param name="BetweenPasses">The shortest time from the end of a pass to the next, unless that continues it.</param>
internal sealed record LoopTimes(TimeSpan Resync, TimeSpan FirstRetry, TimeSpan BetweenPasses)
{
    public static LoopTimes WithResync(int seconds) =>
        new(TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(50));
}

/// <summary>When the next pass is due if nothing is announced: periodically, sooner after a failure or for a delayed repair.</summary>
internal sealed class PassTimes(LoopTimes times, TimeProvider time)
{
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(60);

    private readonly Backoff _retry = new(times.FirstRetry, times.Resync < LongestRetry ? times.Resync : LongestRetry);
    private int _retries;
    private long? _fullAt;

    public TimeSpan Wait { get; private set; } = times.Resync;

    /// <summary>The cause of the pass that follows when nothing was announced in that time.</summary>
    public WakeCauses CauseAfterWait { get; private set; } = WakeCauses.Resync;

    /// <summary>Adds Resync where that is due: frequent notifications must not put the periodic pass off for ever.</summary>
    public WakeCauses WithDue(WakeCauses causes) =>
        _fullAt is { } at && time.GetElapsedTime(at) >= times.Resync ? causes | WakeCauses.Resync : causes;

    public void After(PassReport report)
    {
        if (_fullAt is null || report.Causes.HasFlag(WakeCauses.Resync))
            _fullAt = time.GetTimestamp();
        // Only a retry doubles the pause: a storm of notifications must not put the next one off.
        if (!report.IsUnfinished || report.Continues)
            _retries = 0;
        else if (report.Causes.HasFlag(WakeCauses.Retry))
            _retries++;

        TimeSpan wait = report.Continues ? TimeSpan.Zero : report.IsUnfinished ? _retry.Delay(_retries) : times.Resync;
        // A contest that has ended is reported until the next pass.
        Wait = ((TimeSpan?[])[wait, report.HeldRepairs.Wait, report.Contests.Rest]).Min()!.Value;
        // The pass that follows a change of hostgw0 by HostGw need not read rules again.
        CauseAfterWait = report is { Continues: true, Failures.Count: 0 } ? WakeCauses.Links
            : report.IsUnfinished || Wait < wait ? WakeCauses.Retry
            : WakeCauses.Resync;
    }
}

/// <summary>Tells the loop that something changed. However many signals come during a pass, they make one more pass.</summary>
internal sealed class WakeUp(TimeProvider time)
{
    private readonly Channel<bool> _signal =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly Lock _lock = new();
    private WakeCauses _causes;
    private long? _firstAt;

    /// <summary>The time stamp of the first signal that the latest wait returned for; null if it returned without one.</summary>
    public long? FirstSignalAt { get; private set; }

    public void Signal(WakeCauses cause)
    {
        lock (_lock)
        {
            _causes |= cause;
            _firstAt ??= time.GetTimestamp();
        }
        _signal.Writer.TryWrite(true);
    }

    /// <returns>
    /// The causes at the next signal, or <paramref name="otherwise"/> after <paramref name="atMost"/> without one; both where that is zero.
    /// </returns>
    public async Task<WakeCauses> WaitAsync(TimeSpan atMost, WakeCauses otherwise, CancellationToken cancellationToken)
    {
        if (atMost == TimeSpan.Zero)
        {
            _signal.Reader.TryRead(out _);
            return Take() | otherwise;
        }
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
                FirstSignalAt = null;
                return otherwise;
            }
            // None: the previous call took the cause before the signal was written to the channel.
            if (Take() is var causes and not WakeCauses.None)
                return causes;
        }
    }

    private WakeCauses Take()
    {
        lock (_lock)
        {
            WakeCauses causes = _causes;
            FirstSignalAt = _firstAt;
            (_causes, _firstAt) = (WakeCauses.None, null);
            return causes;
        }
    }
}

/// <summary>Wakes the loop when the host announces a change.</summary>
internal sealed class HostWatch(IHostNetwork host, WakeUp wakeUp) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => host.WatchAsync(wakeUp.Signal, stoppingToken);
}

/// <summary>
/// Whether passes go on, for the kubelet's probes. Monotonic: setting the clock changes nothing. One writer, any number of readers.
/// </summary>
internal sealed class PassClock(TimeProvider time, TimeSpan resync)
{
    private static readonly TimeSpan LongestPass = TimeSpan.FromMinutes(2);

    // Time stamps; 0: none.
    private long _began;
    private long _ended;

    /// <summary>Why this host is not ready; null: the last pass is recent, or there was none yet.</summary>
    public string? Overdue => Older(_ended, Longer(TimeSpan.FromSeconds(60), 3 * resync), "the last pass ended");

    /// <summary>Why the agent should be restarted; null: it works, or waits for its first list of nodes.</summary>
    public string? Stuck => Older(_began, LongestPass, "a pass began") ??
        Older(_ended, Longer(TimeSpan.FromSeconds(120), 5 * resync), "the last pass ended");

    public void Begin() => Volatile.Write(ref _began, time.GetTimestamp());

    public void End()
    {
        Volatile.Write(ref _ended, time.GetTimestamp());
        Volatile.Write(ref _began, 0);
    }

    private string? Older(in long since, TimeSpan limit, string what) =>
        Volatile.Read(in since) is var at and not 0 && time.GetElapsedTime(at) is var age && age > limit
            ? $"{what} {age.TotalSeconds:F0} s ago and none has ended since; at most {limit.TotalSeconds:F0} s are normal"
            : null;

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
