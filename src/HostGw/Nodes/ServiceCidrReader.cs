using System.Collections.Immutable;
using HostGw.Kubernetes;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Nodes;

/// <summary>
/// The service networks of the cluster with the setting serviceCidrs: auto: those of the API's ServiceCIDR objects (Kubernetes 1.33),
/// read after each list of nodes and every 10 minutes. Until the first reading has ended the store is not complete, so that no route
/// into a service network is installed meanwhile.
/// </summary>
/// <param name="changed">Called when planning would see a difference.</param>
internal sealed class ServiceCidrReader(
    ApiClient client, NodeStore store, Action changed, TimeProvider time, ILogger<ServiceCidrReader> logger) : BackgroundService
{
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMinutes(1);

    private readonly ReadOccasions _occasions = new(time);
    private bool _isForbidden;

    /// <summary>A list of nodes is complete: the service networks are read again.</summary>
    public void ReadSoon() => _occasions.Listed();

    // Before the reflector, which may complete a list before ExecuteAsync runs.
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        store.Await(Awaited.ServiceCidrs);
        return base.StartAsync(cancellationToken);
    }

    /// <summary>Sorted; empty also where the server has no such objects.</summary>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    public static async Task<ImmutableArray<Prefix>> ReadAsync(ApiClient client, CancellationToken cancellationToken)
    {
        try
        {
            V1ServiceCIDRList list = await client.NetworkingV1.ListServiceCIDRAsync(cancellationToken: cancellationToken);
            return [.. (list.Items ?? []).SelectMany(i => i?.Spec?.Cidrs ?? []).Select(Parse).OfType<Prefix>().Distinct().Order()];
        }
        catch (ApiException e) when (e.StatusCode is HttpStatusCode.NotFound)
        {
            return [];
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await _occasions.WaitAsync(TimeSpan.Zero, Timeout.InfiniteTimeSpan, stoppingToken);
        while (true)
        {
            bool isAnswered = await ReadAsync(stoppingToken);
            await _occasions.WaitAsync(ReadOccasions.AfterList, isAnswered ? ReadOccasions.Period : AfterFailure, stoppingToken);
        }
    }

    private async Task<bool> ReadAsync(CancellationToken stoppingToken)
    {
        using var timeout = new CancellationTokenSource(ReadTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stoppingToken);
        try
        {
            ImmutableArray<Prefix> found = await ReadAsync(client, either.Token);
            _isForbidden = false;
            if (Take(found))
                logger.ServiceCidrsFound(found.IsEmpty ? "none" : string.Join(", ", found));
            return true;
        }
        catch (ApiException e) when (e.StatusCode is HttpStatusCode.Forbidden)
        {
            if (!_isForbidden)
                logger.ServiceCidrsForbidden(e.Message);
            _isForbidden = true;
            Take(null);
            return true;
        }
        catch (ApiException e)
        {
            logger.ServiceCidrsNotRead(e.Message);
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            logger.ServiceCidrsNotRead($"no answer within {ReadTimeout.TotalSeconds:0} s");
        }
        Take(null);
        return false;
    }

    // Null: they could not be read.
    private bool Take(ImmutableArray<Prefix>? found)
    {
        bool isDifferent = store.TakeServiceCidrs(found);
        if (isDifferent)
            changed();
        return isDifferent;
    }

    private static Prefix? Parse(string? text) => Prefix.TryParse(text, out Prefix prefix) ? prefix.Aligned : null;
}
