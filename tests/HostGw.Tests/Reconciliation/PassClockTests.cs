using HostGw.Reconciliation;

namespace HostGw.Tests.Reconciliation;

public class PassClockTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Before_the_first_pass_nothing_is_overdue_however_long_the_API_server_is_away()
    {
        PassClock clock = new(_time, TimeSpan.FromSeconds(60));
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal((null, null), (clock.Overdue, clock.Stuck));
    }

    [Theory]
    [InlineData(10, 60, 120)]
    [InlineData(60, 180, 300)]
    public void Without_another_pass_the_host_is_first_not_ready_and_then_not_alive(int resyncSeconds, int ready, int alive)
    {
        PassClock clock = new(_time, TimeSpan.FromSeconds(resyncSeconds));
        clock.Begin();
        clock.End();
        _time.Advance(TimeSpan.FromSeconds(ready));
        Assert.Equal((null, null), (clock.Overdue, clock.Stuck));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal($"the last pass ended {ready + 1} s ago and none has ended since; at most {ready} s are normal", clock.Overdue);
        Assert.Null(clock.Stuck);
        _time.Advance(TimeSpan.FromSeconds(alive - ready - 1));
        Assert.Null(clock.Stuck);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(clock.Stuck);
        clock.Begin();
        clock.End();
        Assert.Equal((null, null), (clock.Overdue, clock.Stuck));
    }

    [Fact]
    public void A_pass_that_runs_for_more_than_two_minutes_is_stuck_even_if_it_is_the_first()
    {
        PassClock clock = new(_time, TimeSpan.FromHours(1));
        clock.Begin();
        _time.Advance(TimeSpan.FromSeconds(120));
        Assert.Null(clock.Stuck);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.StartsWith("a pass began 121 s ago", clock.Stuck, StringComparison.Ordinal);
        clock.End();
        Assert.Null(clock.Stuck);
    }
}
