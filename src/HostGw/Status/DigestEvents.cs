using HostGw.Digest;
using HostGw.Problems;
using k8s.Models;

namespace HostGw.Status;

/// <summary>The problems of the digest, as Events of its Lease.</summary>
internal static class DigestEvents
{
    private const string Refused =
        "if it is too large, see which of its nodes are described by so much (`hostgw digest --once` prints it), and remove what they do " +
        "not need; else give what the reason names";

    private const string Unwatched = "Nothing is written meanwhile, and agents learn of no change of other nodes";

    /// <summary>`kubectl -n hostgw-digest get events` shows them.</summary>
    public static V1ObjectReference Subject { get; } = new()
    {
        ApiVersion = $"{V1Lease.KubeGroup}/{V1Lease.KubeApiVersion}",
        Kind = V1Lease.KubeKind,
        Name = ShardFormat.Lease,
        NamespaceProperty = ShardFormat.Namespace,
    };

    /// <summary>Where nothing can be watched or written one problem, else one of each shard that is refused.</summary>
    /// <param name="unwatched">What cannot be watched; what the state says of writing is from before then.</param>
    public static IEnumerable<Problem> Of(DigestState state, string? unwatched)
    {
        if (unwatched is not null)
        {
            yield return new("DigestNotWatched", $"the node digest is not up to date: {unwatched}. {Unwatched}");
            yield break;
        }
        if (state.Problem is { } reason)
        {
            int count = ShardFormat.Count - state.Current;
            yield return new("DigestNotWritten", $"{count} shards of the node digest cannot be written: {reason}");
            yield break;
        }
        foreach (ShardProblem refused in state.Refused)
        {
            string name = ShardFormat.Name(refused.Shard);
            string text = $"{name} cannot be written, agents keep its nodes as they were: {refused.Reason}";
            yield return new("DigestShardRefused", text, Refused) { Subject = name };
        }
    }
}
