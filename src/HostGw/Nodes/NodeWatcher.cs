using HostGw.Kubernetes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Polly;

namespace HostGw.Nodes;

/// <summary>Keeps the store equal to the API server's nodes: lists once, then watches, and lists again only when the server has forgotten where we were.</summary>
/// <param name="changed">Called after each change that planning would see, never for a heartbeat.</param>
internal sealed class NodeWatcher(
    ApiClient client, NodeReader reader, NodeStore store, Action changed, TimeProvider time, ILogger<NodeWatcher> logger) : BackgroundService
{
    // A watch that ends sooner counts as a failed attempt, so that no server can make us spin.
    private static readonly TimeSpan SettledAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReconnectSpread = TimeSpan.FromSeconds(1);
    private const int TimeoutsBeforeList = 3;

    // The heartbeats of so many nodes come every few seconds at most: a connection that is silent is dead, and needs no ping.
    private const int NeverSilent = 1000;

    private readonly NodeLister _lister = new(client, reader, store, time);
    private readonly StreamingList _streaming = new(client, store);
    private readonly NodeFeedState _feed = new(time, logger);
    private readonly QuorumWish _quorum = new();
    private bool _mustList = true;
    private int _timeouts;

    public NodeFeed Feed => _feed.Now;

    /// <summary>Reads all nodes by quorum as soon as the API server lets us, and says so though nothing may have changed.</summary>
    public void ReadByQuorum() => _quorum.Make();

    /// <summary>Runs until cancelled; every failure of the API server is retried.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        ResiliencePipeline<WatchEnd> untilSettled = WatchRetry.Build(time, _feed.Failed);
        while (true)
        {
            WatchEnd end = await untilSettled.ExecuteAsync(static (watcher, token) => new ValueTask<WatchEnd>(watcher.FollowAsync(token)), this, stoppingToken);
            // Thousands of agents lose the same API server at the same moment.
            if (end != WatchEnd.Ordinary)
                await Task.Delay(ReconnectSpread * Random.Shared.NextDouble(), time, stoppingToken);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => RunAsync(stoppingToken);

    private async Task<WatchEnd> FollowAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_quorum.IsMade || (_mustList && !_streaming.IsDue))
                await ListAsync(cancellationToken);

            long start = time.GetTimestamp();
            WatchEnd end = await (_mustList ? StreamAsync(cancellationToken) : WatchAsync(cancellationToken));
            if (end != WatchEnd.NeedsPages && end != WatchEnd.Interrupted)
                return time.GetElapsedTime(start) >= SettledAfter ? end : WatchEnd.TooSoon;
        }
    }

    private async Task ListAsync(CancellationToken cancellationToken)
    {
        bool byQuorum = _quorum.IsMade;
        bool different = await _lister.ListAsync(cancellationToken, byQuorum);
        if (byQuorum)
            _quorum.Fulfilled();
        _streaming.Replaced();
        Listed(different);
    }

    private void Streamed(bool different)
    {
        _feed.Reached();
        Listed(different);
    }

    private void Listed(bool different)
    {
        _mustList = false;
        _feed.Listed();
        logger.NodesListed(store.Snapshot.Nodes.Length, store.ResourceVersion);
        if (different)
            changed();
    }

    // A list and, on the same connection, what happens after it.
    private async Task<WatchEnd> StreamAsync(CancellationToken cancellationToken)
    {
        try
        {
            WatchEnd end = await WatchAsync(cancellationToken);
            return _streaming.IsRunning && end != WatchEnd.Interrupted ? WatchEnd.Dropped : end;
        }
        catch (Exception e) when (e is ApiException or NodeStreamException && !_streaming.IsSupported)
        {
            logger.StreamingListsMissing(e.Message);
            return WatchEnd.NeedsPages;
        }
        finally
        {
            _streaming.Stop();
        }
    }

    private async Task<WatchEnd> WatchAsync(CancellationToken cancellationToken)
    {
        TimeSpan atMost = TimeSpan.FromSeconds(Random.Shared.Next(300, 600));
        bool pinged = store.Count is > 0 and < NeverSilent;
        using var patience = new WatchPatience(atMost, pinged, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.End, _quorum.Interrupt, cancellationToken);
        string version = store.ResourceVersion;
        try
        {
            using ApiResponse response = await (_mustList ? _streaming.OpenAsync(atMost, either.Token) : client.WatchNodesAsync(version, atMost, either.Token));
            logger.WatchStarted(version);
            _timeouts = 0;
            await reader.ReadWatchAsync(response, Sink(patience), either.Token);
            logger.WatchEnded();
            return WatchEnd.Ordinary;
        }
        catch (ApiException e) when (e.IsExpired || (e.IsTimeout && !_mustList && ++_timeouts >= TimeoutsBeforeList))
        {
            logger.WatchExpired(version);
        }
        catch (NodeStreamException e) when (_streaming.IsSupported || !_streaming.IsRunning)
        {
            logger.WatchBroken(e.Message);
        }
        catch (OperationCanceledException) when (_quorum.IsMade && !cancellationToken.IsCancellationRequested)
        {
            return WatchEnd.Interrupted;
        }
        catch (Exception e) when (e is IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            logger.WatchDropped(e.Message);
            return WatchEnd.Dropped;
        }
        _mustList = true;
        return WatchEnd.Dropped;
    }

    private Action<WatchEventType, NodeDraft> Sink(WatchPatience patience)
    {
        if (_mustList)
            return _streaming.Sink(patience, Streamed, Follow);
        _feed.Reached();
        patience.AwaitEvents();
        return Follow;

        void Follow(WatchEventType type, NodeDraft draft)
        {
            patience.Heard();
            Apply(type, draft);
        }
    }

    private void Apply(WatchEventType type, NodeDraft draft)
    {
        _feed.Heard();
        if (!store.Apply(type, draft))
            return;
        if (logger.IsEnabled(LogLevel.Debug))
            logger.NodeChanged(type.ToString(), draft.Name.ToString());
        changed();
    }
}
