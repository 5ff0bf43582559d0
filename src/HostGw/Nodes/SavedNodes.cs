using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>The nodes as they last were known to be, kept for a start without the API server.</summary>
/// <param name="At">When they were last known to be so.</param>
/// <param name="ApiServer">The address of the API server then; none where it was not known. No route may cover it.</param>
internal sealed record SavedNodes(ImmutableArray<ClusterNode> Nodes, string ResourceVersion, DateTimeOffset At, Ip ApiServer);

/// <summary>What was saved cannot be used, or nodes cannot be saved.</summary>
internal sealed class SavedNodesException(string message, Exception? inner = null) : Exception(message, inner);
