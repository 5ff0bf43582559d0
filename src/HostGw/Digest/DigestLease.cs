using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Digest;

/// <summary>
/// Reads the Lease that the digest renews while it watches Nodes. The digest is stale if two readings, 5 minutes ± 20 % apart, find the
/// same time: no clock of another host is compared with this one's. A stale digest is only reported: routes stay as they are.
/// </summary>
/// <param name="random">From 0 to 1.</param>
/// <param name="changed">Called when the digest becomes stale, or is renewed again.</param>
internal sealed class DigestLease(
    ApiClient client, NodeStore nodes, Action changed, Func<double> random, TimeProvider time, ILogger<DigestLease> logger)
    : BackgroundService
{
    private const double ShortestPeriod = 240, LongestPeriod = 360;

    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(LongestPeriod);
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(10);

    private bool _wasRead;
    private DateTimeOffset? _renewedAt;

    /// <summary>When the digest renewed its Lease, by its host's clock; null: it has none, or has never renewed it.</summary>
    public static DateTimeOffset? RenewedAt(V1Lease? lease) => Utc(lease?.Spec?.RenewTime);

    /// <summary>
    /// Why the digest is stale, for a command that reads its Lease only once; null: it is not, or the API server does not say when it
    /// wrote the Lease. By the API server's clock alone: that of the digest's host may be wrong.
    /// </summary>
    /// <param name="now">By that clock.</param>
    public static string? StaleReason(V1Lease? lease, DateTimeOffset now) =>
        RenewedAt(lease) is null ? StaleReason(null)
        : WrittenAt(lease!) is { } at && now - at > StaleAfter ? StaleReason(at)
        : null;

    // https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
    private static DateTimeOffset? WrittenAt(V1Lease lease) => Utc(
        lease.Metadata?.ManagedFields?.Where(f => f.FieldsV1?.ToString()?.Contains("\"f:renewTime\"", StringComparison.Ordinal) == true)
            .Max(f => f.Time));

    private static DateTimeOffset? Utc(DateTime? at) => at is { } known ? new DateTimeOffset(known.ToUniversalTime(), TimeSpan.Zero) : null;

    /// <summary>The Lease; null: there is none.</summary>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    public static async Task<V1Lease?> FindAsync(ApiClient client, CancellationToken cancellationToken)
    {
        try
        {
            return await client.CoordinationV1.ReadNamespacedLeaseAsync(
                ShardFormat.Lease, ShardFormat.Namespace, cancellationToken: cancellationToken);
        }
        catch (ApiException e) when (e.StatusCode is HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await ReadAsync(stoppingToken);
            await Task.Delay(
                TimeSpan.FromSeconds(ShortestPeriod + (LongestPeriod - ShortestPeriod) * random()), time, stoppingToken);
        }
    }

    private async Task ReadAsync(CancellationToken stoppingToken)
    {
        using var timeout = new CancellationTokenSource(ReadTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stoppingToken);
        try
        {
            Take(RenewedAt(await FindAsync(client, either.Token)));
        }
        catch (ApiException e)
        {
            // While the API server is away nothing is stale that its reflector does not report.
            logger.DigestLeaseNotRead(e.Message);
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            logger.DigestLeaseNotRead($"no answer within {ReadTimeout.TotalSeconds:0} s");
        }
    }

    private void Take(DateTimeOffset? renewedAt)
    {
        string? stale = !_wasRead || renewedAt != _renewedAt ? null : StaleReason(renewedAt);
        (_wasRead, _renewedAt) = (true, renewedAt);
        if (nodes.UpdateDigest(health => (health ?? new([], IsPartial: true, 0)) with { RenewedAt = renewedAt, Stale = stale }))
            changed();
    }

    /// <summary>Follows "the node digest is not renewed: ".</summary>
    public static string StaleReason(DateTimeOffset? renewedAt) => renewedAt is { } at
        ? FormattableString.Invariant($"its Lease {ShardFormat.Lease} was last renewed at {at.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC")
        : $"there is no Lease {ShardFormat.Lease} in namespace {ShardFormat.Namespace}";
}
