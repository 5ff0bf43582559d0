using HostGw.Digest;

namespace HostGw.Tests.Digest;

/// <summary>A list from a server's cache may be wrong, and every agent would remove its routes for it.</summary>
public sealed class VanishingNodesTests : DigestTest
{
    private static readonly string[] Names = [.. Enumerable.Range(20, 10).Select(s => ShardText.NameIn(s))];

    [Fact]
    public async Task A_list_that_lacks_most_nodes_changes_no_shard_before_it_is_confirmed_by_quorum()
    {
        await using HandFedDigest digest = await StartAsync();
        digest.ListNodes(200, byQuorum: false, Names[0]);
        await EventuallyAsync(() => digest.QuorumReads == 1, "a quorum read");
        Assert.Equal(
            "Warning 810 The API server lists 1 nodes, the shards hold 10: reading the nodes by quorum before shards change",
            Assert.Single(digest.Log.Take()));
        digest.Put(Names[1], 201);
        digest.Time.Advance(TimeSpan.FromMinutes(10));
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.Equal((0, 1), (Writes.Length, digest.QuorumReads));

        digest.ListNodes(202, byQuorum: true, Names[..2]);
        await EventuallyAsync(() => digest.Writer.State is { Current: 512, Nodes: 2 }, () => $"{digest.Writer.State}");
        Assert.Equal(8, Writes.Length);
    }

    [Fact]
    public async Task A_list_that_was_wrong_changes_nothing()
    {
        await using HandFedDigest digest = await StartAsync();
        digest.ListNodes(200, byQuorum: false);
        await EventuallyAsync(() => digest.QuorumReads == 1, "a quorum read");
        digest.ListNodes(201, byQuorum: true, Names);
        await EventuallyAsync(() => digest.Writer.State is { Current: 512, Source: "201" }, () => $"{digest.Writer.State}");
        Assert.Empty(Writes);
    }

    [Fact]
    public async Task Some_nodes_may_go_without_it()
    {
        await using HandFedDigest digest = await StartAsync();
        digest.ListNodes(200, byQuorum: false, Names[..6]);
        await EventuallyAsync(() => digest.Writer.State is { Current: 512, Nodes: 6 }, () => $"{digest.Writer.State}");
        digest.ListNodes(300, byQuorum: false, Names[..3]);
        await EventuallyAsync(() => digest.Writer.State is { Current: 512, Nodes: 3 }, () => $"{digest.Writer.State}");
        Assert.Equal(0, digest.QuorumReads);
    }

    [Theory]
    [InlineData(10, 5, false)]
    [InlineData(10, 4, true)]
    [InlineData(4, 1, false)]
    [InlineData(5, 1, true)]
    public async Task More_than_half_and_more_than_three_are_confirmed(int before, int after, bool isConfirmed)
    {
        await using HandFedDigest digest = await StartAsync(before);
        digest.ListNodes(200, byQuorum: false, Names[..after]);
        await EventuallyAsync(() => isConfirmed ? digest.QuorumReads == 1 : Writes.Length == before - after, $"{digest.Writer.State}");
        Assert.Equal((isConfirmed ? 1 : 0, isConfirmed ? 0 : before - after), (digest.QuorumReads, Writes.Length));
    }

    [Fact]
    public async Task A_quorum_read_of_earlier_confirms_no_later_list()
    {
        await using HandFedDigest digest = await StartAsync();
        digest.ListNodes(200, byQuorum: false);
        await EventuallyAsync(() => digest.QuorumReads == 1, "a quorum read");
        digest.ListNodes(201, byQuorum: true, Names);
        await EventuallyAsync(() => digest.Writer.State is { Current: 512, Source: "201" }, $"{digest.Writer.State}");
        digest.ListNodes(202, byQuorum: false, Names[0]);
        await EventuallyAsync(() => digest.QuorumReads == 2, "another one");
        Assert.Empty(Writes);
    }

    private async Task<HandFedDigest> StartAsync(int nodes = 10)
    {
        HandFedDigest digest = new(Api);
        digest.ListNodes(100, byQuorum: false, Names[..nodes]);
        digest.ListShardsWithout();
        await digest.StartAsync();
        await EventuallyAsync(() => digest.Writer.State.Current == 512, "current");
        return digest;
    }
}
