using System.Collections.Immutable;
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

/// <summary>When the addresses of the API servers are read, and what becomes of them when they cannot be.</summary>
/// <remarks>Nothing connects to them: the Service's address answers.</remarks>
public sealed class ApiServerAddressesTests : FakeApiTest
{
    private static readonly TimeSpan AfterList = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ManualTime _time = new();
    private readonly NodeStore _store = new();
    private readonly LogLines _log = new() { Least = LogLevel.Debug };

    private ApiClient? _client;
    private int _changes;

    [Fact]
    public async Task They_are_read_after_each_list_and_every_ten_minutes()
    {
        using ApiServerAddresses addresses = await StartAsync();
        Publish("10.0.0.5");
        Assert.Empty(Reads);
        await FirstListAsync(addresses);
        Assert.Equal("10.0.0.5:6443", Text(addresses));

        Publish("10.0.0.6");
        await PassAsync(Period);
        Assert.Equal("10.0.0.6:6443", Text(addresses));

        Publish("10.0.0.7");
        await ListAsync(addresses);
        Assert.Equal("10.0.0.7:6443", Text(addresses));
        Assert.Equal(3, Reads.Length);
        Assert.All(
            Reads, r => Assert.Equal("GET /apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes 200", r.ToString()));
    }

    [Fact]
    public async Task Each_change_wakes_a_pass_and_nothing_else_does()
    {
        using ApiServerAddresses addresses = await StartAsync();
        Publish("10.0.0.5");
        await FirstListAsync(addresses);
        Assert.Equal(1, _changes);
        await PassAsync(Period);
        Assert.Equal(1, _changes);
        Publish("10.0.0.6");
        await PassAsync(Period);
        Assert.Equal(2, _changes);
    }

    [Fact]
    public async Task Where_none_are_known_they_are_read_at_once_and_after_a_failure_in_a_minute()
    {
        Api.Faults.Answer(500, where: IsRead);
        using ApiServerAddresses addresses = await StartAsync();
        addresses.ReadSoon();
        await _time.AwaitedAsync(TimeSpan.FromMinutes(1));
        Assert.Single(Reads);

        Api.Faults.Clear();
        Publish("10.0.0.5");
        await PassAsync(TimeSpan.FromMinutes(1));
        Assert.Equal("10.0.0.5:6443", Text(addresses));
    }

    [Fact]
    public async Task A_pass_does_not_wait_for_the_file_and_another_follows_when_it_was_read()
    {
        Save("10.0.0.5:6443");
        using BlockedClock clock = new();
        using ApiServerAddresses addresses = await StartAsync(clock: clock);
        Assert.Empty(await Task.Run(() => addresses.ForPass).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        Assert.Equal(0, _changes);

        clock.Go.Set();
        await EventuallyAsync(() => Volatile.Read(ref _changes) > 0, "a pass follows");
        Assert.Equal(1, _changes);
        Assert.Equal("10.0.0.5:6443", string.Join(' ', addresses.ForPass));
    }

    [Fact]
    public async Task A_pass_with_saved_nodes_and_a_connection_wait_for_the_file()
    {
        Save("10.0.0.5:6443");
        using BlockedClock clock = new();
        using ApiServerAddresses addresses = await StartAsync(clock: clock);
        _store.Restore(new([.. Given.Nodes("self 10.244.1.0/24 10.0.0.1")], "1", _time.GetUtcNow(), default));
        Task<ImmutableArray<IPEndPoint>> pass = Task.Run(() => addresses.ForPass, TestContext.Current.CancellationToken);
        Task<ImmutableArray<IPEndPoint>> connection = Task.Run(() => addresses.Current, TestContext.Current.CancellationToken);
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.False(pass.IsCompleted || connection.IsCompleted);

        clock.Go.Set();
        Assert.Equal("10.0.0.5:6443", string.Join(' ', await pass));
        Assert.Equal("10.0.0.5:6443", string.Join(' ', await connection));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(500)]
    public async Task The_first_pass_waits_until_they_were_read_or_cannot_be(int code)
    {
        Publish("10.0.0.5");
        if (code > 0)
            Api.Faults.Answer(code, where: IsRead);
        using ApiServerAddresses addresses = await StartAsync();
        CompleteList();
        Assert.False(_store.Snapshot.IsComplete);

        addresses.ReadSoon();
        await _time.AwaitedAsync(code == 500 ? TimeSpan.FromMinutes(1) : Period);
        Assert.True(_store.Snapshot.IsComplete);
        Assert.Equal(1, _changes);
        Assert.Equal(code == 0 ? 1 : 0, addresses.ForPass.Length);
    }

    [Fact]
    public async Task A_server_that_does_not_say_holds_up_the_first_pass_no_longer_than_its_timeout()
    {
        using ApiServerAddresses addresses = await StartAsync();
        Api.Faults.HangRequests = true;
        CompleteList();
        addresses.ReadSoon();
        await _time.AwaitedAsync(Patience);
        Assert.False(_store.Snapshot.IsComplete);

        _time.Advance(Patience);
        await _time.AwaitedAsync(TimeSpan.FromMinutes(1));
        Assert.True(_store.Snapshot.IsComplete);
        Assert.Equal(1, _changes);
    }

    [Fact]
    public async Task With_saved_ones_the_first_pass_waits_for_no_reading_and_with_a_named_server_for_nothing()
    {
        Save("10.0.0.5:6443");
        using ApiServerAddresses addresses = await StartAsync();
        CompleteList();
        addresses.ReadSoon();
        await _time.AwaitedAsync(AfterList);
        Assert.True(_store.Snapshot.IsComplete);
        Assert.Empty(Reads);
        Assert.Equal(1, _changes);

        using ApiServerAddresses named = await StartAsync(isService: false);
        Assert.True(_store.Snapshot.IsComplete);
    }

    [Fact]
    public async Task While_the_file_cannot_be_read_the_first_pass_goes_by_what_the_server_says()
    {
        Publish("10.0.0.5");
        using BlockedClock clock = new();
        using ApiServerAddresses addresses = await StartAsync(clock: clock);
        CompleteList();
        addresses.ReadSoon();
        for (int i = 0; i < 6000 && !_store.Snapshot.IsComplete; i++)
            await Task.Delay(10, TestContext.Current.CancellationToken);
        Assert.True(_store.Snapshot.IsComplete);
        Assert.Equal("10.0.0.5:6443", string.Join(' ', addresses.ForPass));
    }

    [Fact]
    public async Task An_unchanged_slice_gives_the_same_array()
    {
        Publish("10.0.0.5");
        using ApiServerAddresses addresses = await StartAsync();
        await FirstListAsync(addresses);
        ImmutableArray<IPEndPoint> before = addresses.Current;
        await PassAsync(Period);
        Assert.True(before == addresses.Current);
        Assert.Single(_log.Take());
    }

    [Theory]
    [InlineData(403)]
    [InlineData(404)]
    public async Task Without_the_right_or_the_slice_there_are_none_and_the_log_is_silent(int code)
    {
        Save("10.0.0.4:6443");
        using ApiServerAddresses addresses = await StartAsync();
        Publish("10.0.0.5");
        await ListAsync(addresses);
        if (code == 403)
            Api.Faults.Forbid(IsRead);
        else
            Api.Objects.Delete("EndpointSlice", "default", "kubernetes");
        await PassAsync(Period);
        Assert.Equal("", Text(addresses));
        Assert.All(_log.Take(), line => Assert.StartsWith("Debug", line, StringComparison.Ordinal));

        Api.Faults.Clear();
        Publish("10.0.0.6");
        await PassAsync(Period);
        Assert.Equal("10.0.0.6:6443", Text(addresses));
    }

    [Theory]
    [InlineData("500")]
    [InlineData("429")]
    [InlineData("garbage")]
    [InlineData("cut")]
    [InlineData("silent")]
    [InlineData("another type")]
    [InlineData("9 MB")]
    public async Task After_any_other_failure_they_stay_and_are_read_at_the_next_occasion(string failure)
    {
        Publish("10.0.0.5");
        using ApiServerAddresses addresses = await StartAsync();
        await FirstListAsync(addresses);
        await FailAsync(failure);
        Assert.Equal("10.0.0.5:6443", Text(addresses));
        Assert.All(_log.Take(), line => Assert.StartsWith("Debug", line, StringComparison.Ordinal));

        Api.Faults.Clear();
        Publish("10.0.0.6");
        await PassAsync(Period);
        Assert.Equal("10.0.0.6:6443", Text(addresses));
    }

    [Fact]
    public async Task Of_a_huge_slice_sixteen_are_used()
    {
        Publish([.. Enumerable.Range(0, 20_000).Select(i => $"10.1.{i / 250}.{i % 250}")]);
        using ApiServerAddresses addresses = await StartAsync();
        await FirstListAsync(addresses);
        Assert.True(addresses.Current.Length == 16, string.Join("\n", _log.Take()));
    }

    [Fact]
    public async Task This_nodes_pods_are_no_API_servers()
    {
        Publish("10.244.1.7", "10.244.2.7");
        using ApiServerAddresses addresses = await StartAsync();
        _store.Restore(new([.. Given.Nodes("self 10.244.1.0/24 10.0.0.1")], "1", default, default));
        await FirstListAsync(addresses);
        Assert.Equal("10.244.2.7:6443", Text(addresses));
    }

    [Fact]
    public async Task Until_they_were_read_the_saved_ones_are_used()
    {
        Save("127.0.0.1:6443", "10.244.1.7:6443", "10.0.0.5:6443");
        using ApiServerAddresses addresses = await StartAsync();
        Assert.Equal("10.0.0.5:6443", Text(addresses));

        Api.Faults.Answer(500, where: IsRead);
        await ListAsync(addresses);
        Assert.Equal("10.0.0.5:6443", Text(addresses));

        Publish("10.0.0.6");
        await PassAsync(Period);
        Assert.Equal("10.0.0.6:6443", Text(addresses));
    }

    [Fact]
    public async Task A_damaged_file_gives_none()
    {
        Save("10.0.0.5:6443");
        File.AppendAllText(Folder["nodes"], "x");
        using ApiServerAddresses addresses = await StartAsync();
        Assert.Equal("", Text(addresses));
        Assert.Empty(_log.Take());
    }

    [Fact]
    public async Task A_server_that_was_named_is_the_only_one()
    {
        Save("10.0.0.5:6443");
        Publish("10.0.0.6");
        using ApiServerAddresses addresses = await StartAsync(isService: false);
        addresses.ReadSoon();
        await addresses.ExecuteTask!;
        Assert.Equal("", Text(addresses));
        Assert.Empty(Reads);
    }

    private RequestRecord[] Reads => [.. Api.Requests.Where(IsRead)];

    private static bool IsRead(RequestRecord request) => request.Path.Contains("endpointslices", StringComparison.Ordinal);

    private static string Text(ApiServerAddresses addresses) => string.Join(' ', addresses.Current);

    private async Task<ApiServerAddresses> StartAsync(bool isService = true, TimeProvider? clock = null)
    {
        Api.WriteServiceAccount(Folder["sa"]);
        var configuration = ApiConfiguration.InClusterConfig(
            "127.0.0.1", $"{Api.Uri.Port}", Folder["sa"], isService ? null : Api.Uri.ToString());
        _client = Owned(ApiVerbs.Client(configuration));
        ApiServerAddresses addresses = new(
            _client, _store, new(Folder[""], NodeSelector.Everything), "self", clock ?? _time, new Typed<ApiServerAddresses>(_log))
        {
            Changed = () => Interlocked.Increment(ref _changes),
        };
        await addresses.StartAsync(TestContext.Current.CancellationToken);
        // Which of the file and the first list comes first is no matter of chance.
        if (clock is null)
            _ = addresses.Current;
        return addresses;
    }

    private void CompleteList()
    {
        _store.BeginList();
        _store.CompleteList("1");
    }

    // Where none were saved.
    private async Task FirstListAsync(ApiServerAddresses addresses)
    {
        addresses.ReadSoon();
        await _time.AwaitedAsync(Period);
    }

    private async Task ListAsync(ApiServerAddresses addresses)
    {
        addresses.ReadSoon();
        await PassAsync(AfterList);
    }

    // Until it waits for the next occasion.
    private async Task PassAsync(TimeSpan time)
    {
        await _time.AwaitedAsync(time);
        _time.Advance(time);
        await _time.AwaitedAsync(Period);
    }

    private async Task FailAsync(string failure)
    {
        switch (failure)
        {
            case "garbage":
                Api.Faults.AnswerGarbage(where: IsRead);
                break;
            case "cut":
                Api.Faults.Truncate(20, where: IsRead);
                break;
            case "silent":
                Api.Faults.HangRequests = true;
                await _time.AwaitedAsync(Period);
                _time.Advance(Period);
                await PassAsync(Patience);
                return;
            case "another type":
                Put("""{"ports":"none","endpoints":[]}""");
                break;
            case "9 MB":
                Put($$"""{"ports":[{"port":6443}],"endpoints":[{"addresses":["10.0.0.9"],"hostname":"{{new string('x', 9_000_000)}}"}]}""");
                break;
            default:
                Api.Faults.Answer(int.Parse(failure, System.Globalization.CultureInfo.InvariantCulture), where: IsRead);
                break;
        }
        await PassAsync(Period);
    }

    private void Publish(params string[] addresses)
    {
        string endpoints = string.Join(',', addresses.Select(a => $"{{\"addresses\":[\"{a}\"]}}"));
        Put($$"""{"ports":[{"name":"https","port":6443}],"endpoints":[{{endpoints}}]}""");
    }

    private void Put(string content) => Api.Objects.Put(
        string.Concat("""{"kind":"EndpointSlice","metadata":{"name":"kubernetes","namespace":"default"},""", content.AsSpan(1)));

    private void Save(params string[] addresses)
    {
        SavedNodes nodes = new([.. Given.Nodes("self 10.244.1.0/24 10.0.0.1")], "7", _time.GetUtcNow(), default);
        new SavedNodesFile(Folder[""], NodeSelector.Everything).Write(nodes with { ApiServers = [.. addresses.Select(IPEndPoint.Parse)] });
    }

    // The age of the file is asked for before it is read.
    private sealed class BlockedClock : TimeProvider, IDisposable
    {
        public ManualResetEventSlim Go { get; } = new();

        public override DateTimeOffset GetUtcNow()
        {
            Go.Wait();
            return new ManualTime().GetUtcNow();
        }

        public void Dispose() => Go.Set();
    }
}
