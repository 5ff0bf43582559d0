using HostGw.FakeApi;

namespace HostGw.Tests.Nodes;

[Trait("Speed", "slow")]
public abstract class PagedListTests() : FollowingTest(StreamingLists.Refused)
{
    private const string Versioned = "&resourceVersionMatch=NotOlderThan";

    [Fact]
    public async Task Nodes_are_listed_from_the_cache_and_then_followed()
    {
        await using NodeFollower follower = await FollowChangesAsync();

        Assert.Equal("?limit=500&resourceVersion=0", Assert.Single(Lists).Query);
        Assert.All(Api.Requests, r => Assert.Equal("hostgw/1.2.3", r.UserAgent));
        Assert.All(Api.Requests, r => Assert.Equal("HTTP/1.1", r.Protocol));
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
        Assert.Single(Api.Requests, r => r.IsStreamingList); // the refusal is remembered
        Assert.Equal($"?limit=500&resourceVersion={version}{Versioned}", Lists[1].Query);
    }

    [Fact]
    public async Task Pages_are_read_to_the_last_and_announced_together()
    {
        string[] names = [.. Enumerable.Range(1000, 1201).Select(i => $"n{i}")];
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        Api.Faults.DropEvents(int.MaxValue);
        PutNodes(names);
        Api.ExpireWatches();
        await EventuallyAsync(() => follower.Announced.Any(s => s.Nodes.Length == 1202), "all are there");
        Assert.Equal(4, Lists.Length);
        Assert.Equal([1, 1202], follower.Announced.Select(s => s.Nodes.Length));
    }

    [Fact]
    public async Task A_page_token_that_expired_starts_the_list_over()
    {
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        Api.Faults.Answer(410, where: r => r.Query.Contains("continue=", StringComparison.Ordinal));
        Api.Faults.DropEvents(int.MaxValue);
        PutNodes([.. Enumerable.Range(0, 600).Select(i => $"n{i}")]);
        Api.ExpireWatches();
        await EventuallyAsync(() => follower.Announced.Any(s => s.Nodes.Length == 601), "all are there");
        Assert.StartsWith("?resourceVersion=", Lists[^1].Query, StringComparison.Ordinal);
        Assert.Equal([1, 601], follower.Announced.Select(s => s.Nodes.Length));
    }

    [Fact]
    public async Task A_cache_that_stays_behind_ends_in_a_quorum_read_after_three_tries_and_one_timeline_check()
    {
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        Api.Faults.CachedListsFrom = Api.Nodes.Snapshot();
        PutNodes("b");
        await EventuallyAsync(() => follower.Names == "a b", "b joins");
        Api.ExpireWatches();
        await EventuallyAsync(() => follower.Store.Snapshot.QuorumReads == 1, "the quorum read");
        Assert.Equal("?limit=500", Lists[^1].Query);
        Assert.Equal(6, Lists.Length);
        Assert.Single(TimelineChecks);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_list_that_breaks_off_is_never_taken_for_whole(bool cleanEnd)
    {
        PutNodes([.. Enumerable.Range(0, 50).Select(i => $"n{i}")]);
        Api.Faults.Truncate(20_000, times: 2, cleanEnd: cleanEnd, where: IsPage);
        await using var follower = new NodeFollower(Api);
        await EventuallyAsync(() => follower.Store.Snapshot.IsComplete, "a whole list comes");
        Assert.Equal(3, Lists.Length);
        Assert.All(follower.Announced, s => Assert.Equal(50, s.Nodes.Length));
    }

    [Fact]
    public async Task Garbage_is_survived_in_lists_and_watches()
    {
        PutNodes("a");
        Api.Faults.AnswerGarbage(where: IsPage);
        Api.Faults.AnswerGarbage(where: r => r.IsWatch && !r.IsStreamingList);
        await using NodeFollower follower = await FollowAsync("a");
        await EventuallyAsync(() => Api.OpenWatches == 1, "watches at last");
        Assert.Equal(3, Lists.Length);
        Assert.Single(follower.Announced);
    }

    private static bool IsPage(RequestRecord request) => request.IsNodeList && !request.IsStreamingList;
}

public sealed class PagedListProtobufTests() : PagedListTests();
