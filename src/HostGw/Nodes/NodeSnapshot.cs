using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>The nodes of the cluster at one moment. A new one is made only when planning would see a difference.</summary>
/// <param name="Nodes">Sorted by name, ordinal.</param>
/// <param name="ResourceVersion">The moment, when this snapshot was taken.</param>
/// <param name="IsComplete">False until a first full list has arrived: then an absent node is one that is not known yet.</param>
internal sealed record NodeSnapshot(ImmutableArray<ClusterNode> Nodes, string ResourceVersion, bool IsComplete)
{
    public static NodeSnapshot Nothing { get; } = new([], "", false);
}
