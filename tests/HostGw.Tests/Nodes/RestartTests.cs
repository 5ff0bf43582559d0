using HostGw.FakeApi;

namespace HostGw.Tests.Nodes;

/// <summary>API servers that come back: as they were, from a backup, or beside another one.</summary>
[Trait("Speed", "slow")]
public sealed class RestartTests() : FollowingTest(StreamingLists.Served)
{
    [Fact]
    public async Task A_restarted_server_that_forgot_every_version_is_followed_within_five_seconds()
    {
        PutNodes([.. Enumerable.Range(0, 500).Select(i => $"n{i:d3}")]);
        RecordingTime time = new();
        await using NodeFollower follower = new(Api, time: time);
        await EventuallyAsync(() => follower.Announced.Length == 1 && Api.OpenWatches == 1, "the first list");

        await Api.RestartAsync(TimeSpan.FromSeconds(1));
        TimeSpan before = time.Waited;
        Api.Nodes.Delete("n007");
        PutNodes("new");
        await EventuallyAsync(() => follower.Names.EndsWith("new", StringComparison.Ordinal), "follows");

        Assert.InRange(time.Waited - before, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.DoesNotContain("n007", follower.Names, StringComparison.Ordinal);
        Assert.NotEmpty(TimelineChecks);
    }

    [Fact]
    public async Task After_a_restore_no_node_is_stale_and_none_unknown_within_ten_seconds()
    {
        PutNodes("a", "b");
        StoreSnapshot backup = Api.TakeSnapshot();
        RecordingTime time = new();
        await using NodeFollower follower = await FollowAsync("a b", time);
        PutNodes("stale1", "stale2", "stale3");
        await EventuallyAsync(() => follower.Names == "a b stale1 stale2 stale3", "three join");

        await Api.RestartAsync(TimeSpan.FromSeconds(0.5), backup);
        TimeSpan before = time.Waited;
        PutNodes("c");
        await EventuallyAsync(() => follower.Names == "a b c", "the restored nodes");

        Assert.InRange(time.Waited - before, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.Contains(follower.Log.Take(), line => line.StartsWith("Warning 112 The API server's store went back", StringComparison.Ordinal));
        Assert.Equal(1, follower.Store.Snapshot.QuorumReads);
        PutNodes("d");
        await EventuallyAsync(() => follower.Names == "a b c d", "goes on");
    }

    [Fact]
    public async Task A_server_whose_cache_lags_causes_no_quorum_list()
    {
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        PutNodes("b");
        await EventuallyAsync(() => follower.Names == "a b", "b joins");
        Api.StopCache();
        PutNodes("c");
        Api.EndWatches();
        await EventuallyAsync(() => TimelineChecks.Length > 0 && Watches.Length > 1, "watches the lagging server");
        Assert.Equal("a b", follower.Names);
        Api.ResumeCache();
        await EventuallyAsync(() => follower.Names == "a b c", "the cache catches up");
        Assert.Equal(0, follower.Store.Snapshot.QuorumReads);
    }

    [Fact]
    public async Task A_server_that_initializes_its_cache_is_waited_for_and_that_is_no_failure()
    {
        PutNodes("a");
        Api.Faults.CacheInitializing = true;
        await using NodeFollower follower = new(Api);
        await EventuallyAsync(() => Api.Requests.Any(r => r.Code == 429), "it is asked");
        Api.Faults.CacheInitializing = false;
        await EventuallyAsync(() => follower.Names == "a", "the list");
        Assert.Equal(0, follower.Watcher.Health.Failures);
    }
}
