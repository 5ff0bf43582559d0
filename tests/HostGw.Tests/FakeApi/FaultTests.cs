using System.Net.Sockets;
using HostGw.FakeApi;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.FakeApi;

public sealed class FaultTests : FakeApiTest
{
    private const string Nodes = "/api/v1/nodes", Streaming = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan";

    [Fact]
    public async Task Stopped_it_refuses_and_started_again_it_answers_on_the_same_port()
    {
        PutNodes("a");
        await Client.GetAsync(Nodes);
        int port = Api.Endpoints[0].Port;
        await Api.StopListeningAsync();
        HttpRequestException refused = await Assert.ThrowsAsync<HttpRequestException>(() => Client.GetAsync(Nodes));
        Assert.Equal(SocketError.ConnectionRefused, (refused.InnerException as SocketException)?.SocketErrorCode);

        PutNodes("b");
        await Api.StartListeningAsync();
        Assert.Equal(port, Api.Endpoints[0].Port);
        Assert.Equal(["a", "b"], (await Client.GetAsync(Nodes)).Names);
    }

    [Fact]
    public async Task A_cut_resets_open_connections()
    {
        using WatchReader watch = await Client.WatchAsync("");
        Api.CutConnections();
        Exception broken = await Assert.ThrowsAnyAsync<IOException>(watch.NextAsync);
        Assert.Equal(SocketError.ConnectionReset, Chain(broken).OfType<SocketException>().FirstOrDefault()?.SocketErrorCode);
        await EventuallyAsync(() => Api.OpenWatches == 0, "the server forgot the watch");
        Assert.Equal(200, (await Client.GetAsync(Nodes)).Code);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Hanging_says_nothing_until_it_is_over(bool connections)
    {
        Api.Faults.HangConnections = connections;
        Api.Faults.HangRequests = !connections;
        Task<Answer> waiting = Client.GetAsync(Nodes);
        await EventuallyAsync(() => Api.OpenConnections == 1 && (connections || Api.Requests.Length == 1), "it was accepted");
        Assert.False(waiting.IsCompleted);
        Api.Faults.Clear();
        Assert.Equal(200, (await waiting).Code);
    }

    [Fact]
    public async Task A_frozen_watch_tells_everything_once_thawed()
    {
        PutNodes("a");
        using WatchReader watch = await Client.WatchAsync($"resourceVersion={Api.ResourceVersion}");
        Api.Faults.FreezeWatches = true;
        PutNodes("b", "c");
        Task<string[]> next = watch.TakeAsync(2);
        Assert.Equal(3, (await Client.GetAsync(Nodes)).Names.Length); // other requests are served meanwhile
        Assert.False(next.IsCompleted);
        Api.Faults.FreezeWatches = false;
        Assert.Equal(["ADDED b", "ADDED c"], await next);
    }

    [Theory]
    [InlineData(429, "TooManyRequests", 7)]
    [InlineData(413, "RequestEntityTooLarge", null)]
    public async Task A_write_is_refused_as_often_as_planned(int code, string reason, int? seconds)
    {
        const string path = "/api/v1/namespaces/default/configmaps", body = """{"metadata":{"name":"a"}}""";
        TimeSpan? after = seconds is { } s ? TimeSpan.FromSeconds(s) : null;
        Api.Faults.Answer(code, times: 1, after, request => request.Method == "POST");
        Assert.Equal(200, (await Client.GetAsync(path)).Code);
        Answer refused = await Client.SendAsync(HttpMethod.Post, path, body);
        Assert.Equal((code, reason, after), (refused.Code, refused.Reason, refused.RetryAfter));
        Assert.Equal(201, (await Client.SendAsync(HttpMethod.Post, path, body)).Code);
    }

    [Fact]
    public async Task Lists_wait_for_a_seat_and_who_waits_too_long_is_told_to_come_again()
    {
        ManualTime time = new();
        await using FakeApiServer api = await FakeApiServer.StartAsync(new() { ListsAtOnce = 1, Time = time });
        api.Nodes.Put(NodeFactory.Cluster(10));
        using var client = new RawClient(api);
        api.Faults.BytesPerSecond = 1;
        Task<Answer> slow = client.GetAsync(Nodes);
        await EventuallyAsync(() => api.Sent("nodes").Lists == 1, "the first is sent");
        Task<Answer> waiting = client.GetAsync(Nodes), late = client.GetAsync($"{Nodes}?watch=1&{Streaming}");
        await EventuallyAsync(() => time.Pending().Length == 2, "two wait");
        Assert.Equal(200, (await client.GetAsync($"{Nodes}?fieldSelector=metadata.name=none")).Code); // of one object
        time.Advance(TimeSpan.FromSeconds(15));
        foreach (Answer refused in await Task.WhenAll(waiting, late))
            Assert.Equal((429, TimeSpan.FromSeconds(1)), (refused.Code, refused.RetryAfter));
        api.Faults.BytesPerSecond = 0;
        Assert.Equal(200, (await slow).Code);
        Assert.Equal(200, (await client.GetAsync(Nodes)).Code);
    }

    [Fact]
    public async Task A_slow_server_takes_its_time()
    {
        Api.Nodes.Put(NodeFactory.Cluster(10));
        Api.Faults.BytesPerSecond = 40_000;
        Api.Faults.Latency = TimeSpan.FromMilliseconds(200);
        DateTime start = DateTime.UtcNow;
        Answer list = await Client.GetAsync(Nodes);
        // At least: 20 KB at 40 KB a second after 200 ms. How much longer is the machine's affair.
        Assert.True(DateTime.UtcNow - start > TimeSpan.FromMilliseconds(500), "it was too fast");
        Assert.Equal(10, list.Names.Length);
    }

    private static IEnumerable<Exception> Chain(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
            yield return error;
    }
}
