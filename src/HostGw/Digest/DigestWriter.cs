using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Threading.Channels;
using HostGw.Kubernetes;
using HostGw.Nodes;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Digest;

/// <summary>What the digest is doing, at the end of the writer's last turn. Immutable.</summary>
internal sealed record DigestState
{
    /// <summary>When the turn ended.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>The Nodes and the shards have been listed.</summary>
    public bool IsListed { get; init; }

    public int Nodes { get; init; }

    /// <summary>The resource version of the Nodes; empty before the first list.</summary>
    public string Source { get; init; } = "";

    /// <inheritdoc cref="ShardSchedule.Current"/>
    public int Current { get; init; }

    /// <inheritdoc cref="ShardSchedule.Refused"/>
    public ImmutableArray<ShardProblem> Refused { get; init; } = [];

    /// <summary>Those that are written soon, or as soon as <see cref="Problem"/> is solved.</summary>
    public int Waiting => ShardFormat.Count - Current - Refused.Length;

    /// <inheritdoc cref="ShardSchedule.WasComplete"/>
    public bool WasComplete { get; init; }

    /// <inheritdoc cref="ShardSchedule.Problem"/>
    public string? Problem { get; init; }

    /// <inheritdoc cref="ShardSchedule.BlockedFor"/>
    public TimeSpan? BlockedFor { get; init; }

    public DateTimeOffset? WrittenAt { get; init; }

    public WriteCounts Counts { get; init; } = new();
}

/// <summary>What the writer asks about the API server's Nodes in addition to watching them.</summary>
/// <param name="IsFollowing">They are followed: while not, nothing is written, for the server's store may have been restored.</param>
/// <param name="ReadTimelineAsync">Returns the present resource version of the server's store.</param>
/// <param name="ReadByQuorum">Lists the Nodes by quorum; <see cref="DigestWriter.Signal"/> is called then.</param>
internal sealed record NodeReads(Func<bool> IsFollowing, Func<CancellationToken, Task<string>> ReadTimelineAsync, Action ReadByQuorum);

/// <summary>
/// Keeps the 512 ConfigMaps equal to the Nodes. One loop decides (<see cref="ShardSchedule"/>), a few requests run concurrently.
/// A heartbeat of a Node does not wake it.
/// </summary>
internal sealed class DigestWriter : BackgroundService
{
    // A turn costs little. Whoever asks for the health sees that the loop runs.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestRequest = TimeSpan.FromSeconds(30);

    // After the last of several writes.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    // Fewer may vanish at once without a second look.
    private const int FreeRemovals = 3;

    private readonly ApiClient _client;
    private readonly NodeStore _nodes;
    private readonly StoredShards _stored;
    private readonly NodeReads _reads;
    private readonly TimeProvider _time;
    private readonly ILogger<DigestWriter> _logger;
    private readonly WantedShards _wanted;
    private readonly ShardSchedule _schedule;
    private readonly Channel<bool> _news =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    // The results of concurrent requests, which the loop applies.
    private readonly ConcurrentQueue<Action> _ended = new();
    private readonly List<Task> _running = [];

    // A list and the first writes allocate many times what is kept, and a quiet digest has no other occasion to return that memory.
    private readonly Timer _collection = new(static _ => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive));
    private DigestState _state = new();
    private string? _reported;
    private int? _quorumReadsBefore;
    private int _written, _repaired;

    /// <param name="labels">As <see cref="ShardFormat.Labels"/> writes them.</param>
    public DigestWriter(
        ApiClient client, NodeStore nodes, StoredShards stored, string labels, NodeReads reads, TimeProvider time,
        ILogger<DigestWriter> logger)
    {
        (_client, _nodes, _stored, _reads, _time, _logger) = (client, nodes, stored, reads, time, logger);
        _wanted = new(labels);
        _schedule = new(_wanted, stored, time, Random.Shared.NextDouble);
    }

    /// <summary>May be read from any thread.</summary>
    public DigestState State => Volatile.Read(ref _state);

    /// <summary>Called at the end of each turn; null: nobody wants it.</summary>
    public Action<DigestState>? Observed { get; init; }

    /// <summary>The nodes or the stored shards have changed.</summary>
    public void Signal() => _news.Writer.TryWrite(true);

    public override void Dispose()
    {
        _collection.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                TimeSpan wait = await TurnAsync(stoppingToken);
                await WaitAsync(wait < LongestWait ? wait : LongestWait, stoppingToken);
            }
        }
        finally
        {
            await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Returns how long there is nothing to do unless something changes.</summary>
    private async Task<TimeSpan> TurnAsync(CancellationToken stoppingToken)
    {
        while (_ended.TryDequeue(out Action? take))
            take();
        if (_running.Find(r => r.IsFaulted) is { } failed)
            await failed;
        _running.RemoveAll(r => r.IsCompleted);

        (NodeSnapshot snapshot, string version) = ReadNodes();
        bool isListed = snapshot.IsComplete && _stored.IsComplete;
        TimeSpan wait = LongestWait;
        if (isListed && _reads.IsFollowing() && IsCredible(snapshot))
        {
            _wanted.Take(snapshot.Nodes);
            wait = Write(version, stoppingToken);
        }
        Publish(isListed, version);
        return wait;
    }

    // The version is exactly that of the nodes: no change was received between the two snapshots. So two digests that name the same
    // version have the same content.
    private (NodeSnapshot Nodes, string Version) ReadNodes()
    {
        while (true)
        {
            NodeSnapshot before = _nodes.Snapshot;
            string version = _nodes.ResourceVersion;
            if (ReferenceEquals(before, _nodes.Snapshot))
                return (before, version);
        }
    }

    // A list from a server's cache may be wrong, and every agent would follow it: where most nodes would vanish from the shards the
    // Nodes are read by quorum first.
    private bool IsCredible(NodeSnapshot snapshot)
    {
        int before = _stored.Lines;
        if (before - snapshot.Nodes.Length <= FreeRemovals || snapshot.Nodes.Length >= before / 2)
        {
            _quorumReadsBefore = null;
            return true;
        }
        if (_quorumReadsBefore is null)
        {
            _quorumReadsBefore = snapshot.QuorumReads;
            _logger.DigestNodesVanished(snapshot.Nodes.Length, before);
            _reads.ReadByQuorum();
        }
        return snapshot.QuorumReads > _quorumReadsBefore;
    }

    private TimeSpan Write(string version, CancellationToken stoppingToken)
    {
        (IReadOnlyList<(int Shard, StoredShard Stored)> due, TimeSpan wait) = _schedule.Next(TextBuffer.NumberOf(version));
        foreach ((int shard, StoredShard present) in due)
        {
            V1ConfigMap map = _wanted.Make(shard, version);
            map.Metadata.ResourceVersion = present.IsAbsent ? null : present.ResourceVersion;
            _repaired += (present.IsAbsent ? present.Source > 0 : !present.IsValid) ? 1 : 0;
            _schedule.Begin(shard);
            Run(() => WriteAsync(shard, present, map, stoppingToken));
        }
        if (_schedule.IsCheckDue)
        {
            IReadOnlyList<(int Shard, StoredShard Stored)> behind = _schedule.BeginCheck();
            _logger.DigestBehind(behind.Count, version);
            Run(() => CheckAsync(behind, stoppingToken));
        }
        if (_schedule.IsDone && _written > 0)
            ReportWritten(version);
        return wait;
    }

    private void Run(Func<Task> request) => _running.Add(RunAsync(request));

    private async Task RunAsync(Func<Task> request)
    {
        try
        {
            await request();
        }
        finally
        {
            Signal();
        }
    }

    private async Task WriteAsync(int shard, StoredShard present, V1ConfigMap map, CancellationToken stoppingToken)
    {
        WriteResult result = new(shard, WriteOutcome.Written, map.Data[ShardFormat.SumKey]);
        using var timeout = new CancellationTokenSource(LongestRequest, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stoppingToken);
        try
        {
            result = result with { Outcome = await SendAsync(shard, present, map, either.Token) };
        }
        catch (ApiException e)
        {
            result = result with { Outcome = Classify(e), Reason = Explain(e), RetryAfter = e.RetryAfter };
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            result = result with { Outcome = WriteOutcome.Failed, Reason = $"no answer within {LongestRequest.TotalSeconds:0} s" };
        }
        _ended.Enqueue(() => End(result));
    }

    private async Task<WriteOutcome> SendAsync(int shard, StoredShard present, V1ConfigMap map, CancellationToken cancellationToken)
    {
        try
        {
            V1ConfigMap written = present.IsAbsent
                ? await _client.CoreV1.CreateNamespacedConfigMapAsync(map, ShardFormat.Namespace, cancellationToken: cancellationToken)
                : await _client.CoreV1.ReplaceNamespacedConfigMapAsync(
                    map, map.Metadata.Name, ShardFormat.Namespace, cancellationToken: cancellationToken);
            _stored.Replace(shard, present, StoredShard.Of(shard, written));
            return WriteOutcome.Written;
        }
        catch (ApiException e) when (
            e.StatusCode == HttpStatusCode.Conflict || (e.StatusCode == HttpStatusCode.NotFound && !present.IsAbsent))
        {
            _stored.Replace(shard, present, await ReadAsync(shard, present, cancellationToken));
            return WriteOutcome.Conflict;
        }
    }

    private async Task<StoredShard> ReadAsync(int shard, StoredShard present, CancellationToken cancellationToken)
    {
        try
        {
            return StoredShard.Of(shard, await _client.CoreV1.ReadNamespacedConfigMapAsync(
                ShardFormat.Name(shard), ShardFormat.Namespace, cancellationToken: cancellationToken));
        }
        catch (ApiException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return present.Gone();
        }
    }

    private async Task CheckAsync(IReadOnlyList<(int Shard, StoredShard Stored)> behind, CancellationToken stoppingToken)
    {
        try
        {
            string actual = await _reads.ReadTimelineAsync(stoppingToken);
            _ended.Enqueue(() =>
            {
                if (_schedule.EndCheck(behind, TextBuffer.NumberOf(actual)) is > 0 and int count)
                    _logger.DigestSourceGoesDown(count, actual);
            });
        }
        catch (Exception e) when (e is ApiException or InvalidAnswerException or IOException)
        {
            _logger.DigestTimelineNotRead(e.Message);
        }
    }

    private void End(WriteResult result)
    {
        _schedule.End(result);
        string name = ShardFormat.Name(result.Shard);
        if (result.Outcome == WriteOutcome.Written)
        {
            _written++;
            _state = _state with { WrittenAt = _time.GetUtcNow() };
        }
        else if (result.Outcome == WriteOutcome.TooLarge)
        {
            _logger.ShardTooLarge(name, result.Reason);
        }
        else if (result.Outcome != WriteOutcome.Conflict && result.Reason != _reported)
        {
            _logger.ShardsNotWritten(name, result.Reason);
            _reported = result.Reason;
        }
        if (_reported is not null && _schedule.Problem is null)
        {
            _logger.ShardsWrittenAgain();
            _reported = null;
        }
    }

    private void ReportWritten(string version)
    {
        if (_repaired > 0)
            _logger.ShardsRepaired(_repaired);
        _logger.ShardsWritten(_written, version, _wanted.Count);
        (_written, _repaired) = (0, 0);
        _collection.Change(Quiet, Timeout.InfiniteTimeSpan);
    }

    private void Publish(bool isListed, string version)
    {
        DigestState state = _state with
        {
            At = _time.GetUtcNow(),
            IsListed = isListed,
            Nodes = _wanted.Count,
            Source = version,
            Current = _schedule.Current,
            Refused = _schedule.Refused,
            WasComplete = _schedule.WasComplete,
            Problem = _schedule.Problem,
            BlockedFor = _schedule.BlockedFor,
            Counts = _schedule.Counts,
        };
        Volatile.Write(ref _state, state);
        Observed?.Invoke(state);
    }

    private async Task WaitAsync(TimeSpan atMost, CancellationToken stoppingToken)
    {
        using var timeout = new CancellationTokenSource(atMost, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stoppingToken);
        try
        {
            await _news.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            // Something is due.
        }
    }

    private static WriteOutcome Classify(ApiException e) => e.StatusCode switch
    {
        HttpStatusCode.RequestEntityTooLarge => WriteOutcome.TooLarge,
        HttpStatusCode.UnprocessableEntity when e.Causes.Contains("FieldValueTooLong") => WriteOutcome.TooLarge,
        null or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError =>
            e.RetryAfter is null ? WriteOutcome.Failed : WriteOutcome.Busy,
        _ => WriteOutcome.Refused,
    };

    // A ConfigMap that was not found is absent; only its creation fails so.
    private static string Explain(ApiException e) => e.StatusCode == HttpStatusCode.NotFound
        ? $"There is no namespace {ShardFormat.Namespace}: install it, as the chart does with digest.enabled"
        : e.Message;
}
