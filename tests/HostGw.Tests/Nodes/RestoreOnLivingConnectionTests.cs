using HostGw.Tests.Kubernetes;

namespace HostGw.Tests.Nodes;

/// <summary>etcd was restored while the API server, and the connection to it, lived on: the watch goes on with lower versions.</summary>
public sealed class RestoreOnLivingConnectionTests
{
    private static readonly Answer NoStreaming = Answer.Recorded("streaming-list-off.protobuf");
    private static readonly Answer List = Answer.Recorded("list.protobuf");

    [Fact]
    public async Task An_event_that_is_older_than_one_before_it_brings_the_timeline_check_at_once()
    {
        await using AnswerServer server = Serve(100_000, 99_999);
        await using NodeFollower follower = new(server.Configuration, node: "n1");
        await EventuallyAsync(() => server.Requests.Length > 3, server);
        string[] requests = server.Requests;
        Assert.Contains("watch=true", requests[2], StringComparison.Ordinal);
        Assert.Contains("fieldSelector=metadata.name", Uri.UnescapeDataString(requests[3]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100_000, 100_000)]
    [InlineData(100_000, 100_001)]
    public async Task In_order_nothing_is_asked_and_the_same_watch_goes_on(long first, long second)
    {
        await using AnswerServer server = Serve(first, second);
        await using NodeFollower follower = new(server.Configuration, node: "n1");
        await EventuallyAsync(() => follower.Store.ResourceVersion == "100002", server);
        Assert.Equal(3, server.Requests.Length);
    }

    // A watch with a bookmark, a new node and a last bookmark.
    private static AnswerServer Serve(long first, long second) => new(
        NoStreaming,
        List,
        Answer.Watch(
        [
            .. NodeProtobuf.Bookmark(first, isEnd: false),
            .. NodeProtobuf.Frame("ADDED", $$"""{"metadata":{"name":"new","uid":"u","resourceVersion":"{{second}}"} }"""),
            .. NodeProtobuf.Bookmark(100_002, isEnd: false),
        ]),
        List);

    private static async Task EventuallyAsync(Func<bool> holds, AnswerServer server)
    {
        for (int i = 0; i < 3000 && !holds(); i++)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.True(holds(), string.Join('\n', server.Requests));
    }
}
