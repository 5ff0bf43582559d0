using System.Globalization;
using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Nodes;

namespace HostGw.Tests.Nodes;

public class NodeProtobufDecoderTests
{
    private const string Typed = "0A0A" + "0A027631" + "12044E6F6465";             // typeMeta: v1, Node
    private const string Tail = "1A00" + "2200";                                   // no encoding, no content type
    private const string Minimal = "0A06" + "0A0161" + "2A0175" + "120D" + "3A0B31302E312E302E302F3234"; // metadata: name a, uid u; spec: podCIDRs 10.1.0.0/24

    /// <summary>What JSON can say and protobuf cannot: values of wrong types, properties that come twice, half surrogates.</summary>
    private static readonly string[] OnlyInJson =
    [
        "podCIDRs that are no array", "podCIDRs that are an object", "podCIDRs of wrong things", "a podCIDR of wrong type", "half a surrogate pair in a podCIDR", "half a surrogate pair as a property name",
        "values of wrong types", "nulls", "labels of wrong types", "of a property that comes twice the last counts", "objects that come twice are merged",
        "addresses of wrong things", "next hops of wrong types", "a next hop that is an object", "skip as a boolean is no annotation",
    ];

    public static TheoryData<string, string> Nodes
    {
        get
        {
            TheoryData<string, string> nodes = [];
            foreach (var row in NodeJsonDecoderTests.Nodes.Where(r => !OnlyInJson.Contains(r.Data.Item1)))
                nodes.Add(row.Data.Item1, row.Data.Item2);
            nodes.Add("a realistic node", NodeFactory.Node(7, dualStack: true, realistic: true).ToJson());
            nodes.Add("long texts", $$$"""{"metadata":{"name":"{{{new('n', 2000)}}}","uid":"{{{new('u', 1024)}}}","labels":{"pool":"{{{new('p', 2000)}}}","{{{new('k', 2000)}}}":"x"},"annotations":{"hostgw.io/skip":"{{{new('t', 2000)}}}"}},"spec":{"podCIDRs":["{{{new('ä', 2000)}}}","10.1.0.0/24"]},"status":{"nodeInfo":{"operatingSystem":"{{{new('o', 2000)}}}"},"addresses":[{"type":"InternalIP","address":"{{{new('1', 2000)}}}"}]}}""");
            nodes.Add("a next hop that is followed by 2,000 spaces", $$$"""{"metadata":{"name":"a","annotations":{"hostgw.io/next-hop":"192.0.2.1{{{new(' ', 2000)}}}"} } }""");
            nodes.Add("text beyond ASCII", """{"metadata":{"name":"ü-😀","uid":"\u0000","labels":{"pool":"日本"}},"spec":{"podCIDR":"10.1.0.0/24\u0007"}}""");
            nodes.Add("taints, owners and what else a node may have", """{"metadata":{"name":"a","generation":3,"finalizers":["x"],"ownerReferences":[{"kind":"K","name":"o","uid":"u","apiVersion":"v1","controller":true}],"deletionTimestamp":"2026-01-02T03:04:05Z","deletionGracePeriodSeconds":5},"spec":{"unschedulable":true,"providerID":"p","taints":[{"key":"k","effect":"NoSchedule","timeAdded":"2026-01-02T03:04:05Z"}]},"status":{"volumesInUse":["v"],"volumesAttached":[{"name":"v","devicePath":"d"}],"runtimeHandlers":[{"name":"r","features":{"userNamespaces":true}}],"features":{"supplementalGroupsPolicy":true},"nodeInfo":{"swap":{"capacity":1}},"declaredFeatures":["f"]}}""");
            return nodes;
        }
    }

    [Theory]
    [MemberData(nameof(Nodes))]
    public void A_node_is_the_same_in_both_encodings(string because, string json) =>
        Assert.True(NodeJson.Node(json) == NodeProtobuf.List(NodeProtobuf.ListOf("5", json))[0], $"{because}: JSON '{NodeJson.Node(json)}', protobuf '{NodeProtobuf.List(NodeProtobuf.ListOf("5", json))[0]}'");

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
    }

    private static string Size(string hex) => (hex.Length / 2).ToString("X2", CultureInfo.InvariantCulture);
}
