using HostGw.Digest;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Hosting;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Reconciliation;
using Microsoft.Extensions.Logging;

namespace HostGw.Tests.Digest;

/// <summary>Whether the digest is alive, by its Lease; no clock of another host counts.</summary>
public sealed class DigestLeaseTests : FakeApiTest
{
    // With chance at its middle.
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    private readonly ManualTime _time = new();
    private readonly NodeStore _store = new();
    private readonly LogLines _log = new() { Least = LogLevel.Debug };

    private int _changes;

    private DigestHealth? Health => _store.Snapshot.Digest;

    [Fact]
    public async Task It_is_stale_when_two_readings_find_the_same_time_and_no_longer_when_it_is_renewed()
    {
        // Far in the past, and yet alive: that host's clock is wrong.
        Renew("2020-01-01T00:00:00.000000Z");
        using DigestLease lease = await StartAsync();
        Assert.Equal((new DateTimeOffset(2020, 1, 1, 0, 0, 0, default), null), (Health!.RenewedAt, Health.Stale));
        Renew("2020-01-01T00:05:00.000000Z");
        await PassAsync();
        Assert.Null(Health.Stale);
        int before = _changes;

        await PassAsync();
        Assert.Equal(("its Lease hostgw-digest was last renewed at 2020-01-01 00:05:00 UTC", before + 1), (Health.Stale, _changes));
        await PassAsync();
        Assert.Equal(before + 1, _changes);

        Renew("2020-01-01T00:20:00.000000Z");
        await PassAsync();
        Assert.Equal((null, before + 2), (Health.Stale, _changes));
    }

    [Fact]
    public async Task Without_a_Lease_it_is_stale_from_the_second_reading()
    {
        using DigestLease lease = await StartAsync();
        // No shard has been listed yet.
        Assert.Equal((null, true), (Health!.Stale, Health.IsPartial));
        await PassAsync();
        Assert.Equal("there is no Lease hostgw-digest in namespace hostgw-digest", Health.Stale);
    }

    [Fact]
    public async Task While_the_API_server_does_not_answer_nothing_is_concluded()
    {
        Renew("2026-01-01T00:00:00.000000Z");
        using DigestLease lease = await StartAsync();
        Api.Faults.HangRequests = true;
        _time.Advance(Period);
        await _time.AwaitedAsync(TimeSpan.FromSeconds(10));
        _time.Advance(TimeSpan.FromSeconds(10));
        await _time.AwaitedAsync(Period);

        Assert.Null(Health!.Stale);
        Assert.Contains(_log.Take(), l => l.Contains("no answer within 10 s", StringComparison.Ordinal));
    }

    // What the shards say of themselves stays.
    [Fact]
    public async Task It_changes_nothing_else_of_what_is_known_of_the_digest()
    {
        Renew("2026-01-01T00:00:00.000000Z");
        _store.UpdateDigest(_ => new([new("hostgw-nodes-007", "missing")], IsPartial: true, 42));
        using DigestLease lease = await StartAsync();
        Assert.Equal((1, true, 42UL), (Health!.Rejected.Length, Health.IsPartial, Health.Source));
    }

    // Another host renews it now, whose clock is behind that of the one before.
    [Fact]
    public async Task A_time_of_before_is_a_renewal_too()
    {
        Renew("2026-01-01T00:00:00.000000Z");
        using DigestLease lease = await StartAsync();
        Renew("2025-12-31T23:00:00.000000Z");
        await PassAsync();
        Assert.Null(Health!.Stale);
        await PassAsync();
        Assert.NotNull(Health.Stale);
    }

    [Theory]
    [InlineData(0, 240)]
    [InlineData(1, 360)]
    public async Task All_agents_do_not_read_it_at_once(double random, int seconds)
    {
        using DigestLease lease = await StartAsync(random, TimeSpan.FromSeconds(seconds));
        Assert.NotNull(Health);
    }

    private void Renew(string at) => Api.Objects.Put(
        $$$"""
        {"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"hostgw-digest","namespace":"hostgw-digest"},
         "spec":{"renewTime":"{{{at}}}"}}
        """);

    private async Task<DigestLease> StartAsync(double random = 0.5, TimeSpan? period = null)
    {
        DigestLease lease = new(Connect(), _store, () => _changes++, () => random, _time, new Typed<DigestLease>(_log));
        await lease.StartAsync(TestContext.Current.CancellationToken);
        await _time.AwaitedAsync(period ?? Period);
        return lease;
    }

    private async Task PassAsync()
    {
        _time.Advance(Period);
        await _time.AwaitedAsync(Period);
    }
}
