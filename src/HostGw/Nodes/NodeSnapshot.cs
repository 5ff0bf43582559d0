using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>The nodes of the cluster at one moment. A new one is made only when planning would see a difference.</summary>
/// <param name="Nodes">Sorted by name, ordinal.</param>
/// <param name="ResourceVersion">The moment, when this snapshot was taken.</param>
/// <param name="IsComplete">False until a first full list has arrived, or was found on disk: then an absent node is one that is not known yet.</param>
internal sealed record NodeSnapshot(ImmutableArray<ClusterNode> Nodes, string ResourceVersion, bool IsComplete)
{
    public static NodeSnapshot Nothing { get; } = new([], "", false);

    /// <summary>When these nodes were saved; null where they came from the API server.</summary>
    public DateTimeOffset? SavedAt { get; init; }

    /// <summary>How many lists by quorum, which no cache can spoil, had been read.</summary>
    public int QuorumReads { get; init; }
}
