using HostGw.Digest;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;

namespace HostGw.Tests.Digest;

/// <summary>What comes late, again, or before something else.</summary>
public partial class DigestNodesTests
{
    [Fact]
    public void A_line_of_the_own_Node_that_comes_later_changes_nothing()
    {
        Follow();
        Assert.False(Put(Home, [Node(A), Node(B), Node(Own, "10.66.0.0/24")]));
        Assert.Equal("10.1.0.0/24", Assert.Single(_store.Snapshot.Nodes.Single(n => n.Name == Own).PodCidrs).ToString());
        Assert.False(Put(Home, [Node(A), Node(B)]));
        Assert.Equal(Joined(A, B, C, Own), Names);
    }

    [Fact]
    public void A_shard_may_hold_4096_nodes()
    {
        Follow();
        Assert.True(Put(Home, Many.Value.Take(4096)));
        Assert.Equal((0, 4096 + 2), (Health.Rejected.Length, _store.Count));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_event_of_before_a_deletion_or_a_state_that_is_not_valid_changes_nothing(bool isDeleted)
    {
        Follow();
        Put(Home, new Dictionary<string, string>());
        if (isDeleted)
        {
            ShardText.Fill(_draft, ShardFormat.Name(Home), NextVersion(), ShardText.Data(Home, []));
            _digest.Shards.Apply(WatchEventType.Deleted, _draft);
        }
        ShardText.Fill(_draft, ShardFormat.Name(Home), 150, ShardText.Data(Home, [Node(A)]));
        Assert.False(_digest.Shards.Apply(WatchEventType.Modified, _draft));
        Assert.Equal((1, Joined(A, B, C, Own)), (Health.Rejected.Length, Names));
    }

    // After a restore of the server's store versions are lower.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void After_a_list_a_shard_is_read_whatever_its_version_was(bool isListed)
    {
        Follow();
        Put(Home, [Node(A)]);
        if (!isListed)
            _listed.Remove(Home);
        List();
        ShardText.Fill(_draft, ShardFormat.Name(Home), 150, ShardText.Data(Home, [Node(B)]));
        Assert.True(_digest.Shards.Apply(WatchEventType.Added, _draft));
        Assert.Equal((0, Joined(B, C, Own)), (Health.Rejected.Length, Names));
    }

    [Fact]
    public void What_was_saved_is_read_at_the_start_alone_and_only_if_a_shard_is_not_valid()
    {
        int reads = 0;
        DigestNodes digest = new(_store, Own, _selector, () => [Node($"read {++reads} times")]);
        ListOwn(Node(Own), digest);
        List(digest);
        _listed.Remove(Home);
        List(digest);
        Assert.Equal((0, Joined(A, B, C, Own)), (reads, Names));
    }

    // It is read elsewhere.
    [Fact]
    public void What_the_Lease_says_stays_whatever_the_shards_say()
    {
        Follow();
        _store.UpdateDigest(h => h! with { RenewedAt = DateTimeOffset.UnixEpoch, Stale = "old" });
        Put(Home, [Node(A)]);
        List();
        Assert.Equal((DateTimeOffset.UnixEpoch, "old"), (Health.RenewedAt, Health.Stale));
    }

    [Fact]
    public void A_shard_that_is_deleted_while_a_list_arrives_is_missing()
    {
        Follow();
        Assert.True(List(removed: Home));
        Assert.Equal([new("hostgw-nodes-007", "missing")], Health.Rejected);
    }

    [Fact]
    public void What_is_rejected_is_told_before_the_own_Node_is_known()
    {
        List();
        Assert.False(Put(Home, new Dictionary<string, string>()));
        Assert.Equal("hostgw-nodes-007", Assert.Single(Health.Rejected).Name);
    }

    // Nothing is planned again.
    [Fact]
    public void A_shard_that_is_rejected_changes_no_nodes()
    {
        Follow();
        NodeSnapshot before = _store.Snapshot;
        Assert.True(Put(Home, new Dictionary<string, string>()));
        Assert.NotSame(before, _store.Snapshot);
        Assert.True(before.Nodes == _store.Snapshot.Nodes);
    }
}
