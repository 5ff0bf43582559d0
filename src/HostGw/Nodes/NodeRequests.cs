using System.Globalization;
using HostGw.Kubernetes;

namespace HostGw.Nodes;

/// <summary>The requests about Nodes.</summary>
internal static class NodeRequests
{
    private const string Nodes = "/api/v1/nodes";

    /// <summary>A page of nodes. Give either a <paramref name="resourceVersion"/> ("0": whatever the watch cache has; null: the latest, by quorum) or a <paramref name="continueToken"/>.</summary>
    /// <param name="limit">Nodes per page; 0: all.</param>
    /// <param name="notOlderThan">Ask for <paramref name="resourceVersion"/> or anything newer.</param>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    public static Task<ApiResponse> ListNodesAsync(
        this ApiClient client, int limit, string? resourceVersion, bool notOlderThan, string? continueToken, CancellationToken cancellationToken)
    {
        List<string> query = [];
        if (limit > 0)
            query.Add("limit=" + limit.ToString(CultureInfo.InvariantCulture));
        if (!string.IsNullOrEmpty(continueToken))
            query.Add("continue=" + Uri.EscapeDataString(continueToken));
        else if (resourceVersion is not null)
            query.Add("resourceVersion=" + Uri.EscapeDataString(resourceVersion) + (notOlderThan ? "&resourceVersionMatch=NotOlderThan" : ""));
        return client.GetProtobufAsync(query.Count == 0 ? Nodes : $"{Nodes}?{string.Join('&', query)}", cancellationToken);
    }

    /// <summary>What happens to nodes after <paramref name="resourceVersion"/>, with bookmarks, until the server ends it after <paramref name="atMost"/>.</summary>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    public static Task<ApiResponse> WatchNodesAsync(
        this ApiClient client, string resourceVersion, TimeSpan atMost, CancellationToken cancellationToken) =>
        client.GetProtobufAsync($"{WatchPath(atMost)}&resourceVersion={Uri.EscapeDataString(resourceVersion)}", cancellationToken);

    /// <summary>The same, but it begins with all nodes as they are at <paramref name="notOlderThan"/> (null: now) or later, and a bookmark that ends them.</summary>
    /// <remarks>https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists</remarks>
    /// <exception cref="ApiException">Refused, perhaps because the server knows no such thing, or not reached.</exception>
    public static Task<ApiResponse> StreamNodesAsync(
        this ApiClient client, string? notOlderThan, TimeSpan atMost, CancellationToken cancellationToken) =>
        client.GetProtobufAsync(
            WatchPath(atMost) + "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan" +
            (notOlderThan is null ? "" : "&resourceVersion=" + Uri.EscapeDataString(notOlderThan)),
            cancellationToken);

    private static string WatchPath(TimeSpan atMost) =>
        string.Create(CultureInfo.InvariantCulture, $"{Nodes}?watch=true&allowWatchBookmarks=true&timeoutSeconds={(int)atMost.TotalSeconds}");
}
