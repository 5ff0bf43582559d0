namespace HostGw.Nodes;

/// <summary>How fresh the nodes are.</summary>
/// <param name="ListedAt">When the last full list was complete.</param>
/// <param name="HeardAt">When the last event, bookmark or list came.</param>
/// <param name="Problem">Why the API server cannot be followed at present; null while it can.</param>
/// <param name="Failures">Failed attempts to follow it since the start.</param>
internal readonly record struct NodeFeed(DateTimeOffset? ListedAt, DateTimeOffset? HeardAt, string? Problem, long Failures);
