using Microsoft.Extensions.Logging;

namespace HostGw;

internal static partial class Log
{
    // 1xx: nodes

    [LoggerMessage(101, LogLevel.Information, "Listed {Count} nodes at resource version {ResourceVersion}")]
    public static partial void NodesListed(this ILogger logger, int count, string resourceVersion);

    [LoggerMessage(102, LogLevel.Warning, "Cannot watch nodes: {Reason}. Existing routes are kept")]
    public static partial void NodesUnreachable(this ILogger logger, string reason);

    [LoggerMessage(103, LogLevel.Debug, "Watching nodes from resource version {ResourceVersion}")]
    public static partial void WatchStarted(this ILogger logger, string resourceVersion);

    [LoggerMessage(104, LogLevel.Debug, "The watch ended")]
    public static partial void WatchEnded(this ILogger logger);

    [LoggerMessage(105, LogLevel.Debug, "The watch broke off: {Reason}")]
    public static partial void WatchDropped(this ILogger logger, string reason);

    [LoggerMessage(106, LogLevel.Information, "The API server no longer knows resource version {ResourceVersion}: listing again")]
    public static partial void WatchExpired(this ILogger logger, string resourceVersion);

    [LoggerMessage(107, LogLevel.Warning, "The watch cannot be read, listing again: {Reason}")]
    public static partial void WatchBroken(this ILogger logger, string reason);

    [LoggerMessage(108, LogLevel.Debug, "{Event} node {Node}")]
    public static partial void NodeChanged(this ILogger logger, string @event, string node);

    [LoggerMessage(109, LogLevel.Information, "Nodes are watched again")]
    public static partial void NodesReachable(this ILogger logger);

    [LoggerMessage(110, LogLevel.Debug, "Next request to the API server in {Seconds} s: {Reason}")]
    public static partial void NextAttempt(this ILogger logger, double seconds, string reason);

    [LoggerMessage(111, LogLevel.Debug, "The API server has no streaming lists ({Reason}): listing in pages")]
    public static partial void StreamingListsMissing(this ILogger logger, string reason);

    [LoggerMessage(112, LogLevel.Warning, "The API server's store went back from resource version {Known} to {Actual} (restored from a backup?): listing again")]
    public static partial void StoreWentBack(this ILogger logger, string known, string actual);

    [LoggerMessage(121, LogLevel.Warning, "Cannot save the nodes in {Path}, which a start without the API server needs: {Reason}")]
    public static partial void NodesNotSaved(this ILogger logger, string path, string reason);

    [LoggerMessage(122, LogLevel.Information, "The nodes are saved in {Path} again")]
    public static partial void NodesSavedAgain(this ILogger logger, string path);

    [LoggerMessage(123, LogLevel.Warning, "The API server does not answer, and the nodes saved in {Path} cannot be used: {Reason}")]
    public static partial void SavedNodesUnusable(this ILogger logger, string path, string reason);
}
