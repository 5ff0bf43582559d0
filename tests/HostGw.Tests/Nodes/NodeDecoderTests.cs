using System.Globalization;
using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Nodes;

namespace HostGw.Tests.Nodes;

public class NodeDecoderTests
{
    private const string Typed = "0A0A" + "0A027631" + "12044E6F6465";             // typeMeta: v1, Node
    private const string Tail = "1A00" + "2200";                                   // no encoding, no content type
    private const string Minimal = "0A06" + "0A0161" + "2A0175" + "120D" + "3A0B31302E312E302E302F3234"; // metadata: name a, uid u; spec: podCIDRs 10.1.0.0/24

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
        { "podCIDRs that are almost CIDRs", """{"metadata":{"name":"a"},"spec":{"podCIDRs":["10.1.0.0","10.1.0.0/33","10.01.0.0/24","10.1/16","::ffff:10.0.0.0/120","10.1.0.7/24"]}}""", "a cidrs=::ffff:10.0.0.0/120,10.1.0.7/24 bad=10.1.0.0|10.1.0.0/33|10.01.0.0/24|10.1/16" },
        { "escapes are undone", """{"m\u0065tadata":{"n\u0061me":"\u0061","labels":{"kubernetes.io\/os":"\u0057indows"}},"spec":{"podCIDRs":["10.1.0.0\/24"]}}""", "a os=windows cidrs=10.1.0.0/24" },
        { "a name of wrong type", """{"metadata":{"name":{"x":1},"uid":"u"}}""", " uid=u" },
        { "a next hop that cannot be read", """{"metadata":{"name":"a","annotations":{"hostgw.io/next-hop":"192.0.2.1,x"}}}""", "a hop=" },
        { "two next hops of one family", """{"metadata":{"name":"a","annotations":{"hostgw.io/next-hop":"192.0.2.1,192.0.2.2"}}}""", "a hop=" },
        { "skip wants exactly true", """{"metadata":{"name":"a","annotations":{"hostgw.io/skip":"True"}}}""", "a skip=unreadable" },
        { "skip false", """{"metadata":{"name":"a","annotations":{"hostgw.io/skip":"false"}}}""", "a" },
        { "nodeInfo wins over the label", """{"metadata":{"name":"a","labels":{"kubernetes.io/os":"windows"}},"status":{"nodeInfo":{"operatingSystem":"LINUX"}}}""", "a" },
        { "an operating system of its own", """{"metadata":{"name":"a"},"status":{"nodeInfo":{"operatingSystem":"Plan9"}}}""", "a os=Plan9" },
        { "a time with fraction and offset", """{"metadata":{"name":"a","creationTimestamp":"1970-01-01T01:00:01.5+01:00"}}""", "a at=1" },
        { "a time that is none", """{"metadata":{"name":"a","creationTimestamp":"yesterday"}}""", "a" },
        { "an empty object", "{}", "" },
        { "look-alikes in other places", """{"name":"x","podCIDRs":["10.3.0.0/24"],"metadata":{"name":"a","addresses":[{"type":"InternalIP","address":"192.0.2.1"}]},"spec":{"spec":{"podCIDRs":["10.4.0.0/24"]},"name":"y"}}""", "a" },
        { "a realistic node", NodeFactory.Node(7, dualStack: true, realistic: true).ToJson(), "node-00007 cidrs=10.0.7.0/24,fd00:10:0:7::/64 int=172.16.0.7,fd00:172::7" },
        { "long texts", $$$"""{"metadata":{"name":"{{{new('n', 2000)}}}","uid":"{{{new('u', 1024)}}}","labels":{"pool":"{{{new('p', 2000)}}}","{{{new('k', 2000)}}}":"x"},"annotations":{"hostgw.io/skip":"{{{new('t', 2000)}}}"}},"spec":{"podCIDRs":["{{{new('ä', 2000)}}}","10.1.0.0/24"]},"status":{"nodeInfo":{"operatingSystem":"{{{new('o', 2000)}}}"},"addresses":[{"type":"InternalIP","address":"{{{new('1', 2000)}}}"}]}}""", $" uid={new('u', 1024)} cidrs=10.1.0.0/24 bad={new('ä', 64)}" },
        { "a next hop that is followed by 2,000 spaces", $$$"""{"metadata":{"name":"a","annotations":{"hostgw.io/next-hop":"192.0.2.1{{{new(' ', 2000)}}}"} } }""", "a hop=" },
        { "text beyond ASCII", """{"metadata":{"name":"ü-😀","uid":"\u0000","labels":{"pool":"日本"}},"spec":{"podCIDR":"10.1.0.0/24\u0007"}}""", "ü-😀 uid=\0 bad=10.1.0.0/24\a labels=pool:日本" },
        { "taints, owners and what else a node may have", """{"metadata":{"name":"a","generation":3,"finalizers":["x"],"ownerReferences":[{"kind":"K","name":"o","uid":"u","apiVersion":"v1","controller":true}],"deletionTimestamp":"2026-01-02T03:04:05Z","deletionGracePeriodSeconds":5},"spec":{"unschedulable":true,"providerID":"p","taints":[{"key":"k","effect":"NoSchedule","timeAdded":"2026-01-02T03:04:05Z"}]},"status":{"volumesInUse":["v"],"volumesAttached":[{"name":"v","devicePath":"d"}],"runtimeHandlers":[{"name":"r","features":{"userNamespaces":true}}],"features":{"supplementalGroupsPolicy":true},"nodeInfo":{"swap":{"capacity":1}},"declaredFeatures":["f"]}}""", "a" },
    };

    [Theory]
    [MemberData(nameof(Nodes))]
    public void A_node_becomes(string because, string json, string expected) =>
        Assert.True(NodeProtobuf.Node(json) == expected, $"{because}: got '{NodeProtobuf.Node(json)}'");

    [Fact]
    public void Long_unreadable_podCIDRs_are_cut()
    {
        string bad = NodeProtobuf.Node($$$"""{"metadata":{"name":"a"},"spec":{"podCIDRs":["{{{new string('x', 3_000_000)}}}"]}}""");
        Assert.Equal("a bad=" + new string('x', 64), bad);
    }

    [Fact]
    public void A_hundred_thousand_labels_and_a_huge_annotation_leave_the_rest_alone()
    {
        string labels = string.Join(',', Enumerable.Range(0, 100_000).Select(i => $"\"l{i}\":\"v\""));
        string json = $$$"""{"metadata":{"labels":{{{{labels}}},"pool":"p"},"annotations":{"big":"{{{new string('a', 1_000_000)}}}"},"name":"a"},"spec":{"podCIDRs":["10.1.0.0/24"]}}""";
        Assert.Equal("a cidrs=10.1.0.0/24 labels=pool:p", NodeProtobuf.Node(json));
    }

    [Fact]
    public void A_node_with_many_podCIDRs_is_bounded()
    {
        string many = string.Join(',', Enumerable.Repeat("\"10.1.0.0/24\",\"x\"", 10_000));
        string text = NodeProtobuf.Node($$$"""{"metadata":{"name":"a"},"spec":{"podCIDRs":[{{{many}}}]}}""");
        Assert.Equal(NodeDraft.MaxEntries, text.Count(c => c == '/') + text.Count(c => c == 'x'));
    }

    [Fact]
    public void Nothing_of_a_node_is_left_in_the_next()
    {
        foreach (var row in Nodes)
            Assert.Equal("b", NodeProtobuf.List(NodeProtobuf.ListOf("5", row.Data.Item2, """{"metadata":{"name":"b"}}"""))[1]);
    }

    [Fact]
    public void A_list_is_these_bytes()
    {
        string list = "6B387300" + "0A0E" + "0A027631" + "12084E6F64654C697374" +  // k8s, typeMeta: v1, NodeList
            "1224" + "0A09" + "120135" + "1A046E657874" + "1217" + Minimal + Tail;  // raw: metadata (version 5, continue next), an item
        Assert.Equal(["a uid=u cidrs=10.1.0.0/24", "5/next"], NodeProtobuf.List(Convert.FromHexString(list)));
    }

    [Fact]
    public void An_event_is_these_bytes()
    {
        string item = "6B387300" + Typed + "1217" + Minimal + Tail;
        string frame = "00000038" + "0A054144444544" + "122F" + "0A2D" + item;     // length, ADDED, RawExtension
        byte[] bytes = Convert.FromHexString(frame + frame);
        Assert.Equal(["Added  a uid=u cidrs=10.1.0.0/24", "Added  a uid=u cidrs=10.1.0.0/24"], NodeProtobuf.Events(bytes));
    }

    [Fact]
    public void The_fake_api_writes_what_the_real_one_writes()
    {
        string metadata = "0A0161" + "1200" + "1A00" + "2200" + "2A0175" + "3200" + "3800" + "4204" + "08011000"; // empty texts and numbers, too
        string spec = "0A00" + "1200" + "1A00" + "2000" + "3A0B31302E312E302E302F3234";
        string status = "1A00" + "3204" + "0A020800" + "3A14" + "0A0012001A0022002A0032003A0042004A005200";
        string node = "0A16" + metadata + "1215" + spec + "1A1E" + status;
        string frame = "00000070" + "0A054144444544" + "1267" + "0A65" + "6B387300" + Typed + "124F" + node + Tail;
        Assert.Equal(frame, Convert.ToHexString(NodeProtobuf.Frame("ADDED",
            """{"metadata":{"name":"a","uid":"u","creationTimestamp":"1970-01-01T00:00:01Z"},"spec":{"podCIDRs":["10.1.0.0/24"]}}""")));
    }

    [Theory]
    [InlineData("", "a")]                              // no time at all
    [InlineData("4200", "a")]                          // the zero time
    [InlineData("420408001000", "a at=0")]             // the epoch
    [InlineData("420408051000", "a at=5")]
    [InlineData("420B08FFFFFFFFFFFFFFFFFF01", "a at=-1")]
    public void A_time_is_read(string time, string expected)
    {
        string metadata = "0A0161" + time;
        string node = "0A" + Size(metadata) + metadata;
        string raw = "0A03120135" + "12" + Size(node) + node;
        Assert.Equal(expected, NodeProtobuf.List(Convert.FromHexString("6B387300" + "12" + Size(raw) + raw))[0]);
    }

    [Fact]
    public void Watch_events_are_told_in_order() =>
        Assert.Equal(
            ["Added 3 a", "Bookmark 9 ", "InitialEventsEnd 10 ", "Bookmark 11 ", "Deleted  b"],
            NodeProtobuf.Events([
                .. NodeProtobuf.Frame("ADDED", """{"metadata":{"name":"a","resourceVersion":"3","annotations":{"k8s.io/initial-events-end":"true"}}}"""),
                .. NodeProtobuf.Bookmark(9, isEnd: false), .. NodeProtobuf.Bookmark(10, isEnd: true), .. NodeProtobuf.Bookmark(11, isEnd: false),
                .. NodeProtobuf.Frame("FUTURE", "{}"), .. NodeProtobuf.Frame("DELETED", """{"metadata":{"name":"b"}}""")]));

    [Fact]
    public void An_error_event_carries_its_status()
    {
        var e = Assert.Throws<ApiException>(() => NodeProtobuf.Events(NodeProtobuf.Error(
            """{"kind":"Status","status":"Failure","message":"too old","reason":"Expired","code":410}""")));
        Assert.True(e.IsExpired);
        Assert.Equal("Expired", e.Reason);
        Assert.Contains("too old", e.Message, StringComparison.Ordinal);
        Assert.Null(e.RetryAfter);
    }

    [Theory]
    [InlineData(7, 7)]
    [InlineData(86400, 300)]
    public void An_error_event_says_when_to_come_back_at_most_five_minutes_later(int asked, int seconds)
    {
        var e = Assert.Throws<ApiException>(() => NodeProtobuf.Events(NodeProtobuf.Error(
            $$"""{"kind":"Status","status":"Failure","reason":"TooManyRequests","code":429,"details":{"retryAfterSeconds":{{asked}} } }""")));
        Assert.Equal(TimeSpan.FromSeconds(seconds), e.RetryAfter);
    }

    [Fact]
    public void An_error_event_names_its_causes_and_the_next_one_has_its_own()
    {
        const string second = """{"kind":"Status","code":500,"details":{"causes":[{"message":"m","reason":"Other"}]}}""";
        byte[] tooLarge = NodeProtobuf.Error("""
            {"kind":"Status","reason":"Timeout","code":504,"details":{"causes":[{"reason":"First","message":"m","field":"f"},
             {"reason":"ResourceVersionTooLarge","message":"Too large resource version"}],"retryAfterSeconds":1}}
            """);
        var e = Assert.Throws<ApiException>(() => NodeProtobuf.Events(tooLarge, [.. Enumerable.Range(1, tooLarge.Length - 1)]));
        Assert.Equal((true, TimeSpan.FromSeconds(1)), (e.IsVersionTooLarge, e.RetryAfter));
        Assert.Equal(["First", "ResourceVersionTooLarge"], e.Causes);
        Assert.Equal(["Other"], Assert.Throws<ApiException>(() => NodeProtobuf.Events(NodeProtobuf.Error(second))).Causes);
    }

    private static string Size(string hex) => (hex.Length / 2).ToString("X2", CultureInfo.InvariantCulture);
}
