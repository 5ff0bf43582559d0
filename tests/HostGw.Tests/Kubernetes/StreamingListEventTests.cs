using HostGw.Tests.FakeApi;
using HostGw.Tests.Nodes;

namespace HostGw.Tests.Kubernetes;

/// <summary>What a server that is still catching up sends before the end of its streaming list.</summary>
public sealed class StreamingListEventTests
{
    private static readonly TimeSpan LongestSilenceInList = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Changes_before_the_end_are_applied_in_order_and_the_list_is_complete_only_at_the_end()
    {
        byte[][] changes =
        [
            Event("ADDED", "a", 5), Event("ADDED", "b", 6), Event("ADDED", "c", 7), Event("MODIFIED", "a", 8, "10.1.0.0/24"),
            Event("DELETED", "b", 9), Event("DELETED", "unknown", 10), Event("MODIFIED", "new", 11),
            Event("DELETED", "c", 12), Event("ADDED", "c", 13, "10.3.0.0/24", "u-later"),
            Event("DELETED", "c", 14), // late, about the first c
            Event("MODIFIED", "a", 15, "10.2.0.0/24"),
        ];
        TaskCompletionSource caughtUp = new();
        Answer list = Answer.Watch([.. changes.SelectMany(c => c)]);
        await using AnswerServer server = new(list with { When = caughtUp.Task, Rest = NodeProtobuf.Bookmark(20, isEnd: true) });
        RecordingTime time = new();
        await using NodeFollower follower = new(server.Configuration, time);

        await FakeApiTest.EventuallyAsync(() => time.Set.Count(t => t == LongestSilenceInList) == changes.Length, "every change is taken");
        Assert.False(follower.Store.Snapshot.IsComplete);
        Assert.Empty(follower.Announced);

        caughtUp.SetResult();
        await FakeApiTest.EventuallyAsync(() => follower.Announced.Length == 1, "the list is complete");
        Assert.Equal(
            ["a uid=u-a cidrs=10.2.0.0/24", "c uid=u-later cidrs=10.3.0.0/24", "new uid=u-new"],
            follower.Announced[0].Nodes.Select(NodeText.Text));
        Assert.Equal("20", follower.Store.ResourceVersion);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task An_end_without_a_resource_version_is_refused_and_pages_follow()
    {
        byte[] end = NodeProtobuf.Frame("BOOKMARK", """{"metadata":{"annotations":{"k8s.io/initial-events-end":"true"}}}""");
        await using AnswerServer server = new(Answer.Watch([.. Event("ADDED", "a", 5), .. end]), Answer.Recorded("list.protobuf"));
        await using NodeFollower follower = new(server.Configuration);
        await FakeApiTest.EventuallyAsync(() => server.Requests.Length == 3, "watches");

        Assert.Contains(
            "Warning 107 The watch failed: The API server ended a streaming list without a resource version",
            follower.Log.Take());
        Assert.EndsWith("?limit=500&resourceVersion=0", server.Requests[1], StringComparison.Ordinal);
        Assert.Equal(["n1", "n2", "n3"], Assert.Single(follower.Announced).Nodes.Select(n => n.Name));
        Assert.EndsWith("&resourceVersion=338", server.Requests[2], StringComparison.Ordinal);
    }

    private static byte[] Event(string type, string name, int version, string podCidr = "", string? uid = null) =>
        NodeProtobuf.Frame(type, $$"""
            {"metadata":{"name":"{{name}}","uid":"{{uid ?? "u-" + name}}","resourceVersion":"{{version}}"},"spec":{"podCIDR":"{{podCidr}}"} }
            """);
}
