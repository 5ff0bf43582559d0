using HostGw.FakeApi;
using HostGw.Tests.FakeApi;

namespace HostGw.Tests.Nodes;

public sealed class NodeWatcherTests : FakeApiTest
{
    private const string Versioned = "&resourceVersionMatch=NotOlderThan";

    protected override FakeApiOptions Options => new() { BookmarkPeriod = TimeSpan.FromMilliseconds(50) };

    private RequestRecord[] Lists => [.. Api.Requests.Where(r => r.IsNodeList)];

    private RequestRecord[] Watches => [.. Api.Requests.Where(r => r.IsWatch)];

    [Fact]
    public async Task Nodes_are_listed_from_the_cache_and_then_followed()
    {
        PutNodes("b", "a");
        await using NodeFollower follower = await FollowAsync("a b");
        PutNodes("c");
        await EventuallyAsync(() => follower.Names == "a b c", "c joins");
        Api.Nodes.Delete("b");
        await EventuallyAsync(() => follower.Names == "a c", "b leaves");

        Assert.Equal("?limit=500&resourceVersion=0", Assert.Single(Lists).Query);
        Assert.All(Api.Requests, r => Assert.Equal("hostgw/1.2.3", r.UserAgent));
        Assert.All(Api.Requests, r => Assert.Equal("HTTP/2", r.Protocol));
        Assert.NotNull(follower.Watcher.Feed.ListedAt);
        Assert.Null(follower.Watcher.Feed.Problem);
    }

    [Fact]
    public async Task An_empty_cluster_is_announced_as_complete()
    {
        await using NodeFollower follower = await FollowAsync("");
        await EventuallyAsync(() => follower.Announced.Length == 1, "announced");
        Assert.True(follower.Announced[0].IsComplete);
    }

    [Fact]
    public async Task A_thousand_heartbeats_wake_nobody()
    {
        Api.Nodes.Put(new NodeSpec("a") { Realistic = true });
        await using NodeFollower follower = await FollowAsync("a");
        for (int i = 0; i < 1000; i++)
            Api.Nodes.Heartbeat("a");
        PutNodes("b");
        await EventuallyAsync(() => follower.Names == "a b", "b joins");
        Assert.Equal(2, follower.Announced.Length);
    }

    [Fact]
    public async Task A_watch_that_ended_goes_on_where_it_was()
    {
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        PutNodes("b");
        await EventuallyAsync(() => follower.Names == "a b", "b joins");
        long version = Api.ResourceVersion;
        Api.EndWatches();
        await EventuallyAsync(() => Watches.Length == 2, "watches again");
        Assert.Contains($"&resourceVersion={version}&", Watches[1].Query, StringComparison.Ordinal);
        Assert.Single(Lists);
    }

    [Fact]
    public async Task A_cut_connection_loses_no_event_and_needs_no_list()
    {
        PutNodes("a", "b");
        await using NodeFollower follower = await FollowAsync("a b");
        await Api.StopListeningAsync();
        Api.Nodes.Delete("a");
        PutNodes("c");
        await EventuallyAsync(() => follower.Watcher.Feed.Problem is not null, "the outage is noticed");
        Assert.Equal("a b", follower.Names);
        await Api.StartListeningAsync();
        await EventuallyAsync(() => follower.Names == "b c", "catches up");
        Assert.Single(Lists);
    }

    [Fact]
    public async Task An_outage_is_said_once_however_long_and_when_it_is_over()
    {
        await using NodeFollower follower = await FollowAsync("");
        List<string> said = [];
        await Api.StopListeningAsync();
        await EventuallyAsync(() => Said().Count(line => line.StartsWith("Debug 110 Next attempt", StringComparison.Ordinal)) >= 4, "four attempts");
        await Api.StartListeningAsync();
        await EventuallyAsync(() => Said().Contains("Information 109 The API server is followed again"), "follows again");

        Assert.Single(said, line => line.StartsWith("Warning 102 The API server cannot be followed, what stands stays: Cannot connect to", StringComparison.Ordinal));

        List<string> Said()
        {
            said.AddRange(follower.Log.Take());
            return said;
        }
    }

    [Fact]
    public async Task A_bookmark_spares_the_list_when_other_objects_fill_the_history()
    {
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        string version = follower.Store.ResourceVersion;
        await EventuallyAsync(() => follower.Watcher.Feed.HeardAt > follower.Watcher.Feed.ListedAt, "a bookmark comes");
        Assert.Equal(version, follower.Store.ResourceVersion);
        Assert.Single(follower.Announced);
    }

    [Fact]
    public async Task An_expired_watch_lists_again_from_where_it_was_and_drops_what_is_gone()
    {
        PutNodes("a", "b");
        await using NodeFollower follower = await FollowAsync("a b");
        string version = follower.Store.ResourceVersion;
        Api.Faults.DropEvents(1);
        Api.Nodes.Delete("a");
        Api.ExpireWatches();
        await EventuallyAsync(() => follower.Names == "b", "a is gone");
        Assert.Equal($"?limit=500&resourceVersion={version}{Versioned}", Lists[1].Query);
    }

    [Fact]
    public async Task A_version_that_was_compacted_away_is_listed_anew()
    {
        PutNodes("a", "b");
        await using NodeFollower follower = await FollowAsync("a b");
        await Api.StopListeningAsync();
        Api.Nodes.Delete("b");
        PutNodes("c");
        Api.CompactHistory();
        await Api.StartListeningAsync();
        await EventuallyAsync(() => follower.Names == "a c", "catches up");
        Assert.Equal(2, Lists.Length);
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
        await EventuallyAsync(() => follower.Store.Snapshot.Nodes.Length == 1202, "all are there");
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
        await EventuallyAsync(() => follower.Store.Snapshot.Nodes.Length == 601, "all are there");
        Assert.StartsWith("?resourceVersion=", Lists[^1].Query, StringComparison.Ordinal);
        Assert.Equal([1, 601], follower.Announced.Select(s => s.Nodes.Length));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_list_that_breaks_off_is_never_taken_for_whole(bool cleanEnd)
    {
        PutNodes([.. Enumerable.Range(0, 50).Select(i => $"n{i}")]);
        Api.Faults.Truncate(20_000, times: 2, cleanEnd: cleanEnd, where: r => r.IsNodeList);
        await using var follower = new NodeFollower(Api);
        await EventuallyAsync(() => follower.Store.Snapshot.IsComplete, "a whole list comes");
        Assert.Equal(3, Lists.Length);
        Assert.All(follower.Announced, s => Assert.Equal(50, s.Nodes.Length));
    }

    [Fact]
    public async Task Garbage_is_survived_in_lists_and_watches()
    {
        PutNodes("a");
        Api.Faults.AnswerGarbage(where: r => r.IsNodeList);
        Api.Faults.AnswerGarbage(where: r => r.IsWatch);
        await using NodeFollower follower = await FollowAsync("a");
        await EventuallyAsync(() => Api.OpenWatches == 1, "watches at last");
        Assert.Equal(3, Lists.Length);
        Assert.Single(follower.Announced);
    }

    [Fact]
    public async Task A_version_that_no_server_reaches_ends_in_a_quorum_read()
    {
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        Api.Faults.Answer(504, times: int.MaxValue, where: r => r.Query.Contains("NotOlderThan", StringComparison.Ordinal));
        Api.Faults.DropEvents(1);
        PutNodes("b");
        Api.ExpireWatches();
        await EventuallyAsync(() => follower.Names == "a b", "the quorum read");
        Assert.Equal("?limit=500", Lists[^1].Query);
    }

    [Fact]
    public async Task Repeated_events_are_announced_once()
    {
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        Api.Faults.DuplicateEvents = true;
        PutNodes("b");
        Api.Nodes.Delete("a");
        await EventuallyAsync(() => follower.Names == "b", "a leaves");
        Assert.Equal(3, follower.Announced.Length);
    }

    [Fact]
    public async Task A_renewed_token_is_used_without_a_restart()
    {
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        await File.WriteAllTextAsync(follower.TokenFile, Api.RotateToken(), TestContext.Current.CancellationToken);
        Api.EndWatches();
        await EventuallyAsync(() => Watches.Length == 2 && Api.OpenWatches == 1, "watches with the new token");
        Assert.DoesNotContain(Api.Requests, r => r.Code == 401);
    }

    [Fact]
    public async Task Missing_rights_are_told_with_the_cure()
    {
        PutNodes("a");
        Api.Faults.Forbid(r => r.IsWatch);
        await using NodeFollower follower = await FollowAsync("a");
        await EventuallyAsync(() => follower.Watcher.Feed.Problem is not null, "the problem shows");
        Assert.Contains("'watch' on 'nodes'", follower.Watcher.Feed.Problem, StringComparison.Ordinal);
        Api.Faults.Clear();
        await EventuallyAsync(() => follower.Watcher.Feed.Problem is null, "it is gone");
    }

    private async Task<NodeFollower> FollowAsync(string names)
    {
        var follower = new NodeFollower(Api);
        await EventuallyAsync(() => follower.Store.Snapshot.IsComplete && follower.Names == names && Watches.Length > 0, $"the first list: '{names}'");
        return follower;
    }
}
