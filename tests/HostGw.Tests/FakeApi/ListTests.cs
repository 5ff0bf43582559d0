using System.Text.Json.Nodes;
using HostGw.FakeApi;

namespace HostGw.Tests.FakeApi;

public sealed class ListTests : FakeApiTest
{
    private const string Nodes = "/api/v1/nodes";

    protected override FakeApiOptions Options => new() { HistoryCapacity = 4 };

    [Fact]
    public async Task A_list_has_the_nodes_in_name_order_and_the_servers_revision()
    {
        PutNodes("b", "a", "c");
        Answer list = await Client.GetAsync(Nodes);
        Assert.Equal(["a", "b", "c"], list.Names);
        Assert.Equal("NodeList", (string?)list.Json["kind"]);
        Assert.Equal($"{Api.ResourceVersion}", list.Revision);
        Assert.Null(list.Json["items"]![0]!["kind"]); // as in the real server, only the list says what it holds
    }

    [Fact]
    public async Task Pages_show_the_state_at_the_first_page()
    {
        PutNodes("a", "b", "c", "d");
        Answer first = await Client.GetAsync($"{Nodes}?limit=2");
        Assert.Equal(2, (int?)first.Json["metadata"]!["remainingItemCount"]);
        Api.Nodes.Delete("c");
        PutNodes("bb");

        Answer second = await Client.GetAsync($"{Nodes}?limit=2&continue={first.Continue}");
        Assert.Equal(["a", "b", "c", "d"], [.. first.Names, .. second.Names]);
        Assert.Equal(first.Revision, second.Revision);
        Assert.Null(second.Continue);
    }

    [Fact]
    public async Task A_page_of_a_compacted_list_is_410_with_a_token_to_go_on_inconsistently()
    {
        PutNodes("a", "b", "c");
        Answer first = await Client.GetAsync($"{Nodes}?limit=2");
        Api.CompactHistory();
        PutNodes("bb");

        Answer expired = await Client.GetAsync($"{Nodes}?limit=2&continue={first.Continue}");
        Assert.Equal((410, "Expired"), (expired.Code, expired.Reason));
        Answer rest = await Client.GetAsync($"{Nodes}?limit=5&continue={expired.Continue}");
        Assert.Equal(["bb", "c"], rest.Names); // the token names the last object sent (recording page-1)
        Assert.Equal($"{Api.ResourceVersion}", rest.Revision);
    }

    [Fact]
    public async Task The_cache_answers_revision_0_whole_whatever_the_limit()
    {
        PutNodes("a", "b", "c");
        Assert.Equal(3, (await Client.GetAsync($"{Nodes}?limit=1&resourceVersion=0")).Names.Length);
    }

    [Fact]
    public async Task Exact_is_the_past_and_NotOlderThan_the_present()
    {
        PutNodes("a");
        long then = Api.ResourceVersion;
        PutNodes("b");

        Answer exact = await Client.GetAsync($"{Nodes}?resourceVersion={then}&resourceVersionMatch=Exact");
        Answer newer = await Client.GetAsync($"{Nodes}?resourceVersion={then}&resourceVersionMatch=NotOlderThan");
        Assert.Equal(["a"], exact.Names);
        Assert.Equal($"{then}", exact.Revision);
        Assert.Equal(["a", "b"], newer.Names);

        PutNodes("c", "d", "e", "f"); // pushes "then" out of the history
        Assert.Equal(410, (await Client.GetAsync($"{Nodes}?resourceVersion={then}&resourceVersionMatch=Exact")).Code);
        Assert.Equal(200, (await Client.GetAsync($"{Nodes}?resourceVersion={then}&resourceVersionMatch=NotOlderThan")).Code);
    }

    [Fact]
    public async Task A_revision_from_the_future_is_504_and_says_to_come_back()
    {
        Answer answer = await Client.GetAsync($"{Nodes}?resourceVersion={Api.ResourceVersion + 10}");
        Assert.Equal((504, "Timeout"), (answer.Code, answer.Reason));
        Assert.StartsWith("Timeout: Too large resource version:", answer.Message, StringComparison.Ordinal);
        Assert.Equal("ResourceVersionTooLarge", (string?)answer.Json["details"]!["causes"]![0]!["reason"]);
        Assert.Equal(TimeSpan.FromSeconds(1), answer.RetryAfter);
    }

    [Theory]
    [InlineData("resourceVersion=abc", 400)]
    [InlineData("continue=nonsense", 400)]
    [InlineData("resourceVersionMatch=Exact", 422)]
    [InlineData("resourceVersion=0&resourceVersionMatch=Exact", 422)]
    [InlineData("resourceVersion=1&resourceVersionMatch=Newest", 422)]
    [InlineData("watch=1&sendInitialEvents=true", 422)]
    [InlineData("fieldSelector=spec.podCIDR=10.0.0.0/24", 400)]
    [InlineData("labelSelector=a b", 400)]
    public async Task A_wrong_query_is_refused(string query, int code) =>
        Assert.Equal(code, (await Client.GetAsync($"{Nodes}?{query}")).Code);

    [Theory]
    [InlineData("labelSelector=zone=a", "n1")]
    [InlineData("labelSelector=zone==a", "n1")]
    [InlineData("labelSelector=zone!=a", "n2,n3")]
    [InlineData("labelSelector=zone in (a,b)", "n1,n2")]
    [InlineData("labelSelector=zone notin (a)", "n2,n3")]
    [InlineData("labelSelector=zone", "n1,n2")]
    [InlineData("labelSelector=!zone", "n3")]
    [InlineData("labelSelector=zone=a,kubernetes.io/os=linux", "n1")]
    [InlineData("labelSelector=zone=a,kubernetes.io/os=windows", "")]
    [InlineData("fieldSelector=metadata.name=n2", "n2")]
    [InlineData("fieldSelector=metadata.name!=n2", "n1,n3")]
    [InlineData("fieldSelector=spec.unschedulable=true", "n3")]
    public async Task Selectors_select(string query, string expected)
    {
        Api.Nodes.Put(new NodeSpec("n1") { Labels = new Dictionary<string, string> { ["zone"] = "a" } });
        Api.Nodes.Put(new NodeSpec("n2") { Labels = new Dictionary<string, string> { ["zone"] = "b" } });
        Api.Nodes.Put(new NodeSpec("n3") { Unschedulable = true });
        Assert.Equal(expected, string.Join(",", (await Client.GetAsync($"{Nodes}?{query}")).Names));
    }

    [Fact]
    public async Task A_node_may_be_any_bytes()
    {
        PutNodes("a");
        Api.Nodes.PutRaw("b", """{"metadata":{"name":"b","name":"c"},"spec":7}""");
        Answer list = await Client.GetAsync(Nodes);
        Assert.EndsWith("""},{"metadata":{"name":"b","name":"c"},"spec":7}]}""" + "\n", list.Text, StringComparison.Ordinal);
        Api.Nodes.PutRaw("b", "no JSON");
        Assert.EndsWith(",no JSON]}\n", (await Client.GetAsync(Nodes)).Text, StringComparison.Ordinal);
        Api.Nodes.PutRaw("b", "null");
        PutNodes("b");
        Assert.Equal(["a", "b"], (await Client.GetAsync(Nodes)).Names);
    }

    [Fact]
    public void Realistic_nodes_are_as_large_as_real_ones()
    {
        NodeSpec spec = NodeFactory.Node(300, dualStack: true, realistic: true);
        Assert.Equal(["10.1.44.0/24", "fd00:10:0:12c::/64"], spec.PodCidrs);
        Assert.InRange(spec.ToJson().Length, 15_000, 30_000);
        Assert.Equal(50, ((JsonArray)spec.ToJsonObject()["status"]!["images"]!).Count);
    }
}
