using System.Text.Json;
using System.Threading.Channels;
using HostGw.Kubernetes;
using HostGw.Reconciliation;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Status;

/// <summary>Tells what a person must act on by Events of this node, which `kubectl describe node` shows. Where the API server does not take them, nothing else suffers.</summary>
internal sealed class EventWriter(ApiClient client, string node, EventSchedule schedule, TimeProvider time, ILogger<EventWriter> logger) : BackgroundService
{
    /// <summary>Where Events go that concern what is in no namespace.</summary>
    public const string Namespace = "default";

    public static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LongestRetry = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private TimeSpan _retry = FirstRetry;
    private bool _said;
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
            // Nothing came: something is due.
        }
    }

    /// <summary>Returns how long to leave the server alone; null: it took the Event.</summary>
    private async Task<TimeSpan?> TryAsync(Problem problem, int count, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            // Without its Node the name stands for the UID, as kubelet has it.
            NodeEvent notice = new(problem, node, _uid ?? node);
            schedule.Sent(problem, await SendAsync(notice, count, either.Token));
            logger.EventSent(notice.Name, notice.Message);
            (_retry, _said) = (FirstRetry, false);
            return null;
        }
        catch (ApiException e) when (e.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity)
        {
            // It would not take it the next time either.
            schedule.Sent(problem, count);
            Say(TimeSpan.Zero, problem, e);
            return null;
        }
        catch (Exception e) when (e is ApiException or IOException or JsonException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return AfterFailure(problem, e);
        }
    }

    /// <summary>Returns the Event's count.</summary>
    private async Task<int> SendAsync(NodeEvent notice, int count, CancellationToken cancellationToken)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (count > 0 && await PatchAsync(notice, EventJson.Patch(notice, count + 1, now), cancellationToken) is { } raised)
            return raised;
        try
        {
            await client.CreateEventAsync(Namespace, EventJson.Create(notice, now), cancellationToken);
            return 1;
        }
        catch (ApiException e) when (e.StatusCode == HttpStatusCode.Conflict)
        {
            // An agent before this one sent it.
            if (await PatchAsync(notice, EventJson.Patch(notice, null, now), cancellationToken) is { } standing)
                return standing;
            throw;
        }
    }

    /// <summary>Returns the count that stands then; null: the server has forgotten the Event.</summary>
    private async Task<int?> PatchAsync(NodeEvent notice, byte[] patch, CancellationToken cancellationToken)
    {
        try
        {
            using ApiResponse answer = await client.PatchEventAsync(Namespace, notice.Name, patch, cancellationToken);
            return await EventJson.CountAsync(answer.Body, cancellationToken);
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
        Say(wait, problem, error);
        return wait;
    }

    // Once, however long it lasts. A server that does not answer at all is told of by what follows its nodes.
    private void Say(TimeSpan wait, Problem problem, Exception error)
    {
        string reason = error is OperationCanceledException ? $"no answer within {Patience.TotalSeconds:0} s" : error.Message;
        if (!_said && error is ApiException { StatusCode: not null })
        {
            logger.EventsRefused(reason);
            _said = true;
        }
        else
            logger.EventDelayed(wait.TotalSeconds, problem.Text, reason);
    }
}
