using HostGw.Reconciliation;

namespace HostGw.Tests.Reconciliation;

public class RepairPaceTests
{
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(0, 10)]
    [InlineData(9, 1)]
    [InlineData(10, 0)]
    [InlineData(11, 0)]
    public void The_pause_of_a_fight_ends_and_is_never_less_than_none(int seconds, int left)
    {
        RepairPace pace = new(_time);
        for (int i = 0; i < RepairPace.FreeRepairs; i++)
            pace.Add();
        _time.Advance(TimeSpan.FromSeconds(seconds));
        Assert.Equal(TimeSpan.FromSeconds(left), pace.Pause);
    }
}
