using HostGw.Kubernetes;
using Polly;
using Polly.Retry;

namespace HostGw.Nodes;

/// <summary>When to try again: from half a second up to half a minute, with jitter; or when the server said.</summary>
internal static class WatchRetry
{
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);

    /// <param name="onRetry">Told the delay and the reason before each wait.</param>
    public static ResiliencePipeline<WatchEnd> Build(TimeProvider time, Action<TimeSpan, string> onRetry) =>
        new ResiliencePipelineBuilder<WatchEnd> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<WatchEnd>
            {
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromSeconds(0.5),
                MaxDelay = TimeSpan.FromSeconds(30),
                ShouldHandle = static args => ValueTask.FromResult(IsTransient(args.Outcome)),
                DelayGenerator = static args => ValueTask.FromResult(AskedFor(args.Outcome.Exception)),
                OnRetry = args =>
                {
                    onRetry(args.RetryDelay, args.Outcome.Exception?.Message ?? "the watch ended at once");
                    return default;
                },
            })
            .Build();

    // A server's refusal may end at any time (a token renewed, a role bound): nothing of it is final.
    private static bool IsTransient(Outcome<WatchEnd> outcome) => outcome.Exception is null
        ? outcome.Result == WatchEnd.TooSoon
        : outcome.Exception is ApiException or NodeStreamException or IOException;

    /// <summary>How long the server asked to be left alone, a little spread, for all its clients were told the same; null: it did not ask.</summary>
    public static TimeSpan? AskedFor(Exception? failure)
    {
        if (failure is not ApiException { RetryAfter: { } after })
            return null;
        return (after < LongestRetryAfter ? after : LongestRetryAfter) * (1 + 0.2 * Random.Shared.NextDouble());
    }
}
