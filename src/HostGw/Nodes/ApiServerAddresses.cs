using System.Collections.Immutable;
using HostGw.Kubernetes;
using HostGw.Planning;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Nodes;

/// <summary>
/// Further addresses of the API servers in a pod, whose configured one, the Service's, needs kube-proxy: those of the EndpointSlice
/// `kubernetes`, read after each list and every 10 minutes. Until it was read, the saved ones.
/// </summary>
/// <param name="file">Null: nothing is saved.</param>
/// <param name="nodeName">This node's.</param>
internal sealed class ApiServerAddresses(
    ApiClient client, NodeStore store, SavedNodesFile? file, string nodeName, TimeProvider time, ILogger<ApiServerAddresses> logger)
    : BackgroundService
{
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(10);

    private readonly ReadOccasions _occasions = new(time);

    // The saved ones are read from the file when they are first asked for: by the first pass, or by a connection before it, if the
    // Service's address does not answer.
    private volatile Lazy<ImmutableArray<IPEndPoint>> _current =
        new(() => client.UsesServiceAddress ? Saved(file, nodeName, time) : []);

    /// <summary>At most 16. The same array as long as they do not change.</summary>
    public ImmutableArray<IPEndPoint> Current => _current.Value;

    /// <summary>A list of nodes is complete: the addresses are read again.</summary>
    public void ReadSoon() => _occasions.Listed();

    // Before the first connection is opened; ExecuteAsync may run later.
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        client.UseAddresses(() => Current);
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!client.UsesServiceAddress)
            return;
        for (TimeSpan atMost = Timeout.InfiniteTimeSpan; ; atMost = ReadOccasions.Period)
        {
            await _occasions.WaitAsync(ReadOccasions.AfterList, atMost, stoppingToken);
            await ReadAsync(stoppingToken);
        }
    }

    private async Task ReadAsync(CancellationToken stoppingToken)
    {
        using var timeout = new CancellationTokenSource(ReadTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stoppingToken);
        try
        {
            V1EndpointSlice slice = await client.DiscoveryV1.ReadNamespacedEndpointSliceAsync(
                "kubernetes", "default", cancellationToken: either.Token);
            Use(ApiServerEndpoints.Usable(ApiServerEndpoints.Ready(slice), PodCidrs(store.Snapshot.Nodes, nodeName)));
        }
        catch (ApiException e)
        {
            logger.ApiServersNotRead(e.Message);
            if (e.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound)
                Use([]);
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            logger.ApiServersNotRead($"no answer within {ReadTimeout.TotalSeconds:0} s");
        }
    }

    private void Use(ImmutableArray<IPEndPoint> addresses)
    {
        if (_current is { IsValueCreated: true } known && known.Value.SequenceEqual(addresses))
            return;
        _current = new(addresses);
        logger.ApiServersChanged(string.Join(", ", addresses));
    }

    /// <summary>The saved ones; none where the file cannot be used.</summary>
    public static ImmutableArray<IPEndPoint> Saved(SavedNodesFile? file, string nodeName, TimeProvider time)
    {
        try
        {
            return file?.Read(time.GetUtcNow()) is { } saved
                ? ApiServerEndpoints.Usable(saved.ApiServers, PodCidrs(saved.Nodes, nodeName))
                : [];
        }
        catch (SavedNodesException)
        {
            // SavedNodesFallback reports it if the API server cannot be reached.
            return [];
        }
    }

    private static ImmutableArray<Prefix> PodCidrs(ImmutableArray<ClusterNode> nodes, string name) =>
        nodes.FirstOrDefault(n => n.Name == name)?.PodCidrs ?? [];
}
