using HostGw.Kubernetes;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Digest;

/// <summary>When the digest says that the shards are up to date.</summary>
internal static class LeaseCondition
{
    /// <summary>Longer than an API server says nothing on a watch (<see cref="Reflector{TDraft}"/> ends it after 150 s).</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(180);

    public static readonly TimeSpan LongestBlock = TimeSpan.FromMinutes(2);

    /// <summary>Null: the Lease may be renewed.</summary>
    /// <param name="nodes">Of the watch of Nodes.</param>
    /// <param name="shards">Of the watch of the shards: nothing is written while they cannot be watched.</param>
    public static string? Obstacle(ReflectorHealth nodes, ReflectorHealth shards, DigestState state, DateTimeOffset now) =>
        Unwatched(nodes, shards, now) is { } problem ? problem
        : nodes.And(shards).ReceivedAt is null || !state.IsListed ? "the Nodes and the shards are not listed yet"
        : state.BlockedFor > LongestBlock
            ? $"shards cannot be written: {state.Problem ?? state.Refused.FirstOrDefault()?.Reason ?? "the API server reports conflicts"}"
        : null;

    /// <summary>What cannot be watched, and why; null: both can.</summary>
    public static string? Unwatched(ReflectorHealth nodes, ReflectorHealth shards, DateTimeOffset now) =>
        Unwatched("Nodes", nodes, now) ?? Unwatched("shards", shards, now);

    private static string? Unwatched(string what, ReflectorHealth health, DateTimeOffset now) =>
        health.Problem is { } problem ? $"{what} cannot be watched: {problem}"
        : health.ReceivedAt is { } at && now - at > LongestSilence ? $"nothing was received of the {what} since {Rfc3339.Text(at)}"
        : null;
}

/// <summary>
/// Renews the Lease by which agents see that the digest lives, while there is no obstacle. It is no lock: of two digests each renews it.
/// </summary>
/// <remarks>Fields as client-go's leader election sets them: tools/leaderelection/resourcelock/leaselock.go.</remarks>
/// <param name="holder">This host's name.</param>
/// <param name="obstacle">Why it must not be renewed; null: it may.</param>
/// <param name="random">From 0 to 1, for the pauses after failures.</param>
internal sealed class LeaseWriter(
    ApiClient client, string holder, Func<string?> obstacle, Func<double> random, TimeProvider time, ILogger<LeaseWriter> logger)
    : BackgroundService
{
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(60);

    /// <summary>While there is an obstacle, which may end at any time.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    // Nobody takes it over when it has passed: it tells people how old a renewal may be.
    private const int DurationSeconds = 180;

    private string? _problem = "";
    private long _renewedTicks;

    public string Holder => holder;

    /// <summary>When this digest renewed it last; null: it has not.</summary>
    public DateTimeOffset? RenewedAt =>
        Interlocked.Read(ref _renewedTicks) is > 0 and { } ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    /// <summary>Why it is not renewed; null: it is. Empty at first.</summary>
    public string? Problem => Volatile.Read(ref _problem);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        ApiRetry retry = new(new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), random), time, f => Report(f.Reason));
        while (true)
        {
            await retry.ExecuteAsync(RenewAsync, stoppingToken);
            await Task.Delay(Problem is null ? Period : LookAgain, time, stoppingToken);
        }
    }

    // Each attempt asks again: an obstacle may have come up meanwhile.
    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        if (obstacle() is { } reason)
        {
            Report(reason);
            return;
        }
        DateTimeOffset now = time.GetUtcNow();
        try
        {
            await WriteAsync(now.UtcDateTime, cancellationToken);
        }
        catch (ApiException e) when (e.StatusCode == HttpStatusCode.Conflict)
        {
            // Another digest has renewed it a moment ago.
            return;
        }
        Interlocked.Exchange(ref _renewedTicks, now.UtcTicks);
        if (Problem is not null)
            logger.LeaseRenewed(ShardFormat.Lease, holder);
        Volatile.Write(ref _problem, null);
    }

    // With the resource version that was read: of two digests that renew it at once one gets a conflict.
    private async Task WriteAsync(DateTime now, CancellationToken cancellationToken)
    {
        if (await DigestLease.FindAsync(client, cancellationToken) is { } present)
        {
            await client.CoordinationV1.ReplaceNamespacedLeaseAsync(
                Renewed(present, now), ShardFormat.Lease, ShardFormat.Namespace, cancellationToken: cancellationToken);
        }
        else
        {
            await client.CoordinationV1.CreateNamespacedLeaseAsync(
                First(now), ShardFormat.Namespace, cancellationToken: cancellationToken);
        }
    }

    private V1Lease First(DateTime now) => new()
    {
        ApiVersion = $"{V1Lease.KubeGroup}/{V1Lease.KubeApiVersion}",
        Kind = V1Lease.KubeKind,
        Metadata = new() { Name = ShardFormat.Lease, NamespaceProperty = ShardFormat.Namespace },
        Spec = new()
        {
            HolderIdentity = holder,
            LeaseDurationSeconds = DurationSeconds,
            AcquireTime = now,
            RenewTime = now,
            LeaseTransitions = 0,
        },
    };

    private V1Lease Renewed(V1Lease present, DateTime now)
    {
        V1LeaseSpec before = present.Spec ?? new();
        bool isOurs = before.HolderIdentity == holder;
        return present with
        {
            Spec = before with
            {
                HolderIdentity = holder,
                LeaseDurationSeconds = DurationSeconds,
                AcquireTime = isOurs ? before.AcquireTime : now,
                RenewTime = now,
                LeaseTransitions = isOurs ? before.LeaseTransitions : (before.LeaseTransitions ?? 0) + 1,
            },
        };
    }

    // At the start there is an obstacle for a moment.
    private void Report(string reason)
    {
        if (Interlocked.Exchange(ref _problem, reason) is var before && before != reason && before != "")
            logger.LeaseNotRenewed(ShardFormat.Lease, reason);
    }
}
