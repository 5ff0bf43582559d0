using HostGw.Nodes;

namespace HostGw.Tests.Nodes;

/// <summary>What a server that is still catching up may send before the end of its list.</summary>
public class StreamingListEventTests
{
    private readonly NodeStore _store = new();
    private readonly NodeDraft _draft = new(NodeJson.Selector);
    private readonly StreamingList _list;

    public StreamingListEventTests()
    {
        _list = new(null!, _store);
        _store.BeginList();
    }

    [Fact]
    public void Changes_before_the_end_count()
    {
        Assert.False(Take(WatchEventType.Added, "a", "5"));
        Assert.False(Take(WatchEventType.Added, "b", "6"));
        Assert.False(Take(WatchEventType.Modified, "a", "8", "10.1.0.0/24"));
        Assert.False(Take(WatchEventType.Deleted, "b", "9"));
        Assert.False(Take(WatchEventType.Deleted, "c", "9"));
        Assert.Empty(_store.Snapshot.Nodes);

        Assert.True(Take(WatchEventType.InitialEventsEnd, "", "9"));
        Assert.Equal("a uid=u-a cidrs=10.1.0.0/24", NodeJson.Text(Assert.Single(_store.Snapshot.Nodes)));
        Assert.Equal("9", _store.ResourceVersion);
    }

    [Fact]
    public void An_ordinary_bookmark_is_not_the_end()
    {
        Take(WatchEventType.Added, "a", "5");
        Assert.Throws<NodeStreamException>(() => Take(WatchEventType.Bookmark, "", "9"));
        Assert.False(_list.IsSupported || _store.Snapshot.IsComplete);
    }

    [Fact]
    public void An_end_without_a_version_is_none()
    {
        Assert.Throws<NodeStreamException>(() => Take(WatchEventType.InitialEventsEnd, "", ""));
        Assert.False(_store.Snapshot.IsComplete);
    }

    private bool Take(WatchEventType type, string name, string version, string? podCidr = null)
    {
        _draft.Clear();
        _draft.Name.Set(name);
        _draft.Uid.Set("u-" + name);
        _draft.ResourceVersion.Set(version);
        if (podCidr is not null)
            _draft.PodCidrs.Add(podCidr);
        return _list.Take(type, _draft, out _);
    }
}
