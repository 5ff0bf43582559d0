using System.Text.Json.Nodes;
using HostGw.FakeApi;

namespace HostGw.Tests.FakeApi;

public sealed class WriteTests : FakeApiTest
{
    private const string Nodes = "/api/v1/nodes";

    [Fact]
    public async Task Create_stamps_the_node_and_a_second_is_409()
    {
        const string body = """{"kind":"Node","apiVersion":"v1","metadata":{"name":"a","uid":"mine"},"spec":{"podCIDR":"10.1.0.0/24"}}""";
        Answer created = await Client.SendAsync(HttpMethod.Post, Nodes, body);
        Assert.Equal(201, created.Code);
        Assert.NotEqual("mine", (string?)created.Json["metadata"]!["uid"]);
        Assert.NotNull(created.Json["metadata"]!["creationTimestamp"]);
        Assert.Equal("10.1.0.0/24", (string?)created.Json["spec"]!["podCIDRs"]![0]);

        Answer again = await Client.SendAsync(HttpMethod.Post, Nodes, body);
        Assert.Equal((409, "AlreadyExists", "nodes \"a\" already exists"), (again.Code, again.Reason, again.Message));
    }

    [Fact]
    public async Task A_stale_revision_is_a_conflict_and_the_present_one_is_not()
    {
        PutNodes("a");
        JsonObject node = (await Client.GetAsync($"{Nodes}/a")).Json;
        Api.Nodes.Heartbeat("a");
        Answer stale = await Client.SendAsync(HttpMethod.Put, $"{Nodes}/a", node.ToJsonString());
        Assert.Equal((409, "Conflict"), (stale.Code, stale.Reason));

        node = (await Client.GetAsync($"{Nodes}/a")).Json;
        node["metadata"]!["labels"]!["x"] = "y";
        Answer fresh = await Client.SendAsync(HttpMethod.Put, $"{Nodes}/a", node.ToJsonString());
        Assert.Equal((200, "y"), (fresh.Code, (string?)fresh.Json["metadata"]!["labels"]!["x"]));
    }

    [Fact]
    public async Task The_node_endpoint_cannot_change_status_nor_the_status_endpoint_spec()
    {
        Api.Nodes.Put(new NodeSpec("a") { PodCidrs = ["10.1.0.0/24"], InternalIPs = ["192.0.2.1"] });
        const string both = """{"spec":{"unschedulable":true},"status":{"addresses":[{"type":"InternalIP","address":"192.0.2.9"}]}}""";

        Answer main = await Client.PatchAsync($"{Nodes}/a", "strategic-merge", both);
        Assert.True((bool)main.Json["spec"]!["unschedulable"]!);
        Assert.Contains("192.0.2.1", main.Text, StringComparison.Ordinal);

        Answer status = await Client.PatchAsync($"{Nodes}/a/status", "strategic-merge", both.Replace("true", "false", StringComparison.Ordinal));
        Assert.True((bool)status.Json["spec"]!["unschedulable"]!);
        Assert.Contains("192.0.2.9", status.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("192.0.2.1\"", status.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.2.0.0/24", "spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid")]
    [InlineData("nonsense", "spec.podCIDRs[0]: Invalid value: \"nonsense\": must be a valid CIDR value")]
    public async Task A_podCIDR_is_immutable_and_valid(string podCidr, string why)
    {
        Api.Nodes.Put(new NodeSpec("a") { PodCidrs = ["10.1.0.0/24"] });
        Answer answer = await Client.PatchAsync($"{Nodes}/a", "merge", $$$"""{"spec":{"podCIDR":"{{{podCidr}}}"}}""");
        Assert.Equal((422, "Invalid"), (answer.Code, answer.Reason));
        Assert.Contains(why, answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_podCIDR_may_be_set_once()
    {
        PutNodes("a");
        Answer answer = await Client.PatchAsync($"{Nodes}/a", "merge", """{"spec":{"podCIDRs":["10.1.0.0/24","fd00::/64"]}}""");
        Assert.Equal((200, "10.1.0.0/24"), (answer.Code, (string?)answer.Json["spec"]!["podCIDR"]));
    }

    [Theory]
    [InlineData("""{"metadata":{"name":"UPPER"}}""")]
    [InlineData("""{"metadata":{}}""")]
    [InlineData("""{"metadata":{"name":"a"},"spec":{"podCIDRs":["10.1.0.0/24","10.2.0.0/24"]}}""")]
    [InlineData("""{"metadata":{"name":"a"},"spec":{"podCIDRs":["10.1.0.0/33"]}}""")]
    public async Task An_invalid_node_is_422(string body) =>
        Assert.Equal(422, (await Client.SendAsync(HttpMethod.Post, Nodes, body)).Code);

    [Fact]
    public async Task What_is_no_JSON_is_400_what_is_too_much_413_what_is_not_there_404()
    {
        Assert.Equal(400, (await Client.SendAsync(HttpMethod.Post, Nodes, "{")).Code);
        Assert.Equal(415, (await Client.SendAsync(HttpMethod.Post, Nodes, "a: b", "application/yaml")).Code);
        Assert.Equal(413, (await Client.SendAsync(HttpMethod.Post, Nodes, new string(' ', 4_000_000))).Code);
        Assert.Equal(404, (await Client.GetAsync("/api/v1/unknown")).Code);
        Assert.Equal(405, (await Client.SendAsync(HttpMethod.Post, $"{Nodes}/a", "{}")).Code);
        Answer absent = await Client.GetAsync($"{Nodes}/absent");
        Assert.Equal((404, "NotFound", "nodes \"absent\" not found"), (absent.Code, absent.Reason, absent.Message));
    }

    [Fact]
    public async Task Apply_makes_the_node_or_merges_into_it_and_records_the_manager()
    {
        const string applied = """{"kind":"Node","apiVersion":"v1","metadata":{"name":"a","labels":{"x":"y"}}}""";
        Assert.Equal(422, (await Client.PatchAsync($"{Nodes}/a", "apply", applied)).Code);
        Assert.Equal(201, (await Client.PatchAsync($"{Nodes}/a?fieldManager=me", "apply", applied)).Code);
        Answer second = await Client.PatchAsync($"{Nodes}/a?fieldManager=me", "apply", applied.Replace("\"y\"", "\"z\"", StringComparison.Ordinal));
        JsonArray managers = second.Json["metadata"]!["managedFields"]!.AsArray();
        Assert.Equal("""{"f:metadata":{"f:labels":{"f:x":{}}}}""", Assert.Single(managers)!["fieldsV1"]!.ToJsonString());
        Assert.Equal("z", (string?)second.Json["metadata"]!["labels"]!["x"]);
    }

    [Fact]
    public async Task A_dry_run_answers_and_changes_nothing()
    {
        PutNodes("a");
        long before = Api.ResourceVersion;
        Answer dry = await Client.PatchAsync($"{Nodes}/a?dryRun=All", "merge", """{"metadata":{"labels":{"x":"y"}}}""");
        Assert.Equal("y", (string?)dry.Json["metadata"]!["labels"]!["x"]);
        Assert.Equal(200, (await Client.SendAsync(HttpMethod.Delete, $"{Nodes}/a?dryRun=All")).Code);
        Assert.Equal(before, Api.ResourceVersion);
    }

    [Fact]
    public async Task Delete_heeds_preconditions_and_finalizers()
    {
        Api.Nodes.Put("""{"metadata":{"name":"a","finalizers":["x/y"]}}""");
        Answer refused = await Client.SendAsync(HttpMethod.Delete, $"{Nodes}/a", """{"preconditions":{"uid":"other"}}""");
        Assert.Equal(409, refused.Code);
        Assert.Equal(200, (await Client.SendAsync(HttpMethod.Delete, $"{Nodes}/a")).Code);
        Assert.NotNull((await Client.GetAsync($"{Nodes}/a")).Json["metadata"]!["deletionTimestamp"]);
        await Client.PatchAsync($"{Nodes}/a", "merge", """{"metadata":{"finalizers":null}}""");
        Assert.Equal(0, Api.Nodes.Count);
    }

    [Fact]
    public async Task A_collection_is_deleted_by_selector()
    {
        PutNodes("a", "b");
        Api.Nodes.Put(new NodeSpec("c") { OperatingSystem = "windows" });
        Assert.Equal(200, (await Client.SendAsync(HttpMethod.Delete, $"{Nodes}?labelSelector=kubernetes.io/os=linux")).Code);
        Assert.Equal(["c"], Api.Nodes.Names);
    }

    [Fact]
    public async Task Events_are_the_same_in_both_groups()
    {
        Answer created = await Client.SendAsync(HttpMethod.Post, "/apis/events.k8s.io/v1/namespaces/default/events",
            """
            {"metadata":{"generateName":"e-"},"regarding":{"kind":"Node","name":"a","uid":"u"},"note":"hello","reason":"Because","type":"Normal",
             "eventTime":"2026-01-02T03:04:05.000000Z","action":"Test","reportingController":"hostgw.io/test","reportingInstance":"a"}
            """);
        Assert.Equal(201, created.Code);
        Answer core = await Client.GetAsync("/api/v1/events?fieldSelector=involvedObject.name=a");
        Assert.Equal("hello", (string?)core.Json["items"]![0]!["message"]);
        Answer renamed = await Client.GetAsync("/apis/events.k8s.io/v1/events");
        Assert.Equal("hello", (string?)renamed.Json["items"]![0]!["note"]);
        Assert.Contains("Because", Assert.Single(Api.Events), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/v1/namespaces/default/events", """{"involvedObject":{"kind":"Node","name":"a"}}""", "")]
    [InlineData("/api/v1/namespaces/kube-system/events", """{"involvedObject":{"kind":"Node","name":"a"}}""", "involvedObject.namespace: Invalid value: \"\": does not match event.namespace")]
    [InlineData("/api/v1/namespaces/default/events", """{"involvedObject":{"kind":"Pod","name":"a","namespace":"other"}}""", "involvedObject.namespace: Invalid value: \"other\": does not match event.namespace")]
    [InlineData("/api/v1/namespaces/default/events", """{"eventTime":"2026-01-02T03:04:05.000000Z","reportingComponent":"c","reportingInstance":"i","action":"a"}""", "reason: Required value")]
    [InlineData("/apis/events.k8s.io/v1/namespaces/default/events", """{"regarding":{"kind":"Node","name":"a"},"type":"Warning"}""", "eventTime: Required value")]
    [InlineData("/apis/events.k8s.io/v1/namespaces/default/events", """{"type":"Warning","deprecatedCount":1,"eventTime":"2026-01-02T03:04:05.000000Z","reportingController":"c","reportingInstance":"i","action":"a","reason":"r"}""", "count: Invalid value: \"\": needs to be unset")]
    public async Task An_event_is_checked_as_the_real_server_checks_it(string path, string content, string refusal)
    {
        Answer created = await Client.SendAsync(HttpMethod.Post, path, $$"""{"metadata":{"name":"e"},{{content[1..]}}""");
        Assert.Equal(refusal.Length == 0 ? 201 : 422, created.Code);
        Assert.Contains(refusal, (string?)created.Json["message"] ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_words_of_an_event_change_in_the_core_group_alone()
    {
        await Client.SendAsync(HttpMethod.Post, "/api/v1/namespaces/default/events", """{"metadata":{"name":"e"},"message":"one","count":1}""");
        Assert.Equal(200, (await Client.PatchAsync("/api/v1/namespaces/default/events/e", "strategic-merge", """{"message":"two","count":2}""")).Code);
        Assert.Equal(422, (await Client.PatchAsync("/apis/events.k8s.io/v1/namespaces/default/events/e", "strategic-merge", """{"note":"three"}""")).Code);
    }
}
