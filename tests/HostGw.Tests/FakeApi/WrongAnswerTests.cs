using HostGw.FakeApi;

namespace HostGw.Tests.FakeApi;

public sealed class WrongAnswerTests : FakeApiTest
{
    private const string Nodes = "/api/v1/nodes";

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
        RawClient client = NewClient(Version.Parse(version));
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
}
