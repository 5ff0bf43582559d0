using System.Text.Json.Nodes;
using HostGw.Digest;
using HostGw.FakeApi;

namespace HostGw.Tests.Digest;

/// <summary>One digest follows an API server, and its shards are what its Nodes require, whatever others do.</summary>
public sealed class DigestWriterTests : DigestTest
{
    private static readonly string A = ShardText.NameIn(7), B = ShardText.NameIn(8);

    [Fact]
    public async Task It_writes_all_shards_and_then_only_what_changes()
    {
        Api.Nodes.Put(new NodeSpec(A)
        {
            Uid = "uid-a",
            CreatedAt = DateTimeOffset.FromUnixTimeSeconds(1000),
            PodCidrs = ["10.244.1.0/24"],
            InternalIPs = ["192.0.2.1"],
            Labels = new Dictionary<string, string> { ["pool"] = "blue", ["zone"] = "z1" },
        });
        await using RunningDigest digest = await RunAsync("pool");
        Assert.Equal(512, Writes.Length);
        Assert.Equal(
            ["format", "shard", "source", "labels", "sum", "nodes"], Data(7)!.AsObject().Select(d => d.Key));
        Assert.Equal(
            ("1", "007", "pool", $"{A}\tuid-a\tlinux\t1000\t10.244.1.0/24\tInternalIP=192.0.2.1\t\t\tpool=blue\n"),
            (Value(7, "format"), Value(7, "shard"), Value(7, "labels"), Lines(7)));

        PutNodes(B);
        await CurrentAsync(digest);
        Api.Nodes.Delete(A);
        await CurrentAsync(digest);
        Assert.Equal((514, "", 514), (Writes.Length, Lines(7), digest.State.Counts.Written));
    }

    [Fact]
    public async Task A_heartbeat_causes_no_write_and_does_not_even_wake_it()
    {
        PutNodes(A, B);
        await using RunningDigest digest = await RunAsync();
        DigestState state = digest.State;
        long version = 0;
        for (int i = 0; i < 20; i++)
            version = Api.Nodes.Heartbeat(i % 2 == 0 ? A : B);
        await EventuallyAsync(() => digest.Store.ResourceVersion == $"{version}", "heard");

        Assert.Equal(512, Writes.Length);
        Assert.True(ReferenceEquals(state, digest.State) || digest.State.At > state.At.AddSeconds(5), "it took a turn");
    }

    [Fact]
    public async Task A_shard_is_written_once_a_second_however_often_its_nodes_change()
    {
        PutNodes(A);
        await using RunningDigest digest = await RunAsync();
        for (int i = 0; i < 100; i++)
        {
            Api.Nodes.Put(new NodeSpec(A) { PodCidrs = [$"10.244.{i}.0/24"] });
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        await CurrentAsync(digest);
        await EventuallyAsync(() => Lines(7).Contains("10.244.99.0/24", StringComparison.Ordinal), "the last change");
        DateTimeOffset[] at = [.. Api.Requests.Where(r => IsWriteOf(r, 7)).Select(r => r.At)];
        Assert.True(at.Length >= 2, "two writes");
        Assert.All(at.Zip(at.Skip(1)), pair => Assert.True(pair.Second - pair.First > TimeSpan.FromSeconds(0.8), $"{pair}"));
    }

    [Theory]
    [InlineData("/nodes")]
    [InlineData("/configmaps")]
    public async Task Nothing_is_written_before_both_lists_are_complete(string missing)
    {
        PutNodes(A);
        Api.Faults.Forbid(r => r.Method == "GET" && r.Path.EndsWith(missing, StringComparison.Ordinal));
        await using RunningDigest digest = await new RunningDigest(Api).StartAsync();
        await EventuallyAsync(() => digest.Nodes.Health.Problem is not null || digest.Shards.Health.Problem is not null, "refused");
        await EventuallyAsync(() => digest.Stored.IsComplete || digest.Store.Snapshot.IsComplete, "the other one");
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.Empty(Writes);

        Api.Faults.Clear();
        await CurrentAsync(digest);
    }

    public static TheoryData<string> Edits =>
        ["nodes", "nodes and sum", "labels", "format", "shard", "source", "the label", "all", "deleted"];

    [Theory]
    [MemberData(nameof(Edits))]
    public async Task What_somebody_edits_or_deletes_is_repaired(string edit)
    {
        PutNodes(A, B);
        await using RunningDigest digest = await RunAsync();
        string lines = Lines(7);
        digest.Log.Take();
        switch (edit)
        {
            case "nodes": EditData(7, d => d["nodes"] = ""); break;
            case "nodes and sum": EditData(7, d => (d["nodes"], d["sum"]) = ("", Sum(""))); break;
            case "the label": Edit(7, c => c["metadata"]!["labels"] = new JsonObject()); break;
            case "all": EditData(7, d => d.Clear()); break;
            case "deleted": Delete(7); break;
            default: EditData(7, d => d[edit] = "x"); break;
        }
        await EventuallyAsync(() => Fault() is null && Lines(7) == lines && Value(7, "labels").Length == 0, () => $"{Data(7)}");
        await CurrentAsync(digest);
        Assert.Equal(
            "nodes", (string?)JsonNode.Parse(Api.Objects.Get("ConfigMap", "hostgw-digest", Name(7))!)!["metadata"]!["labels"]!["hostgw.io/part"]);
        Assert.InRange(digest.State.Counts.Written, 513, 514);
    }

    [Fact]
    public async Task All_shards_may_be_deleted_at_once()
    {
        PutNodes(A, B);
        await using RunningDigest digest = await RunAsync();
        for (int shard = 0; shard < 512; shard++)
            Delete(shard);
        await EventuallyAsync(() => Fault() is null, "they are written again");
        await EventuallyAsync(() => digest.Log.Take().Any(l => l.StartsWith("Warning 803 ", StringComparison.Ordinal)), "the log says so");
    }

    [Fact]
    public async Task Older_content_that_another_digest_wrote_late_is_replaced()
    {
        PutNodes(A);
        await using RunningDigest digest = await RunAsync();
        JsonObject old = Data(7)!.DeepClone().AsObject();
        Api.Nodes.Put(new NodeSpec(A) { PodCidrs = ["10.244.77.0/24"] });
        await EventuallyAsync(() => Lines(7).Contains("10.244.77.0/24", StringComparison.Ordinal), "the change");
        EditData(7, d =>
        {
            d["nodes"] = old["nodes"]!.DeepClone();
            d["sum"] = old["sum"]!.DeepClone();
            d["source"] = old["source"]!.DeepClone();
        });
        await EventuallyAsync(() => Lines(7).Contains("10.244.77.0/24", StringComparison.Ordinal), "the change again");
        Assert.Equal(0, digest.State.Counts.Behind);
    }

    [Fact]
    public async Task A_shard_that_claims_to_reflect_the_future_is_written_over()
    {
        PutNodes(A);
        await using RunningDigest digest = await RunAsync();
        digest.Log.Take();
        EditData(7, d => (d["nodes"], d["sum"], d["source"]) = ("", Sum(""), "99999999999"));
        await EventuallyAsync(() => Lines(7).Length > 0, "written");
        Assert.True(long.Parse(Value(7, "source"), System.Globalization.CultureInfo.InvariantCulture) <= Api.ResourceVersion);
        Assert.Contains(digest.Log.Take(), l => l.StartsWith("Warning 808 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task After_a_restore_of_etcd_the_shards_are_those_of_the_backup()
    {
        PutNodes(A, B);
        await using RunningDigest digest = await RunAsync();
        StoreSnapshot backup = Api.TakeSnapshot();
        Api.Nodes.Delete(B);
        await CurrentAsync(digest);
        PutNodes(ShardText.NameIn(9), ShardText.NameIn(10));
        await CurrentAsync(digest);

        await Api.RestartAsync(TimeSpan.FromMilliseconds(100), backup);
        await CurrentAsync(digest);
        Assert.NotEqual("", Lines(8));

        PutNodes(ShardText.NameIn(11));
        await CurrentAsync(digest);
    }

    // The store goes back while connections live on: the end of the watch brings it out.
    [Fact]
    public async Task After_a_restore_under_living_connections_too()
    {
        PutNodes(A, B);
        await using RunningDigest digest = await RunAsync();
        StoreSnapshot backup = Api.TakeSnapshot();
        Api.Nodes.Delete(B);
        await CurrentAsync(digest);
        for (int i = 0; i < 50; i++)
            Api.Nodes.Heartbeat(A);
        await EventuallyAsync(() => digest.Store.ResourceVersion == $"{Api.ResourceVersion}", "heard");

        Api.Restore(backup);
        Api.EndWatches();
        await CurrentAsync(digest);
        Assert.NotEqual("", Lines(8));
    }

    [Fact]
    public async Task Where_most_nodes_really_go_the_shards_follow()
    {
        string[] names = [.. Enumerable.Range(20, 10).Select(s => ShardText.NameIn(s))];
        PutNodes(names);
        await using RunningDigest digest = await RunAsync();
        foreach (string name in names[1..])
            Api.Nodes.Delete(name);
        await CurrentAsync(digest);
    }

    [Fact]
    public async Task A_digest_that_starts_again_writes_nothing()
    {
        PutNodes(A, B);
        await using (await RunAsync())
        {
            Api.ClearRequests();
        }
        await using RunningDigest second = await RunAsync();
        Assert.Empty(Writes);
    }

    // Its Role has lost the right to watch ConfigMaps: nothing is written either, and nodes that join are in no shard.
    [Fact]
    public async Task Shards_that_cannot_be_watched_keep_the_Lease_from_being_renewed()
    {
        PutNodes(A);
        await using RunningDigest digest = await RunAsync();
        Assert.Null(Obstacle(digest));
        Api.Faults.Forbid(r => r.Method == "GET" && r.Path.Contains("/configmaps", StringComparison.Ordinal));
        Api.CutConnections();
        await EventuallyAsync(() => digest.Shards.Health.Problem is not null, "the shards are not watched");
        PutNodes(B);
        await EventuallyAsync(() => digest.Store.Count == 2, "the Nodes are");
        Assert.StartsWith("shards cannot be watched: The API server answered ", Obstacle(digest), StringComparison.Ordinal);

        Api.Faults.Clear();
        await CurrentAsync(digest);
        Assert.Null(Obstacle(digest));
    }

    private static string? Obstacle(RunningDigest digest) =>
        LeaseCondition.Obstacle(digest.Nodes.Health, digest.Shards.Health, digest.State, DateTimeOffset.UtcNow);

    [Fact]
    public async Task Other_labels_are_written_to_all_shards()
    {
        PutNodes(A, B);
        await using (await RunAsync())
        {
            Api.ClearRequests();
        }
        await using RunningDigest second = await RunAsync("pool", "zone");
        Assert.Equal((512, "pool,zone"), (Writes.Length, Value(300, "labels")));
    }
}
