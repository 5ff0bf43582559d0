using HostGw.FakeApi;

namespace HostGw.Tests.Digest;

/// <summary>A second digest of the same cluster, at an API server of its own.</summary>
public sealed class TwoDigestsTests : DigestTest
{
    private static readonly string A = ShardText.NameIn(7), B = ShardText.NameIn(8), C = ShardText.NameIn(9);

    [Fact]
    public async Task Two_that_are_up_to_date_do_not_fight()
    {
        PutNodes(A);
        await using FakeApiServer peer = await Api.StartPeerAsync(Options);
        await using RunningDigest one = await RunAsync();
        await using RunningDigest two = await new RunningDigest(peer).StartAsync();
        await CurrentAsync(one, two);
        for (int i = 0; i < 10; i++)
        {
            Api.Nodes.Put(new NodeSpec(B) { PodCidrs = [$"10.244.{i}.0/24"] });
            await CurrentAsync(one, two);
        }
        Api.Nodes.Delete(B);
        await CurrentAsync(one, two);
        await Task.Delay(1500, TestContext.Current.CancellationToken);

        int writes = Writes.Length + peer.Requests.Count(IsWrite);
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        Assert.Equal(writes, Writes.Length + peer.Requests.Count(IsWrite));
        Assert.InRange(one.State.Counts.Written + two.State.Counts.Written, 513, 600);
    }

    // Frozen, it knows neither the Nodes nor what the other one wrote; woken, it gets both in whatever order, and may meet conflicts.
    [Fact]
    public async Task One_whose_watches_freeze_brings_nothing_old_back()
    {
        PutNodes(A, B);
        await using FakeApiServer peer = await Api.StartPeerAsync(Options);
        await using RunningDigest one = await RunAsync();
        await using RunningDigest two = await new RunningDigest(peer).StartAsync();
        await CurrentAsync(one, two);

        peer.Faults.FreezeWatches = true;
        Api.Nodes.Put(new NodeSpec(A) { PodCidrs = ["10.244.77.0/24"] });
        Api.Nodes.Delete(B);
        PutNodes(C);
        await CurrentAsync(one);
        peer.ClearRequests();
        Delete(7);
        EditData(8, d => d["nodes"] = "edited");
        await CurrentAsync(one);
        await Task.Delay(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Null(Fault());

        peer.Faults.FreezeWatches = false;
        await CurrentAsync(one, two);
        Assert.Contains("10.244.77.0/24", Lines(7), StringComparison.Ordinal);
        Assert.DoesNotContain(peer.Requests, r => IsWrite(r) && r.Code < 300);
    }

    // The watch of shards shows what a digest wrote that knows more; the watch of Nodes lags.
    [Fact]
    public async Task One_whose_Nodes_lag_leaves_what_the_other_one_writes()
    {
        PutNodes(A, B);
        await using HandFedDigest lagging = new(Api);
        lagging.ListNodes(Api.ResourceVersion, byQuorum: false, A, B);
        await using RunningDigest one = await RunAsync();
        Api.Nodes.Put(new NodeSpec(A) { PodCidrs = ["10.244.77.0/24"] });
        await CurrentAsync(one);
        Delete(8);
        await CurrentAsync(one);
        (string, string) lines = (Lines(7), Lines(8));

        // It sees all shards as they are, and one of them deleted.
        lagging.Timeline = Api.ResourceVersion;
        lagging.ListShards(shard => Data(shard)!.AsObject().ToDictionary(d => d.Key, d => (string)d.Value!));
        Api.ClearRequests();
        await lagging.StartAsync();
        await EventuallyAsync(() => lagging.TimelineReads > 0 && lagging.Writer.State.Counts.Behind > 0, "it is behind");
        Assert.Equal(lines, (Lines(7), Lines(8)));
        Assert.DoesNotContain(Api.Requests, r => IsWriteOf(r, 7));
    }
}
