using System.Text.Json.Nodes;
using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Planning;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Hosting;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Nodes;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Status;

public sealed class NodeConditionWriterTests : FakeApiTest
{
    private readonly LogLines _log = new();
    private readonly ManualTime _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_condition_is_cleared_at_the_pass_that_sees_it_and_nothing_else_changes()
    {
        Put("self", "True");
        Put("other", "True");
        JsonObject before = Node("self");
        using NodeConditionWriter writer = await StartAsync();
        writer.Record(Report(unavailable: true), isReady: true);
        await EventuallyAsync(() => Status("self") == "False", "cleared");

        Assert.Equal("True", Status("other"));
        Assert.Equal(Without(before), Without(Node("self")));
        List<string> said = [];
        await EventuallyAsync(() => Add(said, _log.Take()) > 0, "told");
        Assert.Equal(["Information 603 Cleared the condition NetworkUnavailable of node self"], said);

        // Set again while the agent runs: no time passes.
        Put("self", "Unknown");
        writer.Record(Report(unavailable: true), isReady: true);
        await EventuallyAsync(() => Status("self") == "False", "cleared again");
        await writer.StopAsync(Cancel);

        static int Add(List<string> all, string[] more)
        {
            all.AddRange(more);
            return all.Count;
        }
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task Where_it_is_clear_or_the_network_is_not_ready_nothing_is_written(bool unavailable, bool ready)
    {
        Put("self", "True");
        using NodeConditionWriter writer = await StartAsync();
        writer.Record(Report(unavailable), ready);
        await Task.Delay(300, Cancel);
        Assert.Empty(Api.Requests);
        writer.Record(Report(unavailable: true), isReady: true);
        await EventuallyAsync(() => Status("self") == "False", "cleared");
        await writer.StopAsync(Cancel);
    }

    [Fact]
    public async Task A_missing_right_is_reported_once_with_the_cure_and_tried_again_ever_later()
    {
        Put("self", "True");
        Api.Faults.Forbid(r => r.Method == "PATCH");
        using NodeConditionWriter writer = await StartAsync();
        writer.Record(Report(unavailable: true), isReady: true);
        List<string> said = [];
        foreach (int factor in (int[])[1, 2, 4])
        {
            await _time.AwaitedAsync(NodeConditionWriter.FirstRetry * factor);
            said.AddRange(_log.Take());
            _time.Advance(NodeConditionWriter.FirstRetry * factor);
        }
        Assert.Contains(
            "'patch' on 'nodes/status' of its own node: the chart gives it with config.networkUnavailable.clear", Assert.Single(said),
            StringComparison.Ordinal);

        await _time.AwaitedAsync(NodeConditionWriter.FirstRetry * 8);
        Api.Faults.Clear();
        _time.Advance(NodeConditionWriter.FirstRetry * 8);
        await EventuallyAsync(() => Status("self") == "False", "cleared");
        await writer.StopAsync(Cancel);
    }

    [Fact]
    public async Task A_busy_server_is_left_alone_for_as_long_as_it_asks()
    {
        Put("self", "True");
        Api.Faults.Answer(429, retryAfter: TimeSpan.FromSeconds(100), where: r => r.Method == "PATCH");
        using NodeConditionWriter writer = await StartAsync();
        writer.Record(Report(unavailable: true), isReady: true);
        await EventuallyAsync(() => _time.Pending() is [var pause] && pause >= TimeSpan.FromSeconds(100), "waits");
        _time.Advance(TimeSpan.FromSeconds(121));
        await EventuallyAsync(() => Status("self") == "False", "cleared");
        await writer.StopAsync(Cancel);
    }

    [Fact]
    public async Task A_server_that_asks_to_be_left_alone_for_thirty_years_is_asked_again_after_minutes()
    {
        Put("self", "True");
        Api.Faults.Answer(429, retryAfter: TimeSpan.FromSeconds(1e9), where: r => r.Method == "PATCH");
        using NodeConditionWriter writer = await StartAsync();
        writer.Record(Report(unavailable: true), isReady: true);
        await EventuallyAsync(() => _time.Pending() is [var pause] && pause >= TimeSpan.FromMinutes(5), "waits");
        _time.Advance(TimeSpan.FromMinutes(6));
        await EventuallyAsync(() => Status("self") == "False", "cleared");
        await writer.StopAsync(Cancel);
    }

    [Fact]
    public async Task An_answer_that_is_no_node_is_reported_and_tried_again()
    {
        Put("self", "True");
        Api.Faults.AnswerGarbage(where: r => r.Method == "PATCH");
        using NodeConditionWriter writer = await StartAsync();
        writer.Record(Report(unavailable: true), isReady: true);
        await _time.AwaitedAsync(NodeConditionWriter.FirstRetry);
        Assert.StartsWith("Warning 6", Assert.Single(_log.Take()), StringComparison.Ordinal);
        _time.Advance(NodeConditionWriter.FirstRetry);
        await EventuallyAsync(() => Status("self") == "False", "cleared");
        await writer.StopAsync(Cancel);
    }

    [Fact]
    public async Task The_watch_says_when_a_condition_is_set_and_cleared()
    {
        Put("self", null);
        await using var follower = new NodeFollower(Api, node: "self");
        await EventuallyAsync(() => follower.Names == "self", "listed");
        Assert.False(Unavailable());
        foreach ((string status, bool expected) in new[] { ("True", true), ("False", false), ("Unknown", true) })
        {
            Put("self", status);
            await EventuallyAsync(() => Unavailable() == expected, status);
        }

        bool Unavailable() => Assert.Single(follower.Announced[^1].Nodes).NetworkUnavailable;
    }

    private static PassReport Report(bool unavailable)
    {
        PassReport report = Reports.First();
        Plan plan = report.Plan!;
        return report with { Plan = plan with { Verdicts = [.. plan.Verdicts.Select(v => v.Node.Name == "self" ? Own(v) : v)] } };

        Verdict Own(Verdict verdict) => verdict with { Node = verdict.Node with { NetworkUnavailable = unavailable } };
    }

    private async Task<NodeConditionWriter> StartAsync()
    {
        var writer = new NodeConditionWriter(Connect(), "self", () => 0, _time, new Typed<NodeConditionWriter>(_log));
        await writer.StartAsync(Cancel);
        return writer;
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
        (string?)Node(name)["status"]!["conditions"]!.AsArray()
            .SingleOrDefault(c => (string?)c!["type"] == "NetworkUnavailable")?["status"];

    private static string Without(JsonObject node)
    {
        JsonArray conditions = node["status"]!["conditions"]!.AsArray();
        conditions.Remove(conditions.Single(c => (string?)c!["type"] == "NetworkUnavailable"));
        node["metadata"]!.AsObject().Remove("resourceVersion");
        node["metadata"]!.AsObject().Remove("managedFields");
        return node.ToJsonString();
    }
}
