using System.Threading.Channels;
using HostGw.Kubernetes;
using HostGw.Problems;
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
/// <param name="random">From 0 to 1, for the pauses between attempts.</param>
internal sealed class EventWriter(
    ApiClient client, string node, EventSchedule schedule, Func<double> random, TimeProvider time, ILogger<EventWriter> logger)
    : BackgroundService
{
    public static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(10);

    private readonly Channel<bool> _news =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private string _sending = "";
    private bool _reported;
    private volatile string? _uid;

    /// <summary>What the Events are about; null: this node's Node.</summary>
    public V1ObjectReference? Subject { get; init; }

    /// <summary>Takes note of what a pass found; returns at once.</summary>
    public void Record(PassReport report)
    {
        Problem[] problems = [.. ProblemCatalog.Failures(report), .. ProblemCatalog.All(report)];
        if (problems.Length > 0)
            _uid = report.Plan?.Verdicts.FirstOrDefault(v => v.Node.Name == node).Node?.Uid.ToString() ?? _uid;
        Record(problems, isAll: report.Plan is not null);
    }

    /// <inheritdoc cref="EventSchedule.Observe"/>
    public void Record(IEnumerable<Problem> problems, bool isAll)
    {
        schedule.Observe(problems, isAll);
        _news.Writer.TryWrite(true);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        ApiRetry retry = new(new(FirstRetry, LongestRetry, random), time, Report);
        while (true)
        {
            (Problem? due, _, TimeSpan wait) = schedule.Next();
            if (due is null)
                await WaitAsync(wait, stoppingToken);
            else
                await retry.ExecuteAsync(SendNextAsync, stoppingToken);
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

    // The problem that was due at an earlier attempt may have ended meanwhile.
    private async Task SendNextAsync(CancellationToken cancellationToken)
    {
        (Problem? due, int count, _) = schedule.Next();
        if (due is null)
            return;
        _sending = due.Text;
        try
        {
            // While the Node's UID is unknown, its name, as kubelet does.
            NodeEvent notice = new(due, node, _uid ?? node) { Subject = Subject };
            schedule.Sent(due, await SendAsync(notice, count, cancellationToken));
            logger.EventSent(notice.Name, notice.Message);
            _reported = false;
        }
        catch (ApiException e) when (e.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity)
        {
            // It would be rejected the next time, too.
            schedule.Sent(due, count);
            Report(new(e.Message, IsAnswer: true, TimeSpan.Zero));
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
            await client.CoreV1.CreateNamespacedEventAsync(notice.First(now), notice.Namespace, cancellationToken: cancellationToken);
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
                patch, notice.Name, notice.Namespace, cancellationToken: cancellationToken);
            return Math.Max(1, changed.Count ?? 1);
        }
        catch (ApiException e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    // Once, however long it lasts. A server that does not answer at all is reported by the watch of Nodes.
    private void Report(ApiFailure failure)
    {
        if (!_reported && failure.IsAnswer)
        {
            logger.EventsRefused(failure.Reason);
            _reported = true;
        }
        else
        {
            logger.EventDelayed(Math.Round(failure.Pause.TotalSeconds, 1), _sending, failure.Reason);
        }
    }
}
