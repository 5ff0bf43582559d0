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
/// `kubernetes`, read after each list and every 10 minutes. Until it was read, the saved ones; where there are none, the store is not
/// complete until the first reading has ended, so that no route that covers one is installed meanwhile, and prevents the reading.
/// </summary>
/// <param name="file">Null: nothing is saved.</param>
/// <param name="nodeName">This node's.</param>
internal sealed class ApiServerAddresses(
    ApiClient client, NodeStore store, SavedNodesFile? file, string nodeName, TimeProvider time, ILogger<ApiServerAddresses> logger)
    : BackgroundService
{
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMinutes(1);

    private readonly ReadOccasions _occasions = new(time);

    // First the saved ones, whose file is read while the nodes are listed.
    private volatile Task<ImmutableArray<IPEndPoint>> _current = Task.FromResult(ImmutableArray<IPEndPoint>.Empty);

    /// <summary>Called when planning would see a difference.</summary>
    public Action? Changed { get; init; }

    /// <summary>At most 16. The same array as long as they do not change. Waits until the file of saved ones has been read.</summary>
    public ImmutableArray<IPEndPoint> Current => _current.GetAwaiter().GetResult();

    /// <summary>
    /// Those that a pass goes by: it waits for the file only where its nodes are from there as well, else
    /// <see cref="Changed"/> wakes another one.
    /// </summary>
    public ImmutableArray<IPEndPoint> ForPass => _current.IsCompleted || store.Snapshot.SavedAt is not null ? Current : [];

    /// <summary>A list of nodes is complete: the addresses are read again.</summary>
    public void ReadSoon() => _occasions.Listed();

    // Before the first connection is opened; ExecuteAsync may run later.
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (client.UsesServiceAddress)
        {
            store.Await(Awaited.ApiServers);
            _current = Task.Run(() => Saved(file, nodeName, time), CancellationToken.None);
        }
        client.UseAddresses(() => Current);
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!client.UsesServiceAddress)
            return;
        Task listed = _occasions.WaitAsync(TimeSpan.Zero, Timeout.InfiniteTimeSpan, stoppingToken);
        await Task.WhenAny(_current, listed);
        // Without saved ones, or while their file cannot be read, the first pass waits for a reading.
        TimeSpan afterList = ForPass.IsEmpty ? TimeSpan.Zero : ReadOccasions.AfterList;
        if (afterList > TimeSpan.Zero)
            Signal(isDifferent: true);
        await listed;
        await Task.Delay(afterList, time, stoppingToken);
        while (true)
        {
            bool isAnswered = await ReadAsync(stoppingToken);
            Signal(isDifferent: false);
            TimeSpan atMost = isAnswered || !ForPass.IsEmpty ? ReadOccasions.Period : AfterFailure;
            await _occasions.WaitAsync(ReadOccasions.AfterList, atMost, stoppingToken);
        }
    }

    private void Signal(bool isDifferent)
    {
        if (store.Arrived(Awaited.ApiServers) || isDifferent)
            Changed?.Invoke();
    }

    // Whether the server has answered: with the addresses, or with a refusal.
    private async Task<bool> ReadAsync(CancellationToken stoppingToken)
    {
        using var timeout = new CancellationTokenSource(ReadTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stoppingToken);
        try
        {
            V1EndpointSlice slice = await client.DiscoveryV1.ReadNamespacedEndpointSliceAsync(
                "kubernetes", "default", cancellationToken: either.Token);
            Use(ApiServerEndpoints.Usable(ApiServerEndpoints.Ready(slice), PodCidrs(store.Snapshot.Nodes, nodeName)));
            return true;
        }
        catch (ApiException e)
        {
            logger.ApiServersNotRead(e.Message);
            if (e.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound)
            {
                Use([]);
                return true;
            }
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            logger.ApiServersNotRead($"no answer within {ReadTimeout.TotalSeconds:0} s");
        }
        return false;
    }

    private void Use(ImmutableArray<IPEndPoint> addresses)
    {
        if (_current.IsCompleted && Current.SequenceEqual(addresses))
            return;
        _current = Task.FromResult(addresses);
        logger.ApiServersChanged(string.Join(", ", addresses));
        Signal(isDifferent: true);
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
