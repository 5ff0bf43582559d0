using HostGw.FakeApi;

namespace HostGw.Tests.Nodes;

[Trait("Speed", "slow")]
public abstract class StreamingListTests(bool protobuf) : FollowingTest(protobuf, StreamingLists.Served)
{
    [Fact]
    public async Task Nodes_are_listed_and_followed_in_a_single_request()
    {
        await using NodeFollower follower = await FollowChangesAsync();

        Assert.EndsWith("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=0", Assert.Single(Api.Requests).Query, StringComparison.Ordinal);
        Assert.Equal("application/vnd.kubernetes.protobuf, application/json", Api.Requests[0].Accept);
        Assert.Equal([2, 3, 2], follower.Announced.Select(s => s.Nodes.Length));
        Assert.NotNull(follower.Watcher.Feed.ListedAt);
        Assert.Null(follower.Watcher.Feed.Problem);
    }

    [Fact]
    public async Task An_expired_watch_lists_again_from_where_it_was_and_drops_what_is_gone()
    {
        PutNodes("a", "b");
        await using NodeFollower follower = await FollowAsync("a b");
        string version = follower.Store.ResourceVersion;
        await MissDeletionAsync(follower);
        Assert.EndsWith($"&resourceVersion={version}", Lists[1].Query, StringComparison.Ordinal);
        Assert.All(Lists, l => Assert.True(l.IsStreamingList));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_list_that_breaks_off_is_never_taken_for_whole_and_pages_come_next(bool cleanEnd)
    {
        PutNodes([.. Enumerable.Range(0, 50).Select(i => $"n{i}")]);
        Api.Faults.Truncate(20_000, cleanEnd: cleanEnd);
        await using var follower = new NodeFollower(Api);
        await EventuallyAsync(() => follower.Store.Snapshot.IsComplete, "a whole list comes");
        Assert.Equal([true, false], Lists.Select(l => l.IsStreamingList));
        Assert.All(follower.Announced, s => Assert.Equal(50, s.Nodes.Length));

        await EventuallyAsync(() => Api.OpenWatches == 1, "watches");
        Api.ExpireWatches();
        await EventuallyAsync(() => Lists.Length == 3, "lists again");
        Assert.True(Lists[2].IsStreamingList);
    }

    [Fact]
    public async Task A_relist_that_breaks_off_leaves_what_was_known()
    {
        PutNodes([.. Enumerable.Range(0, 50).Select(i => $"n{i}")]);
        await using NodeFollower follower = new(Api);
        await EventuallyAsync(() => follower.Announced.Length == 1, "the first list");
        Api.Faults.Truncate(20_000, where: r => r.IsStreamingList);
        Api.Faults.Answer(500, times: int.MaxValue, where: r => r.IsNodeList && !r.IsStreamingList);
        Api.ExpireWatches();
        await EventuallyAsync(() => Lists.Count(l => l.Code == 500) > 1, "pages are tried");
        Assert.Equal(50, follower.Store.Snapshot.Nodes.Length);
        Assert.Single(follower.Announced);
    }

    [Fact]
    public async Task Silence_is_shorter_before_the_end_of_the_list_than_after_it()
    {
        PutNodes("a");
        var time = new RecordingTime();
        await using NodeFollower follower = new(Api, time: time);
        await EventuallyAsync(() => follower.Announced.Length == 1 && time.Set.Contains(TimeSpan.FromSeconds(25)), "the list");
        Assert.Equal([TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(25)], time.Set.Distinct());
    }

    [Fact]
    public async Task What_follows_a_list_of_few_nodes_may_be_silent()
    {
        PutNodes("a");
        var time = new RecordingTime();
        await using NodeFollower follower = new(Api, time: time);
        await EventuallyAsync(() => follower.Announced.Length == 1, "the list");
        Api.ExpireWatches();
        await EventuallyAsync(() => Lists.Length == 2 && time.Set[^1] > TimeSpan.FromSeconds(25), "the next");
        Assert.InRange(time.Set[^1], TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(11));
    }

    [Fact]
    public async Task A_busy_server_is_asked_again_for_the_same()
    {
        PutNodes("a");
        Api.Faults.Answer(429, retryAfter: TimeSpan.FromSeconds(1));
        await using NodeFollower follower = await FollowAsync("a");
        Assert.Equal((429, true), (Lists[0].Code, Lists[1].IsStreamingList));
    }

    [Fact]
    public async Task Garbage_is_survived()
    {
        PutNodes("a");
        Api.Faults.AnswerGarbage();
        await using NodeFollower follower = await FollowAsync("a");
        Assert.Equal([true, false], Lists.Select(l => l.IsStreamingList));
        Assert.Single(follower.Announced);
    }

    [Fact]
    public async Task A_version_that_no_server_reaches_ends_in_a_quorum_read()
    {
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        Api.Faults.Answer(504, times: int.MaxValue, where: r => r.IsStreamingList && r.Query.Contains("&resourceVersion=", StringComparison.Ordinal));
        Api.Faults.DropEvents(1);
        PutNodes("b");
        Api.ExpireWatches();
        await EventuallyAsync(() => follower.Names == "a b", "the quorum read");
        Assert.EndsWith("&resourceVersionMatch=NotOlderThan", Lists[^1].Query, StringComparison.Ordinal);
    }
}

public sealed class StreamingListProtobufTests() : StreamingListTests(protobuf: true);

public sealed class StreamingListJsonTests() : StreamingListTests(protobuf: false);
