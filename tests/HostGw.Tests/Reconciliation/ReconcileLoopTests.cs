using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Tests.Reconciliation;

public sealed class ReconcileLoopTests : IAsyncDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(60);

    private const WakeCauses First = WakeCauses.Start | WakeCauses.Nodes;

    private readonly RunningLoop _loop = new();

    [Fact]
    public async Task No_list_no_pass()
    {
        await _loop.StartAsync();
        _loop.Signal(WakeCauses.Routes);
        await _loop.IdleAsync(Resync);
        _loop.Time.Advance(Resync);
        await _loop.IdleAsync(Resync);

        Assert.Equal(0, _loop.Host.Reads);
        Assert.Empty(_loop.Passes);
    }

    [Fact]
    public async Task The_first_pass_knows_all_that_was_said_before_the_list_came()
    {
        await _loop.StartAsync();
        _loop.Signal(WakeCauses.Links);
        await _loop.IdleAsync(Resync);

        _loop.List();
        await _loop.PassAsync();

        Assert.Equal([First | WakeCauses.Links], _loop.Causes);
    }

    [Fact]
    public async Task The_first_change_after_quiet_is_applied_at_once()
    {
        await _loop.StartListedAsync();

        _loop.Signal(WakeCauses.Links);
        await _loop.PassAsync(); // no time has passed

        Assert.Equal([First, WakeCauses.Links], _loop.Causes);
    }

    [Fact]
    public async Task Changes_within_fifty_milliseconds_share_the_next_pass()
    {
        await _loop.StartListedAsync();
        _loop.Signal(WakeCauses.Links);
        await _loop.PassAsync();

        _loop.Signal(WakeCauses.Routes);
        _loop.Signal(WakeCauses.Addresses);
        _loop.Signal(WakeCauses.Routes);
        _loop.Time.Advance(TimeSpan.FromMilliseconds(49));
        Assert.Equal(2, _loop.Passes.Count);
        _loop.Time.Advance(TimeSpan.FromMilliseconds(1));
        await _loop.PassAsync();

        Assert.Equal([First, WakeCauses.Links, WakeCauses.Routes | WakeCauses.Addresses], _loop.Causes);
        _loop.Time.Advance(Between);
        await _loop.IdleAsync(Resync);
        Assert.Equal(3, _loop.Passes.Count);
    }

    [Fact]
    public async Task However_many_changes_come_during_a_pass_they_make_exactly_one_more()
    {
        await _loop.StartListedAsync();
        _loop.Host.Race = () =>
        {
            for (int i = 0; i < 100; i++)
                _loop.Signal(WakeCauses.Nat);
        };
        _loop.Signal(WakeCauses.Routes);
        await _loop.PassAsync();
        _loop.Time.Advance(Between);
        await _loop.PassAsync();
        _loop.Time.Advance(Between);
        await _loop.IdleAsync(Resync);

        Assert.Equal([First, WakeCauses.Routes, WakeCauses.Nat], _loop.Causes);
    }

    [Fact]
    public async Task When_nothing_is_announced_a_pass_runs_at_the_resync_interval()
    {
        await _loop.StartListedAsync();

        _loop.Time.Advance(Resync - TimeSpan.FromMilliseconds(1));
        Assert.Single(_loop.Passes);
        _loop.Time.Advance(TimeSpan.FromMilliseconds(1));
        await _loop.PassAsync();

        Assert.Equal([First, WakeCauses.Resync], _loop.Causes);
    }

    [Fact]
    public async Task A_failed_pass_is_tried_again_after_one_second_and_then_ever_later_up_to_the_resync_interval()
    {
        _loop.Host.ReadRefusal = new HostRefusal("No buffer space available");
        await _loop.StartAsync();
        _loop.List();
        await _loop.PassAsync();

        foreach (int seconds in new[] { 1, 2, 4, 8, 16, 32, 60, 60 })
            await NextAsync(TimeSpan.FromSeconds(seconds));

        Assert.All(_loop.Causes.Skip(1), cause => Assert.Equal(WakeCauses.Retry, cause));
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

    [Fact]
    public async Task A_signal_that_comes_with_the_timeout_is_not_lost()
    {
        await _loop.StartListedAsync();

        _loop.Time.Advance(Resync);
        _loop.Signal(WakeCauses.Routes);
        await _loop.PassAsync();
        _loop.Time.Advance(Between);
        await UntilAsync(() => _loop.Causes.Any(c => c.HasFlag(WakeCauses.Routes)));
    }

    [Fact]
    public async Task It_ends_at_once_when_told_to_whether_it_waits_or_pauses()
    {
        await _loop.StartListedAsync();
        _loop.Signal(WakeCauses.Routes);
        await _loop.PassAsync(); // it pauses

        await _loop.StopAsync();

        Assert.True(_loop.Loop.ExecuteTask!.IsCompleted);
        Assert.False(_loop.Loop.ExecuteTask.IsFaulted);
        Assert.Empty(_loop.Time.Pending());
    }

    [Fact]
    public async Task It_ends_at_once_while_it_waits_for_news()
    {
        await _loop.StartListedAsync();

        await _loop.StopAsync();

        Assert.True(_loop.Loop.ExecuteTask!.IsCompleted);
    }

    [Fact]
    public async Task What_the_host_announces_causes_a_pass()
    {
        using var watch = new HostWatch(_loop.Host, _loop.WakeUp);
        await _loop.StartListedAsync();
        await watch.StartAsync(TestContext.Current.CancellationToken);
        await UntilAsync(() => _loop.Host.IsWatched);

        _loop.Host.Remove("10.244.2.0/24");
        await _loop.PassAsync();
        await watch.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal([First, WakeCauses.Routes], _loop.Causes);
        Assert.Equal(2, _loop.Host.OurRoutes.Count());
    }

    public ValueTask DisposeAsync() => _loop.DisposeAsync();

    // From the pause after a pass to the pause after the next, which must come after exactly this time.
    private async Task NextAsync(TimeSpan wait)
    {
        _loop.Time.Advance(Between);
        await _loop.IdleAsync(wait);
        _loop.Time.Advance(wait);
        await _loop.PassAsync();
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition())
        {
            Assert.False(deadline.IsCancellationRequested);
            await Task.Yield();
        }
    }
}
