using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace HostGw.Kubernetes;

/// <summary>Where a reflector puts what it decodes. A list replaces the contents only when it is complete.</summary>
internal interface IReflectorStore<in TDraft>
{
    int Count { get; }

    /// <summary>The latest received, bookmarks included.</summary>
    string ResourceVersion { get; }

    /// <summary>An earlier list that was not completed is forgotten.</summary>
    void BeginList();

    void AddListed(TDraft draft);

    /// <summary>An object that was deleted while a streaming list was arriving.</summary>
    void RemoveListed(TDraft draft);

    /// <summary>Returns whether the contents changed.</summary>
    bool CompleteList(string resourceVersion, bool byQuorum);

    /// <summary>Returns whether the contents changed. Late and repeated events change nothing.</summary>
    bool Apply(WatchEventType type, TDraft draft);
}

/// <summary>
/// Keeps a store equal to the API server's objects of one kind: lists, then watches, and lists again only where a watch cannot be
/// resumed. <see cref="ReflectorState"/> decides, <see cref="ListWatch{TDraft}"/> makes the requests.
/// </summary>
/// <param name="changed">Called after each change of the store's contents.</param>
/// <param name="what">What is watched, for the log.</param>
/// <param name="listers">See <see cref="ReflectorState"/>.</param>
/// <param name="listsAfterLoss">See there.</param>
/// <param name="kept">What does not change while nothing can be watched, for the log.</param>
internal sealed class Reflector<TDraft>(
    ListWatch<TDraft> api, IReflectorStore<TDraft> store, Action changed, TimeProvider time, ILogger logger, string what = "nodes",
    Func<int>? listers = null, bool listsAfterLoss = false, string kept = "routes")
    : BackgroundService
    where TDraft : ObjectDraft
{
    // Of the period.
    private const double ShortestWatch = 0.8, LongestWatch = 1.2;

    // A watch that ends at most this long before its time did not end early.
    private static readonly TimeSpan EndTolerance = TimeSpan.FromSeconds(5);

    // A watch that the server has not ended this long after its time is ended here.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    // A server sends a bookmark every minute. Dead connections are noticed earlier, by TCP keepalive.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(150);

    // An old server takes the request for a streaming list for a watch, and says nothing in a quiet cluster.
    private static readonly TimeSpan LongestSilenceInList = TimeSpan.FromSeconds(10);

    private readonly ReflectorState _state = new(time, Random.Shared.NextDouble, listers, listsAfterLoss);
    private readonly ReflectorHealthTracker _health = new(time, logger, what, kept);
    private readonly QuorumReadRequest _quorum = new();

    private volatile bool _isFollowing;

    public ReflectorHealth Health => _health.Now;

    /// <summary>A watch is open, begun where no check of the store was due: the store's contents are those of the server's store.</summary>
    public bool IsFollowing => _isFollowing && !_quorum.IsMade;

    /// <summary>Called when <see cref="IsFollowing"/> becomes true.</summary>
    public Action? Following { get; init; }

    /// <summary>How long a watch lasts, ± 20 %. Its end brings a timeline check.</summary>
    public TimeSpan Period { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Called when the server's store has gone back: what others hold of it may be from a time that never was.</summary>
    public Action? WentBack { get; init; }

    /// <summary>Called after each completed list.</summary>
    public Action? ListCompleted { get; init; }

    /// <summary>Lists by quorum as soon as the API server can be reached. <c>changed</c> is called even if nothing changed.</summary>
    public void ReadByQuorum() => _quorum.Make();

    /// <summary>Runs until cancelled; every failure of the API server is retried.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        ResiliencePipeline<OpenWatch> opening = new ResiliencePipelineBuilder<OpenWatch> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<OpenWatch>
            {
                MaxRetryAttempts = int.MaxValue,
                ShouldHandle = static args => ValueTask.FromResult(IsTransient(args.Outcome.Exception)),
                DelayGenerator = args => ValueTask.FromResult<TimeSpan?>(AfterFailure(args.Outcome.Exception!)),
            })
            .Build();
        while (true)
        {
            using OpenWatch watch = await opening.ExecuteAsync(
                static (reflector, token) => new ValueTask<OpenWatch>(reflector.OpenAsync(token)), this, stoppingToken);
            TimeSpan pause = await FollowAsync(watch, stoppingToken);
            _isFollowing = false;
            await PauseAsync(pause, stoppingToken);
        }
    }

    public override void Dispose()
    {
        _quorum.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => RunAsync(stoppingToken);

    // Checks the timeline and lists, as the state decides, until the step is a watch; returns it open.
    private async Task<OpenWatch> OpenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_quorum.IsMade)
                _state.After(StepOutcome.QuorumWanted);
            ReflectorStep step = _state.Decide();
            if (step == ReflectorStep.CheckTimeline)
                await PauseAsync(_state.After(await CheckTimelineAsync(cancellationToken)), cancellationToken);
            else if (step == ReflectorStep.ListPages)
                await ListPagesAsync(cancellationToken);
            else
                return await OpenWatchAsync(isList: step == ReflectorStep.StreamList, cancellationToken);
        }
    }

    private async Task<StepOutcome> CheckTimelineAsync(CancellationToken cancellationToken)
    {
        string known = store.ResourceVersion;
        string actual = await api.ReadTimelineAsync(cancellationToken);
        if (!ListWatch<TDraft>.IsOlder(actual, known))
            return StepOutcome.Confirmed;
        logger.StoreWentBack(known, actual);
        WentBack?.Invoke();
        return StepOutcome.WentBack;
    }

    private async Task ListPagesAsync(CancellationToken cancellationToken)
    {
        string? from = _state.ByQuorum ? null : _state.KnowsVersion ? store.ResourceVersion : "0";
        (bool isDifferent, long bytes) = await api.ListAsync(store, from, cancellationToken);
        if (from is null)
            _quorum.Fulfilled();
        Listed(isDifferent, bytes);
    }

    private async Task<OpenWatch> OpenWatchAsync(bool isList, CancellationToken cancellationToken)
    {
        int seconds = (int)(Period.TotalSeconds * (ShortestWatch + ((LongestWatch - ShortestWatch) * Random.Shared.NextDouble())));
        string version = _state.KnowsVersion ? store.ResourceVersion : "0";
        ApiResponse response = await api.WatchAsync(version, seconds, isList, cancellationToken);
        logger.WatchStarted(what, version);
        if (isList)
            store.BeginList();
        else
            Watching();
        return new(response, version, time.GetTimestamp(), TimeSpan.FromSeconds(seconds)) { IsListing = isList };
    }

    // Returns the pause before the next step.
    private async Task<TimeSpan> FollowAsync(OpenWatch watch, CancellationToken cancellationToken)
    {
        using var silence = new CancellationTokenSource(watch.IsListing ? LongestSilenceInList : LongestSilence, time);
        using var end = new CancellationTokenSource(watch.AtMost + Grace, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, end.Token, _quorum.Interrupt, cancellationToken);
        ListWatchDecoder decoder = null!;
        decoder = api.DecodeEvents(Take);
        try
        {
            await decoder.ReadAsync(watch.Response, any.Token);
            logger.WatchEnded();
            bool isEarly = watch.IsListing || time.GetElapsedTime(watch.OpenedAt) < watch.AtMost - EndTolerance;
            return _state.After(isEarly ? StepOutcome.EndedEarly : StepOutcome.Ended);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return _state.After(_quorum.IsMade ? StepOutcome.QuorumWanted : AfterSilence(watch));
        }
        catch (Exception e) when (IsTransient(e))
        {
            // A kube-apiserver refuses a streaming list by an event, after status 200.
            return watch.IsListing && e is ApiException
                ? AfterFailure(e)
                : _state.After(AfterBreak(watch, e), (e as ApiException)?.RetryAfter ?? default);
        }

        void Take(WatchEventType type, TDraft draft)
        {
            if (watch.IsListing)
                TakeListed(watch, type, draft, decoder.Position);
            else
                Apply(watch, type, draft);
            silence.CancelAfter(watch.IsListing ? LongestSilenceInList : LongestSilence);
        }
    }

    private void TakeListed(OpenWatch watch, WatchEventType type, TDraft draft, long bytes)
    {
        switch (type)
        {
            // A server that is still catching up reports changes before the list is complete.
            case WatchEventType.Added or WatchEventType.Modified:
                store.AddListed(draft);
                break;
            case WatchEventType.Deleted:
                store.RemoveListed(draft);
                break;
            case WatchEventType.InitialEventsEnd when draft.ResourceVersion.IsEmpty:
                throw new InvalidAnswerException("The API server ended a streaming list without a resource version");
            case WatchEventType.InitialEventsEnd:
                string version = draft.ResourceVersion.ToString();
                ListWatch<TDraft>.RequireNotOlder(version, watch.Version);
                watch.IsListing = false;
                watch.Latest = draft.ResourceVersion.AsNumber();
                bool isDifferent = store.CompleteList(version, byQuorum: false);
                Listed(isDifferent, bytes);
                Watching();
                break;
            default:
                throw new NoStreamingListException();
        }
    }

    private void Watching()
    {
        _health.Watching();
        _isFollowing = true;
        Following?.Invoke();
    }

    private void Listed(bool isDifferent, long bytes)
    {
        _state.Listed(store.Count, bytes);
        _health.Listed();
        logger.NodesListed(store.Count, what, store.ResourceVersion);
        if (isDifferent)
            changed();
        ListCompleted?.Invoke();
    }

    private void Apply(OpenWatch watch, WatchEventType type, TDraft draft)
    {
        ulong version = draft.ResourceVersion.AsNumber();
        // A server sends the events of a watch in the order of their versions. One whose store was restored goes on with lower ones.
        if (version != 0 && version < watch.Latest)
            throw new OlderEventException(version, watch.Latest);
        watch.Latest = Math.Max(watch.Latest, version);
        _state.Progressed();
        _health.Received();
        if (!store.Apply(type, draft))
            return;
        if (logger.IsEnabled(LogLevel.Debug))
            logger.NodeChanged(type.ToString(), draft.Name.ToString());
        changed();
    }

    private StepOutcome AfterSilence(OpenWatch watch)
    {
        if (watch.IsListing)
        {
            logger.StreamingListsMissing("no answer");
            return StepOutcome.NoStreamingLists;
        }
        logger.WatchDropped("no event or bookmark");
        return StepOutcome.EndedEarly;
    }

    private StepOutcome AfterBreak(OpenWatch watch, Exception e)
    {
        switch (e)
        {
            case NoStreamingListException:
                logger.StreamingListsMissing(e.Message);
                return StepOutcome.NoStreamingLists;
            case ApiException { IsExpired: true }:
                logger.WatchExpired(watch.Version);
                return StepOutcome.Expired;
            case OlderEventException:
                // The timeline check finds out whether the store was restored. If not, it resumes the watch.
                logger.WatchDropped(e.Message);
                return StepOutcome.EndedEarly;
            case InvalidAnswerException:
                // Resumed, the watch would come to the same event.
                logger.WatchBroken(e.Message);
                return watch.IsListing ? StepOutcome.Refused : StepOutcome.Expired;
            case ApiException refusal:
                logger.WatchBroken(e.Message);
                return Classify(refusal);
            default:
                logger.WatchDropped(e.Message);
                return StepOutcome.EndedEarly;
        }
    }

    private static bool IsTransient(Exception? e) =>
        e is ApiException or InvalidAnswerException or NoStreamingListException or OlderEventException or IOException;

    private TimeSpan AfterFailure(Exception e)
    {
        StepOutcome outcome = e switch
        {
            ApiException refusal => Classify(refusal),
            InvalidAnswerException => StepOutcome.Refused,
            _ => StepOutcome.EndedEarly,
        };
        TimeSpan pause = _state.After(outcome, (e as ApiException)?.RetryAfter ?? default);
        if (outcome == StepOutcome.NoStreamingLists)
            logger.StreamingListsMissing(e.Message);
        else if (outcome == StepOutcome.Expired)
            logger.WatchExpired(store.ResourceVersion);
        else if (outcome is not (StepOutcome.Busy or StepOutcome.EndedEarly) || _state.IsOverdue)
            _health.Failed(e.Message);
        logger.NextAttempt(what, Math.Round(pause.TotalSeconds, 1), e.Message);
        return pause;
    }

    private StepOutcome Classify(ApiException e) => e.StatusCode switch
    {
        _ when e.IsVersionTooLarge => StepOutcome.VersionTooLarge,
        _ when e.IsExpired => StepOutcome.Expired,
        null => e.IsUntrusted ? StepOutcome.Untrusted : StepOutcome.Unreachable,
        HttpStatusCode.Unauthorized => StepOutcome.Unauthorized,
        HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity when _state.IsStreamingList => StepOutcome.NoStreamingLists,
        HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout
            when e.RetryAfter is not null => StepOutcome.Busy,
        _ => StepOutcome.Refused,
    };

    private Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken) =>
        pause > TimeSpan.Zero ? Task.Delay(pause, time, cancellationToken) : Task.CompletedTask;

    // A class, because Polly is generic over it: nothing of that is compiled at start.
    private sealed class OpenWatch(ApiResponse response, string version, long openedAt, TimeSpan atMost) : IDisposable
    {
        public ApiResponse Response => response;

        /// <summary>The resource version from which it began.</summary>
        public string Version => version;

        public long OpenedAt => openedAt;

        /// <summary>After this time the server ends it.</summary>
        public TimeSpan AtMost => atMost;

        /// <summary>The highest resource version of its events, bookmarks included; 0 before the first.</summary>
        public ulong Latest { get; set; }

        /// <summary>It began as a streaming list whose initial events are not complete yet.</summary>
        public bool IsListing { get; set; }

        public void Dispose() => response.Dispose();
    }

    private sealed class OlderEventException(ulong version, ulong latest)
        : Exception($"an event has resource version {version}, and one before it {latest}");

    private sealed class NoStreamingListException() : Exception("it does not end its list");
}
