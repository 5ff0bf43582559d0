using System.Text;
using System.Text.Json;
using HostGw.Digest;
using HostGw.Kubernetes;
using HostGw.Status;
using HostGw.Tests.Reconciliation;
using HostGw.Tests.Settings;

namespace HostGw.Tests.Status;

public class DigestPagesTests
{
    private readonly ManualTime _time = new();
    private readonly DigestPages _pages;
    private DigestView _view = new(new(), null);

    public DigestPagesTests() => _pages = new(() => _view, "0.1.0+abc", _time);

    private DigestState InOrder => new()
    {
        At = _time.GetUtcNow(),
        IsListed = true,
        WasComplete = true,
        Nodes = 5000,
        Source = "12345",
        Current = 511,
        Refused = [new(7, "it has \"too\" many bytes")],
        WrittenAt = _time.GetUtcNow(),
        Counts = new() { Written = 600, Conflict = 2, Behind = 3, TooLarge = 1, Refused = 4 },
    };

    [Fact]
    public void Metrics_are_those_of_the_alerts()
    {
        _view = new(InOrder, "no watch") { LeaseRenewedAt = _time.GetUtcNow() };
        Golden.Equal("tests/HostGw.Tests/Status/Golden/digest-metrics.txt", Body("/metrics"));
    }

    [Fact]
    public void What_is_not_known_yet_has_no_metric()
    {
        string metrics = Body("/metrics");
        Assert.Contains("hostgw_digest_shards{state=\"waiting\"} 512\n", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("timestamp", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("resource_version", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public void The_status_names_refused_shards_and_what_keeps_the_Lease()
    {
        _view = new(InOrder, null) { Labels = "pool,zone", LeaseHolder = "node1", LeaseProblem = "no right" };
        using JsonDocument status = JsonDocument.Parse(Body("/status"));
        JsonElement root = status.RootElement;
        Assert.Equal(
            ("0.1.0+abc", "12345", 5000, "pool,zone", true),
            (root.GetProperty("version").GetString(), root.GetProperty("source").GetString(), root.GetProperty("nodes").GetInt32(),
            root.GetProperty("labels").GetString(), root.GetProperty("ready").GetBoolean()));
        JsonElement shards = root.GetProperty("shards"), lease = root.GetProperty("lease");
        Assert.Equal((511, 0), (shards.GetProperty("current").GetInt32(), shards.GetProperty("waiting").GetInt32()));
        JsonElement refused = shards.GetProperty("refused")[0];
        Assert.Equal(
            ("hostgw-nodes-007", "it has \"too\" many bytes"),
            (refused.GetProperty("shard").GetString(), refused.GetProperty("reason").GetString()));
        Assert.Equal(
            ("node1", JsonValueKind.Null, "no right"),
            (lease.GetProperty("holder").GetString(), lease.GetProperty("renewedAt").ValueKind, lease.GetProperty("problem").GetString()));
    }

    [Fact]
    public void It_is_ready_once_all_shards_are_written_and_while_nothing_keeps_them_from_being_up_to_date()
    {
        _view = new(new(), null) { Obstacle = "the Nodes and the shards are not listed yet" };
        Assert.Equal((503, "the Nodes and the shards are not listed yet\n"), Answer("/readyz"));
        _view = new(new() { IsListed = true, Current = 500, Problem = "no namespace" }, null);
        Assert.Equal((503, "12 shards are not written yet: no namespace\n"), Answer("/readyz"));
        _view = new(InOrder with { Current = 500 }, null);
        Assert.Equal((200, "ok\n"), Answer("/readyz"));
        _view = new(InOrder, "no right") { Obstacle = "shards cannot be watched: no right" };
        Assert.Equal((503, "shards cannot be watched: no right\n"), Answer("/readyz"));
    }

    [Fact]
    public void A_watch_that_receives_nothing_is_named_as_in_readiness()
    {
        DateTimeOffset now = _time.GetUtcNow();
        ReflectorHealth silent = new(now - TimeSpan.FromMinutes(4), now - TimeSpan.FromMinutes(4), null, 0), live = new(now, now, null, 0);
        _view = DigestView.Of(InOrder, live, silent, now);
        using JsonDocument status = JsonDocument.Parse(Body("/status"));
        string problem = status.RootElement.GetProperty("watchProblem").GetString()!;
        Assert.StartsWith("nothing was received of the shards since ", problem, StringComparison.Ordinal);
        Assert.Equal((503, $"{problem}\n"), Answer("/readyz"));
        Assert.Contains("hostgw_digest_watch_problem 1\n", Body("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_healthy_while_the_writer_takes_turns()
    {
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal((200, "ok\n"), Answer("/healthz"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((503, "the digest has done nothing for 301 s\n"), Answer("/healthz"));
        _view = new(InOrder, null);
        Assert.Equal((200, "ok\n"), Answer("/healthz"));
    }

    [Theory]
    [InlineData("GET", "/", 404)]
    [InlineData("POST", "/status", 405)]
    public void Nothing_else_is_served(string method, string path, int status) =>
        Assert.Equal(status, _pages.Get(new(method, path, "", "localhost")).Status);

    private (int Status, string Body) Answer(string path)
    {
        HttpResponse response = _pages.Get(new("GET", path, "", "localhost"));
        return (response.Status, Encoding.UTF8.GetString(response.Body.Span));
    }

    private string Body(string path)
    {
        (int status, string body) = Answer(path);
        Assert.Equal(200, status);
        return body;
    }
}
