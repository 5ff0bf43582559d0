using HostGw.Digest;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;

namespace HostGw.Tests.Digest;

/// <summary>What an agent makes of the shards and of its own Node.</summary>
public partial class DigestNodesTests
{
    private const int Home = 7, OtherHome = 8;

    private static readonly string A = ShardText.NameIn(Home), B = ShardText.NameIn(Home, from: 10_000), C = ShardText.NameIn(OtherHome);
    private static readonly string Own = ShardText.NameIn(Home, from: 100_000);

    private static readonly Lazy<ClusterNode[]> Many = new(() => [.. ManyNodes()]);

    private readonly NodeStore _store = new();
    private readonly ShardDraft _draft = new();
    private readonly SortedDictionary<int, Dictionary<string, string>> _listed = [];
    private readonly DigestNodes _digest;
    private List<ClusterNode> _saved = [];
    private NodeSelector _selector = NodeSelector.Everything;

    public DigestNodesTests()
    {
        _digest = Digest();
        for (int i = 0; i < ShardFormat.Count; i++)
            _listed[i] = ShardText.Data(i, []);
        _listed[Home] = ShardText.Data(Home, [Node(A), Node(B)]);
        _listed[OtherHome] = ShardText.Data(OtherHome, [Node(C)], source: 105);
    }

    private string Names => string.Join(' ', _store.Snapshot.Nodes.Select(n => n.Name));

    private DigestHealth Health => _store.Snapshot.Digest!;

    [Fact]
    public void Nothing_is_known_before_both_the_shards_and_the_own_node_are_listed()
    {
        Assert.False(List());
        Assert.False(_store.Snapshot.IsComplete);
        Assert.True(ListOwn(Node(Own)));

        Assert.Equal((true, Joined(A, B, C, Own)), (_store.Snapshot.IsComplete, Names));
        Assert.Equal((0, false, 105UL, "200"), (Health.Rejected.Length, Health.IsPartial, Health.Source, _store.ResourceVersion));
    }

    [Fact]
    public void The_same_in_the_other_order()
    {
        Assert.False(ListOwn(Node(Own)));
        Assert.True(List());
        Assert.Equal((true, Joined(A, B, C, Own)), (_store.Snapshot.IsComplete, Names));
        Assert.False(List());
    }

    [Fact]
    public void An_event_changes_the_nodes_of_its_shard_alone()
    {
        Follow();
        ClusterNode c = _store.Snapshot.Nodes.Single(n => n.Name == C);

        Assert.True(Put(Home, [Node(A), Node(B, "10.9.0.0/24")]));
        Assert.Equal("10.9.0.0/24", Assert.Single(_store.Snapshot.Nodes.Single(n => n.Name == B).PodCidrs).ToString());
        Assert.Same(c, _store.Snapshot.Nodes.Single(n => n.Name == C));
        Assert.True(Put(Home, [Node(A)]));
        Assert.Equal(Joined(A, C, Own), Names);
        Assert.False(Put(Home, [Node(A)]));
    }

    public static TheoryData<string, string> Faults => new()
    {
        { "format", "its format is '2' and not 1" },
        { "shard", "it says that it is shard '008'" },
        { "source", "its source is no resource version" },
        { "sum", "its sum is not that of its nodes: it was edited" },
        { "nodes", "its sum is not that of its nodes: it was edited" },
        { "line", "a line does not have 9 fields" },
        { "cut", "its last line breaks off" },
        { "stranger", "it holds a node of another shard" },
        { "twice", "its lines are not sorted, or name a node twice" },
        { "order", "its lines are not sorted, or name a node twice" },
        { "labels", "a value is too long" },
        { "huge", "a value is too long" },
        { "long line", "a line is too long" },
        { "many lines", "it has too many lines" },
        { "no format", "its format is '' and not 1" },
        { "largest", "its last line breaks off" },
        { "own twice", "its lines are not sorted, or name a node twice" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_shard_that_is_not_valid_keeps_its_last_content_and_is_told(string fault, string reason)
    {
        Follow();
        ClusterNode[] both = [.. new[] { Node(A), Node(B) }.OrderBy(n => n.Name, StringComparer.Ordinal)];
        Dictionary<string, string> data = ShardText.Data(Home, both);
        string lines = data["nodes"];
        Dictionary<string, string> damaged = fault switch
        {
            "format" => new(data) { ["format"] = "2" },
            "shard" => new(data) { ["shard"] = "008" },
            "source" => new(data) { ["source"] = "yesterday" },
            "sum" => new(data) { ["sum"] = new string('0', 64) },
            "nodes" => new(data) { ["nodes"] = ShardText.Lines([Node(A)]) },
            "line" => ShardText.With(data, "a\tb\n"),
            "cut" => ShardText.With(data, lines[..^1]),
            "stranger" => ShardText.With(data, ShardText.Lines([Node(A), Node(C)])),
            "twice" => ShardText.With(data, ShardText.Lines([both[0]]) + lines),
            "order" => ShardText.With(data, ShardText.Lines([both[1]]) + ShardText.Lines([both[0]])),
            "labels" => new(data) { ["labels"] = new string('x', 1025) },
            "huge" => ShardText.With(data, new string('x', ShardFormat.MaxNodes + 1)),
            "many lines" => ShardText.With(data, ShardText.Lines(Many.Value)),
            "no format" => new(data.Where(d => d.Key != "format")),
            "largest" => ShardText.With(data, new string('x', ShardFormat.MaxNodes)),
            "own twice" => ShardText.With(data, ShardText.Lines([Node(Own), Node(Own)])),
            _ => ShardText.With(data, new string('x', 40_000) + "\n"),
        };

        Assert.True(Put(Home, damaged));

        Assert.Equal([new("hostgw-nodes-007", reason)], Health.Rejected);
        Assert.Equal((Joined(A, B, C, Own), false), (Names, Health.IsPartial));
        Assert.False(Put(Home, damaged));
        Assert.True(Put(Home, [Node(A)]));
        Assert.Equal((Joined(A, C, Own), 0), (Names, Health.Rejected.Length));
    }

    [Fact]
    public void A_shard_that_is_deleted_or_missing_from_a_list_keeps_its_last_content()
    {
        Follow();
        ShardText.Fill(_draft, ShardFormat.Name(Home), NextVersion(), ShardText.Data(Home, []));
        Assert.True(_digest.Shards.Apply(WatchEventType.Deleted, _draft));
        Assert.Equal([new("hostgw-nodes-007", "deleted")], Health.Rejected);
        Assert.Equal(Joined(A, B, C, Own), Names);

        _listed.Remove(Home);
        List();

        Assert.Equal([new("hostgw-nodes-007", "missing")], Health.Rejected);
        Assert.Equal((Joined(A, B, C, Own), false), (Names, Health.IsPartial));
    }

    [Fact]
    public void Before_all_shards_were_valid_once_the_nodes_are_partial()
    {
        _listed.Remove(OtherHome);
        _listed[3]["sum"] = "";
        Follow();
        Assert.Equal((true, true, 2), (_store.Snapshot.IsComplete, Health.IsPartial, Health.Rejected.Length));
        Assert.Equal(Joined(A, B, Own), Names);

        Put(3, Array.Empty<ClusterNode>());
        Assert.True(Health.IsPartial);
        Put(OtherHome, [Node(C)]);

        Assert.Equal((false, 0, Joined(A, B, C, Own)), (Health.IsPartial, Health.Rejected.Length, Names));
    }

    [Fact]
    public void What_was_saved_stands_for_shards_that_are_not_valid_at_the_start_and_for_no_others()
    {
        string old = ShardText.NameIn(OtherHome, from: 50_000), gone = ShardText.NameIn(Home, from: 50_000);
        _saved = [.. new[] { Node(gone), Node(old), Node(Own, "10.9.9.0/24") }.OrderBy(n => n.Name, StringComparer.Ordinal)];
        _listed.Remove(OtherHome);
        Follow();

        Assert.Equal((true, Joined(A, B, old, Own)), (Health.IsPartial, Names));
        Assert.Equal("10.1.0.0/24", Assert.Single(_store.Snapshot.Nodes.Single(n => n.Name == Own).PodCidrs).ToString());
        Put(OtherHome, [Node(C)]);
        Assert.Equal(Joined(A, B, C, Own), Names);
    }

    // As long as the own Node is not, what was saved is in use, which may have been a part.
    [Fact]
    public void Saved_nodes_of_a_part_are_one_until_the_shards_and_the_own_node_are_listed()
    {
        Assert.True(
            _store.Restore(new([Node(A), Node(Own)], "90", DateTimeOffset.UnixEpoch, default) { PartialFrom = DateTimeOffset.UnixEpoch }));
        Assert.True(_store.Snapshot.IsPartial);
        List();
        Assert.True(_store.Snapshot.IsPartial);
        ListOwn(Node(Own));
        Assert.Equal((false, Joined(A, B, C, Own)), (_store.Snapshot.IsPartial, Names));
    }

    // What an agent saves of them is what the next one starts with.
    [Fact]
    public void Of_a_shard_that_is_never_valid_what_was_saved_is_saved_again()
    {
        string old = ShardText.NameIn(OtherHome, from: 50_000);
        _saved = [Node(old)];
        _listed.Remove(OtherHome);
        for (int start = 0; start < 3; start++)
        {
            NodeStore store = new();
            DigestNodes digest = new(store, Own, _selector, () => _saved);
            ListOwn(Node(Own), digest);
            List(digest);
            _saved = [.. store.Snapshot.Nodes];
            Assert.Equal((true, Joined(A, B, old, Own)), (store.Snapshot.IsPartial, string.Join(' ', _saved.Select(n => n.Name))));
        }
    }

    // Its watch alone says whether it is there.
    [Fact]
    public void The_own_Node_does_not_come_back_from_what_was_saved()
    {
        _saved = [Node(Own)];
        _listed.Remove(Home);
        Follow();
        Assert.True(_digest.OwnNode.Apply(WatchEventType.Deleted, OwnDraft(Node(Own), NextVersion())));
        Assert.Equal(C, Names);
    }

    [Fact]
    public void Saved_nodes_that_are_in_use_are_replaced_shard_by_shard()
    {
        string old = ShardText.NameIn(OtherHome, from: 50_000), gone = ShardText.NameIn(Home, from: 50_000);
        ClusterNode[] saved = [.. new[] { Node(gone), Node(old) }.OrderBy(n => n.Name, StringComparer.Ordinal)];
        Assert.True(_store.Restore(new([.. saved], "90", DateTimeOffset.UnixEpoch, default)));
        _listed.Remove(OtherHome);
        List();
        Assert.NotNull(_store.Snapshot.SavedAt);

        ListOwn(Node(Own));

        Assert.Equal((null, Joined(A, B, old, Own)), (_store.Snapshot.SavedAt, Names));
    }

    [Fact]
    public void The_own_Node_wins_over_its_line()
    {
        _listed[Home] = ShardText.Data(Home, [Node(A), Node(Own, "10.66.0.0/24")]);
        Follow();
        Assert.Equal("10.1.0.0/24", Assert.Single(_store.Snapshot.Nodes.Single(n => n.Name == Own).PodCidrs).ToString());

        NodeDraft changed = OwnDraft(Node(Own, "10.2.0.0/24"), NextVersion());
        Assert.True(_digest.OwnNode.Apply(WatchEventType.Modified, changed));
        Assert.Equal("10.2.0.0/24", Assert.Single(_store.Snapshot.Nodes.Single(n => n.Name == Own).PodCidrs).ToString());
        Assert.False(_digest.OwnNode.Apply(WatchEventType.Modified, OwnDraft(Node(Own, "10.2.0.0/24"), NextVersion())));

        Assert.True(_digest.OwnNode.Apply(WatchEventType.Deleted, OwnDraft(Node(Own), NextVersion())));
        Assert.Equal(Joined(A, C), Names);
    }

    [Fact]
    public void A_late_event_changes_nothing()
    {
        Follow();
        Put(Home, [Node(A)]);
        ShardText.Fill(_draft, ShardFormat.Name(Home), 50, ShardText.Data(Home, [Node(A), Node(B)]));
        Assert.False(_digest.Shards.Apply(WatchEventType.Modified, _draft));
        Assert.Equal(Joined(A, C, Own), Names);
    }

    [Theory]
    [InlineData("hostgw-nodes-512")]
    [InlineData("hostgw-nodes-7")]
    [InlineData("hostgw-nodes-+07")]
    [InlineData("kube-root-ca.crt")]
    public void A_ConfigMap_of_somebody_else_is_nobodys_business(string name)
    {
        Follow();
        ShardText.Fill(_draft, name, NextVersion(), ShardText.Data(Home, []));
        Assert.False(_digest.Shards.Apply(WatchEventType.Added, _draft));
        Assert.Equal((0, Joined(A, B, C, Own)), (Health.Rejected.Length, Names));
    }

    [Fact]
    public void A_selector_that_names_a_label_that_is_not_carried_changes_nothing_and_says_so()
    {
        _selector = NodeSelector.Parse("pool=a,zone");
        DigestNodes digest = Digest();
        foreach (int i in _listed.Keys)
            _listed[i]["labels"] = i == OtherHome ? "pool,zones" : "other,pool,zone";
        List(digest);
        ListOwn(Node(Own), digest);

        Assert.Equal(
            [new("hostgw-nodes-008", "it does not carry the label zone, which nodeSelector names: add it to digest.labels")], Health.Rejected);
        Assert.Equal(Joined(A, B, Own), Names);
    }

    [Fact]
    public void A_list_by_quorum_is_counted_and_announced_though_nothing_changed()
    {
        Follow();
        Assert.True(List(byQuorum: true));
        Assert.Equal(1, _store.Snapshot.QuorumReads);
    }

    // Bookmarks of the shards make the store current, and no new plan.
    [Fact]
    public void A_bookmark_moves_the_resource_version_alone()
    {
        Follow();
        NodeSnapshot before = _store.Snapshot;
        ShardText.Fill(_draft, "", 9000, new Dictionary<string, string>());
        Assert.False(_digest.Shards.Apply(WatchEventType.Bookmark, _draft));
        Assert.Equal(("9000", "9000"), (_store.ResourceVersion, _digest.Shards.ResourceVersion));
        Assert.Same(before, _store.Snapshot);
    }

    private long _version = 200;

    private static string Joined(params string[] names) => string.Join(' ', names.Order(StringComparer.Ordinal));

    private static ClusterNode Node(string name, string podCidr = "10.1.0.0/24") =>
        new() { Name = name, Uid = $"uid of {name}", CreatedAt = 5, PodCidrs = [Prefix.Parse(podCidr)], InternalIPs = [Ip.Parse("10.0.0.1")] };

    private static IEnumerable<ClusterNode> ManyNodes()
    {
        for (int i = 0, found = 0; found <= ShardFormat.MaxLines; i++)
        {
            if (ShardFormat.Home($"m{i}") != Home)
                continue;
            found++;
            yield return Node($"m{i}");
        }
    }

    private static NodeDraft OwnDraft(ClusterNode node, long version)
    {
        NodeDraft draft = new(NodeSelector.Everything, Own);
        SavedNode.Of(node).ToClusterNode(draft);
        draft.ResourceVersion.Set($"{version}");
        return draft;
    }

    private DigestNodes Digest() => new(_store, Own, _selector, () => _saved);

    private void Follow()
    {
        ListOwn(Node(Own));
        List();
    }

    private bool List(DigestNodes? digest = null, bool byQuorum = false, int? removed = null)
    {
        DigestNodes.ShardStore shards = (digest ?? _digest).Shards;
        shards.BeginList();
        foreach ((int shard, Dictionary<string, string> data) in _listed)
        {
            ShardText.Fill(_draft, ShardFormat.Name(shard), 100, data);
            shards.AddListed(_draft);
            if (shard == removed)
                shards.RemoveListed(_draft);
        }
        return shards.CompleteList($"{NextVersion()}", byQuorum);
    }

    private bool ListOwn(ClusterNode node, DigestNodes? digest = null)
    {
        DigestNodes.OwnNodeStore own = (digest ?? _digest).OwnNode;
        own.BeginList();
        own.AddListed(OwnDraft(node, 100));
        return own.CompleteList($"{NextVersion()}", byQuorum: false);
    }

    private bool Put(int shard, IEnumerable<ClusterNode> nodes) => Put(shard, ShardText.Data(shard, nodes));

    private bool Put(int shard, Dictionary<string, string> data)
    {
        ShardText.Fill(_draft, ShardFormat.Name(shard), NextVersion(), data);
        return _digest.Shards.Apply(WatchEventType.Modified, _draft);
    }

    private long NextVersion() => _version++;
}
