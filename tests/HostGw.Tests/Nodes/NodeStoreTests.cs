using HostGw.Kubernetes;
using HostGw.Nodes;

namespace HostGw.Tests.Nodes;

public class NodeStoreTests
{
    private readonly NodeStore _store = new();
    private readonly NodeDraft _draft = new(NodeText.Selector);

    [Fact]
    public void Nothing_is_known_before_the_first_list()
    {
        Assert.False(_store.Snapshot.IsComplete);
        Assert.Empty(_store.Snapshot.Nodes);
    }

    [Fact]
    public void An_empty_list_is_complete_and_a_change_only_once()
    {
        Assert.True(List("5"));
        Assert.True(_store.Snapshot.IsComplete);
        Assert.Equal("5", _store.Snapshot.ResourceVersion);
        Assert.False(List("6"));
    }

    [Fact]
    public void A_list_changes_nothing_before_it_is_complete()
    {
        List("5", "a");
        _store.BeginList();
        _store.AddListed(Draft("b"));
        Assert.Equal("a", Names());
        _store.BeginList();
        _store.AddListed(Draft("c"));
        Assert.True(_store.CompleteList("6"));
        Assert.Equal("c", Names());
    }

    [Fact]
    public void Nodes_are_sorted_by_name()
    {
        List("5", "b", "B", "a10", "a9");
        Assert.Equal("B a10 a9 b", Names());
    }

    // Of a Node of an old saved file the UID is not known.
    [Theory]
    [InlineData("", "u1", true)]
    [InlineData("u1", "u1", true)]
    [InlineData("u1", "", true)]
    [InlineData("u1", "u2", false)]
    public void A_deletion_concerns_the_node_unless_both_have_another_UID(string stored, string deleted, bool removed)
    {
        _store.Restore(new([new() { Name = "a", Uid = stored }], "5", default, default));
        NodeDraft draft = Draft("a");
        draft.Uid.Set(deleted);
        Assert.Equal(removed, _store.Apply(WatchEventType.Deleted, draft));
        Assert.Equal(removed ? "" : "a", Names());
    }

    [Fact]
    public void An_equal_list_keeps_the_snapshot()
    {
        List("5", "a", "b");
        NodeSnapshot before = _store.Snapshot;
        Assert.False(List("9", "b", "a"));
        Assert.Same(before, _store.Snapshot);
        Assert.Equal("9", _store.ResourceVersion);
    }

    [Fact]
    public void A_node_that_vanished_or_has_another_uid_is_a_change()
    {
        List("5", "a", "b");
        Assert.True(List("6", "a"));
        Assert.True(List("7", "a/u2"));
        Assert.Equal("u2", _store.Snapshot.Nodes[0].Uid);
        Assert.True(List("8", "c"));
    }

    [Fact]
    public void Events_add_change_and_remove()
    {
        List("5", "a");
        Assert.True(Apply(WatchEventType.Added, "b", 6));
        Assert.True(Apply(WatchEventType.Modified, "a", 7, "10.1.0.0/24"));
        Assert.Equal("a b", Names());
        Assert.True(Apply(WatchEventType.Deleted, "a", 8));
        Assert.Equal("b", Names());
        Assert.Equal("8", _store.ResourceVersion);
    }

    [Fact]
    public void Repeated_and_late_events_do_no_harm()
    {
        List("5", "a");
        Assert.True(Apply(WatchEventType.Modified, "a", 9, "10.1.0.0/24"));
        Assert.False(Apply(WatchEventType.Modified, "a", 9, "10.1.0.0/24"));
        Assert.False(Apply(WatchEventType.Modified, "a", 7, "10.2.0.0/24"));
        Assert.False(Apply(WatchEventType.Deleted, "gone", 8));
        Assert.Equal("9", _store.ResourceVersion);
        Assert.Equal("10.1.0.0/24", _store.Snapshot.Nodes[0].PodCidrs[0].ToString());
    }

    [Fact]
    public void The_end_of_an_older_node_leaves_the_one_that_took_its_name()
    {
        List("5", "a/u2");
        Assert.False(Apply(WatchEventType.Deleted, "a/u1", 6));
        Assert.True(Apply(WatchEventType.Deleted, "a/u2", 7));
    }

    [Fact]
    public void A_bookmark_only_moves_the_version()
    {
        List("5", "a");
        NodeSnapshot before = _store.Snapshot;
        Assert.False(Apply(WatchEventType.Bookmark, "", 50));
        Assert.Equal("50", _store.ResourceVersion);
        Assert.Same(before, _store.Snapshot);
    }

    [Fact]
    public void A_node_without_a_name_is_passed_over()
    {
        Assert.True(List("5", "", "a"));
        Assert.False(Apply(WatchEventType.Added, "", 6));
        Assert.Equal("a", Names());
    }

    [Fact]
    public void Versions_that_are_no_numbers_work_too()
    {
        List("five", "a");
        _draft.Clear();
        _draft.Name.Set("b");
        _draft.ResourceVersion.Set("six");
        Assert.True(_store.Apply(WatchEventType.Added, _draft));
        Assert.Equal("six", _store.ResourceVersion);
    }

    [Theory]
    [InlineData("name", "other")]
    [InlineData("u-1", "u-2")]
    [InlineData("2026", "2025")]
    [InlineData("blue", "green")]
    [InlineData("pool", "loop")]
    [InlineData("192.0.2.9", "192.0.2.8")]
    [InlineData("192.0.2.9", "x")]
    [InlineData("next-hop", "no-hop")]
    [InlineData("skip", "hop")]
    [InlineData("10.1.0.0/24", "10.1.0.0/25")]
    [InlineData("broken", "cracked")]
    [InlineData("192.0.2.1", "192.0.2.2")]
    [InlineData("198.51.100.1", "198.51.100.2")]
    [InlineData("ExternalIP", "InternalIP")]
    [InlineData("windows", "Linux")]
    public void A_change_of_any_field_that_planning_reads_is_a_change(string old, string changed)
    {
        const string Json = """
            {"metadata":{"name":"name","uid":"u-1","creationTimestamp":"2026-01-02T03:04:05Z","labels":{"pool":"blue"},
               "annotations":{"hostgw.io/next-hop":"192.0.2.9","hostgw.io/skip":"true"} },
             "spec":{"podCIDRs":["10.1.0.0/24","broken"]},
             "status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"},{"type":"ExternalIP","address":"198.51.100.1"}],
               "nodeInfo":{"operatingSystem":"windows"} } }
            """;
        Assert.True(Read(Json).Matches(Read(Json).Build()));
        Assert.False(Read(Json.Replace($"\"{old}", $"\"{changed}", StringComparison.Ordinal).Replace($"/{old}", $"/{changed}", StringComparison.Ordinal)).Matches(Read(Json).Build()));
    }

    private static NodeDraft Read(string json)
    {
        var draft = new NodeDraft(NodeText.Selector);
        new ListWatchDecoder(isWatch: false, draft, _ => { }).Decode(NodeProtobuf.ListOf("5", json), isFinal: true);
        return draft;
    }

    [Fact]
    public void The_own_nodes_condition_NetworkUnavailable_is_followed_and_no_other_nodes()
    {
        Assert.False(Follow("other", "True"));
        Assert.False(Follow("self", "False"));
        Assert.True(Follow("self", "True"));
        Assert.True(Follow("self", "Unknown"));
        Assert.False(Follow("self", "False"));

        bool Follow(string name, string status)
        {
            NodeDraft draft = new(NodeText.Selector, "self");
            string conditions = $$"""[{"type":"Ready","status":"False"},{"type":"NetworkUnavailable","status":"{{status}}"}]""";
            byte[] frame = NodeProtobuf.Frame("MODIFIED", $$$"""{"metadata":{"name":"{{{name}}}"},"status":{"conditions":{{{conditions}}} } }""");
            new ListWatchDecoder(isWatch: true, draft, type => _store.Apply(type, draft)).Decode(frame, isFinal: false);
            return _store.Snapshot.Nodes.Single(n => n.Name == name).NetworkUnavailable;
        }
    }

    private bool List(string version, params string[] nodes)
    {
        _store.BeginList();
        foreach (string node in nodes)
            _store.AddListed(Draft(node));
        return _store.CompleteList(version);
    }

    private bool Apply(WatchEventType type, string node, int version, string? podCidr = null)
    {
        NodeDraft draft = Draft(node);
        draft.ResourceVersion.Set(version.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (podCidr is not null)
            draft.PodCidrs.Add(podCidr);
        return _store.Apply(type, draft);
    }

    // "name" or "name/uid".
    private NodeDraft Draft(string node)
    {
        string[] parts = node.Split('/');
        _draft.Clear();
        _draft.Name.Set(parts[0]);
        _draft.Uid.Set(parts.Length > 1 ? parts[1] : "u-" + parts[0]);
        return _draft;
    }

    private string Names() => string.Join(' ', _store.Snapshot.Nodes.Select(n => n.Name));
}
