using Polly;
using Polly.Retry;

namespace HostGw.Kubernetes;

/// <summary>Makes a request until the API server accepts it. A pause is at least as long as the server asks for.</summary>
/// <param name="failed">Called after each failure, before the pause.</param>
internal sealed class ApiRetry(Backoff backoff, TimeProvider time, Action<ApiFailure> failed)
{
    private static readonly TimeSpan LongestRequest = TimeSpan.FromSeconds(30);

    // Made when it is first needed, and generic over a class, as the reflector's: a healthy agent must not pay for it in memory.
    private ResiliencePipeline<object>? _pipeline;

    /// <param name="request">Every attempt calls it, so that it sends what is true then.</param>
    public async Task ExecuteAsync(Func<CancellationToken, Task> request, CancellationToken cancellationToken)
    {
        _pipeline ??= Build();
        await _pipeline.ExecuteAsync(token => AttemptAsync(request, token), cancellationToken);
    }

    private ResiliencePipeline<object> Build() => new ResiliencePipelineBuilder<object> { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions<object>
        {
            MaxRetryAttempts = int.MaxValue,
            ShouldHandle = static args => ValueTask.FromResult(args.Outcome.Exception is ApiException or OperationCanceledException),
            DelayGenerator = args => ValueTask.FromResult<TimeSpan?>(AfterFailure(args.Outcome.Exception!, args.AttemptNumber)),
        })
        .Build();

    private async ValueTask<object> AttemptAsync(Func<CancellationToken, Task> request, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(LongestRequest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        await request(either.Token);
        return request;
    }

    private TimeSpan AfterFailure(Exception error, int attempt)
    {
        var refusal = error as ApiException;
        TimeSpan pause = backoff.Delay(attempt, refusal?.RetryAfter);
        string reason = refusal?.Message ?? $"no answer within {LongestRequest.TotalSeconds:0} s";
        failed(new(reason, IsAnswer: refusal?.StatusCode is not null, pause));
        return pause;
    }
}

/// <param name="IsAnswer">The API server answered; otherwise it was not reached.</param>
/// <param name="Pause">Before the next attempt.</param>
internal readonly record struct ApiFailure(string Reason, bool IsAnswer, TimeSpan Pause);
