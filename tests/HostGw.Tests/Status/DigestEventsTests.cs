using System.Text.Json.Nodes;
using HostGw.Digest;
using HostGw.Kubernetes;
using HostGw.Problems;
using HostGw.Status;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Hosting;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Nodes;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Status;

public sealed class DigestEventsTests : FakeApiTest
{
    private readonly LogLines _log = new();
    private readonly ManualTime _time = new();

    [Fact]
    public void A_digest_in_order_has_no_problem() => Assert.Empty(DigestEvents.Of(new() { Current = 512 }, unwatched: null));

    [Fact]
    public void Where_nothing_can_be_written_that_is_one_problem()
    {
        DigestState state = new() { Current = 500, Problem = "no right", Refused = [new(7, "no right"), new(8, "no right")] };
        Assert.Equal("12 shards of the node digest cannot be written: no right", Assert.Single(DigestEvents.Of(state, null)).Text);
    }

    // What is known of writing is from before.
    [Fact]
    public void What_cannot_be_watched_is_one_problem_whatever_was_written_before()
    {
        DigestState state = new() { Current = 511, Problem = "no right", Refused = [new(7, "too large")] };
        Problem problem = Assert.Single(DigestEvents.Of(state, "shards cannot be watched: no right"));
        Assert.Equal("DigestNotWatched", problem.Rule);
        Assert.StartsWith("the node digest is not up to date: shards cannot be watched: no right. ", problem.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_shard_that_is_refused_is_an_Event_of_the_Lease()
    {
        Api.Objects.Put("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"hostgw-digest"}}""");
        using EventWriter writer = new(
            Connect(), "node1", new(_time, () => 0, _log), () => 0, _time, new Typed<EventWriter>(_log))
        {
            Subject = DigestEvents.Subject,
        };
        await writer.StartAsync(TestContext.Current.CancellationToken);
        Problem[] problems = [.. DigestEvents.Of(new() { Current = 510, Refused = [new(7, "too large"), new(8, "too large")] }, null)];
        writer.Record(problems, isAll: true);
        await _time.AwaitedAsync(EventPace.Settle);
        _time.Advance(EventPace.Settle);
        await EventuallyAsync(() => Api.Events.Length == 2, "two Events");

        JsonNode sent = Api.Events.Select(e => JsonNode.Parse(e)!).MinBy(e => (string)e["message"]!, StringComparer.Ordinal)!;
        Assert.Equal(
            ("hostgw-digest", "Lease", "coordination.k8s.io/v1", "hostgw-digest", "hostgw-digest", "DigestShardRefused"),
            ((string)sent["metadata"]!["namespace"]!, (string)sent["involvedObject"]!["kind"]!, (string)sent["involvedObject"]!["apiVersion"]!,
            (string)sent["involvedObject"]!["name"]!, (string)sent["involvedObject"]!["namespace"]!, (string)sent["reason"]!));
        Assert.StartsWith(
            "hostgw-nodes-007 cannot be written, agents keep its nodes as they were: too large. To do: ", (string)sent["message"]!,
            StringComparison.Ordinal);
        await writer.StopAsync(TestContext.Current.CancellationToken);
    }
}
