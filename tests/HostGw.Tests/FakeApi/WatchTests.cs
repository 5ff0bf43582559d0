using HostGw.FakeApi;

namespace HostGw.Tests.FakeApi;

public sealed class WatchTests : FakeApiTest
{
    private const string OnlyB = "fieldSelector=metadata.name=b";

    protected override FakeApiOptions Options => new() { BookmarkPeriod = TimeSpan.FromMilliseconds(300), HistoryCapacity = 8 };

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_watch_sends_what_happened_since_its_revision_and_then_what_happens(string version)
    {
        PutNodes("a");
        long from = Api.ResourceVersion;
        PutNodes("b");
        using WatchReader watch = await NewClient(Version.Parse(version)).WatchAsync($"resourceVersion={from}");
        Assert.Equal(["ADDED b"], await watch.TakeAsync(1));

        Api.Nodes.Heartbeat("b");
        Api.Nodes.Delete("a");
        Assert.Equal("MODIFIED b", $"{await watch.NextAsync()}");
        WatchFrame deleted = (await watch.NextAsync())!;
        Assert.Equal("DELETED a", $"{deleted}");
        Assert.Equal(Api.ResourceVersion, deleted.Revision);
    }

    [Fact]
    public async Task Without_a_revision_it_begins_with_what_is_there()
    {
        PutNodes("a", "b");
        using WatchReader watch = await Client.WatchAsync("");
        Assert.Equal(["ADDED a", "ADDED b"], await watch.TakeAsync(2));
    }

    [Fact]
    public async Task A_write_that_changes_nothing_is_no_event()
    {
        PutNodes("a");
        using WatchReader watch = await Client.WatchAsync($"resourceVersion={Api.ResourceVersion}");
        Api.Nodes.Patch("a", """{"metadata":{"labels":{"kubernetes.io/os":"linux"}}}""");
        PutNodes("z");
        Assert.Equal(["ADDED z"], await watch.TakeAsync(1));
    }

    [Fact]
    public async Task Compacted_history_is_an_ERROR_event_with_410()
    {
        PutNodes("a");
        long from = Api.ResourceVersion;
        Api.CompactHistory();
        using WatchReader watch = await Client.WatchAsync($"resourceVersion={from}");
        WatchFrame error = (await watch.NextAsync())!;
        Assert.Equal(("ERROR", 410, "Expired"), (error.Type, (int)error.Object["code"]!, (string)error.Object["reason"]!));
        Assert.Null(await watch.NextAsync());
    }

    [Fact]
    public async Task History_is_as_long_as_its_capacity()
    {
        PutNodes("a");
        long from = Api.ResourceVersion;
        for (int i = 0; i < 8; i++)
            PutNodes($"b{i}");
        using WatchReader whole = await Client.WatchAsync($"resourceVersion={from}");
        Assert.Equal("ADDED b0", $"{await whole.NextAsync()}");
        using WatchReader tooOld = await Client.WatchAsync($"resourceVersion={from - 1}");
        Assert.Equal("ERROR", $"{await tooOld.NextAsync()}");
    }

    [Fact]
    public async Task Bookmarks_carry_the_last_revision_seen()
    {
        PutNodes("a");
        long from = Api.ResourceVersion;
        using WatchReader watch = await Client.WatchAsync($"resourceVersion={from}&allowWatchBookmarks=true");
        WatchFrame first = (await watch.NextAsync())!;
        Assert.Equal(("BOOKMARK", from), (first.Type, first.Revision));
        Api.Nodes.Heartbeat("a");
        while ((await watch.NextAsync())!.Type != "MODIFIED")
            continue; // a bookmark may have been on its way
        WatchFrame second = (await watch.NextAsync())!;
        Assert.Equal(("BOOKMARK", from + 1), (second.Type, second.Revision));
    }

    [Fact]
    public async Task A_streaming_list_ends_with_a_bookmark_that_says_so()
    {
        PutNodes("a", "b");
        using WatchReader watch = await Client.WatchAsync("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
        Assert.Equal(["ADDED a", "ADDED b"], await watch.TakeAsync(2));
        WatchFrame end = (await watch.NextAsync())!;
        Assert.Equal("true", (string?)end.Object["metadata"]!["annotations"]!["k8s.io/initial-events-end"]);
        Assert.Equal(Api.ResourceVersion, end.Revision);
    }

    [Fact]
    public async Task A_streaming_list_from_the_future_is_an_ERROR_event_with_504()
    {
        using WatchReader watch = await Client.WatchAsync(
            $"sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion={Api.ResourceVersion + 10}");
        WatchFrame error = (await watch.NextAsync())!;
        Assert.Equal(("ERROR", 504, "Timeout"), (error.Type, (int)error.Object["code"]!, (string)error.Object["reason"]!));
        Assert.Equal("ResourceVersionTooLarge", (string?)error.Object["details"]!["causes"]![0]!["reason"]);
        Assert.Null(await watch.NextAsync());
    }

    [Fact]
    public async Task Streaming_lists_can_lie_like_others()
    {
        const string Query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
        PutNodes("a");
        Api.Faults.ListsFrom = Api.Nodes.Snapshot();
        PutNodes("b");
        using WatchReader past = await Client.WatchAsync(Query);
        Assert.Equal(["ADDED a", "BOOKMARK", "ADDED b"], await past.TakeAsync(3));

        Api.Faults.Clear();
        Api.Faults.EmptyLists = true;
        using WatchReader empty = await Client.WatchAsync(Query);
        Assert.Equal(["BOOKMARK"], await empty.TakeAsync(1));
    }

    [Fact]
    public async Task Where_streaming_lists_are_unknown_an_ordinary_watch_begins()
    {
        await using FakeApiServer old = await FakeApiServer.StartAsync(new() { StreamingLists = StreamingLists.Ignored, BookmarkPeriod = TimeSpan.FromMilliseconds(50) });
        old.Nodes.Put(new NodeSpec("a"));
        using var client = new RawClient(old);
        using WatchReader watch = await client.WatchAsync("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=0");
        Assert.Equal(["ADDED a"], await watch.TakeAsync(1));
        Assert.Null((await watch.NextAsync())!.Object["metadata"]!["annotations"]);
    }

    [Fact]
    public async Task It_ends_in_good_order_after_timeoutSeconds()
    {
        using WatchReader watch = await Client.WatchAsync("timeoutSeconds=1");
        Assert.Null(await watch.NextAsync());
        await EventuallyAsync(() => Api.OpenWatches == 0, "the watch is closed");
    }

    [Fact]
    public async Task With_a_selector_an_object_comes_and_goes_as_it_begins_and_ceases_to_match()
    {
        PutNodes("a", "b");
        using WatchReader watch = await Client.WatchAsync($"resourceVersion={Api.ResourceVersion}&labelSelector=zone=x");
        Api.Nodes.Patch("a", """{"metadata":{"labels":{"zone":"x"}}}""");
        Api.Nodes.Heartbeat("b");
        Api.Nodes.Heartbeat("a");
        Api.Nodes.Patch("a", """{"metadata":{"labels":{"zone":"y"}}}""");
        Api.Nodes.Patch("b", """{"metadata":{"labels":{"zone":"x"}}}""");
        Api.Nodes.Delete("b");
        Assert.Equal(["ADDED a", "MODIFIED a", "DELETED a", "ADDED b", "DELETED b"], await watch.TakeAsync(5));
    }

    [Fact]
    public async Task One_node_can_be_watched_by_name()
    {
        PutNodes("a", "b");
        using WatchReader watch = await Client.WatchAsync($"resourceVersion={Api.ResourceVersion}&fieldSelector=metadata.name=b");
        Api.Nodes.Heartbeat("a");
        Api.Nodes.Heartbeat("b");
        Assert.Equal(["MODIFIED b"], await watch.TakeAsync(1));
    }

    [Fact]
    public async Task A_watch_of_one_node_hears_of_the_others_by_bookmarks_alone()
    {
        PutNodes("a", "b");
        using WatchReader watch = await Client.WatchAsync($"resourceVersion={Api.ResourceVersion}&{OnlyB}&allowWatchBookmarks=true");
        long others = Api.Nodes.Heartbeat("a");
        WatchFrame first = (await watch.NextAsync())!, second = (await watch.NextAsync())!;
        Assert.Equal(("BOOKMARK", "BOOKMARK"), (first.Type, second.Type)); // the first may have been on its way
        Assert.Equal(others, second.Revision);
        Assert.Equal(0, Api.Sent("nodes").Events);
    }

    [Fact]
    public async Task A_watch_of_one_node_is_silent_until_a_restored_store_has_passed_what_it_saw()
    {
        PutNodes("a", "b");
        StoreSnapshot snapshot = Api.TakeSnapshot();
        using WatchReader watch = await Client.WatchAsync($"resourceVersion={Api.ResourceVersion}&{OnlyB}&allowWatchBookmarks=true");
        Api.Nodes.Heartbeat("a");
        long seen = Api.Nodes.Heartbeat("a");
        await watch.NextAsync(); // this bookmark may have been on its way
        Assert.Equal(seen, (await watch.NextAsync())!.Revision);
        Api.Restore(snapshot);
        Api.Nodes.Heartbeat("b");
        Task<WatchFrame?> next = watch.NextAsync();
        await Task.Delay(600, TestContext.Current.CancellationToken);
        Assert.False(next.IsCompleted);
        Api.Nodes.Heartbeat("a");
        Assert.Equal(seen + 1, Api.Nodes.Heartbeat("b"));
        WatchFrame frame = (await next)!;
        while (frame.Type == "BOOKMARK")
            frame = (await watch.NextAsync())!;
        Assert.Equal(("MODIFIED b", seen + 1), ($"{frame}", frame.Revision));
    }

    [Fact]
    public async Task Every_watcher_gets_every_event_in_order()
    {
        PutNodes("a");
        string from = $"resourceVersion={Api.ResourceVersion}";
        WatchReader[] watches = [await Client.WatchAsync(from), await Client.WatchAsync(from), await Client.WatchAsync(from)];
        Assert.Equal(3, Api.OpenWatches);
        long[] revisions = [.. Enumerable.Range(0, 200).Select(_ => Api.Nodes.Heartbeat("a"))];
        foreach (WatchReader watch in watches)
        {
            foreach (long revision in revisions)
                Assert.Equal(revision, (await watch.NextAsync())!.Revision);
            watch.Dispose();
        }
    }
}
