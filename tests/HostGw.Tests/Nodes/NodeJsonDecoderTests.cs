using System.Text;
using HostGw.Kubernetes;
using HostGw.Nodes;

namespace HostGw.Tests.Nodes;

public class NodeJsonDecoderTests
{
    private const string Plain = """{"metadata":{"name":"a","uid":"u"},"spec":{"podCIDRs":["10.1.0.0/24"]}}""";

    public static TheoryData<string, string, string> Nodes => new()
    {
        { "everything that is read",
            """
            {"kind":"Node","apiVersion":"v1",
             "metadata":{"name":"n1","uid":"u-1","resourceVersion":"7","creationTimestamp":"2026-01-02T03:04:05Z",
               "labels":{"pool":"blue","zone":"z1","other":"x"},
               "annotations":{"hostgw.io/next-hop":"192.0.2.9, 2001:db8::9","hostgw.io/skip":"true","other":"x"},
               "managedFields":[{"fieldsV1":{"f:metadata":{"name":"not me"}}}]},
             "spec":{"podCIDR":"10.9.0.0/24","podCIDRs":["10.1.0.0/24","fd00:1::/64"]},
             "status":{"conditions":[{"type":"Ready","status":"True"}],
               "addresses":[{"type":"Hostname","address":"n1"},{"type":"InternalIP","address":"192.0.2.1"},{"address":"2001:db8::1","type":"InternalIP"},{"type":"ExternalIP","address":"198.51.100.1"}],
               "nodeInfo":{"operatingSystem":"linux"},"images":[{"names":["a","b"],"sizeBytes":1}]}}
            """,
            "n1 uid=u-1 at=1767323045 cidrs=10.1.0.0/24,fd00:1::/64 int=192.0.2.1,2001:db8::1 ext=198.51.100.1 hop=192.0.2.9,2001:db8::9 skip=yes labels=pool:blue,zone:z1" },
        { "spec before metadata, labels after status", """{"status":{"nodeInfo":{}},"spec":{"podCIDRs":["10.1.0.0/24"]},"metadata":{"labels":{"kubernetes.io/os":"windows"},"name":"a"}}""", "a os=windows cidrs=10.1.0.0/24" },
        { "podCIDR counts where podCIDRs is absent", """{"metadata":{"name":"a"},"spec":{"podCIDR":"10.1.0.0/24"}}""", "a cidrs=10.1.0.0/24" },
        { "podCIDR counts where podCIDRs is null", """{"metadata":{"name":"a"},"spec":{"podCIDRs":null,"podCIDR":"10.1.0.0/24"}}""", "a cidrs=10.1.0.0/24" },
        { "podCIDR does not count beside unreadable podCIDRs", """{"metadata":{"name":"a"},"spec":{"podCIDR":"10.1.0.0/24","podCIDRs":["x"]}}""", "a bad=x" },
        { "podCIDRs that are no array", """{"metadata":{"name":"a"},"spec":{"podCIDRs":"10.1.0.0/24"}}""", "a bad=10.1.0.0/24" },
        { "podCIDRs that are an object", """{"metadata":{"name":"a"},"spec":{"podCIDRs":{"0":"10.1.0.0/24"}}}""", "a bad={…}" },
        { "podCIDRs of wrong things", """{"metadata":{"name":"a"},"spec":{"podCIDRs":[1,null,true,{"x":[1]},["10.1.0.0/24"],"10.2.0.0/24",""]}}""", "a cidrs=10.2.0.0/24 bad=1|null|true|{…}|[…]|" },
        { "a podCIDR of wrong type", """{"metadata":{"name":"a"},"spec":{"podCIDR":5}}""", "a bad=5" },
        { "podCIDRs that are almost CIDRs", """{"metadata":{"name":"a"},"spec":{"podCIDRs":["10.1.0.0","10.1.0.0/33","10.01.0.0/24","10.1/16","::ffff:10.0.0.0/120","10.1.0.7/24"]}}""", "a cidrs=::ffff:10.0.0.0/120,10.1.0.7/24 bad=10.1.0.0|10.1.0.0/33|10.01.0.0/24|10.1/16" },
        { "half a surrogate pair in a podCIDR", """{"metadata":{"name":"a"},"spec":{"podCIDRs":["10.1.0.0/24\ud800","10.2.0.0/24"]}}""", """a cidrs=10.2.0.0/24 bad=10.1.0.0/24\ud800""" },
        { "escapes are undone", """{"m\u0065tadata":{"n\u0061me":"\u0061","labels":{"kubernetes.io\/os":"\u0057indows"}},"spec":{"podCIDRs":["10.1.0.0\/24"]}}""", "a os=windows cidrs=10.1.0.0/24" },
        { "half a surrogate pair as a property name", """{"\ud800":1,"metadata":{"labels":{"\udfff":"x","pool":"p"},"name":"a"}}""", "a labels=pool:p" },
        { "values of wrong types", """{"metadata":{"name":"a","uid":7,"creationTimestamp":[],"labels":5,"annotations":[1]},"spec":7,"status":"Failure"}""", "a" },
        { "nulls", """{"metadata":{"name":"a","uid":null,"labels":null,"annotations":{"hostgw.io/next-hop":null,"hostgw.io/skip":null}},"spec":null,"status":{"addresses":null,"nodeInfo":null}}""", "a" },
        { "labels of wrong types", """{"metadata":{"name":"a","labels":{"pool":1,"zone":{"a":"b"},"kubernetes.io/os":["windows"]}}}""", "a" },
        { "a name of wrong type", """{"metadata":{"name":{"x":1},"uid":"u"}}""", " uid=u" },
        { "of a property that comes twice the last counts", """{"metadata":{"name":"x","name":"a","labels":{"pool":"1","pool":"2"}},"spec":{"podCIDRs":["10.1.0.0/24"],"podCIDRs":["10.2.0.0/24"]},"status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"}],"addresses":[{"type":"InternalIP","address":"192.0.2.2"}]}}""", "a cidrs=10.2.0.0/24 int=192.0.2.2 labels=pool:2" },
        { "objects that come twice are merged", """{"metadata":{"name":"a"},"metadata":{"uid":"u"}}""", "a uid=u" },
        { "addresses of wrong things", """{"metadata":{"name":"a"},"status":{"addresses":[1,null,[],{},{"type":"InternalIP"},{"type":1,"address":"192.0.2.1"},{"type":"InternalIP","address":{}},{"type":"InternalIP","address":"x"},{"type":"InternalIP","address":"192.0.2.2"}]}}""", "a int=192.0.2.2" },
        { "a next hop that cannot be read", """{"metadata":{"name":"a","annotations":{"hostgw.io/next-hop":"192.0.2.1,x"}}}""", "a hop=" },
        { "two next hops of one family", """{"metadata":{"name":"a","annotations":{"hostgw.io/next-hop":"192.0.2.1,192.0.2.2"}}}""", "a hop=" },
        { "next hops of wrong types", """{"metadata":{"name":"a","annotations":{"hostgw.io/next-hop":5}}}""", "a hop=" },
        { "a next hop that is an object", """{"metadata":{"name":"a","annotations":{"hostgw.io/next-hop":{"a":1}}}}""", "a hop=" },
        { "skip wants exactly true", """{"metadata":{"name":"a","annotations":{"hostgw.io/skip":"True"}}}""", "a skip=unreadable" },
        { "skip false", """{"metadata":{"name":"a","annotations":{"hostgw.io/skip":"false"}}}""", "a" },
        { "skip as a boolean is no annotation", """{"metadata":{"name":"a","annotations":{"hostgw.io/skip":true}}}""", "a" },
        { "nodeInfo wins over the label", """{"metadata":{"name":"a","labels":{"kubernetes.io/os":"windows"}},"status":{"nodeInfo":{"operatingSystem":"LINUX"}}}""", "a" },
        { "an operating system of its own", """{"metadata":{"name":"a"},"status":{"nodeInfo":{"operatingSystem":"Plan9"}}}""", "a os=Plan9" },
        { "a time with fraction and offset", """{"metadata":{"name":"a","creationTimestamp":"1970-01-01T01:00:01.5+01:00"}}""", "a at=1" },
        { "a time that is none", """{"metadata":{"name":"a","creationTimestamp":"yesterday"}}""", "a" },
        { "an empty object", "{}", "" },
        { "look-alikes in other places", """{"name":"x","podCIDRs":["10.3.0.0/24"],"metadata":{"name":"a","addresses":[{"type":"InternalIP","address":"192.0.2.1"}]},"spec":{"spec":{"podCIDRs":["10.4.0.0/24"]},"name":"y"}}""", "a" },
    };

    [Theory]
    [MemberData(nameof(Nodes))]
    public void A_node_becomes(string because, string json, string expected) =>
        Assert.True(NodeJson.Node(json) == expected, $"{because}: got '{NodeJson.Node(json)}'");

    [Fact]
    public void Long_unreadable_podCIDRs_are_cut()
    {
        string bad = NodeJson.Node($$$"""{"metadata":{"name":"a"},"spec":{"podCIDRs":["{{{new string('x', 3_000_000)}}}"]}}""");
        Assert.Equal("a bad=" + new string('x', 64), bad);
    }

    [Fact]
    public void Invalid_utf8_spoils_only_the_value_it_is_in()
    {
        byte[] json = Encoding.Latin1.GetBytes("""{"metadata":{"name":"a","uid":"ÿ","labels":{"ÿ":"x","pool":"ÿ"}},"spec":{"podCIDRs":["ÿ","10.1.0.0/24"]}}""");
        Assert.Equal("a cidrs=10.1.0.0/24 bad=\ufffd", NodeJson.Node(json));
    }

    [Fact]
    public void A_hundred_thousand_labels_and_a_huge_annotation_leave_the_rest_alone()
    {
        string labels = string.Join(',', Enumerable.Range(0, 100_000).Select(i => $"\"l{i}\":\"v\""));
        string json = $$$"""{"metadata":{"labels":{{{{labels}}},"pool":"p"},"annotations":{"big":"{{{new string('a', 1_000_000)}}}"},"name":"a"},"spec":{"podCIDRs":["10.1.0.0/24"]}}""";
        Assert.Equal("a cidrs=10.1.0.0/24 labels=pool:p", NodeJson.Node(json));
    }

    [Fact]
    public void Deep_nesting_is_skipped()
    {
        const int Depth = 10_000;
        string deep = new string('[', Depth) + new string(']', Depth);
        Assert.Equal("a", NodeJson.Node($$$"""{"spec":{"x":{{{deep}}}},"metadata":{"managedFields":{{{deep}}},"name":"a"}}"""));
    }

    [Fact]
    public void A_node_with_many_podCIDRs_is_bounded()
    {
        string many = string.Join(',', Enumerable.Repeat("\"10.1.0.0/24\",\"x\"", 10_000));
        string text = NodeJson.Node($$$"""{"metadata":{"name":"a"},"spec":{"podCIDRs":[{{{many}}}]}}""");
        Assert.Equal(NodeDraft.MaxEntries, text.Count(c => c == '/') + text.Count(c => c == 'x'));
    }

    public static TheoryData<string, string> BrokenLists => new()
    {
        { "nothing", "" },
        { "no object", "[]" },
        { "text", "\"x\"" },
        { "no JSON", "<html>" },
        { "cut", """{"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[""" },
        { "something after the end", """{"metadata":{"resourceVersion":"1"},"items":[]}{}""" },
        { "no items", """{"kind":"NodeList","metadata":{"resourceVersion":"1"}}""" },
        { "items that are no array", """{"metadata":{"resourceVersion":"1"},"items":{}}""" },
        { "items that are text", """{"metadata":{"resourceVersion":"1"},"items":"none"}""" },
        { "no resource version", """{"metadata":{},"items":[]}""" },
        { "a resource version of wrong type", """{"metadata":{"resourceVersion":1},"items":[]}""" },
        { "a continue of wrong type", """{"metadata":{"resourceVersion":"1","continue":7},"items":[]}""" },
        { "a continue that is an object", """{"metadata":{"resourceVersion":"1","continue":{}},"items":[]}""" },
        { "a continue that is no text", """{"metadata":{"resourceVersion":"1","continue":"\ud800"},"items":[]}""" },
        { "metadata of wrong type", """{"metadata":[],"items":[]}""" },
        { "a Status", """{"kind":"Status","metadata":{"resourceVersion":"1"},"items":[]}""" },
        { "an unknown escape", """{"metadata":{"resourceVersion":"1"},"items":[{"x":"\q"}]}""" },
    };

    [Theory]
    [MemberData(nameof(BrokenLists))]
    public void A_broken_list_is_no_list(string because, string json) =>
        Assert.True(Record.Exception(() => NodeJson.List(json)) is NodeStreamException, because);

    [Fact]
    public void A_list_tells_its_nodes_version_and_next_page() =>
        Assert.Equal(
            ["b", "a uid=u cidrs=10.1.0.0/24", "5/next"],
            NodeJson.List($$$"""{"items":[7,{"metadata":{"name":"b"}},null,[{}],{{{Plain}}}],"metadata":{"continue":"next","resourceVersion":"5","remainingItemCount":3},"kind":"NodeList"}"""));

    [Fact]
    public void Nothing_of_a_node_is_left_in_the_next()
    {
        const string Bare = """{"metadata":{"name":"b"}}""";
        foreach (var row in Nodes)
            Assert.Equal("b", NodeJson.List($$"""{"metadata":{"resourceVersion":"5"},"items":[{{row.Data.Item2}},{{Bare}}]}""")[1]);
    }

    [Fact]
    public void Null_items_are_an_empty_list() =>
        Assert.Equal(["5/"], NodeJson.List("""{"metadata":{"resourceVersion":"5","continue":null},"items":null}"""));

    [Fact]
    public void Watch_events_are_told_in_order_whatever_the_order_of_their_properties() =>
        Assert.Equal(
            ["Added  a uid=u cidrs=10.1.0.0/24", "Bookmark 9 ", "Deleted  b", "Modified  "],
            NodeJson.Events($$$"""
            {"type":"ADDED","object":{{{Plain}}}}
            {"object":{"kind":"Node","metadata":{"resourceVersion":"9"}},"type":"BOOKMARK"}
            {"object":{"metadata":{"name":"b"}},"type":"DELETED"}{"type":"FUTURE","object":{}}
            {"type":7}{"type":"MODIFIED","object":"none"}
            """));

    [Fact]
    public void An_error_event_carries_its_status()
    {
        var e = Assert.Throws<ApiException>(() => NodeJson.Events(
            """{"object":{"kind":"Status","status":"Failure","message":"too old","reason":"Expired","code":410},"type":"ERROR"}"""));
        Assert.True(e.IsExpired);
        Assert.Equal("Expired", e.Reason);
        Assert.Contains("too old", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Broken_json_in_a_watch_is_an_error_and_a_cut_event_is_none()
    {
        Assert.Throws<NodeStreamException>(() => NodeJson.Events("""{"type":"ADDED","object":{"metadata":{name}}}"""));
        Assert.Empty(NodeJson.Events("""{"type":"DELETED","object":{"metadata":{"name":"a"}}"""));
    }
}
