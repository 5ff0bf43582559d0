using System.Threading.Channels;
using HostGw.Kubernetes;
using HostGw.Reconciliation;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Status;

/// <summary>
/// Sets this Node's condition NetworkUnavailable to False when it is something else and the network is ready. Cloud controllers set it,
/// and the scheduler keeps pods away until it is cleared.
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/node/node-status/#condition</remarks>
internal sealed class NodeConditionWriter(
    ApiClient client, string node, TimeProvider time, ILogger<NodeConditionWriter> logger) : BackgroundService
{
    public static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly Channel<bool> _due =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private TimeSpan _retry = FirstRetry;
    private string _reported = "";
    private volatile bool _isDue;

    /// <summary>Takes note of a pass; returns at once.</summary>
    /// <param name="isReady">The pass left this node's network ready.</param>
    public void Record(PassReport report, bool isReady)
    {
        bool unavailable = report.Plan?.Verdicts.FirstOrDefault(v => v.Node.Name == node).Node?.NetworkUnavailable == true;
        _isDue = isReady && unavailable;
        if (_isDue)
            _due.Writer.TryWrite(true);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await _due.Reader.ReadAsync(stoppingToken);
            while (_isDue && await TryAsync(stoppingToken) is { } pause)
                await Task.Delay(pause, time, stoppingToken);
        }
    }

    /// <summary>Returns when to try again; null: it is cleared.</summary>
    private async Task<TimeSpan?> TryAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await client.CoreV1.PatchNodeStatusAsync(Patch(time.GetUtcNow().UtcDateTime), node, cancellationToken: either.Token);
            logger.NetworkUnavailableCleared(node);
            (_retry, _reported, _isDue) = (FirstRetry, "", false);
            return null;
        }
        catch (Exception e) when (e is ApiException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            string reason = e is OperationCanceledException ? $"no answer within {Timeout.TotalSeconds:0} s" : e.Message;
            return AfterFailure(reason, (e as ApiException)?.RetryAfter);
        }
    }

    private TimeSpan AfterFailure(string reason, TimeSpan? askedFor)
    {
        TimeSpan wait = askedFor > _retry ? askedFor.Value : _retry;
        if (reason != _reported)
            logger.NetworkUnavailableStays(wait.TotalSeconds, reason);
        _reported = reason;
        _retry = _retry * 2 < LongestRetry ? _retry * 2 : LongestRetry;
        return wait;
    }

    // Conditions are merged by their type: the others stay.
    private static V1Patch Patch(DateTime now) => new(
        new V1Node
        {
            Status = new()
            {
                Conditions =
                [
                    new()
                    {
                        Type = "NetworkUnavailable",
                        Status = "False",
                        Reason = "HostGwRoutesStand",
                        Message = "hostgw made this node's routes",
                        LastHeartbeatTime = now,
                        LastTransitionTime = now,
                    },
                ],
            },
        },
        V1Patch.PatchType.StrategicMergePatch);
}
