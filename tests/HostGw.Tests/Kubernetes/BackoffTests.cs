namespace HostGw.Tests.Kubernetes;

public class BackoffTests
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(10), Longest = TimeSpan.FromMinutes(10);

    [Theory]
    [InlineData(0, 10)]
    [InlineData(1, 20)]
    [InlineData(5, 320)]
    [InlineData(6, 600)]
    [InlineData(60, 600)]
    [InlineData(int.MaxValue, 600)]
    public void Each_pause_is_twice_as_long_up_to_a_bound(int attempt, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), new Backoff(First, Longest).Delay(attempt));

    [Theory]
    [InlineData(0, 10)]
    [InlineData(0.5, 11)]
    [InlineData(1, 12)]
    public void Jitter_makes_it_up_to_a_fifth_longer(double random, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), new Backoff(First, Longest, () => random).Delay(0));

    [Theory]
    [InlineData(5, 10)]
    [InlineData(100, 100)]
    [InlineData(10_000, 10_000)]
    public void A_server_is_left_alone_for_as_long_as_it_asks(int asked, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), new Backoff(First, Longest).Delay(0, TimeSpan.FromSeconds(asked)));
}
