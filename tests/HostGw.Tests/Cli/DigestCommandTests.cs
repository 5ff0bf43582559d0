using HostGw.Cli;
using HostGw.FakeApi;
using HostGw.Tests.Digest;
using HostGw.Tests.Kubernetes;
using YamlDotNet.RepresentationModel;

namespace HostGw.Tests.Cli;

public sealed class DigestCommandTests : DigestTest
{
    [Fact]
    public async Task Once_prints_what_would_be_written_and_writes_nothing()
    {
        for (int i = 0; i < 50; i++)
        {
            Api.Nodes.Put(new NodeSpec($"node-{i}")
            {
                PodCidrs = [$"10.244.{i}.0/24", $"fd00:{i}::/64"],
                InternalIPs = [$"192.0.2.{i}", $"2001:db8::{i}"],
                Labels = new Dictionary<string, string> { ["pool"] = "blue", ["other"] = "x" },
                Annotations = new Dictionary<string, string> { ["hostgw.io/next-hop"] = "192.0.2.7" },
            });
        }
        Api.Faults.Forbid(r => r.Method != "GET" || r.Path != "/api/v1/nodes");
        CommandRun ran = await OnceAsync("-o", "yaml", "--digest-labels", "pool");
        Assert.Equal((ExitCodes.Done, ""), (ran.ExitCode, ran.Error));
        Assert.DoesNotContain(Api.Requests, r => r.Method != "GET");

        Api.Faults.Clear();
        await using RunningDigest digest = await RunAsync("pool");
        YamlMappingNode[] maps = Items(ran.Output);
        Assert.Equal(512, maps.Length);
        for (int shard = 0; shard < 512; shard++)
        {
            var metadata = (YamlMappingNode)maps[shard]["metadata"];
            Assert.Equal((Name(shard), "hostgw-digest", "nodes"), ($"{metadata["name"]}", $"{metadata["namespace"]}", $"{metadata["labels"]["hostgw.io/part"]}"));
            var data = (YamlMappingNode)maps[shard]["data"];
            Assert.Equal(
                Data(shard)!.AsObject().Where(d => d.Key != "source").Select(d => $"{d.Key}: {d.Value}"),
                data.Where(d => $"{d.Key}" != "source").Select(d => $"{d.Key}: {d.Value}"));
            Assert.All(data.Children.Values, v => Assert.True(
                v is YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.DoubleQuoted or YamlDotNet.Core.ScalarStyle.Literal }, "a string"));
        }
    }

    [Fact]
    public async Task The_labels_are_those_of_nodeSelector_and_of_the_setting()
    {
        CommandRun ran = await OnceAsync("--node-selector", "pool=a,!virtual,pool!=c", "--digest-labels", "zone,pool");
        Assert.All(Items(ran.Output), m => Assert.Equal("pool,virtual,zone", $"{m["data"]["labels"]}"));
    }

    [Fact]
    public async Task More_labels_than_agents_take_are_refused()
    {
        string keys = string.Join(',', Enumerable.Range(0, 40).Select(i => $"a-long-prefix.example.com/key-{i}"));
        CommandRun ran = await OnceAsync("--node-selector", "pool", "--digest-labels", keys);
        Assert.Equal((ExitCodes.Usage, ""), (ran.ExitCode, ran.Output));
        Assert.Matches("^digest.labels and the keys of nodeSelector are [0-9]+ characters together, and may be 1024\n$", ran.Error);
    }

    [Theory]
    [InlineData("digest --digest-labels pool,-x", "digest.labels: '-x' must be a label key such as pool or topology.kubernetes.io/zone (flag --digest-labels)")]
    [InlineData("digest --digest-labels A/b", "digest.labels: 'A/b' must be a label key")]
    [InlineData("digest --digest-listen nowhere", "digest.listen: 'nowhere' must be an address and a port")]
    public async Task A_wrong_setting_ends_with_2_and_is_named(string line, string error)
    {
        CommandRun ran = await CommandRun.OfAsync(line.Split(' '));
        Assert.Equal(ExitCodes.Usage, ran.ExitCode);
        Assert.StartsWith(error, ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_API_server_that_does_not_answer_ends_once_with_1()
    {
        using TemporaryKubeconfig kubeconfig = await TemporaryKubeconfig.OfGoneServerAsync();
        CommandRun ran = await CommandRun.OfAsync("digest", "--once", "--kubeconfig", kubeconfig.Path);
        Assert.Equal((ExitCodes.Failed, ""), (ran.ExitCode, ran.Output));
    }

    private static YamlMappingNode[] Items(string yaml)
    {
        YamlStream stream = [];
        stream.Load(new StringReader(yaml));
        var root = (YamlMappingNode)stream.Documents[0].RootNode;
        Assert.Equal(("v1", "List"), ($"{root["apiVersion"]}", $"{root["kind"]}"));
        return [.. ((YamlSequenceNode)root["items"]).Cast<YamlMappingNode>()];
    }

    private Task<CommandRun> OnceAsync(params string[] args)
    {
        Api.WriteKubeconfig(Folder["config"]);
        return CommandRun.OfAsync(["digest", "--once", "--kubeconfig", Folder["config"], "--node-name", "node1", .. args]);
    }
}
