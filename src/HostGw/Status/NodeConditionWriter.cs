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
/// <param name="random">From 0 to 1, for the pauses between attempts.</param>
internal sealed class NodeConditionWriter(
    ApiClient client, string node, Func<double> random, TimeProvider time, ILogger<NodeConditionWriter> logger) : BackgroundService
{
    public static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(10);

    private readonly Channel<bool> _due =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

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
        ApiRetry retry = new(new(FirstRetry, LongestRetry, random), time, Report);
        while (true)
        {
            await _due.Reader.ReadAsync(stoppingToken);
            await retry.ExecuteAsync(ClearAsync, stoppingToken);
        }
    }

    private async Task ClearAsync(CancellationToken cancellationToken)
    {
        // Somebody else may have cleared it since, or the network is no longer ready.
        if (!_isDue)
            return;
        await client.CoreV1.PatchNodeStatusAsync(Patch(time.GetUtcNow().UtcDateTime), node, cancellationToken: cancellationToken);
        logger.NetworkUnavailableCleared(node);
        (_reported, _isDue) = ("", false);
    }

    private void Report(ApiFailure failure)
    {
        if (failure.Reason != _reported)
            logger.NetworkUnavailableStays(Math.Round(failure.Pause.TotalSeconds, 1), failure.Reason);
        _reported = failure.Reason;
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
                        Reason = "HostGwIsUp",
                        Message = "HostGw installed this node's routes and NAT rule",
                        LastHeartbeatTime = now,
                        LastTransitionTime = now,
                    },
                ],
            },
        },
        V1Patch.PatchType.StrategicMergePatch);
}
