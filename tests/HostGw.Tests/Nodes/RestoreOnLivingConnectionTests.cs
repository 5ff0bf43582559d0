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
        string[] requests = await FollowAsync(100_000, 99_999);
        Assert.True(requests.Length > 3, string.Join('\n', requests));
        Assert.Contains("watch=true", requests[2], StringComparison.Ordinal);
        Assert.Contains("fieldSelector=metadata.name", Uri.UnescapeDataString(requests[3]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(100_000, 100_000)]
    [InlineData(100_000, 100_001)]
    public async Task In_order_nothing_is_asked(long first, long second) => Assert.Equal(3, (await FollowAsync(first, second)).Length);

    private static async Task<string[]> FollowAsync(long first, long second)
    {
        byte[] events =
        [
            .. NodeProtobuf.Bookmark(first, isEnd: false),
            .. NodeProtobuf.Frame("ADDED", $$"""{"metadata":{"name":"new","uid":"u","resourceVersion":"{{second}}"} }"""),
        ];
        await using AnswerServer server = new([NoStreaming, List, Answer.Watch(events), List]);
        await using NodeFollower follower = new(server.Configuration, node: "n1");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (server.Requests.Length < 3)
            await Task.Delay(20, patience.Token);
        // The watch is given up for less than a second.
        await Task.Delay(1500, TestContext.Current.CancellationToken);
        return server.Requests;
    }
}
