using HostGw.FakeApi;

namespace HostGw.Tests.Nodes;

[Trait("Speed", "slow")]
public abstract class StreamingListTests() : FollowingTest(StreamingLists.Served)
{
    [Fact]
    public async Task Nodes_are_listed_and_followed_in_a_single_request()
    {
        await using NodeFollower follower = await FollowChangesAsync();

        Assert.EndsWith("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=0", Assert.Single(Api.Requests).Query, StringComparison.Ordinal);
        Assert.Equal("application/vnd.kubernetes.protobuf, application/json", Api.Requests[0].Accept);
        Assert.Equal([2, 3, 2], follower.Announced.Select(s => s.Nodes.Length));
        Assert.NotNull(follower.Watcher.Health.ListedAt);
        Assert.Null(follower.Watcher.Health.Problem);
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
        Api.Faults.Answer(500, times: int.MaxValue, where: r => r.IsNodeList && !r.IsStreamingList && !IsTimelineCheck(r));
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
        await EventuallyAsync(() => follower.Announced.Length == 1 && time.Set.Contains(TimeSpan.FromSeconds(150)), "the list");
        Assert.Equal([TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(150)], time.Set.Where(t => t > TimeSpan.FromSeconds(5)).Distinct());
    }

    [Fact]
    public async Task Every_request_is_made_over_HTTP_1_1()
    {
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        Api.ExpireWatches();
        await EventuallyAsync(() => Lists.Length == 2, "the next list");
        Assert.All(Api.Requests, r => Assert.Equal("HTTP/1.1", r.Protocol));
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
    public async Task A_server_that_answers_in_JSON_gets_one_clear_error()
    {
        await using var other = await HostGw.FakeApi.FakeApiServer.StartAsync(new() { Protobuf = false });
        await using var follower = new NodeFollower(other);
        await EventuallyAsync(() => follower.Watcher.Health.Problem is not null, "the problem shows");
        Assert.StartsWith("The API server does not answer in protobuf", follower.Watcher.Health.Problem, StringComparison.Ordinal);
    }
}

public sealed class StreamingListProtobufTests() : StreamingListTests();
