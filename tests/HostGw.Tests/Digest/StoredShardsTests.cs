using HostGw.Digest;
using HostGw.Kubernetes;
using k8s.Models;

namespace HostGw.Tests.Digest;

public class StoredShardsTests
{
    private readonly StoredShards _stored = new();
    private readonly ShardDraft _draft = new();

    [Fact]
    public void Before_the_first_list_nothing_is_known()
    {
        _stored.BeginList();
        Add("hostgw-nodes-007", 10);
        Assert.Equal((false, 0), (_stored.IsComplete, _stored.Count));

        _stored.CompleteList("11", byQuorum: false);
        Assert.Equal((true, 1, "10", "11"), (_stored.IsComplete, _stored.Count, _stored[7].ResourceVersion, _stored.ResourceVersion));
    }

    [Theory]
    [InlineData("hostgw-nodes-512")]
    [InlineData("hostgw-nodes-7")]
    [InlineData("kube-root-ca.crt")]
    public void A_ConfigMap_of_somebody_else_is_no_shard(string name)
    {
        _stored.BeginList();
        Add(name, 10);
        _stored.CompleteList("11", byQuorum: false);
        Assert.False(Apply(WatchEventType.Added, name, 12));
        Assert.Equal((0, "12"), (_stored.Count, _stored.ResourceVersion));
    }

    [Fact]
    public void An_event_that_comes_after_the_answer_to_a_later_request_changes_nothing()
    {
        ListNothing();
        _stored.Replace(7, _stored[7], new() { ResourceVersion = "20", Sum = "ours" });
        Assert.False(Apply(WatchEventType.Modified, "hostgw-nodes-007", 15));
        Assert.False(Apply(WatchEventType.Modified, "hostgw-nodes-007", 20));
        Assert.Equal("ours", _stored[7].Sum);
        Assert.True(Apply(WatchEventType.Modified, "hostgw-nodes-007", 21));
        Assert.NotEqual("ours", _stored[7].Sum);
    }

    [Fact]
    public void The_answer_to_a_request_does_not_hide_what_was_received_since_it_was_sent()
    {
        ListNothing();
        StoredShard before = _stored[7];
        Assert.True(Apply(WatchEventType.Added, "hostgw-nodes-007", 20));
        Assert.True(Apply(WatchEventType.Deleted, "hostgw-nodes-007", 21));
        _stored.Replace(7, before, new() { ResourceVersion = "20" });
        Assert.True(_stored[7].IsAbsent);
    }

    // Else a digest that lags would write it with what it knew before.
    [Fact]
    public void What_a_deleted_shard_reflected_is_remembered()
    {
        ListNothing();
        Apply(WatchEventType.Added, "hostgw-nodes-007", 20, source: 19);
        Apply(WatchEventType.Deleted, "hostgw-nodes-007", 21);
        Assert.Equal((true, 19ul), (_stored[7].IsAbsent, _stored[7].Source));
        ListNothing();
        Assert.Equal((true, 19ul), (_stored[7].IsAbsent, _stored[7].Source));
    }

    // After a restore of the server's store its versions are lower, or those of other content.
    [Fact]
    public void A_list_replaces_what_was_known_whatever_its_version()
    {
        ListNothing();
        Apply(WatchEventType.Added, "hostgw-nodes-007", 20, source: 19);
        _stored.BeginList();
        Add("hostgw-nodes-007", 15, source: 14);
        Assert.True(_stored.CompleteList("16", byQuorum: true));
        Assert.Equal(("15", 14ul), (_stored[7].ResourceVersion, _stored[7].Source));
        Assert.True(Apply(WatchEventType.Modified, "hostgw-nodes-007", 17));
    }

    [Fact]
    public void A_shard_that_is_deleted_while_a_list_arrives_is_not_in_it()
    {
        _stored.BeginList();
        Add("hostgw-nodes-007", 10);
        ShardText.Fill(_draft, "hostgw-nodes-007", 11, new Dictionary<string, string>());
        _stored.RemoveListed(_draft);
        _stored.CompleteList("12", byQuorum: false);
        Assert.True(_stored[7].IsAbsent);
    }

    [Theory]
    [InlineData("format", "2")]
    [InlineData("shard", "008")]
    [InlineData("source", "x")]
    [InlineData("sum", "00")]
    [InlineData("nodes", "a\n")]
    [InlineData("labels", null)]
    public void An_edit_is_not_valid_in_a_watch_nor_in_an_answer(string key, string? value)
    {
        Dictionary<string, string> data = new(ShardText.Data(7, [])) { [key] = value ?? new string('x', 2000) };
        ShardText.Fill(_draft, "hostgw-nodes-007", 10, data);
        Assert.Equal((false, false), (StoredShard.Of(7, _draft).IsValid, StoredShard.Of(7, Answer(data)).IsValid));
    }

    [Fact]
    public void A_watch_and_an_answer_say_the_same()
    {
        Dictionary<string, string> data = ShardText.Data(7, [new() { Name = ShardText.NameIn(7), Uid = "u", CreatedAt = 5 }], "pool", 42);
        ShardText.Fill(_draft, "hostgw-nodes-007", 10, data);
        Assert.Equivalent(StoredShard.Of(7, _draft), StoredShard.Of(7, Answer(data)));
        StoredShard stored = StoredShard.Of(7, _draft);
        Assert.Equal((true, 42ul, "pool", 1), (stored.IsValid, stored.Source, stored.Labels, stored.Lines));
    }

    [Fact]
    public void A_shard_that_a_list_lacks_is_absent()
    {
        ListNothing();
        Apply(WatchEventType.Added, "hostgw-nodes-007", 20);
        ListNothing();
        Assert.True(_stored[7].IsAbsent);
    }

    // Lists and watches, which select by the label, do not bring it.
    [Fact]
    public void An_answer_without_the_label_is_not_valid()
    {
        V1ConfigMap answer = Answer(ShardText.Data(7, []));
        Assert.True(StoredShard.Of(7, answer).IsValid);
        answer.Metadata.Labels["hostgw.io/part"] = "other";
        Assert.False(StoredShard.Of(7, answer).IsValid);
        answer.Metadata.Labels = null;
        Assert.False(StoredShard.Of(7, answer).IsValid);
    }

    private static V1ConfigMap Answer(Dictionary<string, string> data) => new()
    {
        Metadata = new() { ResourceVersion = "10", Labels = new Dictionary<string, string> { ["hostgw.io/part"] = "nodes" } },
        Data = data,
    };

    private void ListNothing()
    {
        _stored.BeginList();
        _stored.CompleteList("1", byQuorum: false);
    }

    private void Add(string name, long version, long source = 5)
    {
        ShardText.Fill(_draft, name, version, ShardText.Data(7, [], source: source));
        _stored.AddListed(_draft);
    }

    private bool Apply(WatchEventType type, string name, long version, long source = 5)
    {
        ShardText.Fill(_draft, name, version, ShardText.Data(7, [], source: source));
        return _stored.Apply(type, _draft);
    }
}
