using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>How far the node digest can be followed, with nodes.source: digest.</summary>
/// <param name="Rejected">Shards that are not used as they are, by number: their last content is kept.</param>
/// <param name="IsPartial">Some have not been valid since the start: a node that is not known may exist, and none is removed.</param>
/// <param name="Source">The highest resourceVersion of Nodes that a shard reflects; 0: none.</param>
internal sealed record DigestHealth(ImmutableArray<RejectedShard> Rejected, bool IsPartial, ulong Source)
{
    /// <summary>Of its ConfigMaps and its Lease. Whoever may edit it reroutes the cluster, within the guards.</summary>
    public const string Namespace = "hostgw-digest";

    /// <summary>When the digest last renewed its Lease; null: not read yet, or there is no Lease.</summary>
    public DateTimeOffset? RenewedAt { get; init; }

    /// <summary>Why the shards may be out of date; null: they are not, as far as is known.</summary>
    public string? Stale { get; init; }

    /// <summary>Whether reported problems or the hold on removals differ.</summary>
    public bool IsOtherThan(DigestHealth? before) =>
        before is null || IsPartial != before.IsPartial || Stale != before.Stale || !Rejected.SequenceEqual(before.Rejected);
}

/// <param name="Name">Of the ConfigMap.</param>
/// <param name="Reason">Follows the name of the shard and a colon.</param>
internal readonly record struct RejectedShard(string Name, string Reason);
