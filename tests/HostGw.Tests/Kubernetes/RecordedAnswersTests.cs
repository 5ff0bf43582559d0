using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;
using HostGw.FakeApi;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Nodes;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Kubernetes;

/// <summary>What a real API server once sent, byte by byte, and what the reflector makes of it: nodes, and its next requests.</summary>
public sealed partial class RecordedAnswersTests
{
    private const string N1 = "n1 10.244.2.0/24,fd00:10:244:2::/64 172.30.0.11,fd00:30::11";
    private const string N2 = "n2 10.244.0.0/24,fd00:10:244::/64 172.30.0.12,fd00:30::12";
    private const string N3 = "n3 10.244.1.0/24,fd00:10:244:1::/64 172.30.0.13,fd00:30::13";
    private const string Made = "made1 10.244.77.0/24 ";

    private const string SecondPage = "page limit=500&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MzM5LCJzdGFydCI6Ii9uMlx1MDAwMCJ9";

    // 332 is below what any of these tests has seen.
    private static readonly Answer Timeline = Answer.Recorded("own-node-metadata.protobuf");

    [Fact]
    public async Task A_streaming_list_is_taken_at_its_bookmark_and_each_event_after_it()
    {
        await using AnswerServer server = new(Answer.Recorded("streaming-list.protobuf", AnswerEnd.Open));
        await using NodeFollower follower = Follow(server);
        await EventuallyAsync(() => follower.Store.ResourceVersion == "400", server);

        Assert.Equal(
            [[N1, N2, N3], [Made, N1, N2, N3], [Made + "172.30.0.77", N1, N2, N3], [N1, N2, N3]],
            follower.Announced.Select(Lines));
        Assert.Equal(
            "n1 uid=16257a6f-29bc-426b-9115-79e52ec16084 at=1795913680 cidrs=10.244.2.0/24,fd00:10:244:2::/64 int=172.30.0.11,fd00:30::11",
            NodeText.Text(follower.Announced[0].Nodes[0]));
        Assert.Equal("9f4ca9ce-1391-44e2-a50c-757f181c56f9", follower.Announced[2].Nodes[0].Uid);
        Assert.Equal(["streaming list from 0"], Steps(server));
    }

    [Fact]
    public async Task Where_streaming_lists_are_off_pages_follow_at_once_and_then_a_watch()
    {
        await using AnswerServer server = new(
            Answer.Recorded("streaming-list-off.protobuf"), Answer.Recorded("page-1.protobuf"), Answer.Recorded("page-2.protobuf"),
            Answer.Recorded("watch.protobuf", AnswerEnd.Open));
        await using NodeFollower follower = Follow(server);
        await EventuallyAsync(() => follower.Store.ResourceVersion == "381", server);

        Assert.Equal([[N1, N2, N3], [Made, N1, N2, N3], [Made + "172.30.0.77", N1, N2, N3], [N1, N2, N3]], follower.Announced.Select(Lines));
        Assert.Equal(["streaming list from 0", "page limit=500&resourceVersion=0", SecondPage, "watch from 339"], Steps(server));
        Assert.Equal(0, follower.Watcher.Health.Failures);
    }

    [Theory]
    [InlineData("watch-expired.protobuf")]
    [InlineData("watch-expired-bookmarks.protobuf")]
    public async Task A_watch_from_a_compacted_version_is_listed_again_from_there(string expired)
    {
        await using AnswerServer server = new(
            Answer.Recorded("streaming-list-off.protobuf"), Answer.Recorded("list.protobuf"), Answer.Recorded(expired),
            Answer.Recorded("page-1.protobuf"), Answer.Recorded("page-2.protobuf"));
        await using NodeFollower follower = Follow(server);
        await EventuallyAsync(() => server.Requests.Length == 6, server);

        Assert.Equal([[N1, N2, N3]], follower.Announced.Select(Lines));
        Assert.Equal(
            ["streaming list from 0", "page limit=500&resourceVersion=0", "watch from 338",
                "page limit=500&resourceVersion=338&resourceVersionMatch=NotOlderThan", SecondPage, "watch from 339"],
            Steps(server));
        Assert.Contains("Information 106 The API server no longer has resource version 338: listing again", follower.Log.Take());
    }

    [Fact]
    public async Task An_error_within_a_watch_is_listed_again_as_a_streaming_list()
    {
        byte[] error = Answer.Recorded("watch-expired.protobuf").Body;
        await using AnswerServer server = new(
            Answer.Watch([.. ListOnly(), .. error]), Answer.Recorded("streaming-list-own-node.protobuf", AnswerEnd.Open));
        await using NodeFollower follower = Follow(server);
        await EventuallyAsync(() => follower.Store.ResourceVersion == "400", server);
        Assert.Equal([[N1, N2, N3], [N1]], follower.Announced.Select(Lines));
        Assert.Equal(["streaming list from 0", "streaming list from 381"], Steps(server));
    }

    // A kube-apiserver refuses a streaming list by an event, as it reports an expired version (cacher.go, newErrWatcher). None was recorded.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_version_that_is_not_reached_is_checked_asked_for_three_times_and_then_listed_by_quorum(bool isEvent)
    {
        Answer tooLarge = isEvent
            ? Answer.Watch(
                NodeProtobuf.Error(Encoding.UTF8.GetString(Answer.Recorded("list-future-version.json").Body)), AnswerEnd.Whole)
            : Answer.Recorded("list-future-version.protobuf");
        await using AnswerServer server = new(
            Answer.Watch([.. ListOnly(), .. Answer.Recorded("watch-expired.protobuf").Body]), tooLarge, Timeline.With("332", "381"),
            tooLarge, tooLarge, tooLarge, Answer.Recorded("page-1.protobuf"), Answer.Recorded("page-2.protobuf"));
        await using NodeFollower follower = Follow(server);
        await EventuallyAsync(() => server.Requests.Length == 9, server);

        Assert.Equal(
            ["streaming list from 0", "streaming list from 381", "timeline check of n1", "streaming list from 381", "streaming list from 381",
                "streaming list from 381", "page limit=500", SecondPage, "watch from 339"],
            Steps(server));
        Assert.Equal([0, 1], follower.Announced.Select(s => s.QuorumReads));
        Assert.Equal(4, follower.Watcher.Health.Failures);
    }

    [Fact]
    public async Task A_watch_that_breaks_off_as_its_server_stops_is_resumed_after_a_timeline_check()
    {
        await using AnswerServer server = new(
            Answer.Recorded("streaming-list-off.protobuf"), Answer.Recorded("list.protobuf"),
            Answer.Recorded("watch-server-stops.protobuf", AnswerEnd.BrokenOff), Timeline.With("332", "372"));
        await using NodeFollower follower = Follow(server);
        await EventuallyAsync(() => server.Requests.Length == 5, server);

        Assert.Equal([[N1, N2, N3], ["late1 10.244.55.0/24 ", N1, N2, N3]], follower.Announced.Select(Lines));
        Assert.Equal(["watch from 338", "timeline check of n1", "watch from 372"], Steps(server)[2..]);
        Assert.Contains(follower.Log.Take(), line => line.StartsWith("Debug 105 The watch broke off: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_watch_that_ends_early_is_resumed_after_a_timeline_check()
    {
        await using AnswerServer server = new(Answer.Recorded("streaming-list.protobuf"), Timeline.With("332", "400"));
        await using NodeFollower follower = Follow(server);
        await EventuallyAsync(() => server.Requests.Length == 3, server);
        Assert.Equal(["streaming list from 0", "timeline check of n1", "watch from 400"], Steps(server));
        Assert.Equal(4, follower.Announced.Length);
    }

    [Theory]
    [InlineData("own-node-metadata.protobuf", "332")]
    [InlineData("restored-own-node-consistent.protobuf", "352")] // a server that sends whole objects where metadata was asked for
    public async Task A_store_that_went_back_is_listed_by_quorum_and_replaces_what_was_known(string timeline, string version)
    {
        await using AnswerServer server = new(
            Answer.Recorded("streaming-list.protobuf", AnswerEnd.BrokenOff), Answer.Recorded(timeline),
            Answer.Recorded("page-1.protobuf"), Answer.Recorded("page-2.protobuf"));
        await using NodeFollower follower = Follow(server);
        await EventuallyAsync(() => server.Requests.Length == 5, server);

        Assert.Equal(["timeline check of n1", "page limit=500", SecondPage, "watch from 339"], Steps(server)[1..]);
        Assert.Equal("339", follower.Store.ResourceVersion);
        Assert.Equal(1, follower.Announced[^1].QuorumReads);
        Assert.Contains(
            $"Warning 112 The API server's store went back from resource version 400 to {version} (restored from a backup?): listing again",
            follower.Log.Take());
    }

    [Fact]
    public async Task A_watch_from_the_future_which_says_nothing_is_checked_after_150_seconds()
    {
        ManualTime time = new();
        await using AnswerServer server = new(
            Answer.Recorded("streaming-list-off.protobuf"), Answer.Recorded("list.protobuf"),
            Answer.Recorded("restored-watch-future.protobuf", AnswerEnd.Open), Timeline,
            Answer.Recorded("page-1.protobuf"), Answer.Recorded("page-2.protobuf"));
        await using NodeFollower follower = new(server.Configuration, time, "n1");
        await time.AwaitedAsync(TimeSpan.FromSeconds(150));
        Assert.Equal("watch from 338", Steps(server)[^1]);

        time.Advance(TimeSpan.FromSeconds(150));
        await EventuallyAsync(() => time.Pending() is [var pause, ..] && pause <= TimeSpan.FromSeconds(1), server);
        time.Advance(TimeSpan.FromSeconds(1));
        await EventuallyAsync(() => server.Requests.Length == 7, server);
        Assert.Equal(["timeline check of n1", "page limit=500", SecondPage, "watch from 339"], Steps(server)[3..]);
    }

    [Fact]
    public async Task A_list_that_breaks_off_is_not_taken_and_pages_follow()
    {
        Answer whole = Answer.Recorded("list.protobuf");
        await using AnswerServer server = new(
            Answer.Watch(ListOnly()[..^60], AnswerEnd.BrokenOff), whole with { Body = whole.Body[..5000], End = AnswerEnd.BrokenOff },
            whole with { Body = whole.Body[..5000] }, whole, Timeline.With("332", "338"));
        await using NodeFollower follower = Follow(server);
        await EventuallyAsync(() => server.Requests.Length == 6, server);
        string page = "page limit=500&resourceVersion=0";
        Assert.Equal(["streaming list from 0", page, page, page, "timeline check of n1", "watch from 338"], Steps(server));
        Assert.Equal([[N1, N2, N3]], follower.Announced.Select(Lines));
    }

    // None was recorded: the head and Status of kube-apiserver while its watch cache is filled.
    [Fact]
    public async Task A_busy_server_is_asked_for_the_same_again_and_that_is_no_failure()
    {
        byte[] status = """
            {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"storage is (re)initializing",
             "reason":"TooManyRequests","code":429}
            """u8.ToArray();
        Answer busy = new(
            $"HTTP/1.1 429 Too Many Requests\nContent-Type: application/json\nRetry-After: 1\nContent-Length: {status.Length}\n", status);
        await using AnswerServer server = new(busy, busy, Answer.Recorded("streaming-list.protobuf", AnswerEnd.Open));
        await using NodeFollower follower = Follow(server);
        await EventuallyAsync(() => follower.Store.ResourceVersion == "400", server);
        Assert.Equal(["streaming list from 0", "streaming list from 0", "streaming list from 0"], Steps(server));
        Assert.Equal(0, follower.Watcher.Health.Failures);
    }

    [Theory]
    [InlineData("unauthorized.json", "The API server answered 401 Unauthorized: Unauthorized", true)]
    [InlineData("forbidden-anonymous.json", "The API server answered 403 Forbidden: nodes is forbidden", false)]
    [InlineData("not-acceptable.json", "The API server answered 406 NotAcceptable: 406: Not Acceptable", false)]
    public async Task A_refusal_is_reported_in_the_servers_words_and_a_list_follows(string refusal, string problem, bool isStreaming)
    {
        await using AnswerServer server = new(
            Answer.Recorded(refusal),
            isStreaming ? Answer.Recorded("streaming-list.protobuf", AnswerEnd.Open) : Answer.Recorded("list.protobuf"),
            Answer.Watch([]));
        await using NodeFollower follower = Follow(server);
        await EventuallyAsync(() => follower.Announced.Length > 0 && follower.Watcher.Health.Problem is null, server);
        Assert.Equal([N1, N2, N3], Lines(follower.Announced[0]));
        Assert.Contains(follower.Log.Take(), line => line.StartsWith("Warning 102 Cannot watch nodes: " + problem, StringComparison.Ordinal));
        Assert.Equal(1, follower.Watcher.Health.Failures);
    }

    // Pauses are short; the ten seconds of silence in a list are not.
    private static NodeFollower Follow(AnswerServer server) => new(server.Configuration, new FastTime(20, TimeSpan.FromSeconds(9)), "n1");

    // The recorded streaming list up to the bookmark at 381.
    private static byte[] ListOnly()
    {
        byte[] recorded = Recording.Read("streaming-list.protobuf").Body;
        int length = 0;
        for (int frame = 0; frame < 4; frame++)
            length += sizeof(int) + BinaryPrimitives.ReadInt32BigEndian(recorded.AsSpan(length));
        return recorded[..length];
    }

    private static string[] Lines(HostGw.Nodes.NodeSnapshot snapshot) =>
        [.. snapshot.Nodes.Select(n => $"{n.Name} {string.Join(',', n.PodCidrs)} {string.Join(',', n.InternalIPs)}")];

    /// <summary>The requests in words; how long a watch may last is random.</summary>
    private static string[] Steps(AnswerServer server) => [.. server.Requests.Select(Step)];

    private static string Step(string request) => Version().Match(request) is { Success: true } watch
        ? (watch.Groups[1].Length > 0 ? "streaming list from " : "watch from ") + watch.Groups[2]
        : request.Replace("/api/v1/nodes?fieldSelector=metadata.name%3D", "timeline check of ", StringComparison.Ordinal)
            .Replace("/api/v1/nodes?", "page ", StringComparison.Ordinal);

    private static async Task EventuallyAsync(Func<bool> holds, AnswerServer server)
    {
        for (int i = 0; i < 3000 && !holds(); i++)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.True(holds(), $"requests so far: {string.Join(", ", Steps(server))}");
    }

    [GeneratedRegex(
        @"^/api/v1/nodes\?watch=true&allowWatchBookmarks=true&timeoutSeconds=\d+" +
        @"(&sendInitialEvents=true&resourceVersionMatch=NotOlderThan)?&resourceVersion=(\d+)$")]
    private static partial Regex Version();
}
