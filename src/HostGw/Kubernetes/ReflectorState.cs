namespace HostGw.Kubernetes;

/// <summary>What the reflector does next.</summary>
internal enum ReflectorStep
{
    /// <summary>Reads the store's resource version: that of a store restored from a backup is older than the last one received.</summary>
    CheckTimeline,

    /// <summary>Opens a watch that begins with all objects (sendInitialEvents).</summary>
    StreamList,
    ListPages,
    Watch,
}

/// <summary>How a step of the reflector ended.</summary>
internal enum StepOutcome
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

    /// <summary>The store's resource version is older than the last one received: it was restored from a backup.</summary>
    WentBack,

    /// <summary>Interrupted: <see cref="Reflector{TDraft}.ReadByQuorum"/> was called.</summary>
    QuorumWanted,
}

/// <summary>Decides, from the outcome of each step, what the reflector does next and how long it waits before that. No I/O.</summary>
/// <remarks>
/// A list, an event or a bookmark begins all counts again. N is the number of listers; U(a, b) is evenly distributed.
/// <code>
/// outcome           next                                          after
/// Unreachable       timeline check, then the same                 U(1, max(3, N / 1000)) s
/// Untrusted         the same                                      1, 2, 4 … 30 s
/// Unauthorized      the same, with the credential read again      nothing; then 1, 2, 4 … 30 s
/// Refused           the same; a streaming list by pages           U(0, 0.5), U(0, 1) … U(0, 30) s
/// Busy              the same                                      what the server asks for, times U(1, 1.2)
/// Ended             timeline check, then the watch goes on        nothing
/// EndedEarly        the same                                      U(0, 1) s; then as Refused
/// Expired           list                                          nothing; then as Refused; once spread after a lost connection
/// VersionTooLarge   timeline check, again; the fourth: by quorum  1 s
/// NoStreamingLists  list by pages                                 nothing
/// WentBack          list by quorum                                nothing
/// QuorumWanted      list by quorum                                nothing
/// </code>
/// </remarks>
/// <param name="random">From 0 to 1.</param>
/// <param name="listers">How many programs of the cluster list when a server comes back; null: one for each object of the list.</param>
/// <param name="listsAfterLoss">
/// No watch is resumed after a lost connection. A store that was restored and has grown past our version since is found by no check.
/// </param>
internal sealed class ReflectorState(
    TimeProvider time, Func<double> random, Func<int>? listers = null, bool listsAfterLoss = false)
{
    /// <summary>A watch is resumed only from a resource version that was current so recently.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(2);

    private const double LongestPause = 30;
    private const double BytesPerSecond = 1e9;
    private const int TriesBeforeQuorum = 3;
    private const int ChecksBeforeQuorum = 3;

    private ReflectorStep _step;
    private bool _mustList = true;

    // A timeline check is due.
    private bool _unconfirmed;

    // The next list is spread over time (SpreadAfterLoss).
    private bool _connectionLost;

    private bool _hasStreamingLists = true;

    // A streaming list failed; the next list is read by pages.
    private bool _listFailed;

    // Since the last success: see Advance and Progressed.
    private int _failures, _unauthorized, _idleEnds, _expired, _tooLarge, _checksRefused;
    private long _freshAt = time.GetTimestamp();

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

    /// <summary>Nothing was received for so long that waiting is no longer normal.</summary>
    public bool IsOverdue => time.GetElapsedTime(_freshAt) > FreshFor;

    private int Listers => listers?.Invoke() ?? Count;

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
        bool wasByQuorum = ByQuorum;
        _step = ReflectorStep.Watch;
        (_mustList, ByQuorum, _listFailed, _tooLarge, KnowsVersion) = (false, false, false, 0, true);
        (_checksRefused, _unconfirmed) = (0, _unconfirmed && !wasByQuorum);
        (Count, Bytes) = (count, bytes);
    }

    /// <summary>Takes the outcome of the step; returns how long to wait before the next one.</summary>
    /// <param name="retryAfter">What the server asked for, with <see cref="StepOutcome.Busy"/>.</param>
    public TimeSpan After(StepOutcome outcome, TimeSpan retryAfter = default)
    {
        _listFailed |= _step == ReflectorStep.StreamList &&
            outcome is StepOutcome.EndedEarly or StepOutcome.Ended or StepOutcome.Refused or StepOutcome.Expired
                or StepOutcome.NoStreamingLists;
        if (_step == ReflectorStep.CheckTimeline)
            CountCheck(outcome);
        switch (outcome)
        {
            case StepOutcome.Unreachable:
                LoseConnection();
                return Between(1, Math.Max(3, Listers / 1000.0));
            case StepOutcome.Untrusted:
                return Doubled();
            case StepOutcome.Unauthorized:
                return _unauthorized++ == 0 ? TimeSpan.Zero : Doubled();
            case StepOutcome.Refused:
                return Jittered(_failures++);
            case StepOutcome.Busy:
                return retryAfter * (1 + 0.2 * random());
            case StepOutcome.EndedEarly:
                LoseConnection();
                return _idleEnds++ == 0 ? Between(0, 1) : Jittered(_failures++);
            default:
                return Continue(outcome);
        }
    }

    // A list does not reset _expired: where each watch after a list expires at once, lists would follow each other without a pause.
    private void Advance()
    {
        (_failures, _unauthorized, _idleEnds) = (0, 0, 0);
        _connectionLost = false;
        _freshAt = time.GetTimestamp();
    }

    private TimeSpan Continue(StepOutcome outcome)
    {
        switch (outcome)
        {
            case StepOutcome.NoStreamingLists:
                _hasStreamingLists = false;
                return TimeSpan.Zero;
            case StepOutcome.Expired:
                return Expired();
            case StepOutcome.VersionTooLarge:
                return NotReached();
            case StepOutcome.Ended:
                _unconfirmed = true;
                return TimeSpan.Zero;
            case StepOutcome.Confirmed:
                _unconfirmed = false;
                return (IsFresh ? null : SpreadAfterLoss()) ?? TimeSpan.FromSeconds(_tooLarge > 0 ? 1 : 0);
            case StepOutcome.WentBack:
                (_mustList, ByQuorum, KnowsVersion, _unconfirmed) = (true, true, false, false);
                return TimeSpan.Zero;
            case StepOutcome.QuorumWanted:
                (_mustList, ByQuorum) = (true, true);
                return TimeSpan.Zero;
            default:
                throw new ArgumentOutOfRangeException(nameof(outcome));
        }
    }

    // A server that never answers the check may still list: a list by quorum needs none.
    private void CountCheck(StepOutcome outcome)
    {
        bool isRefused = outcome is StepOutcome.Refused or StepOutcome.EndedEarly or StepOutcome.Expired or StepOutcome.VersionTooLarge;
        _checksRefused = isRefused ? _checksRefused + 1 : outcome is StepOutcome.Confirmed ? 0 : _checksRefused;
        if (_checksRefused >= ChecksBeforeQuorum)
            (_mustList, ByQuorum) = (true, true);
    }

    // The next connection may reach another server, or one with another store.
    private void LoseConnection()
    {
        (_connectionLost, _unconfirmed, _hasStreamingLists) = (true, true, true);
        _mustList |= listsAfterLoss;
    }

    // A list that expires whichever version it is asked for is asked for without one, as client-go does.
    private TimeSpan Expired()
    {
        _mustList = true;
        if (SpreadAfterLoss() is { } spread)
            return spread;
        int before = _expired++;
        ByQuorum |= _step == ReflectorStep.ListPages && before > TriesBeforeQuorum;
        return before == 0 ? TimeSpan.Zero : Jittered(before - 1);
    }

    // A server that lags behind another one catches up; one whose store was restored never does.
    private TimeSpan NotReached()
    {
        _tooLarge++;
        _unconfirmed = _tooLarge == 1;
        ByQuorum |= _tooLarge > TriesBeforeQuorum;
        return _tooLarge > TriesBeforeQuorum + 1
            ? Jittered(_failures++)
            : TimeSpan.FromSeconds(_tooLarge is 1 or > TriesBeforeQuorum ? 0 : 1);
    }

    // All agents lost the same server at the same moment: their lists together take this long at 1 GB/s.
    private TimeSpan? SpreadAfterLoss()
    {
        if (!_connectionLost)
            return null;
        _connectionLost = false;
        return Between(0, Listers * (double)Bytes / BytesPerSecond);
    }

    private TimeSpan Doubled() => TimeSpan.FromSeconds(Math.Min(LongestPause, Math.Pow(2, Math.Min(_failures++, 10))));

    private TimeSpan Jittered(int failures) => Between(0, Math.Min(LongestPause, 0.5 * Math.Pow(2, Math.Min(failures, 10))));

    private TimeSpan Between(double least, double most) => TimeSpan.FromSeconds(least + (most - least) * random());
}
