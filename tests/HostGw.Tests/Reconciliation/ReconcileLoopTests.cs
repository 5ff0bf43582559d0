using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Tests.Reconciliation;

public sealed class ReconcileLoopTests : IAsyncDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(60);

    private const WakeCauses First = WakeCauses.Nodes;

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
        await _loop.IdleAsync(Resync);
        // Else the wait before the signal would be taken for the one after it.
        _loop.Time.Advance(TimeSpan.FromSeconds(1));
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

    // A link is made by one pass, and its routes by the next.
    [Fact]
    public async Task A_pass_that_continues_another_follows_without_a_pause()
    {
        await using RunningLoop loop = new("tunnel=always tunnel.source=254");
        await loop.StartAsync();
        loop.List();
        await loop.PassAsync(); // no time has passed

        Assert.Equal([First, WakeCauses.Links], loop.Causes);
        Assert.Equal((true, false), (loop.Passes[0].Continues, loop.Passes[1].Continues));
        Assert.All(loop.Host.OurRoutes, r => Assert.Contains("hostgw0", r, StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_shares_what_was_announced_meanwhile()
    {
        await using RunningLoop loop = new("tunnel=always tunnel.source=254");
        loop.Host.Race = () => loop.Signal(WakeCauses.Addresses);
        await loop.StartAsync();
        loop.List();
        await loop.PassAsync();

        Assert.Equal([First, WakeCauses.Links | WakeCauses.Addresses], loop.Causes);
        loop.Time.Advance(Between);
        await loop.IdleAsync(Resync);
        Assert.Equal(2, loop.Passes.Count);
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
    public async Task However_often_something_is_announced_it_runs_with_that()
    {
        await _loop.StartListedAsync();
        for (int i = 0; i < 7; i++)
        {
            _loop.Time.Advance(TimeSpan.FromSeconds(20));
            _loop.Signal(WakeCauses.Nodes);
            await _loop.PassAsync();
            _loop.Time.Advance(Between);
            await _loop.IdleAsync(Resync);
        }

        WakeCauses nodes = WakeCauses.Nodes, both = WakeCauses.Nodes | WakeCauses.Resync;
        Assert.Equal([First, nodes, nodes, both, nodes, nodes, both, nodes], _loop.Causes);
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
        await _loop.PassAsync();
        _loop.Time.Advance(Between);
        await _loop.IdleAsync(Resync);

        _loop.Host.Remove("10.244.2.0/24");
        await _loop.PassAsync();
        await watch.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal([First, WakeCauses.Start, WakeCauses.Routes], _loop.Causes);
        Assert.Equal(2, _loop.Host.OurRoutes.Count());
    }

    public ValueTask DisposeAsync() => _loop.DisposeAsync();

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
