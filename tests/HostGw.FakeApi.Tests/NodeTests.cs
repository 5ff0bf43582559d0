using k8s;
using k8s.Models;

namespace HostGw.FakeApi.Tests;

public sealed class NodeTests : ClientTest
{
    private const string PodCidr = "10.244.1.0/24";

    [Fact]
    public async Task A_list_has_every_field_that_a_kubelet_reports()
    {
        Api.Nodes.Put(NodeFactory.Cluster(3, dualStack: true, realistic: true));
        V1NodeList list = await Client.CoreV1.ListNodeAsync(cancellationToken: Cancel);
        Assert.Equal($"{Api.ResourceVersion}", list.ResourceVersion());
        Assert.Equal(["node-00001", "node-00002", "node-00003"], list.Items.Select(n => n.Name()));

        V1Node node = list.Items[1];
        Assert.Equal(["10.0.2.0/24", "fd00:10:0:2::/64"], node.Spec.PodCIDRs);
        Assert.Equal(node.Spec.PodCIDRs[0], node.Spec.PodCIDR);
        Assert.Equal(
            ["InternalIP 172.16.0.2", "InternalIP fd00:172::2", "Hostname node-00002"],
            node.Status.Addresses.Select(a => $"{a.Type} {a.Address}"));
        Assert.Equal(("linux", "amd64"), (node.Status.NodeInfo.OperatingSystem, node.Status.NodeInfo.Architecture));
        Assert.Equal("True", node.Status.Conditions.Single(c => c.Type == "Ready").Status);
        Assert.Equal(4, node.Status.Capacity["cpu"].ToInt64());
        Assert.InRange(node.Status.Conditions[0].LastHeartbeatTime!.Value, DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow);
        Assert.InRange(node.CreationTimestamp()!.Value, DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow);
        Assert.Equal(50, node.Status.Images.Count);
        Assert.Equal(3, node.Metadata.ManagedFields.Count);
    }

    [Fact]
    public async Task Pages_are_read_to_the_last_by_their_tokens()
    {
        PutNodes("a", "b", "c", "d", "e");
        List<string> names = [];
        V1NodeList page = await Client.CoreV1.ListNodeAsync(limit: 2, cancellationToken: Cancel);
        Assert.Equal(3, page.Metadata.RemainingItemCount);
        string version = page.ResourceVersion();
        Api.Nodes.Delete("e");
        names.AddRange(page.Items.Select(n => n.Name()));
        while (page.Continue() is { Length: > 0 } next)
        {
            page = await Client.CoreV1.ListNodeAsync(limit: 2, continueParameter: next, cancellationToken: Cancel);
            Assert.Equal(version, page.ResourceVersion());
            names.AddRange(page.Items.Select(n => n.Name()));
        }
        Assert.Equal(["a", "b", "c", "d", "e"], names);
    }

    [Fact]
    public async Task A_page_that_expired_is_410_with_a_token_to_go_on()
    {
        PutNodes("a", "b", "c");
        V1NodeList first = await Client.CoreV1.ListNodeAsync(limit: 2, cancellationToken: Cancel);
        Api.CompactHistory();
        PutNodes("d");
        V1Status gone = await RefusedAsync(
            HttpStatusCode.Gone,
            () => Client.CoreV1.ListNodeAsync(limit: 2, continueParameter: first.Continue(), cancellationToken: Cancel));
        Assert.Equal("Expired", gone.Reason);
        V1NodeList rest = await Client.CoreV1.ListNodeAsync(limit: 2, continueParameter: gone.Metadata.ContinueProperty, cancellationToken: Cancel);
        Assert.Equal(["c", "d"], rest.Items.Select(n => n.Name()));
    }

    [Fact]
    public async Task A_version_that_is_not_reached_is_504_with_its_cause()
    {
        V1Status status = await RefusedAsync(
            HttpStatusCode.GatewayTimeout,
            () => Client.CoreV1.ListNodeAsync(resourceVersion: "99999999", resourceVersionMatch: "NotOlderThan", cancellationToken: Cancel));
        Assert.Equal(("Timeout", 1), (status.Reason, status.Details.RetryAfterSeconds));
        Assert.Equal("ResourceVersionTooLarge", Assert.Single(status.Details.Causes).Reason);
    }

    [Fact]
    public async Task A_node_is_created_read_replaced_and_deleted()
    {
        V1Node created = await Client.CoreV1.CreateNodeAsync(Node("a"), cancellationToken: Cancel);
        Assert.Equal((PodCidr, "v1", "Node"), (Assert.Single(created.Spec.PodCIDRs), created.ApiVersion, created.Kind));
        Assert.True(Guid.TryParse(created.Uid(), out _));

        V1Node read = await Client.CoreV1.ReadNodeAsync("a", cancellationToken: Cancel);
        Assert.Equal(KubernetesJson.Serialize(created), KubernetesJson.Serialize(read));
        read.SetLabel("zone", "z1");
        V1Node replaced = await Client.CoreV1.ReplaceNodeAsync(read, "a", cancellationToken: Cancel);
        Assert.Equal(("z1", created.Uid()), (replaced.GetLabel("zone"), replaced.Uid()));
        Assert.True(Version(replaced) > Version(created));

        V1Status deleted = await Client.CoreV1.DeleteNodeAsync("a", cancellationToken: Cancel);
        Assert.Equal(("Success", "a", "nodes", created.Uid()), (deleted.Status, deleted.Details.Name, deleted.Details.Kind, deleted.Details.Uid));
        V1Status missing = await RefusedAsync(HttpStatusCode.NotFound, () => Client.CoreV1.ReadNodeAsync("a", cancellationToken: Cancel));
        Assert.Equal(("NotFound", "nodes \"a\" not found", "a"), (missing.Reason, missing.Message, missing.Details.Name));
    }

    [Fact]
    public async Task A_stale_version_is_a_conflict_and_a_second_node_of_that_name_too()
    {
        V1Node stale = await Client.CoreV1.CreateNodeAsync(Node("a"), cancellationToken: Cancel);
        Api.Nodes.Patch("a", """{"metadata":{"labels":{"x":"y"}}}""");
        V1Status conflict = await RefusedAsync(
            HttpStatusCode.Conflict, () => Client.CoreV1.ReplaceNodeAsync(stale, "a", cancellationToken: Cancel));
        Assert.Equal(("Conflict", "a"), (conflict.Reason, conflict.Details.Name));
        V1Status second = await RefusedAsync(
            HttpStatusCode.Conflict, () => Client.CoreV1.CreateNodeAsync(Node("a"), cancellationToken: Cancel));
        Assert.Equal("AlreadyExists", second.Reason);
    }

    [Fact]
    public async Task A_deletion_of_another_node_of_that_name_is_a_conflict()
    {
        await Client.CoreV1.CreateNodeAsync(Node("a"), cancellationToken: Cancel);
        V1DeleteOptions other = new() { Preconditions = new() { Uid = "another" } };
        V1Status status = await RefusedAsync(
            HttpStatusCode.Conflict, () => Client.CoreV1.DeleteNodeAsync("a", other, cancellationToken: Cancel));
        Assert.Equal("Conflict", status.Reason);
        Assert.Equal(1, Api.Nodes.Count);
    }

    [Fact]
    public async Task An_invalid_node_is_422_and_each_cause_names_its_field()
    {
        V1Node invalid = Node("a");
        invalid.Spec = new() { PodCIDRs = ["10.1.0.0/33"] };
        V1Status status = await RefusedAsync(
            HttpStatusCode.UnprocessableEntity, () => Client.CoreV1.CreateNodeAsync(invalid, cancellationToken: Cancel));
        Assert.Equal("Invalid", status.Reason);
        V1StatusCause cause = Assert.Single(status.Details.Causes);
        Assert.Equal(("FieldValueInvalid", "spec.podCIDRs[0]"), (cause.Reason, cause.Field));
    }

    [Theory]
    [InlineData("merge", """{"metadata":{"labels":{"zone":"z1"},"annotations":{"old":null}}}""")]
    [InlineData("strategic", """{"metadata":{"labels":{"zone":"z1"},"annotations":{"old":null}}}""")]
    [InlineData("json", """
        [{"op":"test","path":"/metadata/name","value":"a"},{"op":"add","path":"/metadata/labels/zone","value":"z1"},
         {"op":"remove","path":"/metadata/annotations/old"}]
        """)]
    public async Task Each_kind_of_patch_changes_what_it_names_and_nothing_else(string kind, string patch)
    {
        Api.Nodes.Put(new NodeSpec("a") { Annotations = new Dictionary<string, string> { ["old"] = "1", ["kept"] = "2" } });
        V1Node patched = await Client.CoreV1.PatchNodeAsync(Patch(kind, patch), "a", cancellationToken: Cancel);
        Assert.Equal(("z1", "linux"), (patched.GetLabel("zone"), patched.GetLabel("kubernetes.io/os")));
        Assert.Equal("kept", Assert.Single(patched.Annotations()).Key);
    }

    [Fact]
    public async Task A_condition_is_patched_by_its_type_at_the_status_endpoint()
    {
        PutNodes("a");
        const string Condition = """{"status":{"conditions":[{"type":"NetworkUnavailable","status":"False","reason":"RouteCreated"}]}}""";
        V1Node patched = await Client.CoreV1.PatchNodeStatusAsync(Patch("strategic", Condition), "a", cancellationToken: Cancel);
        Assert.Equal(5, patched.Status.Conditions.Count);
        Assert.Equal("RouteCreated", patched.Status.Conditions.Single(c => c.Type == "NetworkUnavailable").Reason);
        patched = await Client.CoreV1.PatchNodeStatusAsync(Patch("merge", Condition), "a", cancellationToken: Cancel);
        Assert.Single(patched.Status.Conditions);
    }

    [Fact]
    public async Task A_patch_that_does_not_fit_is_422_and_one_of_a_missing_node_404()
    {
        PutNodes("a");
        V1Patch test = Patch("json", """[{"op":"test","path":"/metadata/name","value":"b"}]""");
        await RefusedAsync(HttpStatusCode.UnprocessableEntity, () => Client.CoreV1.PatchNodeAsync(test, "a", cancellationToken: Cancel));
        await RefusedAsync(
            HttpStatusCode.NotFound, () => Client.CoreV1.PatchNodeAsync(Patch("merge", "{}"), "b", cancellationToken: Cancel));
        V1Patch stale = Patch("merge", """{"metadata":{"resourceVersion":"1"}}""");
        await RefusedAsync(HttpStatusCode.Conflict, () => Client.CoreV1.PatchNodeAsync(stale, "a", cancellationToken: Cancel));
    }

    [Fact]
    public async Task An_apply_creates_a_node_and_then_changes_it()
    {
        V1Patch apply = new("""{"apiVersion":"v1","kind":"Node","metadata":{"name":"a","labels":{"zone":"z1"}}}""", V1Patch.PatchType.ApplyPatch);
        await Client.CoreV1.PatchNodeAsync(apply, "a", fieldManager: "me", cancellationToken: Cancel);
        V1Node applied = await Client.CoreV1.PatchNodeAsync(apply, "a", fieldManager: "me", cancellationToken: Cancel);
        Assert.Equal(("z1", "me"), (applied.GetLabel("zone"), Assert.Single(applied.Metadata.ManagedFields).Manager));
    }

    private static V1Node Node(string name) => new() { Metadata = new() { Name = name }, Spec = new() { PodCIDR = PodCidr, PodCIDRs = [PodCidr] } };

    private static V1Patch Patch(string kind, string body) => new(body, kind switch
    {
        "merge" => V1Patch.PatchType.MergePatch,
        "strategic" => V1Patch.PatchType.StrategicMergePatch,
        _ => V1Patch.PatchType.JsonPatch,
    });

    private static long Version(V1Node node) => long.Parse(node.ResourceVersion(), System.Globalization.CultureInfo.InvariantCulture);
}
