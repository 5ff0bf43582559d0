using System.Collections.Immutable;

namespace HostGw.Digest;

/// <summary>How the attempt to write a shard ended.</summary>
internal enum WriteOutcome
{
    Written,

    /// <summary>Somebody else has written or deleted it: it was read again.</summary>
    Conflict,

    /// <summary>The API server takes no object of this size.</summary>
    TooLarge,

    /// <summary>A right, the namespace or something else is missing.</summary>
    Refused,

    /// <summary>The API server says when to ask again.</summary>
    Busy,

    /// <summary>Not reached, or it failed.</summary>
    Failed,
}

/// <param name="Sum">Of the content.</param>
/// <param name="Reason">Why it was not written; empty if it was.</param>
internal sealed record WriteResult(int Shard, WriteOutcome Outcome, string Sum, string Reason = "", TimeSpan? RetryAfter = null);

/// <summary>A shard that is not as the Nodes require, and why it cannot be written.</summary>
internal sealed record ShardProblem(int Shard, string Reason);

/// <summary>
/// Decides which shards are written and when. No I/O: each turn compares what is stored with what is wanted, so that nothing depends on
/// having seen a particular event. One thread uses it.
/// </summary>
/// <param name="random">From 0 to 1, for the pauses after failures.</param>
internal sealed class ShardSchedule(WantedShards wanted, StoredShards stored, TimeProvider time, Func<double> random)
{
    public const int AtOnce = 8;

    /// <summary>All agents receive each write: other labels, which concern all shards, take five seconds and not one.</summary>
    public const int PerSecond = 100;

    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>From a change to its write. A Node that joins gets its podCIDR a moment after it appears: that is one write then.</summary>
    public static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(250);

    /// <summary>Between two attempts of a shard that was refused: what it lacks must be given by a person.</summary>
    public static readonly TimeSpan AfterRefusal = TimeSpan.FromMinutes(1);

    /// <summary>Between two comparisons of what others have written with the store's resource version.</summary>
    public static readonly TimeSpan BetweenChecks = TimeSpan.FromSeconds(10);

    private readonly Entry[] _entries = [.. Enumerable.Range(0, ShardFormat.Count).Select(_ => new Entry())];
    private readonly Backoff _afterFailure = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random);
    private readonly Backoff _afterRefusal = new(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60), random);
    private readonly List<(int Shard, StoredShard Stored)> _due = [];
    private List<(int Shard, StoredShard Stored)> _behind = [];

    // While the last attempt failed for a reason that concerns all shards, one is tried at a time.
    private int _failures, _running;

    // The number of the last attempt, and the one before which nothing says that the reason has ended.
    private long _attempts, _failedAttempt;
    private long _pausedUntil = long.MinValue;
    private long? _checkedAt;

    // When the present second began, and the attempts since.
    private long _secondAt = time.GetTimestamp();
    private int _begun;

    /// <summary>Why no shard can be written at present; null while they can.</summary>
    public string? Problem { get; private set; }

    /// <summary>All shards are as the Nodes require, and no attempt is under way.</summary>
    public bool IsDone => Current == ShardFormat.Count && _running == 0;

    /// <summary>How many shards are as the Nodes require.</summary>
    public int Current { get; private set; }

    /// <summary>All shards have been as the Nodes required at one moment.</summary>
    public bool WasComplete { get; private set; }

    /// <summary>How long a shard has been waiting that cannot be written; null: none is. One that is too large does not count.</summary>
    public TimeSpan? BlockedFor { get; private set; }

    /// <summary>Shards whose last attempt the API server refused, or that are too large, and why.</summary>
    public ImmutableArray<ShardProblem> Refused { get; private set; } = [];

    public WriteCounts Counts { get; private set; } = new();

    /// <summary>
    /// What others wrote is newer than the Nodes here: the store's resource version must be read (<see cref="BeginCheck"/>).
    /// </summary>
    public bool IsCheckDue => _behind.Count > 0 && (_checkedAt is not { } at || time.GetElapsedTime(at) >= BetweenChecks);

    /// <param name="source">The resource version of the wanted Nodes.</param>
    /// <returns>
    /// The shards to write now, in place of what is stored; valid until the next call. Also how long nothing else is due;
    /// TimeSpan.MaxValue: until something changes.
    /// </returns>
    public (IReadOnlyList<(int Shard, StoredShard Stored)> Due, TimeSpan Wait) Next(ulong source)
    {
        long now = time.GetTimestamp(), next = long.MaxValue;
        if (time.GetElapsedTime(_secondAt, now) >= Period)
            (_secondAt, _begun) = (now, 0);
        _due.Clear();
        _behind = []; // A check may be reading the last one.
        Current = 0;
        for (int shard = 0; shard < ShardFormat.Count; shard++)
        {
            Entry entry = _entries[shard];
            StoredShard present = stored[shard];
            if (wanted.IsIn(shard, present))
            {
                entry.Succeeded();
                Current++;
            }
            else if (!entry.IsWriting)
            {
                next = Math.Min(next, Consider(entry, shard, present, source, now));
            }
        }
        WasComplete |= Current == ShardFormat.Count;
        Observe(now);
        return (_due, Wait(now, next));
    }

    /// <summary>The attempt begins.</summary>
    public void Begin(int shard)
    {
        Entry entry = _entries[shard];
        (entry.IsWriting, entry.AttemptAt, entry.Attempt) = (true, time.GetTimestamp(), ++_attempts);
        _running++;
        _begun++;
    }

    /// <summary>The attempt has ended; what is stored is known to <see cref="StoredShards"/> already.</summary>
    public void End(WriteResult result)
    {
        Entry entry = _entries[result.Shard];
        entry.IsWriting = false;
        _running--;
        Counts = Counts.After(result.Outcome);
        switch (result.Outcome)
        {
            case WriteOutcome.Written:
                entry.Succeeded();
                Resume(entry);
                break;
            case WriteOutcome.Conflict:
                entry.Failed("", time.GetTimestamp());
                Resume(entry);
                break;
            case WriteOutcome.TooLarge:
                entry.IsTooLarge(result.Reason, result.Sum);
                Resume(entry);
                break;
            default:
                // One that is refused again while others were written since holds none of them up.
                bool isAlone = result.Outcome == WriteOutcome.Refused && entry.IsRefused && Problem is null;
                entry.Failed(result.Outcome == WriteOutcome.Refused ? result.Reason : "", time.GetTimestamp());
                if (!isAlone)
                    Pause(entry, result);
                break;
        }
    }

    /// <summary>The store's resource version is being read. What others write from now on may be newer than it.</summary>
    /// <returns>To be passed to <see cref="EndCheck"/>.</returns>
    public IReadOnlyList<(int Shard, StoredShard Stored)> BeginCheck()
    {
        _checkedAt = time.GetTimestamp();
        return _behind;
    }

    /// <summary>
    /// A shard that reflects Nodes of the future was left from before a restore of the server's store, or written by somebody who is no
    /// digest: it is written though its source goes down.
    /// </summary>
    /// <returns>The number of these shards.</returns>
    public int EndCheck(IReadOnlyList<(int Shard, StoredShard Stored)> behind, ulong actual)
    {
        int wentBack = 0;
        foreach ((int shard, StoredShard present) in behind)
        {
            if (present.Source <= actual)
                continue;
            _entries[shard].MayGoBack = present;
            wentBack++;
        }
        return wentBack;
    }

    // Of a shard that is not as the Nodes require. Returns when it must be looked at again; long.MaxValue: once something has changed.
    private long Consider(Entry entry, int shard, StoredShard present, ulong source, long now)
    {
        if (present.Source > source && !ReferenceEquals(present, entry.MayGoBack))
        {
            _behind.Add((shard, present));
            if (!ReferenceEquals(present, entry.Behind))
                Counts = Counts with { Behind = Counts.Behind + 1 };
            entry.Behind = present;
            return long.MaxValue;
        }
        long at = DueAt(entry, shard, now);
        if (at > now)
            return at;
        if (_due.Count < Math.Min((_failures > 0 ? 1 : AtOnce) - _running, PerSecond - _begun))
            _due.Add((shard, present));
        else if (_begun >= PerSecond)
            return After(_secondAt, Period);
        return long.MaxValue;
    }

    private long DueAt(Entry entry, int shard, long now)
    {
        if (entry.TooLargeSum == wanted.Sum(shard))
            return long.MaxValue;
        TimeSpan period = entry.IsRefused ? AfterRefusal : Period;
        long at = entry.AttemptAt is { } attempt ? After(attempt, period) : long.MinValue;
        entry.DifferentSince ??= now;
        return Math.Max(Math.Max(at, After(entry.DifferentSince.Value, Settle)), _pausedUntil);
    }

    private void Observe(long now)
    {
        bool isBlocked = false;
        long since = now;
        ImmutableArray<ShardProblem>.Builder? refused = null;
        for (int shard = 0; shard < ShardFormat.Count; shard++)
        {
            Entry entry = _entries[shard];
            if (entry.Reason.Length > 0)
                (refused ??= ImmutableArray.CreateBuilder<ShardProblem>()).Add(new(shard, entry.Reason));
            if (entry.FailedAt is not { } at)
                continue;
            isBlocked = true;
            since = Math.Min(since, at);
        }
        BlockedFor = isBlocked ? time.GetElapsedTime(since, now) : null;
        Refused = refused?.ToImmutable() ?? [];
    }

    private TimeSpan Wait(long now, long next)
    {
        if (_behind.Count > 0)
            next = Math.Min(next, After(_checkedAt ?? now, BetweenChecks));
        return next == long.MaxValue ? TimeSpan.MaxValue : time.GetElapsedTime(now, Math.Max(next, now));
    }

    // Attempts that were under way when one failed, and fail too, are no further failures.
    private void Pause(Entry entry, WriteResult result)
    {
        if (entry.Attempt > _failedAttempt)
            _failures++;
        Backoff backoff = result.Outcome == WriteOutcome.Refused ? _afterRefusal : _afterFailure;
        TimeSpan pause = backoff.Delay(_failures - 1, result.RetryAfter);
        _pausedUntil = Math.Max(_pausedUntil, After(time.GetTimestamp(), pause));
        (_failedAttempt, Problem) = (_attempts, result.Reason);
    }

    // Not for an attempt that was under way when another one failed: the pause that a server asked for is kept.
    private void Resume(Entry entry)
    {
        if (entry.Attempt <= _failedAttempt)
            return;
        (_failures, Problem) = (0, null);
        _pausedUntil = long.MinValue;
    }

    private long After(long from, TimeSpan span) => from + (long)(span.TotalSeconds * time.TimestampFrequency);

    /// <summary>What is remembered of one shard.</summary>
    private sealed class Entry
    {
        public bool IsWriting { get; set; }

        public long? AttemptAt { get; set; }

        /// <summary>When the first of the present differences was seen; null: there is none.</summary>
        public long? DifferentSince { get; set; }

        public long Attempt { get; set; }

        /// <summary>The first failure since it was as wanted; null: none.</summary>
        public long? FailedAt { get; private set; }

        /// <summary>Why the API server refused it at its last attempt; empty: it did not.</summary>
        public string Reason { get; private set; } = "";

        public bool IsRefused => Reason.Length > 0;

        /// <summary>The sum of content that is too large; empty: it is not.</summary>
        public string TooLargeSum { get; private set; } = "";

        /// <summary>What was stored when the Nodes here were found to be older.</summary>
        public StoredShard? Behind { get; set; }

        /// <summary>What is stored, if its source is to go down.</summary>
        public StoredShard? MayGoBack { get; set; }

        public void Failed(string reason, long at) => (FailedAt, Reason) = (FailedAt ?? at, reason);

        public void IsTooLarge(string reason, string sum) => (FailedAt, Reason, TooLargeSum) = (null, reason, sum);

        public void Succeeded()
        {
            (FailedAt, Reason, TooLargeSum) = (null, "", "");
            (Behind, MayGoBack, DifferentSince) = (null, null, null);
        }
    }
}

/// <summary>What became of shards that had to be written, since the start.</summary>
internal sealed record WriteCounts
{
    public long Written { get; init; }

    public long Conflict { get; init; }

    /// <summary>Left as they are, for what is stored reflects later Nodes.</summary>
    public long Behind { get; init; }

    public long TooLarge { get; init; }

    public long Refused { get; init; }

    /// <summary>The server was not reached, or asked to retry later.</summary>
    public long Failed { get; init; }

    public WriteCounts After(WriteOutcome outcome) => outcome switch
    {
        WriteOutcome.Written => this with { Written = Written + 1 },
        WriteOutcome.Conflict => this with { Conflict = Conflict + 1 },
        WriteOutcome.TooLarge => this with { TooLarge = TooLarge + 1 },
        WriteOutcome.Refused => this with { Refused = Refused + 1 },
        _ => this with { Failed = Failed + 1 },
    };
}
