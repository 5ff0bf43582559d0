using System.Text.Json.Nodes;
using HostGw.Digest;
using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Hosting;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Nodes;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Digest;

public sealed class LeaseWriterTests : FakeApiTest, IAsyncDisposable
{
    private readonly LogLines _log = new();
    private readonly ManualTime _time = new();
    private readonly List<LeaseWriter> _writers = [];
    private ApiClient? _client;
    private volatile string? _obstacle;

    private JsonNode? Spec => Api.Objects.Get("Lease", "hostgw-digest", "hostgw-digest") is { } json ? JsonNode.Parse(json)!["spec"] : null;

    private string RenewTime => (string?)Spec?["renewTime"] ?? "";

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        foreach (LeaseWriter writer in _writers)
        {
            await writer.StopAsync(CancellationToken.None);
            Assert.False(writer.ExecuteTask?.IsFaulted, writer.ExecuteTask?.Exception?.ToString());
            writer.Dispose();
        }
        await DisposeAsync();
    }

    [Fact]
    public async Task It_is_made_and_then_renewed_every_minute()
    {
        LeaseWriter writer = await StartAsync("node1");
        await RenewedAsync("2026-01-02T03:04:05.000000Z");
        Assert.Equal(
            ("node1", 180, 0, RenewTime),
            ((string)Spec!["holderIdentity"]!, (int)Spec["leaseDurationSeconds"]!, (int)Spec["leaseTransitions"]!, (string)Spec["acquireTime"]!));
        for (int minute = 5; minute < 8; minute++)
        {
            await _time.AwaitedAsync(LeaseWriter.Period);
            _time.Advance(LeaseWriter.Period);
            await RenewedAsync($"2026-01-02T03:0{minute}:05.000000Z");
        }
        await EventuallyAsync(() => writer.RenewedAt == _time.GetUtcNow() && writer.Problem is null, "status");
        Assert.Equal("2026-01-02T03:04:05.000000Z", (string)Spec!["acquireTime"]!);
        Assert.Equal("Information 811 Renewing the Lease hostgw-digest as node1", Assert.Single(_log.Take()));
    }

    [Fact]
    public async Task While_there_is_an_obstacle_it_is_not_renewed_and_then_soon_again()
    {
        _obstacle = "the Nodes and the shards are not listed yet";
        LeaseWriter writer = await StartAsync("node1");
        await _time.AwaitedAsync(LeaseWriter.LookAgain);
        Assert.Empty(_log.Take());
        Assert.Null(Spec);
        _obstacle = null;
        _time.Advance(LeaseWriter.LookAgain);
        await RenewedAsync("2026-01-02T03:04:10.000000Z");
        await _time.AwaitedAsync(LeaseWriter.Period);

        _obstacle = "Nodes cannot be watched: no";
        _time.Advance(LeaseWriter.Period);
        await _time.AwaitedAsync(LeaseWriter.LookAgain);
        for (int i = 0; i < 20; i++)
        {
            _time.Advance(LeaseWriter.LookAgain);
            await _time.AwaitedAsync(LeaseWriter.LookAgain);
        }
        Assert.Equal("2026-01-02T03:04:10.000000Z", RenewTime);
        Assert.Equal(_obstacle, writer.Problem);
        Assert.Equal(
            [
                "Information 811 Renewing the Lease hostgw-digest as node1",
                "Warning 812 The Lease hostgw-digest is not renewed: Nodes cannot be watched: no",
            ],
            _log.Take());
    }

    [Fact]
    public async Task Another_holder_is_a_transition_and_two_may_renew_it()
    {
        await StartAsync("node1");
        await RenewedAsync("2026-01-02T03:04:05.000000Z");
        await _time.AwaitedAsync(LeaseWriter.Period);
        _time.Advance(TimeSpan.FromSeconds(10));
        await StartAsync("node2");
        await RenewedAsync("2026-01-02T03:04:15.000000Z");
        Assert.Equal(
            ("node2", 1, RenewTime), ((string)Spec!["holderIdentity"]!, (int)Spec["leaseTransitions"]!, (string)Spec["acquireTime"]!));
        _time.Advance(TimeSpan.FromSeconds(50));
        await RenewedAsync("2026-01-02T03:05:05.000000Z");
        Assert.Equal(("node1", 2), ((string)Spec!["holderIdentity"]!, (int)Spec["leaseTransitions"]!));
        Assert.DoesNotContain(_log.Take(), l => l.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_conflict_means_that_another_digest_has_renewed_it()
    {
        await StartAsync("node1");
        await RenewedAsync("2026-01-02T03:04:05.000000Z");
        await _time.AwaitedAsync(LeaseWriter.Period);
        Api.Faults.Answer(409, where: r => r.Method == "PUT");
        _time.Advance(LeaseWriter.Period);
        await _time.AwaitedAsync(LeaseWriter.Period);
        _time.Advance(LeaseWriter.Period);
        await RenewedAsync("2026-01-02T03:06:05.000000Z");
        Assert.Single(_log.Take());
    }

    [Fact]
    public async Task A_missing_right_is_named_and_tried_again_ever_later()
    {
        Api.Faults.Forbid(r => r.Method == "POST");
        LeaseWriter writer = await StartAsync("node1");
        await _time.AwaitedAsync(TimeSpan.FromSeconds(1));
        Assert.Contains("create and update /apis/coordination.k8s.io/v1/namespaces/hostgw-digest/leases", writer.Problem, StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromSeconds(1));
        await _time.AwaitedAsync(TimeSpan.FromSeconds(2));
        Api.Faults.Clear();
        _time.Advance(TimeSpan.FromSeconds(2));
        await RenewedAsync("2026-01-02T03:04:08.000000Z");
    }

    public static TheoryData<string, string?> Conditions => new()
    {
        { "in order", null },
        { "problem", "Nodes cannot be watched: the API server is away" },
        { "problem of the shards", "shards cannot be watched: no right" },
        { "not received", "the Nodes and the shards are not listed yet" },
        { "not listed", "the Nodes and the shards are not listed yet" },
        { "silent for 180 s", null },
        { "silent for 181 s", "nothing was received of the Nodes since 2026-01-02T03:01:04Z" },
        { "shards silent for 180 s", null },
        { "shards silent for 181 s", "nothing was received of the shards since 2026-01-02T03:01:04Z" },
        { "blocked for 2 min", null },
        { "blocked for longer", "shards cannot be written: no right" },
        { "too large", null },
    };

    [Theory]
    [MemberData(nameof(Conditions))]
    public void It_is_renewed_while_the_digest_follows_Nodes_and_shards_and_can_write(string condition, string? obstacle)
    {
        DateTimeOffset now = _time.GetUtcNow();
        ReflectorHealth health = new(now, now, null, 0), shards = health;
        DigestState state = new() { IsListed = true, Current = 512 };
        (health, state) = condition switch
        {
            "problem" => (health with { Problem = "the API server is away" }, state),
            "not received" => (default, state),
            "not listed" => (health, state with { IsListed = false }),
            "silent for 180 s" => (health with { ReceivedAt = now.AddSeconds(-180) }, state),
            "silent for 181 s" => (health with { ReceivedAt = now.AddSeconds(-181) }, state),
            "blocked for 2 min" => (health, state with { BlockedFor = TimeSpan.FromMinutes(2), Problem = "no right" }),
            "blocked for longer" => (health, state with { BlockedFor = TimeSpan.FromSeconds(121), Problem = "no right" }),
            "too large" => (health, state with { Refused = [new(7, "too large")] }),
            _ => (health, state),
        };
        shards = condition switch
        {
            "problem of the shards" => shards with { Problem = "no right" },
            "shards silent for 180 s" => shards with { ReceivedAt = now.AddSeconds(-180) },
            "shards silent for 181 s" => shards with { ReceivedAt = now.AddSeconds(-181) },
            _ => shards,
        };
        Assert.Equal(obstacle, LeaseCondition.Obstacle(health, shards, state, now));
    }

    private async Task<LeaseWriter> StartAsync(string holder)
    {
        if (_client is null)
        {
            Api.Objects.Put("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"hostgw-digest"}}""");
            _client = Connect();
        }
        LeaseWriter writer = new(_client, holder, () => _obstacle, () => 0, _time, new Typed<LeaseWriter>(_log));
        _writers.Add(writer);
        await writer.StartAsync(TestContext.Current.CancellationToken);
        return writer;
    }

    private Task RenewedAsync(string at) => EventuallyAsync(() => RenewTime == at, () => $"{at}, and not {RenewTime}");
}
