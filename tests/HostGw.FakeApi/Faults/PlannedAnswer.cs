namespace HostGw.FakeApi;

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
