using Microsoft.Extensions.Logging;

namespace HostGw;

internal static partial class Log
{
    // 6xx: CNI

    [LoggerMessage(601, LogLevel.Information, "Changed the CNI configuration: {What}")]
    public static partial void CniChanged(this ILogger logger, string what);

    [LoggerMessage(602, LogLevel.Information, "No CNI configuration of ours: pods get their network by {File}, another plugin's (cni.takeOver would put ours first)")]
    public static partial void CniLeftToOther(this ILogger logger, string file);

    [LoggerMessage(603, LogLevel.Information, "Cleared the condition NetworkUnavailable of node {Node}")]
    public static partial void NetworkUnavailableCleared(this ILogger logger, string node);

    [LoggerMessage(604, LogLevel.Warning, "Could not clear the condition NetworkUnavailable, next attempt in {Seconds} s: {Reason}")]
    public static partial void NetworkUnavailableStays(this ILogger logger, double seconds, string reason);
}
