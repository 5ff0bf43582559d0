using HostGw.Planning;

namespace HostGw.Problems;

/// <summary>What keeps an agent with nodes.source digest from knowing all nodes as they are.</summary>
internal static class DigestProblems
{
    private const int Named = 3;

    // Its pod is in the namespace of the release.
    private const string Find = "kubectl get pods -A -l app.kubernetes.io/component=digest, and its log";

    /// <param name="digest">Null: the nodes do not come from the digest.</param>
    public static IEnumerable<Problem> Of(DigestHealth? digest) => [.. Rejected(digest), .. Stale(digest)];

    public static IEnumerable<Problem> Rejected(DigestHealth? digest)
    {
        if (digest is not { Rejected: [var first, ..] rejected })
            yield break;
        string more = rejected.Length > Named ? $" and {rejected.Length - Named} more" : "";
        string names = string.Join(", ", rejected.Take(Named).Select(s => s.Name));
        yield return new("DigestShardRejected",
            $"{rejected.Length} shards of the node digest are rejected ({names}{more} in namespace {DigestHealth.Namespace}); the first: " +
            $"{first.Reason}. Their nodes are kept as last known, and none of them is removed",
            $"let the digest run, which writes them again ({Find}), with the labels that nodeSelector names; and keep others from " +
            "writing in that namespace")
        {
            IsOfMany = true,
        };
    }

    public static IEnumerable<Problem> Stale(DigestHealth? digest)
    {
        if (digest is not { Stale: { } stale })
            yield break;
        yield return new("DigestStale",
            $"the node digest is not renewed: {stale}. Nodes that joined, changed or left since are not known here; what is installed " +
            "is kept",
            $"let the digest run: {Find}");
    }
}
