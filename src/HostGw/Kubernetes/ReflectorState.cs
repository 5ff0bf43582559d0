namespace HostGw.Kubernetes;

/// <summary>What the reflector does next.</summary>
internal enum ReflectorStep
{
    /// <summary>Asks whether the server's store is still the one that we followed.</summary>
    CheckTimeline,

    /// <summary>Lists as the beginning of a watch.</summary>
    StreamList,
    ListPages,
    Watch,
}

/// <summary>What came of a step.</summary>
internal enum Received
{
    /// <summary>Refused, timeout, name not resolved, or the connection ended in the handshake.</summary>
    Unreachable,

    /// <summary>The server's certificate is not trusted.</summary>
    Untrusted,
    Unauthorized,

    /// <summary>403, 404, 5xx, or an answer that cannot be read.</summary>
    Refused,

    /// <summary>The server says when to ask again.</summary>
    Busy,

    /// <summary>410: the server no longer knows our resource version.</summary>
    Expired,

    /// <summary>The server has not reached our resource version.</summary>
    VersionTooLarge,

    /// <summary>The server has no streaming lists.</summary>
    NoStreamingLists,

    /// <summary>The watch ended when its time was over.</summary>
    Ended,

    /// <summary>The watch ended or broke earlier, or said nothing for too long.</summary>
    EndedEarly,

    /// <summary>The timeline check found no fault.</summary>
    Confirmed,

    /// <summary>The store's resource version is below ours: it was restored from a backup.</summary>
    WentBack,

    /// <summary>Somebody asked for a list by quorum.</summary>
    QuorumWanted,
}

/// <summary>Decides, from what was received, what the reflector does next and how long it waits before that. Touches nothing.</summary>
/// <param name="random">From 0 to 1.</param>
internal sealed class ReflectorState(TimeProvider time, Func<double> random)
{
    /// <summary>A watch is resumed only from a resource version that was current so recently.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(2);

    private const double LongestPause = 30;
    private const double BytesPerSecond = 1e9;
    private const int TriesBeforeQuorum = 3;

    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);

    private ReflectorStep _step;
    private bool _mustList = true, _unconfirmed, _connectionLost;
    private bool _hasStreamingLists = true, _listFailed;
    private int _failures, _unauthorized, _idleEnds, _expired, _tooLarge;
    private long _freshAt;

    /// <summary>The objects in the last list.</summary>
    public int Count { get; private set; }

    /// <summary>The size of the last list.</summary>
    public long Bytes { get; private set; }

    /// <summary>The next step. Its outcome goes to <see cref="After"/>, or to <see cref="Listed"/>.</summary>
    public ReflectorStep Decide()
    {
        if (_unconfirmed && KnowsVersion && !ByQuorum)
            _step = ReflectorStep.CheckTimeline;
        else if (!_mustList && IsFresh)
            _step = ReflectorStep.Watch;
        else
            _step = ByQuorum || _listFailed || !_hasStreamingLists ? ReflectorStep.ListPages : ReflectorStep.StreamList;
        return _step;
    }

    /// <summary>Lists are asked for what the cluster has agreed on, not for what a server's cache holds.</summary>
    public bool ByQuorum { get; private set; }

    /// <summary>The step under way is a streaming list.</summary>
    public bool IsStreamingList => _step == ReflectorStep.StreamList;

    /// <summary>This process has received a resource version of the server's present store.</summary>
    public bool KnowsVersion { get; private set; }

    private bool IsFresh => KnowsVersion && time.GetElapsedTime(_freshAt) <= FreshFor;

    /// <summary>An event or a bookmark was received.</summary>
    public void Progressed()
    {
        _expired = 0;
        Advance();
    }

    /// <summary>A list is complete.</summary>
    public void Listed(int count, long bytes)
    {
        Advance();
        _step = ReflectorStep.Watch;
        (_mustList, ByQuorum, _listFailed, _tooLarge, KnowsVersion) = (false, false, false, 0, true);
        (Count, Bytes) = (count, bytes);
    }

    /// <summary>The step came to <paramref name="received"/>; returns how long to wait before the next one.</summary>
    /// <param name="retryAfter">What the server asked for, with <see cref="Received.Busy"/>.</param>
    public TimeSpan After(Received received, TimeSpan retryAfter = default)
    {
        _listFailed |= _step == ReflectorStep.StreamList &&
            received is Received.EndedEarly or Received.Ended or Received.Refused or Received.Expired or Received.NoStreamingLists;
        switch (received)
        {
            case Received.Unreachable:
                LoseConnection();
                return Between(1, Math.Max(3, Count / 1000.0));
            case Received.Untrusted:
                return Doubled();
            case Received.Unauthorized:
                return _unauthorized++ == 0 ? TimeSpan.Zero : Doubled();
            case Received.Refused:
                return Jittered(_failures++);
            case Received.Busy:
                return (retryAfter < LongestRetryAfter ? retryAfter : LongestRetryAfter) * (1 + 0.2 * random());
            case Received.EndedEarly:
                LoseConnection();
                return _idleEnds++ == 0 ? Between(0, 1) : Jittered(_failures++);
            default:
                return Continue(received);
        }
    }

    // A list does not reset _expired: where each watch after a list expires at once, lists would follow each other without a pause.
    private void Advance()
    {
        (_failures, _unauthorized, _idleEnds) = (0, 0, 0);
        _connectionLost = false;
        _freshAt = time.GetTimestamp();
    }

    private TimeSpan Continue(Received received)
    {
        switch (received)
        {
            case Received.NoStreamingLists:
                _hasStreamingLists = false;
                return TimeSpan.Zero;
            case Received.Expired:
                _mustList = true;
                return SpreadAfterLoss() ?? (_expired++ is > 0 and var before ? Jittered(before - 1) : TimeSpan.Zero);
            case Received.VersionTooLarge:
                return NotReached();
            case Received.Ended:
                _unconfirmed = true;
                return TimeSpan.Zero;
            case Received.Confirmed:
                _unconfirmed = false;
                return (IsFresh ? null : SpreadAfterLoss()) ?? TimeSpan.FromSeconds(_tooLarge > 0 ? 1 : 0);
            case Received.WentBack:
                (_mustList, ByQuorum, KnowsVersion, _unconfirmed) = (true, true, false, false);
                return TimeSpan.Zero;
            case Received.QuorumWanted:
                (_mustList, ByQuorum) = (true, true);
                return TimeSpan.Zero;
            default:
                throw new ArgumentOutOfRangeException(nameof(received));
        }
    }

    // The next connection may reach another server, or one with another store.
    private void LoseConnection() => (_connectionLost, _unconfirmed, _hasStreamingLists) = (true, true, true);

    // A server that lags behind another one catches up; one whose store was restored never does.
    private TimeSpan NotReached()
    {
        _tooLarge++;
        _unconfirmed = _tooLarge == 1;
        ByQuorum |= _tooLarge > TriesBeforeQuorum;
        return TimeSpan.FromSeconds(_tooLarge is 1 or > TriesBeforeQuorum ? 0 : 1);
    }

    // All agents lost the same server at the same moment: their lists together take this long at 1 GB/s.
    private TimeSpan? SpreadAfterLoss()
    {
        if (!_connectionLost)
            return null;
        _connectionLost = false;
        return Between(0, Count * (double)Bytes / BytesPerSecond);
    }

    private TimeSpan Doubled() => TimeSpan.FromSeconds(Math.Min(LongestPause, Math.Pow(2, Math.Min(_failures++, 10))));

    private TimeSpan Jittered(int failures) => Between(0, Math.Min(LongestPause, 0.5 * Math.Pow(2, Math.Min(failures, 10))));

    private TimeSpan Between(double least, double most) => TimeSpan.FromSeconds(least + (most - least) * random());
}
