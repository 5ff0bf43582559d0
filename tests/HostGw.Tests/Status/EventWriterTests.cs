using System.Text;
using System.Text.Json.Nodes;
using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Hosting;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Nodes;
using HostGw.Tests.Reconciliation;
using Microsoft.Extensions.Logging;

namespace HostGw.Tests.Status;

public sealed class EventWriterTests : FakeApiTest
{
    private readonly LogLines _log = new();
    private readonly ManualTime _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IEnumerable<RequestRecord> Writes => Api.Requests.Where(r => r.Method is "POST" or "PATCH");

    [Fact]
    public async Task Every_kind_of_problem_is_an_Event_of_this_node_with_the_cure()
    {
        PassReport report = Reports.First();
        using EventWriter writer = await StartAsync();
        writer.Record(report);
        await SendAsync(ProblemCatalog.All(report).Count() + 1);

        JsonObject[] events = Events();
        Assert.Equal(
            [
                "NextHopDoubtful", "NextHopUnreachable", "PeersUnreachable", "PodCIDRRejected", "PodTrafficDropped", "RouteConflict",
                "RoutesNotApplied",
            ],
            events.Select(e => (string)e["reason"]!).Distinct().Order(StringComparer.Ordinal));
        Assert.All(events, e => Assert.Equal(("Warning", 1, "Node", "self", "default"),
            ((string)e["type"]!, (int)e["count"]!, (string)e["involvedObject"]!["kind"]!,
            (string)e["involvedObject"]!["name"]!, (string)e["metadata"]!["namespace"]!)));
        Assert.All(
            events,
            e => Assert.Equal(report.Plan!.Verdicts.First(v => v.Node.Name == "self").Node.Uid, (string)e["involvedObject"]!["uid"]!));
        string[] messages = [.. events.Select(e => (string)e["message"]!)];
        Assert.Contains(messages, m => m.EndsWith(
            "To do: host-gateway routes need one L2 segment: correct the route or setting that the reason names, " +
            "or put the node's address on this host's segment, annotate it with hostgw.io/next-hop for a router on it, " +
            "or leave it out with hostgw.io/skip, " +
            "or, between Linux nodes, let UDP to probe.port and tunnel.port pass (tunnel.mode auto there, too). " +
            "A host that is meant to have one address family needs nothing", StringComparison.Ordinal));
        Assert.Contains(messages, m => m.StartsWith(
            "could not add 10.244.3.0/24: add route 10.244.3.0/24: Network is unreachable", StringComparison.Ordinal));
        Assert.Empty(_log.Take());
        await writer.StopAsync(Cancel);
    }

    [Fact]
    public async Task A_host_in_order_sends_nothing()
    {
        using EventWriter writer = await StartAsync();
        for (int pass = 0; pass < 100; pass++)
        {
            writer.Record(Reports.InOrder());
            _time.Advance(TimeSpan.FromMinutes(1));
        }
        await writer.StopAsync(Cancel);
        Assert.Empty(Api.Requests);
    }

    [Fact]
    public async Task A_problem_that_stays_raises_the_count_and_its_words_are_the_latest()
    {
        using EventWriter writer = await StartAsync();
        writer.Record(Reports.Failed("EIO"));
        await SendAsync(1);
        writer.Record(Reports.Failed("ENOMEM"));
        await _time.AwaitedAsync(EventPace.Renewal);
        _time.Advance(EventPace.Renewal);
        await EventuallyAsync(() => Events() is [var only] && (int)only["count"]! == 2, "raised");

        Assert.Contains("ENOMEM", (string)Events()[0]["message"]!, StringComparison.Ordinal);
        Assert.Equal(["POST", "PATCH"], Writes.Select(r => r.Method));
        await writer.StopAsync(Cancel);
    }

    [Fact]
    public async Task The_Event_of_an_agent_before_this_one_is_used()
    {
        foreach (string last in (string[])["POST 201", "PATCH 200"])
        {
            using EventWriter writer = await StartAsync();
            writer.Record(Reports.Failed("EIO"));
            await _time.AwaitedAsync(EventPace.Settle);
            _time.Advance(EventPace.Settle);
            await EventuallyAsync(() => Answers() is [.., var answer] && answer == last, last);
            await writer.StopAsync(Cancel);
        }
        Assert.Equal(["POST 201", "POST 409", "PATCH 200"], Answers());
        Assert.Equal(1, (int)Assert.Single(Events())["count"]!);
    }

    [Fact]
    public async Task An_Event_that_the_server_has_forgotten_is_made_anew()
    {
        using EventWriter writer = await StartAsync();
        writer.Record(Reports.Failed("EIO"));
        await SendAsync(1);
        await Client.SendAsync(HttpMethod.Delete, "/api/v1/namespaces/default/events", "");
        await _time.AwaitedAsync(EventPace.Renewal);
        _time.Advance(EventPace.Renewal);
        await EventuallyAsync(() => Events() is [var only] && (int)only["count"]! == 1, "made again");
        await writer.StopAsync(Cancel);
    }

    [Fact]
    public async Task A_missing_right_is_told_once_with_the_cure_and_tried_again_ever_later()
    {
        Api.Faults.Forbid(r => r.Method == "POST");
        using EventWriter writer = await StartAsync();
        writer.Record(Reports.Failed("EIO"));
        await _time.AwaitedAsync(EventPace.Settle);
        _time.Advance(EventPace.Settle);
        List<string> said = [];
        foreach (int factor in (int[])[1, 2, 4, 8])
        {
            await _time.AwaitedAsync(EventWriter.FirstRetry * factor);
            said.AddRange(_log.Take());
            if (factor == 8)
                Api.Faults.Clear();
            _time.Advance(EventWriter.FirstRetry * factor);
        }
        await EventuallyAsync(() => Events().Length == 1, "sent");
        Assert.Contains("'create' and 'patch' on 'events'", Assert.Single(said), StringComparison.Ordinal);
        await writer.StopAsync(Cancel);
    }

    [Fact]
    public async Task A_server_that_is_away_is_told_at_level_debug_alone()
    {
        using EventWriter writer = await StartAsync();
        await Api.StopListeningAsync();
        writer.Record(Reports.Failed("EIO"));
        await _time.AwaitedAsync(EventPace.Settle);
        _time.Advance(EventPace.Settle);
        await _time.AwaitedAsync(EventWriter.FirstRetry);
        Assert.Empty(_log.Take());

        await Api.StartListeningAsync();
        _time.Advance(EventWriter.FirstRetry);
        await EventuallyAsync(() => Events().Length == 1, "sent");
        await writer.StopAsync(Cancel);
    }

    [Fact]
    public async Task A_problem_that_ended_while_the_server_took_no_Events_gets_none()
    {
        Api.Faults.Forbid(r => r.Method == "POST");
        using EventWriter writer = await StartAsync();
        writer.Record(Reports.Failed("EIO"));
        await _time.AwaitedAsync(EventPace.Settle);
        _time.Advance(EventPace.Settle);
        await _time.AwaitedAsync(EventWriter.FirstRetry);
        writer.Record(Reports.InOrder());
        Api.Faults.Clear();
        _time.Advance(EventWriter.FirstRetry);
        await EventuallyAsync(() => _time.Pending().Length == 0, "nothing is due");
        Assert.Empty(Events());
        await writer.StopAsync(Cancel);
    }

    [Fact]
    public async Task A_server_that_will_never_take_an_Event_is_not_asked_again_and_again()
    {
        Api.Faults.Answer(422, where: r => r.Method == "POST");
        using EventWriter writer = await StartAsync();
        writer.Record(Reports.Failed("EIO"));
        await _time.AwaitedAsync(EventPace.Settle);
        _time.Advance(EventPace.Settle);
        await _time.AwaitedAsync(EventPace.Renewal);
        Assert.StartsWith("Warning 504", Assert.Single(_log.Take()), StringComparison.Ordinal);
        Assert.Single(Writes);
        await writer.StopAsync(Cancel);
    }

    [Fact]
    public void A_message_is_one_line_of_at_most_1024_bytes_and_a_name_is_valid_for_any_node()
    {
        NodeEvent notice = new(
            new("Reason", $"\u001b[2J\n{new string('ü', 600)}", "cure"), $"{new string('a', 199)}.{new string('b', 50)}", "uid");
        Assert.StartsWith(" [2J ü", notice.Message, StringComparison.Ordinal);
        Assert.InRange(Encoding.UTF8.GetByteCount(notice.Message), 1000, 1024);
        Assert.Matches("^a{199}\\.hostgw-[0-9a-f]{16}$", notice.Name);
        Assert.NotEqual(notice.Name, (notice with { NodeUid = "another" }).Name);
        Assert.NotEqual(notice.Name, (notice with { Problem = notice.Problem with { Subject = "another" } }).Name);
        Assert.Equal(notice.Name, (notice with { Problem = notice.Problem with { Text = "other words" } }).Name);
    }

    private async Task<EventWriter> StartAsync()
    {
        var writer = new EventWriter(Connect(), "self", new(_time, () => 0, _log), () => 0, _time, new Typed<EventWriter>(_log));
        await writer.StartAsync(Cancel);
        return writer;
    }

    private async Task SendAsync(int events)
    {
        await _time.AwaitedAsync(EventPace.Settle);
        _time.Advance(EventPace.Settle);
        for (int i = 0; i < events && Events().Length < events; i++)
        {
            int atLeast = Math.Min(events, EventPace.AtOnce + i);
            await EventuallyAsync(() => Events().Length >= atLeast, $"{atLeast} Events");
            if (atLeast < events)
            {
                await _time.AwaitedAsync(EventPace.Interval);
                _time.Advance(EventPace.Interval);
            }
        }
        await EventuallyAsync(() => Events().Length == events, $"{events} Events");
    }

    private string[] Answers() => [.. Writes.Select(r => $"{r.Method} {r.Code}")];

    private JsonObject[] Events() => [.. Api.Events.Select(e => JsonNode.Parse(e)!.AsObject())];
}
