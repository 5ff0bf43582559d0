using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Hosting;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;
using Microsoft.Extensions.Logging;

namespace HostGw.Tests.Nodes;

/// <summary>When the ServiceCIDR objects are read, and what becomes of the service networks when they cannot be.</summary>
public sealed class ServiceCidrReaderTests : FakeApiTest
{
    private const string Both = "10.96.0.0/16 fd00:10:96::/112";

    private readonly ManualTime _time = new();
    private readonly NodeStore _store = new();
    private readonly LogLines _log = new() { Least = LogLevel.Debug };

    private int _wakes;

    [Fact]
    public async Task Both_families_are_known_before_the_first_pass()
    {
        using ServiceCidrReader reader = await StartAsync();
        List();
        Assert.False(_store.Snapshot.IsComplete);
        await ReadAsync(reader);
        Assert.True(_store.Snapshot.IsComplete);
        Assert.Equal(Both, Text());
        Assert.Equal(1, _wakes);
        Assert.Contains("10.96.0.0/16, fd00:10:96::/112", Assert.Single(_log.Take()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("thief 10.96.128.0/24 10.0.0.3", "10.96.0.0/16")]
    [InlineData("thief fd00:10:96::/112 fd00::3", "fd00:10:96::/112")]
    public async Task A_Node_that_claims_a_service_network_is_rejected(string thief, string network)
    {
        using ServiceCidrReader reader = await StartAsync();
        await ReadAsync(reader);
        PlanCache cache = new(Given.Policy(""));
        Plan plan = cache.Plan(Given.Nodes(Given.Self, thief), _store.Snapshot.ServiceCidrs, Given.Host(Given.Lan), Reachability.Off);
        Assert.Equal(
            $"overlaps the service CIDR {network}", Assert.Single(plan.Verdicts, v => v.Kind == VerdictKind.Rejected).Reason);
    }

    [Fact]
    public async Task They_are_read_after_each_list_and_every_ten_minutes()
    {
        using ServiceCidrReader reader = await StartAsync();
        await ReadAsync(reader);
        var before = _store.Snapshot;
        await PassAsync(ReadOccasions.Period);
        Assert.Same(before, _store.Snapshot);

        Add("more", "10.97.0.0/16");
        await PassAsync(ReadOccasions.Period);
        Assert.Equal("10.96.0.0/16 10.97.0.0/16 fd00:10:96::/112", Text());

        Api.Objects.Delete("ServiceCIDR", null, "more");
        reader.ReadSoon();
        await PassAsync(ReadOccasions.AfterList);
        Assert.Equal(Both, Text());
        Assert.Equal(3, _wakes);
    }

    [Fact]
    public async Task Without_the_right_one_line_says_so_and_routes_are_not_held_up()
    {
        Api.Faults.Forbid(IsRead);
        using ServiceCidrReader reader = await StartAsync();
        List();
        await ReadAsync(reader);
        await PassAsync(ReadOccasions.Period);
        Assert.True(_store.Snapshot.IsComplete);
        Assert.Equal("", Text());
        Assert.Contains("list servicecidrs", Assert.Single(_log.Take()), StringComparison.Ordinal);

        Api.Faults.Clear();
        await PassAsync(ReadOccasions.Period);
        Assert.Equal(Both, Text());
    }

    [Fact]
    public async Task A_server_without_such_objects_has_none_and_the_log_is_silent()
    {
        Api.Faults.Answer(404, where: IsRead);
        using ServiceCidrReader reader = await StartAsync();
        List();
        await ReadAsync(reader);
        Assert.True(_store.Snapshot.IsComplete);
        Assert.Equal("", Text());
        Assert.All(_log.Take(), line => Assert.DoesNotContain("Warning", line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(403)]
    public async Task What_is_known_stays_while_it_cannot_be_read(int code)
    {
        using ServiceCidrReader reader = await StartAsync();
        await ReadAsync(reader);
        Api.Faults.Answer(code, where: IsRead);
        await _time.AwaitedAsync(ReadOccasions.Period);
        _time.Advance(ReadOccasions.Period);
        TimeSpan next = code == 403 ? ReadOccasions.Period : TimeSpan.FromMinutes(1);
        await _time.AwaitedAsync(next);
        Assert.Equal(Both, Text());

        Api.Faults.Clear();
        Add("more", "10.97.0.0/16");
        _time.Advance(next);
        await _time.AwaitedAsync(ReadOccasions.Period);
        Assert.Equal("10.96.0.0/16 10.97.0.0/16 fd00:10:96::/112", Text());
    }

    [Fact]
    public async Task An_answer_that_never_comes_holds_routes_up_for_five_seconds()
    {
        using ServiceCidrReader reader = await StartAsync();
        List();
        Api.Faults.HangRequests = true;
        reader.ReadSoon();
        await _time.AwaitedAsync(TimeSpan.FromSeconds(5));
        Assert.False(_store.Snapshot.IsComplete);
        _time.Advance(TimeSpan.FromSeconds(5));
        await _time.AwaitedAsync(TimeSpan.FromMinutes(1));
        Assert.True(_store.Snapshot.IsComplete);
    }

    [Fact]
    public async Task Text_that_is_no_CIDR_is_left_out()
    {
        Put("kubernetes", """{"cidrs":["<none>","10.96.0.7/12","",null]}""");
        Put("empty", "null");
        using ServiceCidrReader reader = await StartAsync();
        await ReadAsync(reader);
        Assert.Equal("10.96.0.0/12", Text());
    }

    [Fact]
    public async Task A_start_without_the_API_server_uses_the_saved_ones()
    {
        SavedNodesFile file = new(Folder[""], NodeSelector.Everything);
        file.Write(new SavedNodes([.. Given.Nodes(Given.Self)], "1", _time.GetUtcNow(), default)
        {
            ServiceCidrs = Given.Prefixes("10.96.0.0/16,fd00:10:96::/112"),
        });
        using ServiceCidrReader reader = await StartAsync();
        Assert.True(_store.Restore(file.Read(_time.GetUtcNow())!));
        Assert.True(_store.Snapshot.IsComplete);
        Assert.Equal(Both, Text());
    }

    private static bool IsRead(RequestRecord request) => request.Path.Contains("servicecidrs", StringComparison.Ordinal);

    private string Text() => string.Join(' ', _store.Snapshot.ServiceCidrs);

    private void Add(string name, string cidr) => Put(name, $$"""{"cidrs":["{{cidr}}"]}""");

    private void Put(string name, string spec) => Api.Objects.Put(
        $$"""{"apiVersion":"networking.k8s.io/v1","kind":"ServiceCIDR","metadata":{"name":"{{name}}"},"spec":{{spec}} }""");

    private void List()
    {
        _store.BeginList();
        _store.CompleteList("7");
    }

    private async Task<ServiceCidrReader> StartAsync()
    {
        ServiceCidrReader reader = new(Connect(), _store, () => _wakes++, _time, new Typed<ServiceCidrReader>(_log));
        await reader.StartAsync(TestContext.Current.CancellationToken);
        return reader;
    }

    private async Task ReadAsync(ServiceCidrReader reader)
    {
        reader.ReadSoon();
        await _time.AwaitedAsync(ReadOccasions.Period);
    }

    private async Task PassAsync(TimeSpan time)
    {
        await _time.AwaitedAsync(time);
        _time.Advance(time);
        await _time.AwaitedAsync(ReadOccasions.Period);
    }
}
