using System.Text.Json.Nodes;

namespace HostGw.Lab.Tests;

/// <summary>The real kubectl writes nodes.</summary>
public sealed class KubectlWriteTests : KubectlTest
{
    private const string Manifest = """
        apiVersion: v1
        kind: Node
        metadata:
          name: made
          labels: {zone: ZONE, node-role.kubernetes.io/edge: ""}
        spec:
          podCIDR: 10.50.0.0/24
        status:
          addresses:
          - {type: InternalIP, address: 192.0.2.50}
        """;

    [Fact]
    public async Task Apply_creates_leaves_alone_changes_and_deletes()
    {
        Assert.Equal("node/made created\n", await Kubectl.RunAsync("apply -f -", Manifest));
        Assert.Equal("node/made unchanged\n", await Kubectl.RunAsync("apply -f -", Manifest));
        Assert.Equal("node/made configured\n", await Kubectl.RunAsync("apply -f -", Manifest.Replace("ZONE", "a", StringComparison.Ordinal)));
        Assert.Contains("made Unknown edge", Lines(await Kubectl.RunAsync("get nodes -l zone=a"))[1], StringComparison.Ordinal);
        Assert.Equal("node \"made\" deleted\n", await Kubectl.RunAsync("delete -f -", Manifest));
        Assert.Equal("node/made created\n", await Kubectl.RunAsync("create -f -", Manifest));
        Assert.Equal("node/made replaced\n", await Kubectl.RunAsync("replace -f -", Manifest));
    }

    [Fact]
    public async Task Server_side_apply_and_dry_runs_work()
    {
        Assert.Contains("dry run", await Kubectl.RunAsync("apply --dry-run=server -f -", Manifest), StringComparison.Ordinal);
        Assert.Contains("dry run", await Kubectl.RunAsync("apply --dry-run=client -f -", Manifest), StringComparison.Ordinal);
        Assert.Null(Api.Nodes.Get("made"));
        Assert.Equal("node/made serverside-applied\n", await Kubectl.RunAsync("apply --server-side --field-manager=tester -f -", Manifest));
        Assert.Contains("manager: tester", await Kubectl.RunAsync("get node made -o yaml --show-managed-fields"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Patch_has_three_kinds_and_reaches_status()
    {
        await Kubectl.RunAsync("patch node node-b --subresource status -p {\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"192.0.2.2\"}]}}");
        await Kubectl.RunAsync("patch node node-b --type merge -p {\"spec\":{\"podCIDR\":\"10.2.0.0/24\"}}");
        await Kubectl.RunAsync("patch node node-b --type json -p [{\"op\":\"add\",\"path\":\"/metadata/labels/x\",\"value\":\"y\"}]");
        JsonNode node = JsonNode.Parse(Api.Nodes.Get("node-b")!)!;
        Assert.Equal(["192.0.2.2", "198.51.100.2", "node-b"], node["status"]!["addresses"]!.AsArray().Select(a => (string?)a!["address"]));
        Assert.Equal(("10.2.0.0/24", "y"), ((string?)node["spec"]!["podCIDRs"]![0], (string?)node["metadata"]!["labels"]!["x"]));

        string refused = await Kubectl.FailAsync("patch node node-a -p {\"spec\":{\"podCIDR\":\"10.9.0.0/24\",\"podCIDRs\":null}}");
        Assert.Contains("is invalid: spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Label_annotate_taint_cordon_drain_wait_and_delete_work()
    {
        await Kubectl.RunAsync("label node node-a zone=a");
        await Kubectl.RunAsync("label node node-a zone=b --overwrite");
        await Kubectl.RunAsync("annotate node node-a hostgw.io/skip=true");
        await Kubectl.RunAsync("taint node node-a one=1:NoSchedule two=2:NoSchedule");
        await Kubectl.RunAsync("taint node node-a one-");
        await Kubectl.RunAsync("cordon node-a");
        JsonNode node = JsonNode.Parse(Api.Nodes.Get("node-a")!)!;
        Assert.Equal(("b", "true"), ((string?)node["metadata"]!["labels"]!["zone"], (string?)node["metadata"]!["annotations"]!["hostgw.io/skip"]));
        Assert.Equal("two", (string?)Assert.Single(node["spec"]!["taints"]!.AsArray())!["key"]);
        Assert.True((bool?)node["spec"]!["unschedulable"]);

        await Kubectl.RunAsync("uncordon node-a");
        Assert.Contains("drained", await Kubectl.RunAsync("drain node-a --ignore-daemonsets"), StringComparison.Ordinal);
        await Kubectl.RunAsync("wait --for=condition=Ready node/node-a --timeout=20s");
        await Kubectl.RunAsync("delete node node-a");
        Assert.Equal(["node-b"], Api.Nodes.Names);
        Assert.Contains("nodes \"node-a\" not found", await Kubectl.FailAsync("get node node-a"), StringComparison.Ordinal);
    }
}
