using System.Text.Json.Nodes;
using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Hosting;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Nodes;

public sealed class NetworkUnavailableTests : FakeApiTest, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LogLines _log = new();
    private readonly ManualTime _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_condition_is_cleared_once_the_network_stands_and_nothing_else_changes()
    {
        Put("self", "True");
        Put("other", "True");
        JsonObject before = Node("self");
        using NetworkUnavailable clearing = await StartAsync();
        Assert.DoesNotContain(Api.Requests, r => r.Path.Contains("self", StringComparison.Ordinal));

        clearing.NetworkStands();
        await EventuallyAsync(() => Status("self") == "False", "cleared");

        Assert.Equal("True", Status("other"));
        Assert.Equal(Without(before), Without(Node("self")));
        List<string> said = [];
        await EventuallyAsync(() => Add(said, _log.Take()) > 0, "told");
        Assert.Equal(["Information 603 Cleared the condition NetworkUnavailable of node self"], said);
        await clearing.StopAsync(Cancel);

        static int Add(List<string> all, string[] more)
        {
            all.AddRange(more);
            return all.Count;
        }
    }

    [Theory]
    [InlineData("False")]
    [InlineData(null)]
    public async Task Where_it_is_clear_or_missing_nothing_is_written(string? status)
    {
        Put("self", status);
        using NetworkUnavailable clearing = await StartAsync();
        clearing.NetworkStands();
        await EventuallyAsync(() => Api.Requests.Any(r => r.Path == "/api/v1/nodes/self" && r.Code == 200), "looked");
        await clearing.StopAsync(Cancel);
        Assert.DoesNotContain(Api.Requests, r => r.Method == "PATCH");
        Assert.Equal(status, Status("self"));
    }

    [Fact]
    public async Task A_missing_right_is_told_once_with_the_cure_and_tried_again_ever_later()
    {
        Put("self", "True");
        Api.Faults.Forbid(r => r.Method == "PATCH");
        using NetworkUnavailable clearing = await StartAsync();
        clearing.NetworkStands();
        List<string> said = [];
        foreach (int factor in (int[])[1, 2, 4])
        {
            await _time.AwaitedAsync(NetworkUnavailable.FirstRetry * factor);
            said.AddRange(_log.Take());
            _time.Advance(NetworkUnavailable.FirstRetry * factor);
        }
        Assert.Contains("'patch' on 'nodes/status' of its own node: the chart gives it with config.networkUnavailable.clear", Assert.Single(said), StringComparison.Ordinal);

        await _time.AwaitedAsync(NetworkUnavailable.FirstRetry * 8);
        Api.Faults.Clear();
        _time.Advance(NetworkUnavailable.FirstRetry * 8);
        await EventuallyAsync(() => Status("self") == "False", "cleared");
        await clearing.StopAsync(Cancel);
    }

    [Fact]
    public async Task A_busy_server_is_left_alone_for_as_long_as_it_asks()
    {
        Put("self", "True");
        Api.Faults.Answer(429, retryAfter: TimeSpan.FromSeconds(100), where: r => r.Method == "PATCH");
        using NetworkUnavailable clearing = await StartAsync();
        clearing.NetworkStands();
        await EventuallyAsync(() => _time.Pending() is [var pause] && pause >= TimeSpan.FromSeconds(100), "waits");
        _time.Advance(TimeSpan.FromSeconds(121));
        await EventuallyAsync(() => Status("self") == "False", "cleared");
        await clearing.StopAsync(Cancel);
    }

    [Fact]
    public async Task An_answer_that_is_no_node_is_told_and_asked_for_again()
    {
        Put("self", "True");
        Api.Faults.AnswerGarbage(where: r => r.Path.EndsWith("/self", StringComparison.Ordinal));
        using NetworkUnavailable clearing = await StartAsync();
        clearing.NetworkStands();
        await _time.AwaitedAsync(NetworkUnavailable.FirstRetry);
        Assert.StartsWith("Warning 6", Assert.Single(_log.Take()), StringComparison.Ordinal);
        _time.Advance(NetworkUnavailable.FirstRetry);
        await EventuallyAsync(() => Status("self") == "False", "cleared");
        await clearing.StopAsync(Cancel);
    }

    private async Task<NetworkUnavailable> StartAsync()
    {
        Api.WriteKubeconfig(_folder["config"]);
        ApiClient client = new(ApiConfiguration.BuildConfigFromConfigFile(_folder["config"]), "1", TimeProvider.System);
        var clearing = new NetworkUnavailable(client, "self", _time, new Typed<NetworkUnavailable>(_log));
        await clearing.StartAsync(Cancel);
        return clearing;
    }

    private void Put(string name, string? status)
    {
        JsonObject node = new NodeSpec(name).ToJsonObject();
        if (status is not null)
            node["status"]!["conditions"]!.AsArray().Add(new JsonObject { ["type"] = "NetworkUnavailable", ["status"] = status });
        Api.Nodes.Put(node);
    }

    private JsonObject Node(string name) => JsonNode.Parse(Api.Nodes.Get(name)!)!.AsObject();

    private string? Status(string name) =>
        (string?)Node(name)["status"]!["conditions"]!.AsArray().SingleOrDefault(c => (string?)c!["type"] == "NetworkUnavailable")?["status"];

    private static string Without(JsonObject node)
    {
        JsonArray conditions = node["status"]!["conditions"]!.AsArray();
        conditions.Remove(conditions.Single(c => (string?)c!["type"] == "NetworkUnavailable"));
        node["metadata"]!.AsObject().Remove("resourceVersion");
        node["metadata"]!.AsObject().Remove("managedFields");
        return node.ToJsonString();
    }
}
