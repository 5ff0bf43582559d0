namespace HostGw.Status;

/// <summary>How well the API server is followed.</summary>
/// <param name="Problem">Why it cannot be followed at present; null while it can.</param>
/// <param name="ResourceVersion">The latest that was heard of; empty before the first list.</param>
/// <param name="Failures">Failed attempts to list or watch since the start.</param>
internal readonly record struct ApiHealth(
    string? Problem, string ResourceVersion = "", DateTimeOffset? ListedAt = null, DateTimeOffset? HeardAt = null, long Failures = 0);
