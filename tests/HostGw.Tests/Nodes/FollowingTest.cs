using HostGw.FakeApi;
using HostGw.Tests.FakeApi;

namespace HostGw.Tests.Nodes;

/// <summary>A watcher that follows a server which speaks as the class says.</summary>
public abstract class FollowingTest(StreamingLists streamingLists) : FakeApiTest
{
    protected override FakeApiOptions Options => new() { BookmarkPeriod = TimeSpan.FromMilliseconds(50), StreamingLists = streamingLists };

    internal RequestRecord[] Lists => [.. Api.Requests.Where(r => r.IsNodeList && r.Code != 422 && !IsTimelineCheck(r))];

    internal RequestRecord[] TimelineChecks => [.. Api.Requests.Where(IsTimelineCheck)];

    internal RequestRecord[] Watches => [.. Api.Requests.Where(r => r.IsWatch && r.Code != 422)];

    internal static bool IsTimelineCheck(RequestRecord request) => request.Query.Contains("fieldSelector=", StringComparison.Ordinal);

    internal async Task<NodeFollower> FollowAsync(string names, TimeProvider? time = null)
    {
        var follower = new NodeFollower(Api, time: time);
        await EventuallyAsync(() => follower.Store.Snapshot.IsComplete && follower.Names == names && Watches.Length > 0, $"the first list: '{names}'");
        return follower;
    }

    /// <summary>From a list of two over a join and a leave to the nodes a and c.</summary>
    internal async Task<NodeFollower> FollowChangesAsync()
    {
        PutNodes("b", "a");
        NodeFollower follower = await FollowAsync("a b");
        PutNodes("c");
        await EventuallyAsync(() => follower.Names == "a b c", "c joins");
        Api.Nodes.Delete("b");
        await EventuallyAsync(() => follower.Names == "a c", "b leaves");
        return follower;
    }

    /// <summary>Node a is deleted unheard while the watch expires; then only b is known.</summary>
    internal async Task MissDeletionAsync(NodeFollower follower)
    {
        Api.Faults.DropEvents(1);
        Api.Nodes.Delete("a");
        Api.ExpireWatches();
        await EventuallyAsync(() => follower.Names == "b", "a is gone");
    }
}
