using HostGw.Planning;
using Microsoft.Extensions.Logging;

namespace HostGw;

/// <summary>Every message that the agent can log. Ids are for alerts and runbooks: never change or reuse one.</summary>
/// <remarks>
/// Information: something changed. Warning: somebody must look. Error: a pass or a service failed. Debug: why nothing changed.
/// </remarks>
internal static partial class Log
{
    // 1xx: nodes

    [LoggerMessage(101, LogLevel.Information, "Listed {Count} {What} at resource version {ResourceVersion}")]
    public static partial void NodesListed(this ILogger logger, int count, string what, string resourceVersion);

    [LoggerMessage(102, LogLevel.Warning, "Cannot watch {What}: {Reason}. Existing {Kept} are kept")]
    public static partial void NodesUnreachable(this ILogger logger, string what, string reason, string kept);

    [LoggerMessage(103, LogLevel.Debug, "Watching {What} from resource version {ResourceVersion}")]
    public static partial void WatchStarted(this ILogger logger, string what, string resourceVersion);

    [LoggerMessage(104, LogLevel.Debug, "The watch ended")]
    public static partial void WatchEnded(this ILogger logger);

    [LoggerMessage(105, LogLevel.Debug, "The watch broke off: {Reason}")]
    public static partial void WatchDropped(this ILogger logger, string reason);

    [LoggerMessage(106, LogLevel.Information, "The API server no longer has resource version {ResourceVersion}: listing again")]
    public static partial void WatchExpired(this ILogger logger, string resourceVersion);

    [LoggerMessage(107, LogLevel.Warning, "The watch failed: {Reason}")]
    public static partial void WatchBroken(this ILogger logger, string reason);

    [LoggerMessage(108, LogLevel.Debug, "{Event} node {Node}")]
    public static partial void NodeChanged(this ILogger logger, string @event, string node);

    [LoggerMessage(109, LogLevel.Information, "Watching {What} again")]
    public static partial void NodesReachable(this ILogger logger, string what);

    [LoggerMessage(110, LogLevel.Debug, "Next attempt to watch {What} in {Seconds} s: {Reason}")]
    public static partial void NextAttempt(this ILogger logger, string what, double seconds, string reason);

    [LoggerMessage(111, LogLevel.Debug, "The API server has no streaming lists, listing by pages: {Reason}")]
    public static partial void StreamingListsMissing(this ILogger logger, string reason);

    [LoggerMessage(112, LogLevel.Warning,
        "The API server's store went back from resource version {Known} to {Actual} (restored from a backup?): listing again")]
    public static partial void StoreWentBack(this ILogger logger, string known, string actual);

    [LoggerMessage(113, LogLevel.Debug, "Further addresses of the API servers: {Addresses}")]
    public static partial void ApiServersChanged(this ILogger logger, string addresses);

    [LoggerMessage(114, LogLevel.Debug, "The addresses of the API servers (EndpointSlice kubernetes) were not read: {Reason}")]
    public static partial void ApiServersNotRead(this ILogger logger, string reason);

    [LoggerMessage(115, LogLevel.Information, "Service networks of the cluster, by its ServiceCIDR objects: {Cidrs}")]
    public static partial void ServiceCidrsFound(this ILogger logger, string cidrs);

    [LoggerMessage(116, LogLevel.Warning,
        "The service networks are unknown, so that a podCIDR that overlaps one is not rejected: {Reason}. " +
        "Give the right to list servicecidrs (networking.k8s.io), as the chart does, or set serviceCidrs")]
    public static partial void ServiceCidrsForbidden(this ILogger logger, string reason);

    [LoggerMessage(117, LogLevel.Debug, "The service networks (ServiceCIDR objects) were not read: {Reason}")]
    public static partial void ServiceCidrsNotRead(this ILogger logger, string reason);

    [LoggerMessage(118, LogLevel.Debug, "The Lease of the node digest was not read: {Reason}")]
    public static partial void DigestLeaseNotRead(this ILogger logger, string reason);

    [LoggerMessage(121, LogLevel.Warning, "Cannot save the nodes in {Path} for a start without the API server: {Reason}")]
    public static partial void NodesNotSaved(this ILogger logger, string path, string reason);

    [LoggerMessage(122, LogLevel.Information, "The nodes are saved in {Path} again")]
    public static partial void NodesSavedAgain(this ILogger logger, string path);

    [LoggerMessage(123, LogLevel.Warning, "The API server does not answer, and the nodes saved in {Path} cannot be used: {Reason}")]
    public static partial void SavedNodesUnusable(this ILogger logger, string path, string reason);

    // 2xx: passes

    [LoggerMessage(201, LogLevel.Information,
        "Changed routes in {Milliseconds} ms because of {Causes}: {Added} added, {Corrected} corrected, {Removed} removed")]
    public static partial void RoutesChanged(
        this ILogger logger, double milliseconds, string causes, int added, int corrected, int removed);

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

    [LoggerMessage(208, LogLevel.Information, "Set accept_ra of {Interface} to {Value}")]
    public static partial void AcceptRaChanged(this ILogger logger, string @interface, int value);

    // 3xx: routes

    [LoggerMessage(301, LogLevel.Information, "Added route {Destination} {NextHop}")]
    public static partial void RouteAdded(this ILogger logger, Prefix destination, string nextHop);

    [LoggerMessage(302, LogLevel.Information, "Corrected route {Destination}: was {Before}, is {NextHop} ({Cause})")]
    public static partial void RouteCorrected(this ILogger logger, Prefix destination, string before, string nextHop, string cause);

    [LoggerMessage(303, LogLevel.Information, "Removed route {Destination} {NextHop}")]
    public static partial void RouteRemoved(this ILogger logger, Prefix destination, string nextHop);

    [LoggerMessage(304, LogLevel.Information, "Added policy rule {Preference}: {Rule}")]
    public static partial void PolicyRuleAdded(this ILogger logger, uint preference, string rule);

    [LoggerMessage(305, LogLevel.Information, "Removed policy rule {Preference}: {Rule}")]
    public static partial void PolicyRuleRemoved(this ILogger logger, uint preference, string rule);

    [LoggerMessage(306, LogLevel.Information, "Added the local route of probe address {Address}")]
    public static partial void ProbeAddressAdded(this ILogger logger, Ip address);

    [LoggerMessage(307, LogLevel.Information, "Removed the local route {Destination} of a probe address")]
    public static partial void ProbeRouteRemoved(this ILogger logger, Prefix destination);

    [LoggerMessage(308, LogLevel.Information, "Changed the link hostgw0: {What}")]
    public static partial void TunnelChanged(this ILogger logger, string what);

    // 4xx: NAT and other rules

    [LoggerMessage(401, LogLevel.Information, "Changed the masquerade rule: {What}")]
    public static partial void NatChanged(this ILogger logger, string what);

    [LoggerMessage(402, LogLevel.Warning,
        "nat.source any also masquerades this host's own traffic: virtual addresses and fixed source ports (NTP, DHCP) change. " +
        "nat.source pods does not")]
    public static partial void NatRewritesHost(this ILogger logger);

    [LoggerMessage(403, LogLevel.Information, "Masquerade rule by {Backend}: {Why}")]
    public static partial void NatBackendChosen(this ILogger logger, string backend, string why);

    [LoggerMessage(404, LogLevel.Information, "Changed the rules that accept pods' packets in chain FORWARD: {What}")]
    public static partial void ForwardAcceptChanged(this ILogger logger, string what);

    [LoggerMessage(405, LogLevel.Information, "Changed the guards of probes and tunnel (nftables table hostgw-guard): {What}")]
    public static partial void GuardsChanged(this ILogger logger, string what);

    // 5xx: status

    [LoggerMessage(501, LogLevel.Error, "No status endpoint on {Listen}: {Reason}")]
    public static partial void StatusUnavailable(this ILogger logger, string listen, string reason);

    [LoggerMessage(502, LogLevel.Information, "The status endpoint on {Listen} is available")]
    public static partial void StatusAvailable(this ILogger logger, string listen);

    [LoggerMessage(503, LogLevel.Debug, "Sent Event {Name}: {Text}")]
    public static partial void EventSent(this ILogger logger, string name, string text);

    [LoggerMessage(504, LogLevel.Warning, "The API server rejects Events: {Reason}. Problems are in this log and in `hostgw status`")]
    public static partial void EventsRefused(this ILogger logger, string reason);

    [LoggerMessage(505, LogLevel.Debug, "Next attempt to send an Event in {Seconds} s ({Problem}): {Reason}")]
    public static partial void EventDelayed(this ILogger logger, double seconds, string problem, string reason);

    [LoggerMessage(506, LogLevel.Debug, "No Event for '{Problem}': {Why}")]
    public static partial void EventLeftOut(this ILogger logger, string problem, string why);

    [LoggerMessage(507, LogLevel.Error, "The status page {Path} failed")]
    public static partial void PageFailed(this ILogger logger, string path, Exception exception);

    // 6xx: CNI

    [LoggerMessage(601, LogLevel.Information, "Changed the CNI configuration: {What}")]
    public static partial void CniChanged(this ILogger logger, string what);

    [LoggerMessage(602, LogLevel.Information,
        "CNI configuration not written: {File} of another plugin takes precedence (cni.takeOver puts HostGw's first)")]
    public static partial void CniLeftToOther(this ILogger logger, string file);

    [LoggerMessage(603, LogLevel.Information, "Cleared the condition NetworkUnavailable of node {Node}")]
    public static partial void NetworkUnavailableCleared(this ILogger logger, string node);

    [LoggerMessage(604, LogLevel.Warning, "Could not clear the condition NetworkUnavailable, next attempt in {Seconds} s: {Reason}")]
    public static partial void NetworkUnavailableStays(this ILogger logger, double seconds, string reason);

    // 7xx: probes

    [LoggerMessage(701, LogLevel.Warning,
        "Peers' probes are not received on UDP port {Port}, next attempt in {Seconds} s: {Reason}. Peers cannot tell whether their " +
        "packets reach this node's pods")]
    public static partial void ProbesNotReceived(this ILogger logger, int port, double seconds, string reason);

    // 8xx: the digest's writer

    [LoggerMessage(801, LogLevel.Information, "HostGw digest {Version} on node {Node}, labels {Labels}, API server {ApiServer}")]
    public static partial void DigestStarted(this ILogger logger, string version, string node, string labels, string apiServer);

    [LoggerMessage(802, LogLevel.Information, "Wrote {Count} shards at resource version {ResourceVersion} of {Nodes} nodes")]
    public static partial void ShardsWritten(this ILogger logger, int count, string resourceVersion, int nodes);

    [LoggerMessage(803, LogLevel.Warning, "{Count} shards were edited or deleted by others, and are written again")]
    public static partial void ShardsRepaired(this ILogger logger, int count);

    [LoggerMessage(804, LogLevel.Warning, "Shard {Shard} is not written until its nodes change, it is too large: {Reason}")]
    public static partial void ShardTooLarge(this ILogger logger, string shard, string reason);

    [LoggerMessage(805, LogLevel.Warning, "Cannot write shard {Shard}: {Reason}. Agents keep the nodes that they know")]
    public static partial void ShardsNotWritten(this ILogger logger, string shard, string reason);

    [LoggerMessage(806, LogLevel.Information, "The shards can be written again")]
    public static partial void ShardsWrittenAgain(this ILogger logger);

    [LoggerMessage(807, LogLevel.Debug,
        "{Count} shards reflect later Nodes than this digest has received (resource version {ResourceVersion}): they are left as they are")]
    public static partial void DigestBehind(this ILogger logger, int count, string resourceVersion);

    [LoggerMessage(808, LogLevel.Warning,
        "{Count} shards reflect Nodes later than the API server's store (resource version {Actual}; restored from a backup?): they are " +
        "written again")]
    public static partial void DigestSourceGoesDown(this ILogger logger, int count, string actual);

    [LoggerMessage(809, LogLevel.Debug, "The resource version of the API server's store was not read: {Reason}")]
    public static partial void DigestTimelineNotRead(this ILogger logger, string reason);

    [LoggerMessage(810, LogLevel.Warning,
        "The API server lists {Nodes} nodes, the shards hold {Before}: reading the nodes by quorum before shards change")]
    public static partial void DigestNodesVanished(this ILogger logger, int nodes, int before);

    [LoggerMessage(811, LogLevel.Information, "Renewing the Lease {Lease} as {Holder}")]
    public static partial void LeaseRenewed(this ILogger logger, string lease, string holder);

    [LoggerMessage(812, LogLevel.Warning, "The Lease {Lease} is not renewed: {Reason}")]
    public static partial void LeaseNotRenewed(this ILogger logger, string lease, string reason);

    [LoggerMessage(813, LogLevel.Information, "Stopped; the shards stay as they are")]
    public static partial void DigestStopped(this ILogger logger);

    // 9xx: lifetime

    [LoggerMessage(901, LogLevel.Information, "HostGw {Version} on node {Node}, next hop {NextHop}, API server {ApiServer}")]
    public static partial void Started(this ILogger logger, string version, string node, string nextHop, string apiServer);

    [LoggerMessage(902, LogLevel.Warning, "Another agent ({Holder}) runs on this host: waiting until it ends")]
    public static partial void WaitingForOtherAgent(this ILogger logger, string holder);

    [LoggerMessage(903, LogLevel.Information, "Stopped; routes and the masquerade rule stay in place")]
    public static partial void Stopped(this ILogger logger);

    [LoggerMessage(904, LogLevel.Warning,
        "The lock against a second agent (hostgw-agent) is held by another program ({Holder}): going on without it")]
    public static partial void LockTakenByStranger(this ILogger logger, string holder);

    [LoggerMessage(905, LogLevel.Warning,
        "clusterCidrs is not set: any private prefix that a Node has as its podCIDR gets a route, unless it overlaps this host's " +
        "networks")]
    public static partial void AnyPrivatePrefix(this ILogger logger);

    [LoggerMessage(906, LogLevel.Information, "Log level changed from {Before} to {Now}: {Path} changed")]
    public static partial void LogLevelChanged(this ILogger logger, string now, string before, string path);

    [LoggerMessage(907, LogLevel.Information, "{Path} changed: log.level is the same, other settings take effect at the next start")]
    public static partial void SettingsFileChanged(this ILogger logger, string path);

    [LoggerMessage(908, LogLevel.Warning, "{Path} changed and cannot be used, log.level is kept: {Reason}")]
    public static partial void SettingsFileWrong(this ILogger logger, string path, string reason);

    [LoggerMessage(909, LogLevel.Error,
        "Another agent ({Holder}) has run on this host for {Seconds} s: ending. One agent per host: stop it, or remove this one " +
        "(a second release of the chart, an agent outside the cluster)")]
    public static partial void OtherAgentStays(this ILogger logger, string holder, double seconds);

    [LoggerMessage(910, LogLevel.Warning, "The agent starts without a part of its lock against a second agent: {Reason}")]
    public static partial void LockIncomplete(this ILogger logger, string reason);
}
