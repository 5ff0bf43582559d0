using HostGw.FakeApi;

namespace HostGw.Tests.Nodes;

/// <summary>What holds in every encoding and with every kind of list.</summary>
[Trait("Speed", "slow")]
public abstract class ReflectorTests(StreamingLists streamingLists) : FollowingTest(streamingLists)
{
    [Fact]
    public async Task An_empty_cluster_is_announced_as_complete()
    {
        await using NodeFollower follower = await FollowAsync("");
        await EventuallyAsync(() => follower.Announced.Length == 1, "announced");
        Assert.True(follower.Announced[0].IsComplete);
    }

    [Fact]
    public async Task Every_completed_list_is_told_also_one_that_changes_nothing()
    {
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        Assert.Equal(1, follower.ListsCompleted);
        Api.ExpireWatches();
        await EventuallyAsync(() => follower.ListsCompleted == 2, "lists again");
        Assert.Single(follower.Announced);
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
        Assert.EndsWith($"&resourceVersion={version}", Watches[1].Query, StringComparison.Ordinal);
        Assert.Single(Lists);
    }

    [Fact]
    public async Task A_quorum_read_interrupts_the_watch_asks_no_cache_and_is_announced_though_nothing_changed()
    {
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        int reads = follower.Store.Snapshot.QuorumReads;

        follower.Watcher.ReadByQuorum();

        await EventuallyAsync(() => follower.Announced.Length == 2, "announced again");
        Assert.Equal(reads + 1, follower.Announced[1].QuorumReads);
        Assert.DoesNotContain("resourceVersion", Lists[^1].Query, StringComparison.Ordinal);
        PutNodes("b");
        await EventuallyAsync(() => follower.Names == "a b", "goes on watching");
        Assert.Equal(reads + 1, follower.Store.Snapshot.QuorumReads);
        Assert.Null(follower.Watcher.Health.Problem);
    }

    [Fact]
    public async Task A_list_older_than_what_is_known_is_not_believed_until_a_quorum_read_says_the_same()
    {
        PutNodes("a");
        HostGw.FakeApi.NodeSnapshot past = Api.Nodes.Snapshot();
        PutNodes("b");
        await using NodeFollower follower = await FollowAsync("a b");
        Api.Faults.CachedListsFrom = past;
        Api.CompactHistory();
        Api.ExpireWatches();

        await EventuallyAsync(() => follower.Store.Snapshot.QuorumReads == 1, "a quorum read");
        Assert.DoesNotContain(follower.Announced, s => s.Nodes.Length == 1);
        PutNodes("c");
        await EventuallyAsync(() => follower.Names == "a b c", "goes on");
    }

    [Fact]
    public async Task A_quorum_read_asked_for_while_the_server_is_away_is_made_when_it_is_back()
    {
        PutNodes("a");
        await using NodeFollower follower = await FollowAsync("a");
        await Api.StopListeningAsync();
        follower.Watcher.ReadByQuorum();
        follower.Watcher.ReadByQuorum();
        await EventuallyAsync(() => follower.Watcher.Health.Problem is not null, "the outage is noticed");
        await Api.StartListeningAsync();
        await EventuallyAsync(() => follower.Announced.Length == 2, "announced again");
        PutNodes("b");
        await EventuallyAsync(() => follower.Names == "a b", "goes on watching");
    }

    [Fact]
    public async Task A_cut_connection_loses_no_event_and_needs_no_list()
    {
        PutNodes("a", "b");
        await using NodeFollower follower = await FollowAsync("a b");
        await Api.StopListeningAsync();
        Api.Nodes.Delete("a");
        PutNodes("c");
        await EventuallyAsync(() => follower.Watcher.Health.Problem is not null, "the outage is noticed");
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
        await EventuallyAsync(() => Said().Contains("Information 109 Watching nodes again"), "follows again");

        Assert.Single(said, line => line.StartsWith("Warning 102 Cannot watch nodes: Cannot connect to", StringComparison.Ordinal));

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
        await EventuallyAsync(() => follower.Watcher.Health.ReceivedAt > follower.Watcher.Health.ListedAt, "a bookmark comes");
        Assert.Equal(version, follower.Store.ResourceVersion);
        Assert.Single(follower.Announced);
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
        await EventuallyAsync(() => follower.Watcher.Health.Problem is not null, "the problem shows");
        Assert.Contains("'watch' on 'nodes'", follower.Watcher.Health.Problem, StringComparison.Ordinal);
        Api.Faults.Clear();
        await EventuallyAsync(() => follower.Watcher.Health.Problem is null, "it is gone");
    }
}

public sealed class ReflectorStreamingTests() : ReflectorTests(StreamingLists.Served);

public sealed class ReflectorPagesTests() : ReflectorTests(StreamingLists.Refused);
