using HostGw.FakeApi;

namespace HostGw.Tests.Nodes;

/// <summary>Servers that take the request for a streaming list for an ordinary watch.</summary>
public abstract class IgnoredStreamingListTests(TimeSpan bookmarkPeriod) : FollowingTest(StreamingLists.Ignored)
{
    protected override FakeApiOptions Options => base.Options with { BookmarkPeriod = bookmarkPeriod };

    internal async Task<NodeFollower> FollowAsync(TimeProvider time)
    {
        PutNodes("a", "b");
        var follower = new NodeFollower(Api, time: time);
        await EventuallyAsync(() => follower.Store.Snapshot.IsComplete && follower.Names == "a b", "pages come");
        Assert.True(Lists[0].IsStreamingList && !Lists[^1].IsStreamingList);
        Assert.Single(follower.Announced);
        return follower;
    }
}

public abstract class OldServerWithBookmarksTests() : IgnoredStreamingListTests(TimeSpan.FromMilliseconds(50))
{
    [Fact]
    public async Task An_ordinary_bookmark_gives_it_away_for_good()
    {
        await using NodeFollower follower = await FollowAsync(TimeProvider.System);
        await EventuallyAsync(() => Api.OpenWatches == 1, "watches");
        Api.ExpireWatches();
        await EventuallyAsync(() => Lists.Length > 2, "lists again");
        Assert.False(Lists[^1].IsStreamingList);
    }
}

public abstract class OldServerWithoutBookmarksTests() : IgnoredStreamingListTests(TimeSpan.FromHours(1))
{
    [Fact]
    public async Task Silence_gives_it_away()
    {
        await using NodeFollower follower = await FollowAsync(new FastTime(20, TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task Silence_from_the_outset_gives_it_away_too()
    {
        await using NodeFollower follower = new(Api, time: new FastTime(20, TimeSpan.FromMinutes(1)));
        await EventuallyAsync(() => follower.Store.Snapshot.IsComplete, "an empty page comes");
        Assert.True(Lists[0].IsStreamingList && !Lists[^1].IsStreamingList);
    }
}

public sealed class OldServerWithBookmarksProtobufTests() : OldServerWithBookmarksTests();

public sealed class OldServerWithoutBookmarksProtobufTests() : OldServerWithoutBookmarksTests();
