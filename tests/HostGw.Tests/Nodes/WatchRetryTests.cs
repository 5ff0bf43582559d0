using HostGw.Kubernetes;
using HostGw.Nodes;

namespace HostGw.Tests.Nodes;

public class WatchRetryTests
{
    [Fact]
    public async Task Watches_that_end_at_once_come_slower_and_slower()
    {
        List<TimeSpan> delays = await DelaysAsync(60, attempt => WatchEnd.TooSoon);
        Assert.All(delays, d => Assert.InRange(d, TimeSpan.Zero, TimeSpan.FromSeconds(30)));
        Assert.True(delays[0] < TimeSpan.FromSeconds(2), $"first after {delays[0]}");
        Assert.True(delays.TrueForAll(d => d > TimeSpan.Zero) && delays[^30..].Average(d => d.TotalSeconds) > 10, "they slow down");
    }

    [Fact]
    public async Task A_wait_that_the_server_asked_for_is_kept_within_bounds()
    {
        List<TimeSpan> delays = await DelaysAsync(2, attempt => throw new ApiException("busy") { RetryAfter = TimeSpan.FromSeconds(attempt == 0 ? 7 : 86_400) });
        Assert.InRange(delays[0], TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(8.4));
        Assert.InRange(delays[1], TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(6));
    }

    [Fact]
    public async Task What_is_no_failure_of_the_server_is_not_retried() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => DelaysAsync(1, _ => throw new InvalidOperationException()));

    private static async Task<List<TimeSpan>> DelaysAsync(int failures, Func<int, WatchEnd> fail)
    {
        List<TimeSpan> delays = [];
        int attempt = 0;
        await WatchRetry.Build(new HurriedTime(), (delay, _) => delays.Add(delay)).ExecuteAsync(
            _ => ValueTask.FromResult(attempt < failures ? fail(attempt++) : WatchEnd.Ordinary), TestContext.Current.CancellationToken);
        Assert.Equal(failures, delays.Count);
        return delays;
    }

    /// <summary>Every timer fires at once.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? TimeSpan.Zero : dueTime, period);
    }
}
