using System.Diagnostics;
using System.Text.Json.Nodes;
using HostGw.FakeApi;

namespace HostGw.Lab.Tests;

/// <summary>The real kubectl reads nodes.</summary>
public sealed class KubectlReadTests : KubectlTest
{
    [Fact]
    public async Task Get_prints_the_columns_everyone_knows()
    {
        string[] lines = Lines(await Kubectl.RunAsync("get nodes"));
        Assert.Equal("NAME STATUS ROLES AGE VERSION", lines[0]);
        Assert.Matches("^node-a Ready <none> [0-9]+s v1.34.0$", lines[1]);
        Assert.Matches("^node-b NotReady <none> [0-9]+s v1.34.0$", lines[2]);
    }

    [Fact]
    public async Task Get_wide_prints_addresses_and_systems()
    {
        string[] lines = Lines(await Kubectl.RunAsync("get nodes -o wide"));
        Assert.Equal("NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME", lines[0]);
        Assert.EndsWith("192.0.2.1 <none> Ubuntu 24.04.1 LTS 6.8.0-45-generic containerd://1.7.22", lines[1], StringComparison.Ordinal);
        Assert.Contains("<none> 198.51.100.2 Windows Server 2022", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_selects_pages_and_prints_json()
    {
        Assert.Equal("node/node-b\n", await Kubectl.RunAsync("get nodes -l kubernetes.io/os=windows -o name"));
        JsonNode list = JsonNode.Parse(await Kubectl.RunAsync("get nodes -o json"))!;
        Assert.Equal("10.1.0.0/24", (string?)list["items"]![0]!["spec"]!["podCIDR"]);

        Api.Nodes.Put(NodeFactory.Cluster(1200));
        Api.ClearRequests();
        Assert.Equal(1203, Lines(await Kubectl.RunAsync("get nodes")).Length);
        Assert.Equal(3, Api.Requests.Count(r => r.IsNodeList));
    }

    [Fact]
    public async Task Get_with_watch_prints_a_row_per_change()
    {
        using Process watch = Kubectl.Start("get nodes -w -o wide");
        try
        {
            Assert.StartsWith("NAME", await LineAsync(watch), StringComparison.Ordinal);
            Assert.StartsWith("node-a Ready <none>", await LineAsync(watch), StringComparison.Ordinal);
            Assert.StartsWith("node-b NotReady", await LineAsync(watch), StringComparison.Ordinal);
            // It prints the list before it opens the watch, from the list's revision: nothing can be missed.
            Api.Nodes.Patch("node-a", """{"spec":{"unschedulable":true}}""");
            Assert.StartsWith("node-a Ready,SchedulingDisabled", await LineAsync(watch), StringComparison.Ordinal);
            Api.Nodes.Put(new NodeSpec("node-c"));
            Assert.StartsWith("node-c Ready", await LineAsync(watch), StringComparison.Ordinal);
        }
        finally
        {
            watch.Kill();
        }
    }

    [Fact]
    public async Task Describe_shows_addresses_podCIDRs_and_events()
    {
        const string notice = """
            {"kind":"Event","apiVersion":"v1","metadata":{"name":"e1","namespace":"default"},"involvedObject":{"kind":"Node","name":"node-a","uid":"node-a"},
             "reason":"RouteConflict","type":"Warning","message":"another route stands there","source":{"component":"hostgw"}}
            """;
        await Kubectl.RunAsync("create -f -", notice);
        string text = await Kubectl.RunAsync("describe node node-a");
        Assert.Matches(@"InternalIP:\s+2001:db8::1", text);
        Assert.Matches(@"PodCIDRs:\s+10.1.0.0/24", text);
        Assert.Matches(@"Warning\s+RouteConflict\s+\S+\s+hostgw\s+another route stands there", text);
        Assert.Contains("RouteConflict", await Kubectl.RunAsync("events"), StringComparison.Ordinal);
        Assert.Contains("RouteConflict", await Kubectl.RunAsync("get events -A"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_are_certificates_or_tokens_and_expire()
    {
        using var certified = new Kubectl(Api, new() { User = "certified", ClientCertificate = true });
        await certified.RunAsync("get nodes");
        Assert.Equal("certified", Api.Requests[^1].User);
        Api.RotateToken();
        Assert.Contains("You must be logged in to the server", await Kubectl.FailAsync("get nodes"), StringComparison.Ordinal);
    }

    private static async Task<string> LineAsync(Process process) =>
        Narrow((await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(60)))!);
}
