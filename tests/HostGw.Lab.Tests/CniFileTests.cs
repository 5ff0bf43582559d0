using System.Text.Json.Nodes;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>What the real agent does with the directory of CNI configurations, and others with it.</summary>
public sealed class CniFileTests : CniCluster
{
    private const string Foreign = """{"name": "cbr0", "plugins": [{"type": "flannel"}]}""";

    private static string Flannel(Node node) => $"{Directory(node)}/10-flannel.conflist";

    [Fact]
    public async Task What_somebody_does_to_ours_is_undone_at_once()
    {
        await StartAsync();
        string before = Text();
        Assert.Contains("\"subnet\": \"192.168.1.0/24\"", before, StringComparison.Ordinal);

        foreach (Action change in (Action[])[RemoveDirectory, () => System.IO.File.Delete(File(One)), () => System.IO.File.WriteAllText(File(One), "{"), () => System.IO.File.Move(File(One), $"{File(One)}.cilium_bak")])
        {
            change();
            await Eventually.TrueAsync(() => Text() == before, Text);
        }
        Assert.NotEqual(0, await Agent.MetricAsync("hostgw_passes_total", "cause=\"cni\""));
    }

    [Fact]
    public async Task Another_plugins_is_left_alone_and_ours_is_there_again_when_it_is_gone()
    {
        await StartAsync();
        System.IO.File.WriteAllText(Flannel(One), Foreign);
        await StateAsync("left to another plugin");
        Assert.Equal([Flannel(One)], System.IO.Directory.EnumerateFiles(Directory(One)));
        Assert.Equal(Foreign, System.IO.File.ReadAllText(Flannel(One)));
        Assert.Contains("CNI left to another plugin (", Agent.Run("status"), StringComparison.Ordinal);

        System.IO.File.Delete(Flannel(One));
        await StateAsync("applied");
        Assert.True(System.IO.File.Exists(File(One)));
    }

    [Fact]
    public async Task A_node_that_was_made_anew_with_another_podCIDR_gets_another_file()
    {
        await StartAsync();
        Cluster.Api.Server.Nodes.Delete(One.Name);
        Cluster.Api.Server.Nodes.Put(Cluster.Describe(One) with { PodCidrs = ["192.168.77.0/24"] });

        await Eventually.TrueAsync(() => Text().Contains("192.168.77.0/24", StringComparison.Ordinal), Text);
        Assert.DoesNotContain("fd00", Text(), StringComparison.Ordinal);
        One.Network.Configure(["link set eth0 mtu 1450"]);
        await Eventually.TrueAsync(() => Text().Contains("\"mtu\": 1450", StringComparison.Ordinal), Text);
    }

    // Pods on it would get addresses that all other nodes route to the older Node.
    [Fact]
    public async Task A_younger_Node_that_carries_another_Nodes_podCIDR_is_not_ready_has_no_file_and_names_both()
    {
        await StartAsync();
        Node two = Cluster.Node(2);
        Agent young = Cluster.Agent(two);
        Cluster.Api.Server.Nodes.Put(Cluster.Describe(two) with { PodCidrs = [.. One.PodCidrs.Select(p => $"{p}")] });

        await Eventually.TrueAsync(
            async () => !System.IO.File.Exists(File(two)) && !await young.IsReadyAsync(), () => string.Join('\n', young.Log.LastWords(10)));
        string told = $"{(await young.StatusAsync()).GetProperty("notReady")}";
        Assert.Contains("podCIDR 192.168.1.0/24 overlaps 192.168.1.0/24 of the older node node1", told, StringComparison.Ordinal);
        Assert.Contains("re-create this node's Node node2 ", told, StringComparison.Ordinal);
        Assert.All(young.Diagnose(), rule => Assert.Equal("ownPodCidr", rule));
        Assert.NotEmpty(young.Diagnose());
        Assert.True(await Agent.IsReadyAsync());
        Assert.True(System.IO.File.Exists(File(One)));

        Cluster.Announce(two);
        await young.WaitReadyAsync();
        Assert.True(System.IO.File.Exists(File(two)));
        Assert.Empty(young.Diagnose());
    }

    [Fact]
    public async Task Stopping_leaves_it_and_turning_it_off_or_cleaning_up_takes_it_away()
    {
        await StartAsync();
        System.IO.File.WriteAllText($"{Directory(One)}/87-podman-bridge.conflist", Foreign);
        await Agent.StopAsync();
        Assert.True(System.IO.File.Exists(File(One)));
        Assert.Contains($"removed {File(One)}\n", Agent.Run("cleanup", "--cni-config-directory", Directory(One)), StringComparison.Ordinal);

        await Agent.StartAndWaitAsync();
        Assert.True(System.IO.File.Exists(File(One)));
        await Agent.StopAsync();
        Agent.Settings = Agent.Settings with { More = [.. Flags(One, install: false)] };
        Assert.Contains($"~ CNI configuration: removed {File(One)}\n", Agent.RunWithSettings("plan"), StringComparison.Ordinal);
        await Agent.StartAndWaitAsync();
        Assert.Equal(["87-podman-bridge.conflist"], System.IO.Directory.EnumerateFiles(Directory(One)).Select(Path.GetFileName));
    }

    // As the chart mounts it then.
    [Fact]
    public async Task Turning_it_off_where_the_directory_is_mounted_read_only_leaves_it_and_is_ready()
    {
        await StartAsync();
        await Agent.StopAsync();
        Agent.Settings = Agent.Settings with { More = [.. Flags(One, install: false)] };
        Command.Run("mount", "--bind", Directory(One), Directory(One));
        Command.Run("mount", "-o", "remount,bind,ro", Directory(One));
        try
        {
            Assert.Contains($"on the host: rm {File(One)}", Agent.RunWithSettings("plan"), StringComparison.Ordinal);
            await Agent.StartAndWaitAsync();
            Assert.Contains($"{File(One)} is still there with cni.install false", Agent.Run("status"), StringComparison.Ordinal);
            await Agent.StopAsync();
        }
        finally
        {
            Command.Run("umount", Directory(One));
        }
        Assert.True(System.IO.File.Exists(File(One)));
    }

    [Fact]
    public async Task It_is_not_there_before_routes_and_NAT_are()
    {
        System.IO.Directory.CreateDirectory(Directory(One));
        // The backend iptables cannot hold so many exempt prefixes: there is no NAT.
        string exempt = string.Join(',', Enumerable.Range(0, 100).Select(i => $"10.9.{i}.0/24"));
        Agent.Settings = Agent.Settings with { More = ["--nat-backend", "iptables", "--nat-exempt", exempt, .. Flags(One)[2..]] };
        Agent.Start();
        await StateAsync("waiting");
        Assert.Empty(System.IO.Directory.EnumerateFiles(Directory(One)));

        await Agent.StopAsync();
        Agent.Settings = Agent.Settings with { More = [.. Flags(One)] };
        await Agent.StartAndWaitAsync();
        Assert.True(System.IO.File.Exists(File(One)));
    }

    [Fact]
    public async Task The_condition_NetworkUnavailable_is_cleared_where_the_setting_is_on()
    {
        Cluster.Api.Server.Nodes.Put(WithCondition(One));
        Cluster.Api.Server.Nodes.Put(WithCondition(Cluster.Node(2)));
        Agent.Settings = Agent.Settings with { More = [.. Clusters.Nftables, "--network-unavailable-clear", "true"] };
        await Cluster.StartAgentsAsync();

        await Eventually.TrueAsync(() => Condition(One) == "False", () => Condition(One) ?? "none");
        Assert.Equal("True", Condition(Cluster.Node(2)));
    }

    private void RemoveDirectory()
    {
        try
        {
            System.IO.Directory.Delete(Directory(One), recursive: true);
        }
        catch (IOException)
        {
            // The agent wrote a new file before its directory was gone.
        }
    }

    private JsonObject WithCondition(Node node)
    {
        JsonObject described = Cluster.Describe(node).ToJsonObject();
        described["status"]!["conditions"]!.AsArray().Add(new JsonObject { ["type"] = "NetworkUnavailable", ["status"] = "True" });
        return described;
    }

    private string? Condition(Node node) => (string?)JsonNode.Parse(Cluster.Api.Server.Nodes.Get(node.Name)!)!["status"]!["conditions"]!.AsArray()
        .Single(c => (string?)c!["type"] == "NetworkUnavailable")!["status"];

    private Task<TimeSpan> StateAsync(string state) => Eventually.TrueAsync(
        async () => await Agent.IsAnsweringAsync() && (await Agent.StatusAsync()).TryGetProperty("cni", out var cni) && cni.GetProperty("state").GetString() == state,
        () => string.Join('\n', Agent.Log.LastWords(20)));

    private string Text()
    {
        try
        {
            return System.IO.File.ReadAllText(File(One));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return "";
        }
    }

    [Fact]
    public async Task Told_to_stop_during_a_long_pass_it_ends_the_pass_and_then_itself()
    {
        await StartAsync();
        // The pass that finds this pipe reads it until somebody has written to it.
        string pipe = $"{Directory(One)}/05-slow.conflist";
        Command.Run("mkfifo", pipe);
        FileStream writer = await Task.Run(() => new FileStream(pipe, FileMode.Open, FileAccess.Write, FileShare.ReadWrite));

        Task<int> end = Agent.StopAsync();
        await Task.Delay(TimeSpan.FromSeconds(4), TestContext.Current.CancellationToken);
        Assert.False(end.IsCompleted);
        await writer.DisposeAsync();
        Assert.Equal(0, await end);
        Assert.Contains(Agent.Log.Lines, l => l.Contains("Stopped; routes", StringComparison.Ordinal));
    }
}
