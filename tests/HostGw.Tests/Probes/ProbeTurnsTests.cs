using HostGw.Planning;
using HostGw.Probes;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Probes;

/// <summary>Whose turn it is, where turns are 20 ms apart.</summary>
public class ProbeTurnsTests
{
    private readonly ProbeTurns _turns = new(TimeSpan.FromMilliseconds(60));
    private readonly ProbedPeer[] _peers = [.. Enumerable.Range(0, 3).Select(_ => new ProbedPeer(
        new(Given.Node("a 10.244.2.0/24 10.0.0.2", 0), 1, Ip.Parse("10.0.0.2"), IsOnLink: true, IsNextHop: true), TunnelMode.Auto, 0))];

    public ProbeTurnsTests() => _turns.Restart(TimeSpan.FromSeconds(1), active: 3);

    [Fact]
    public void A_new_one_comes_first_and_then_every_other_time()
    {
        _turns.Add(2);
        _turns.Add(2);
        Assert.Equal([2, 1, 2], At(1.2).Take(3));
    }

    [Fact]
    public void One_that_was_asked_meanwhile_is_not_asked_again()
    {
        _turns.Add(2);
        _peers[2].TakeTurn(isHeld: true);
        Assert.Equal([1, 2, 0], At(1.2).Take(3));
    }

    [Fact]
    public void After_a_time_without_processor_new_ones_are_not_made_up_for()
    {
        for (int i = 0; i < 1000; i++)
            _turns.Add(i % 3);
        Assert.InRange(At(3600).Length, 10, 11);
    }

    [Fact]
    public void Turns_are_taken_together_five_times_a_second()
    {
        Assert.NotEmpty(At(1.4));
        Assert.Empty(At(1.55));
        Assert.NotEmpty(At(1.61));
    }

    private int[] At(double seconds)
    {
        List<int> taken = [];
        _turns.Take(TimeSpan.FromSeconds(seconds), active: 3, _peers, taken);
        return [.. taken];
    }
}
