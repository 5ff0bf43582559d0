using System.Collections.Immutable;
using HostGw.Digest;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Settings;
using k8s.Models;

namespace HostGw.Hosting;

/// <summary>The API server that the settings name, and its list of Nodes.</summary>
internal static class ApiAccess
{
    // Whatever the API server has in its cache.
    private const string AnyVersion = "0";

    private static readonly TimeSpan ListTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ServiceCidrsTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Sends nothing yet: the first request connects.</summary>
    /// <exception cref="ApiConfigurationException">No server is named, or not in a way that can be used.</exception>
    public static ApiClient Connect(AgentSettings settings)
    {
        ApiClient client = new(Configuration(settings), AgentVersion.Number, TimeProvider.System);
        // In a pod, plan and doctor must work without kube-proxy as the agent does, which reads the addresses again.
        client.UseAddresses(() => SavedAddresses(settings, client));
        return client;
    }

    /// <summary>The known addresses of the API server, beginning with the one that the client is connected to.</summary>
    public static IReadOnlyList<Ip> Addresses(AgentSettings settings, ApiClient client) =>
        Addresses(Ip.From(client.RemoteAddress), client, SavedAddresses(settings, client));

    /// <param name="connected">None: none.</param>
    /// <param name="further">Those in addition to the configured ones.</param>
    public static IReadOnlyList<Ip> Addresses(Ip connected, ApiClient client, ImmutableArray<IPEndPoint> further)
    {
        // A name server changes the order of its answers.
        IEnumerable<Ip> others = client.ConfiguredAddresses.Concat(further.Select(e => e.Address)).Select(a => Ip.From(a)).Order();
        return [.. others.Prepend(connected).Where(a => !a.IsNone).Distinct()];
    }

    private static ImmutableArray<IPEndPoint> SavedAddresses(AgentSettings settings, ApiClient client) =>
        client.UsesServiceAddress && settings.StateDirectory is { } directory
            ? ApiServerAddresses.Saved(new(directory, settings.Policy.NodeSelector), settings.NodeName, TimeProvider.System)
            : [];

    public static ApiConfiguration Configuration(AgentSettings settings) => settings.Kubeconfig is { } path
        ? ApiConfiguration.BuildConfigFromConfigFile(path, settings.ApiServer?.ToString())
        : ApiConfiguration.InClusterConfig(settings.ApiServer?.ToString());

    /// <summary>The requests that list and watch Nodes.</summary>
    /// <param name="selector">Which ones; empty: all.</param>
    public static ListWatch<NodeDraft> Nodes(AgentSettings settings, ApiClient client, string selector = "") =>
        new(client, "/api/v1/nodes", new(settings.Policy.NodeSelector, settings.NodeName), NamedObject.Node(settings.NodeName),
            TimeProvider.System)
        {
            Selector = selector,
        };

    /// <summary>The same for this node's own Node alone.</summary>
    public static ListWatch<NodeDraft> OwnNode(AgentSettings settings, ApiClient client) =>
        Nodes(settings, client, NamedObject.Selector(settings.NodeName));

    /// <summary>The requests that list and watch the shards of the node digest.</summary>
    public static ListWatch<ShardDraft> Shards(ApiClient client) =>
        new(client, ShardFormat.Path, new(), new(ShardFormat.Path, ShardFormat.Name(0)), TimeProvider.System)
        {
            Selector = ShardFormat.Query,
        };

    /// <summary>All nodes, once, and the service networks where the settings ask for them and the server names them.</summary>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    /// <exception cref="InvalidAnswerException">The answer is broken.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public static async Task<(NodeSnapshot Nodes, IReadOnlyList<Ip> ApiServers)> ListAsync(
        AgentSettings settings, CancellationToken cancellationToken)
    {
        using ApiClient client = Connect(settings);
        return (await ListAsync(settings, client, cancellationToken), Addresses(settings, client));
    }

    /// <inheritdoc cref="ListAsync(AgentSettings, CancellationToken)"/>
    public static async Task<NodeSnapshot> ListAsync(AgentSettings settings, ApiClient client, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(ListTimeout);
        NodeStore store = new();
        try
        {
            await (settings.UsesDigest
                ? ListDigestAsync(settings, client, store, timeout.Token)
                : Nodes(settings, client).ListAsync(store, AnyVersion, timeout.Token));
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiException($"The API server did not list its nodes within {ListTimeout.TotalSeconds:0} s", e);
        }
        if (settings.Policy.FindsServiceCidrs)
            await ReadServiceCidrsAsync(client, store, cancellationToken);
        return store.Snapshot;
    }

    private static async Task ListDigestAsync(
        AgentSettings settings, ApiClient client, NodeStore store, CancellationToken cancellationToken)
    {
        DigestNodes digest = new(store, settings.NodeName, settings.Policy.NodeSelector, static () => []);
        await OwnNode(settings, client).ListAsync(digest.OwnNode, AnyVersion, cancellationToken);
        await Shards(client).ListAsync(digest.Shards, AnyVersion, cancellationToken);
        V1Lease? lease = await DigestLease.FindAsync(client, cancellationToken);
        string? stale = DigestLease.StaleReason(lease, TimeProvider.System.GetUtcNow() + (client.ServerClock ?? default));
        store.UpdateDigest(h => h! with { RenewedAt = DigestLease.RenewedAt(lease), Stale = stale });
    }

    private static async Task ReadServiceCidrsAsync(ApiClient client, NodeStore store, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(ServiceCidrsTimeout);
        try
        {
            store.TakeServiceCidrs(await ServiceCidrReader.ReadAsync(client, timeout.Token));
        }
        catch (Exception e) when (e is ApiException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            // The agent logs what is missing; without service networks the plan is still useful.
        }
    }
}
