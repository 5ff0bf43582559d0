using HostGw.Planning;
using Microsoft.Extensions.Logging;

namespace HostGw;

// Every sentence the agent can log. Ids are for alerts and runbooks: never change or reuse one.
internal static partial class Log
{
    // 2xx: passes

    [LoggerMessage(201, LogLevel.Information, "Changed routes in {Milliseconds} ms because of {Causes}: {Added} added, {Corrected} corrected, {Removed} removed")]
    public static partial void RoutesChanged(this ILogger logger, double milliseconds, string causes, int added, int corrected, int removed);

    [LoggerMessage(202, LogLevel.Error, "Could not {Failure}")]
    public static partial void OperationFailed(this ILogger logger, string failure);

    [LoggerMessage(203, LogLevel.Debug, "Pass in {Milliseconds} ms because of {Causes} had nothing to do")]
    public static partial void NothingToDo(this ILogger logger, double milliseconds, string causes);

    [LoggerMessage(204, LogLevel.Warning, "{Problem}")]
    public static partial void ProblemAppeared(this ILogger logger, string problem);

    [LoggerMessage(205, LogLevel.Information, "No longer: {Problem}")]
    public static partial void ProblemGone(this ILogger logger, string problem);

    [LoggerMessage(206, LogLevel.Warning, "{Count} more problems like these; `hostgw status` lists all")]
    public static partial void MoreProblems(this ILogger logger, int count);

    [LoggerMessage(207, LogLevel.Information, "Turned IP forwarding on")]
    public static partial void ForwardingEnabled(this ILogger logger);

    // 3xx: routes

    [LoggerMessage(301, LogLevel.Information, "Added route {Destination} {NextHop}")]
    public static partial void RouteAdded(this ILogger logger, Prefix destination, string nextHop);

    [LoggerMessage(302, LogLevel.Information, "Corrected route {Destination}: was {Before}, is {NextHop} ({Cause})")]
    public static partial void RouteCorrected(this ILogger logger, Prefix destination, string before, string nextHop, string cause);

    [LoggerMessage(303, LogLevel.Information, "Removed route {Destination} {NextHop}")]
    public static partial void RouteRemoved(this ILogger logger, Prefix destination, string nextHop);

    // 4xx: NAT

    [LoggerMessage(401, LogLevel.Information, "Changed the masquerade rule: {What}")]
    public static partial void NatChanged(this ILogger logger, string what);

    [LoggerMessage(402, LogLevel.Warning, "nat.source any rewrites this host's own traffic too: virtual addresses and fixed source ports (NTP, DHCP) change; nat.source pods does not")]
    public static partial void NatRewritesHost(this ILogger logger);

    [LoggerMessage(403, LogLevel.Information, "Chose {Backend} for the masquerade rule: {Why}")]
    public static partial void NatBackendChosen(this ILogger logger, string backend, string why);

    [LoggerMessage(404, LogLevel.Information, "Changed what accepts pods' packets in chain FORWARD: {What}")]
    public static partial void ForwardAcceptChanged(this ILogger logger, string what);

    // 5xx: status

    [LoggerMessage(501, LogLevel.Error, "No status endpoint on {Listen}: {Reason}")]
    public static partial void StatusUnavailable(this ILogger logger, string listen, string reason);

    [LoggerMessage(502, LogLevel.Information, "The status endpoint on {Listen} is there now")]
    public static partial void StatusAvailable(this ILogger logger, string listen);

    [LoggerMessage(503, LogLevel.Debug, "Sent Event {Name}: {Text}")]
    public static partial void EventSent(this ILogger logger, string name, string text);

    [LoggerMessage(504, LogLevel.Warning, "Events of this node are not taken by the API server, problems are told here and in `hostgw status` alone: {Reason}")]
    public static partial void EventsRefused(this ILogger logger, string reason);

    [LoggerMessage(505, LogLevel.Debug, "Next attempt to send an Event in {Seconds} s ({Problem}): {Reason}")]
    public static partial void EventDelayed(this ILogger logger, double seconds, string problem, string reason);

    [LoggerMessage(506, LogLevel.Debug, "No Event for '{Problem}': {Why}")]
    public static partial void EventLeftOut(this ILogger logger, string problem, string why);

    [LoggerMessage(507, LogLevel.Error, "The status page {Path} failed")]
    public static partial void PageFailed(this ILogger logger, string path, Exception exception);

    // 9xx: lifetime

    [LoggerMessage(901, LogLevel.Information, "HostGw {Version} on node {Node}, next hop {NextHop}, API server {ApiServer}")]
    public static partial void Started(this ILogger logger, string version, string node, string nextHop, string apiServer);

    [LoggerMessage(902, LogLevel.Warning, "Another agent (pid {Pid}) runs on this host; waiting until it ends")]
    public static partial void WaitingForOtherAgent(this ILogger logger, int pid);

    [LoggerMessage(904, LogLevel.Warning, "What holds the name that keeps a second agent out (hostgw-agent) is no agent (pid {Pid}, 0 if it hides): going on without it")]
    public static partial void LockTakenByStranger(this ILogger logger, int pid);

    [LoggerMessage(905, LogLevel.Warning, "clusterCidrs is not set: whatever private prefix a Node names as its podCIDR gets a route, unless it touches this host's own networks")]
    public static partial void AnyPrivatePrefix(this ILogger logger);

    [LoggerMessage(906, LogLevel.Information, "Log level {Now}, no longer {Before}: {Path} changed")]
    public static partial void LogLevelChanged(this ILogger logger, string now, string before, string path);

    [LoggerMessage(907, LogLevel.Information, "{Path} changed: log.level is as before, and all else takes effect at the next start")]
    public static partial void SettingsFileChanged(this ILogger logger, string path);

    [LoggerMessage(908, LogLevel.Warning, "{Path} changed and cannot be used, log.level stays: {Reason}")]
    public static partial void SettingsFileWrong(this ILogger logger, string path, string reason);

    [LoggerMessage(903, LogLevel.Information, "Stopped; routes and the masquerade rule stay in place")]
    public static partial void Stopped(this ILogger logger);
}
