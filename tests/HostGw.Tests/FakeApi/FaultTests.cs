using System.Net.Sockets;
using HostGw.FakeApi;

namespace HostGw.Tests.FakeApi;

public sealed class FaultTests : FakeApiTest
{
    private const string Nodes = "/api/v1/nodes";

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

    [Fact]
    public async Task Planned_answers_come_so_often_and_only_where_asked()
    {
        Api.Faults.Answer(429, times: 2, retryAfter: TimeSpan.FromSeconds(7), where: r => r.IsNodeList);
        Assert.Equal(200, (await Client.GetAsync("/api/v1/namespaces")).Code);
        Answer first = await Client.GetAsync(Nodes);
        Assert.Equal((429, "TooManyRequests", TimeSpan.FromSeconds(7)), (first.Code, first.Reason, first.RetryAfter));
        Assert.Equal(429, (await Client.GetAsync(Nodes)).Code);
        Assert.Equal(200, (await Client.GetAsync(Nodes)).Code);
    }

    [Fact]
    public async Task Garbage_is_200_and_no_JSON()
    {
        Api.Faults.AnswerGarbage();
        Answer answer = await Client.GetAsync(Nodes);
        Assert.Equal((200, false), (answer.Code, answer.IsJson));
        Assert.True((await Client.GetAsync(Nodes)).IsJson);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_list_can_break_off_in_the_middle_or_seem_to_end_there(string version)
    {
        Api.Nodes.Put(NodeFactory.Cluster(100));
        ApiClient client = NewClient(Version.Parse(version));
        Api.Faults.Truncate(100_000, cleanEnd: true);
        Answer shortened = await client.GetAsync(Nodes);
        Assert.Equal((100_000, false), (shortened.Text.Length, shortened.IsJson));

        Api.Faults.Truncate(100_000);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.GetAsync(Nodes));
        Assert.Equal(100, (await client.GetAsync(Nodes)).Names.Length);
    }

    [Fact]
    public async Task Lists_can_lie()
    {
        PutNodes("a");
        NodeSnapshot past = Api.Nodes.Snapshot();
        PutNodes("b");

        Api.Faults.ListsFrom = past;
        Answer old = await Client.GetAsync(Nodes);
        Assert.Equal(["a"], old.Names);
        Assert.Equal($"{past.ResourceVersion}", old.Revision);

        Api.Faults.Clear();
        Api.Faults.EmptyLists = true;
        Answer empty = await Client.GetAsync(Nodes);
        Assert.Empty(empty.Names);
        Assert.Equal($"{Api.ResourceVersion}", empty.Revision);
    }

    [Fact]
    public async Task Events_can_be_lost_and_come_twice()
    {
        PutNodes("a");
        using WatchReader watch = await Client.WatchAsync($"resourceVersion={Api.ResourceVersion}");
        Api.Faults.DropEvents(1);
        PutNodes("lost", "b");
        Assert.Equal(["ADDED b"], await watch.TakeAsync(1));
        Api.Faults.DuplicateEvents = true;
        PutNodes("c");
        Assert.Equal(["ADDED c", "ADDED c"], await watch.TakeAsync(2));
    }

    [Fact]
    public async Task Open_watches_can_end_or_expire()
    {
        using WatchReader ended = await Client.WatchAsync("");
        Api.EndWatches();
        Assert.Null(await ended.NextAsync());

        using WatchReader expired = await Client.WatchAsync("");
        Api.ExpireWatches();
        Assert.Equal(410, (int?)(await expired.NextAsync())!.Object["code"]);
        Assert.Null(await expired.NextAsync());

        using WatchReader later = await Client.WatchAsync("timeoutSeconds=1");
        Assert.Null(await later.NextAsync());
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
