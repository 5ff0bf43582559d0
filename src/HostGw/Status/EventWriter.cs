using System.Threading.Channels;
using HostGw.Kubernetes;
using HostGw.Reconciliation;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Status;

/// <summary>
/// Reports problems that need a person as Events of this node, which `kubectl describe node` shows. An API server that rejects them
/// affects nothing else.
/// </summary>
internal sealed class EventWriter(
    ApiClient client, string node, EventSchedule schedule, TimeProvider time, ILogger<EventWriter> logger) : BackgroundService
{
    public static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private readonly Channel<bool> _news =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private TimeSpan _retry = FirstRetry;
    private bool _reported;
    private volatile string? _uid;

    /// <summary>Takes note of what a pass found; returns at once.</summary>
    public void Record(PassReport report)
    {
        Problem[] problems = [.. FailureProblems.Of(report), .. Problems.All(report)];
        if (problems.Length > 0)
            _uid = report.Plan?.Verdicts.FirstOrDefault(v => v.Node.Name == node).Node?.Uid ?? _uid;
        schedule.Observe(problems, isAll: report.Plan is not null);
        _news.Writer.TryWrite(true);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            (Problem? due, int count, TimeSpan wait) = schedule.Next();
            if (due is null)
                await WaitAsync(wait, stoppingToken);
            else if (await TryAsync(due, count, stoppingToken) is { } pause)
                await Task.Delay(pause, time, stoppingToken);
        }
    }

    private async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await _news.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // An Event is due.
        }
    }

    /// <summary>Returns how long to wait before the next attempt; null: the Event is written.</summary>
    private async Task<TimeSpan?> TryAsync(Problem problem, int count, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            // While the Node's UID is unknown, its name, as kubelet does.
            NodeEvent notice = new(problem, node, _uid ?? node);
            schedule.Sent(problem, await SendAsync(notice, count, either.Token));
            logger.EventSent(notice.Name, notice.Message);
            (_retry, _reported) = (FirstRetry, false);
            return null;
        }
        catch (ApiException e) when (e.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity)
        {
            // It would reject it the next time, too.
            schedule.Sent(problem, count);
            Report(TimeSpan.Zero, problem, e);
            return null;
        }
        catch (Exception e) when (e is ApiException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return AfterFailure(problem, e);
        }
    }

    /// <summary>Returns the Event's count.</summary>
    private async Task<int> SendAsync(NodeEvent notice, int count, CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (count > 0 && await PatchAsync(notice, notice.Occurrence(count + 1, now), cancellationToken) is { } raised)
            return raised;
        try
        {
            await client.CoreV1.CreateNamespacedEventAsync(notice.First(now), NodeEvent.Namespace, cancellationToken: cancellationToken);
            return 1;
        }
        catch (ApiException e) when (e.StatusCode == HttpStatusCode.Conflict)
        {
            // An earlier run of the agent sent it.
            if (await PatchAsync(notice, notice.Occurrence(null, now), cancellationToken) is { } present)
                return present;
            throw;
        }
    }

    /// <summary>Returns the Event's count after the patch; null: the server no longer has the Event.</summary>
    private async Task<int?> PatchAsync(NodeEvent notice, Corev1Event change, CancellationToken cancellationToken)
    {
        try
        {
            var patch = new V1Patch(change, V1Patch.PatchType.StrategicMergePatch);
            Corev1Event changed = await client.CoreV1.PatchNamespacedEventAsync(
                patch, notice.Name, NodeEvent.Namespace, cancellationToken: cancellationToken);
            return Math.Max(1, changed.Count ?? 1);
        }
        catch (ApiException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private TimeSpan AfterFailure(Problem problem, Exception error)
    {
        TimeSpan wait = error is ApiException { RetryAfter: { } asked } && asked > _retry ? asked : _retry;
        _retry = _retry * 2 < LongestRetry ? _retry * 2 : LongestRetry;
        Report(wait, problem, error);
        return wait;
    }

    // Once, however long it lasts. A server that does not answer at all is reported by the watch of Nodes.
    private void Report(TimeSpan wait, Problem problem, Exception error)
    {
        string reason = error is OperationCanceledException ? $"no answer within {Timeout.TotalSeconds:0} s" : error.Message;
        if (!_reported && error is ApiException { StatusCode: not null })
        {
            logger.EventsRefused(reason);
            _reported = true;
        }
        else
            logger.EventDelayed(wait.TotalSeconds, problem.Text, reason);
    }
}
