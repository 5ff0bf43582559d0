using HostGw.FakeApi.Http;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi;

/// <summary>How the server misbehaves, from now on. Everything is off at first and after <see cref="Clear"/>.</summary>
public sealed class Faults
{
    private readonly Lock _gate = new();
    private readonly List<PlannedAnswer> _answers = [];
    private readonly List<Func<RequestRecord, bool>> _forbidden = [];
    private int _eventsToDrop;
    private volatile bool _hangConnections, _hangRequests, _freezeWatches, _emptyLists, _duplicateEvents, _cacheInitializing;

    /// <summary>Before every answer.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>Of every response body; 0 is as fast as it goes.</summary>
    public int BytesPerSecond { get; set; }

    /// <summary>New connections are accepted and then nothing is said on them, no TLS either. They go on when this is turned off.</summary>
    public bool HangConnections { get => _hangConnections; set => _hangConnections = value; }

    /// <summary>Requests are read and not answered until this is turned off.</summary>
    public bool HangRequests { get => _hangRequests; set => _hangRequests = value; }

    /// <summary>Open watches stay open and say nothing, bookmarks included; what happened meanwhile comes when this is turned off.</summary>
    public bool FreezeWatches { get => _freezeWatches; set => _freezeWatches = value; }

    /// <summary>429 with Retry-After for watches and lists, but for pages: what a server that has just started says while it fills its cache.</summary>
    public bool CacheInitializing { get => _cacheInitializing; set => _cacheInitializing = value; }

    /// <summary>Lists answer with no items, at the present resourceVersion.</summary>
    public bool EmptyLists { get => _emptyLists; set => _emptyLists = value; }

    /// <summary>Every watch event comes twice.</summary>
    public bool DuplicateEvents { get => _duplicateEvents; set => _duplicateEvents = value; }

    /// <summary>Lists of nodes answer with this past state and its resourceVersion; null is the truth.</summary>
    public NodeSnapshot? ListsFrom { get; set; }

    /// <summary>The same for lists from the watch cache only; those by quorum, which name no resourceVersion, are true.</summary>
    public NodeSnapshot? CachedListsFrom { get; set; }

    /// <summary>The next <paramref name="count"/> events, counted per watch that would get them, are lost.</summary>
    public void DropEvents(int count) => Interlocked.Exchange(ref _eventsToDrop, count);

    /// <summary>The next <paramref name="times"/> requests that <paramref name="where"/> picks get this status code.</summary>
    public void Answer(int code, int times = 1, TimeSpan? retryAfter = null, Func<RequestRecord, bool>? where = null) =>
        Plan(new PlannedAnswer(where, times) { Code = code, RetryAfter = retryAfter });

    /// <summary>The next requests get 200 and bytes that are no JSON.</summary>
    public void AnswerGarbage(int times = 1, Func<RequestRecord, bool>? where = null) =>
        Plan(new PlannedAnswer(where, times) { Garbage = true });

    /// <summary>The next answers break off after so many bytes of body: by a broken connection, or, with <paramref name="cleanEnd"/>, as if that were all.</summary>
    public void Truncate(int afterBytes, int times = 1, bool cleanEnd = false, Func<RequestRecord, bool>? where = null) =>
        Plan(new PlannedAnswer(where, times) { TruncateAfter = afterBytes, CleanEnd = cleanEnd });

    /// <summary>403 for what <paramref name="what"/> picks, until <see cref="Clear"/>.</summary>
    public void Forbid(Func<RequestRecord, bool> what)
    {
        lock (_gate)
            _forbidden.Add(what);
    }

    public void Clear()
    {
        lock (_gate)
        {
            _answers.Clear();
            _forbidden.Clear();
        }
        DropEvents(0);
        (Latency, BytesPerSecond, ListsFrom, CachedListsFrom) = (TimeSpan.Zero, 0, null, null);
        _hangConnections = _hangRequests = _freezeWatches = _emptyLists = _duplicateEvents = _cacheInitializing = false;
    }

    /// <summary>What a list of nodes answers with; null: the truth.</summary>
    /// <param name="fromCache">It names a resourceVersion.</param>
    internal TableSnapshot? PastOf(bool fromCache) => (ListsFrom ?? (fromCache ? CachedListsFrom : null))?.Table;

    internal bool Forbids(RequestRecord request)
    {
        lock (_gate)
            return _forbidden.Exists(f => f(request));
    }

    /// <summary>Takes one use of the first planned answer that fits.</summary>
    internal PlannedAnswer? Take(RequestRecord request)
    {
        lock (_gate)
        {
            PlannedAnswer? planned = _answers.Find(a => a.Where?.Invoke(request) ?? true);
            if (planned is not null && --planned.Left == 0)
                _answers.Remove(planned);
            return planned;
        }
    }

    internal bool DropsEvent() => Volatile.Read(ref _eventsToDrop) > 0 && Interlocked.Decrement(ref _eventsToDrop) >= 0;

    private void Plan(PlannedAnswer answer)
    {
        lock (_gate)
            _answers.Add(answer);
    }
}

/// <summary>A wrong answer prepared for the next requests.</summary>
internal sealed class PlannedAnswer(Func<RequestRecord, bool>? where, int times)
{
    public Func<RequestRecord, bool>? Where { get; } = where;

    public int Left { get; set; } = times;

    public int Code { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    public bool Garbage { get; init; }

    public int? TruncateAfter { get; init; }

    public bool CleanEnd { get; init; }
}

/// <summary>The Status that goes with a status code out of nowhere.</summary>
internal static class PlannedErrors
{
    public static ApiException Of(PlannedAnswer planned, RequestRecord request)
    {
        (string reason, string message) = planned.Code switch
        {
            400 => ("BadRequest", "the server rejected our request"),
            401 => ("Unauthorized", "Unauthorized"),
            403 => ("Forbidden", $"forbidden: User \"{request.User}\" cannot do this"),
            404 => ("NotFound", "the server could not find the requested resource"),
            409 => ("Conflict", "the object has been modified; please apply your changes to the latest version and try again"),
            410 => ("Expired", "The resourceVersion for the provided watch is too old."),
            413 => ("RequestEntityTooLarge", "Request entity too large: limit is 3145728"),
            429 => ("TooManyRequests", "Too many requests, please try again later."),
            500 => ("InternalError", "Internal error occurred: etcdserver: leader changed"),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => ("Timeout", "the server was unable to return a response in the time allotted"),
            _ => ("", "planned by the test"),
        };
        int? seconds = planned.RetryAfter is { } after ? (int)Math.Ceiling(after.TotalSeconds) : null;
        return new ApiException(planned.Code, reason, message, seconds is null ? null : new() { ["retryAfterSeconds"] = seconds })
        {
            RetryAfterSeconds = seconds,
        };
    }
}

/// <summary>What a client sees of an address behind which there is no server.</summary>
public enum Unreachable
{
    /// <summary>Connections are reset.</summary>
    Reset,

    /// <summary>Connections open and nothing is said on them: they time out.</summary>
    Silent,
}
