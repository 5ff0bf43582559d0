using HostGw.FakeApi;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Nodes;

/// <summary>The Service's address stops answering while the API server lives, as without kube-proxy.</summary>
[Trait("Speed", "slow")]
public sealed class ServiceAddressTests() : FollowingTest(StreamingLists.Served)
{
    private static readonly IPAddress Service = IPAddress.Loopback, Node = IPAddress.Parse("127.0.0.2");

    // How long one may take.
    private static readonly TimeSpan Handshake = TimeSpan.FromSeconds(10);

    protected override FakeApiOptions Options => base.Options with { Listen = [new(Service, 0), new(Node, 0)] };

    [Theory]
    [InlineData(Unreachable.Reset, 5)]
    [InlineData(Unreachable.Silent, 10)]
    public async Task A_watch_goes_on_by_another_address_within_seconds_and_returns_with_the_next(Unreachable how, int seconds)
    {
        PutNodes("a");
        RecordingTime time = new();
        ManualTime connecting = new();
        await using NodeFollower follower = new(Api, time: time, further: Api.Endpoints[1], connecting: connecting);
        await EventuallyAsync(() => follower.Names == "a" && Api.OpenWatches == 1, "follows");
        Assert.Equal(Service, follower.RemoteAddress);

        TimeSpan before = time.Waited;
        Api.MakeUnreachable(Service, how);
        PutNodes("b");
        if (how == Unreachable.Silent)
        {
            await connecting.AwaitedAsync(Handshake);
            connecting.Advance(Handshake);
        }
        await EventuallyAsync(() => follower.Names == "a b", "follows by the other address");
        Assert.Equal(Node, follower.RemoteAddress);
        Assert.InRange(time.Waited - before, TimeSpan.Zero, TimeSpan.FromSeconds(seconds));
        Assert.Single(Api.Requests, r => r.IsStreamingList);

        // A younger connection carries the next watch, too; watches last 8 to 12 minutes.
        Api.MakeReachable(Service);
        await Task.Delay(TimeSpan.FromSeconds(31), TestContext.Current.CancellationToken);
        Api.EndWatches();
        PutNodes("c");
        await EventuallyAsync(() => follower.Names == "a b c" && Api.OpenWatches == 1, "follows");
        Assert.Equal(Service, follower.RemoteAddress);
    }

    [Fact]
    public async Task A_start_at_a_dead_address_lists_by_another()
    {
        PutNodes("a");
        Api.MakeUnreachable(Service);
        await using NodeFollower follower = new(Api, further: Api.Endpoints[1]);
        await EventuallyAsync(() => follower.Names == "a", "lists");
        Assert.Equal((Node, 0), (follower.RemoteAddress, follower.Watcher.Health.Failures));
    }
}
