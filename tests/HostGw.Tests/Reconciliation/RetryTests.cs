using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Tests.Reconciliation;

public sealed class RetryTests : IAsyncDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(60);

    private readonly RunningLoop _loop = new();

    [Fact]
    public async Task A_failed_pass_is_tried_again_after_one_second_and_then_ever_later_up_to_the_resync_interval()
    {
        _loop.Host.ReadRefusal = new HostRefusal("No buffer space available");
        await _loop.StartAsync();
        _loop.List();
        await _loop.PassAsync();

        foreach (int seconds in new[] { 1, 2, 4, 8, 16, 32, 60, 60 })
            await NextAsync(TimeSpan.FromSeconds(seconds));

        WakeCauses retry = WakeCauses.Retry, both = WakeCauses.Retry | WakeCauses.Resync;
        Assert.Equal([retry, retry, retry, retry, retry, both, both, both], _loop.Causes.Skip(1));
    }

    [Theory]
    [InlineData(3600, 60)]
    [InlineData(60, 60)]
    [InlineData(5, 5)]
    public void However_long_the_resync_interval_a_failed_pass_is_tried_again_after_a_minute_at_most(int resync, int seconds)
    {
        PassTimes times = new(LoopTimes.WithResync(resync), new ManualTime());
        PassReport failed = new()
        {
            Causes = WakeCauses.Retry,
            Result = new() { Failures = [new(HostPart.State, "read the host", null, new HostRefusal("no"))] },
        };
        for (int i = 0; i < 20; i++)
            times.After(failed);
        Assert.Equal(TimeSpan.FromSeconds(seconds), times.Wait);
    }

    [Fact]
    public async Task Success_resets_the_pause()
    {
        _loop.Host.ReadRefusal = new HostRefusal("No buffer space available");
        await _loop.StartAsync();
        _loop.List();
        await _loop.PassAsync();
        await NextAsync(TimeSpan.FromSeconds(1));
        await NextAsync(TimeSpan.FromSeconds(2));

        _loop.Host.ReadRefusal = null;
        await NextAsync(TimeSpan.FromSeconds(4));
        _loop.Host.ReadRefusal = new HostRefusal("No buffer space available");
        await NextAsync(Resync);
        await NextAsync(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_storm_of_wake_ups_does_not_put_the_retry_off()
    {
        _loop.Host.Refusal = what => what == "add 10.244.2.0/24" ? new HostRefusal("Network is unreachable") : null;
        await _loop.StartAsync();
        _loop.List();
        await _loop.PassAsync();
        for (int i = 0; i < 20; i++)
        {
            _loop.Signal(WakeCauses.Nodes);
            _loop.Time.Advance(Between);
            await _loop.PassAsync();
        }

        await NextAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(WakeCauses.Retry, _loop.Causes[^1]);
    }

    [Fact]
    public async Task A_repair_that_is_held_back_is_made_when_it_is_due()
    {
        await _loop.StartListedAsync();
        for (int i = 0; i < 6; i++)
        {
            _loop.Host.Remove("10.244.2.0/24");
            _loop.Signal(WakeCauses.Routes);
            await _loop.PassAsync();
            _loop.Time.Advance(Between);
        }
        Assert.Single(_loop.Host.OurRoutes);

        // The last repair was 50 ms before the pass that held back, which was 50 ms ago.
        await _loop.IdleAsync(TimeSpan.FromSeconds(9.95));
        _loop.Time.Advance(TimeSpan.FromSeconds(9.95));
        await _loop.PassAsync();

        Assert.Equal(2, _loop.Host.OurRoutes.Count());
    }

    // From the pause after a pass to the pause after the next, which must come after exactly this time.
    private async Task NextAsync(TimeSpan wait)
    {
        _loop.Time.Advance(Between);
        await _loop.IdleAsync(wait);
        _loop.Time.Advance(wait);
        await _loop.PassAsync();
    }

    public ValueTask DisposeAsync() => _loop.DisposeAsync();
}
