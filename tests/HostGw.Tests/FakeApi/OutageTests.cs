using System.Net.Sockets;
using HostGw.FakeApi;

namespace HostGw.Tests.FakeApi;

/// <summary>Outages of whole servers: restarts, restored stores, dead addresses, caches that lag.</summary>
public sealed class OutageTests : FakeApiTest
{
    private const string Nodes = "/api/v1/nodes";

    protected override FakeApiOptions Options => new()
    {
        Listen = [new(IPAddress.Loopback, 0), new(IPAddress.Parse("127.0.0.2"), 0)],
        BookmarkPeriod = TimeSpan.FromMilliseconds(50),
    };

    [Fact]
    public async Task One_connection_more_than_it_may_have_is_closed_at_once()
    {
        await using FakeApiServer small = await FakeApiServer.StartAsync(new() { MostConnections = 1 });
        using RawClient first = new(small), second = new(small);
        WatchReader watch = await first.WatchAsync("");
        await Assert.ThrowsAsync<HttpRequestException>(() => second.GetAsync(Nodes));
        watch.Dispose();
        await EventuallyAsync(() => small.OpenConnections == 0, "the first connection is closed");
        Assert.Equal(200, (await second.GetAsync(Nodes)).Code);
    }

    [Fact]
    public async Task A_restart_breaks_watches_off_and_makes_every_version_too_old()
    {
        PutNodes("a");
        long seen = Api.ResourceVersion;
        using WatchReader watch = await Client.WatchAsync($"resourceVersion={seen}");
        TaskCompletionSource away = new();
        Task restart = Api.RestartAsync(away.Task);
        HttpIOException broken = await Assert.ThrowsAsync<HttpIOException>(watch.NextAsync);
        Assert.Equal(HttpRequestError.ResponseEnded, broken.HttpRequestError);
        await Assert.ThrowsAsync<HttpRequestException>(() => Client.GetAsync(Nodes));
        away.SetResult();
        await restart;

        using WatchReader resumed = await Client.WatchAsync($"resourceVersion={seen}");
        WatchFrame error = (await resumed.NextAsync())!;
        Assert.Equal(("ERROR", 410), (error.Type, (int)error.Object["code"]!));
        Assert.Null(await resumed.NextAsync());
        Answer list = await Client.GetAsync(Nodes);
        using WatchReader again = await Client.WatchAsync($"resourceVersion={list.Revision}");
        PutNodes("b");
        Assert.Equal(["ADDED b"], await again.TakeAsync(1));
    }

    [Fact]
    public async Task A_restore_takes_contents_and_versions_back_and_ends_no_watch()
    {
        PutNodes("a");
        StoreSnapshot snapshot = Api.TakeSnapshot();
        PutNodes("b", "c");
        long seen = Api.ResourceVersion;
        using WatchReader watch = await Client.WatchAsync($"resourceVersion={seen}");
        Api.Restore(snapshot);
        Assert.Equal(snapshot.ResourceVersion, Api.ResourceVersion);
        Assert.Equal(["a"], (await Client.GetAsync(Nodes)).Names);
        Assert.Equal(504, (await Client.GetAsync($"{Nodes}?resourceVersion={seen}&resourceVersionMatch=NotOlderThan")).Code);

        using WatchReader future = await Client.WatchAsync($"resourceVersion={seen}&allowWatchBookmarks=true");
        PutNodes("d");
        Task<WatchFrame?>[] next = [watch.NextAsync(), future.NextAsync()];
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.DoesNotContain(next, n => n.IsCompleted);
        PutNodes("e", "f");
        Assert.Equal("ADDED f", (await next[0])!.ToString());
        // Once the store has reached the version that was seen, bookmarks are due again.
        WatchFrame frame = (await next[1])!;
        while (frame.Type == "BOOKMARK")
            frame = (await future.NextAsync())!;
        Assert.Equal("ADDED f", frame.ToString());
    }

    [Fact]
    public async Task A_restart_with_a_restored_store_is_silent_about_later_versions()
    {
        StoreSnapshot snapshot = Api.TakeSnapshot();
        PutNodes("a");
        long seen = Api.ResourceVersion;
        await Api.RestartAsync(restored: snapshot);
        using WatchReader watch = await Client.WatchAsync($"resourceVersion={seen}&timeoutSeconds=1&allowWatchBookmarks=true");
        Assert.Null(await watch.NextAsync());
        Assert.Empty((await Client.GetAsync(Nodes)).Names);
    }

    [Theory]
    [InlineData(Unreachable.Reset)]
    [InlineData(Unreachable.Silent)]
    public async Task One_address_dies_and_the_other_answers(Unreachable how)
    {
        using var other = new RawClient(Api, endpoint: Api.Endpoints[1]);
        using WatchReader lost = await Client.WatchAsync("");
        using WatchReader kept = await other.WatchAsync("");
        Api.MakeUnreachable(IPAddress.Loopback, how);
        await Assert.ThrowsAnyAsync<IOException>(lost.NextAsync);
        Task<Answer> refused = Client.GetAsync(Nodes);
        // HttpClient asks a new connection for its peer's address: of one that is already reset the socket says so, and nobody wraps that.
        if (how == Unreachable.Reset)
            Assert.True(await Assert.ThrowsAnyAsync<Exception>(() => refused) is HttpRequestException or SocketException);
        Assert.Equal(200, (await other.GetAsync(Nodes)).Code);
        PutNodes("a");
        Assert.Equal(["ADDED a"], await kept.TakeAsync(1));
        Assert.True(how == Unreachable.Reset || !refused.IsCompleted);
        Api.MakeReachable(IPAddress.Loopback);
        Assert.Equal(200, (await (how == Unreachable.Reset ? Client.GetAsync(Nodes) : refused)).Code);
    }

    [Theory]
    [InlineData("resourceVersion=0", 429)]
    [InlineData("", 429)]
    [InlineData("watch=1", 429)]
    [InlineData("watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan", 429)]
    [InlineData("fieldSelector=metadata.name%3Da", 429)]
    [InlineData("limit=500", 200)]
    public async Task While_the_cache_initializes_only_pages_are_answered(string query, int code)
    {
        Api.Faults.CacheInitializing = true;
        Answer answer = await Client.GetAsync($"{Nodes}?{query}");
        Assert.Equal((code, code == 429 ? TimeSpan.FromSeconds(1) : null), (answer.Code, answer.RetryAfter));
        if (code == 429)
            Assert.Equal("TooManyRequests", answer.Reason);
    }

    [Fact]
    public async Task A_second_server_lags_behind_the_same_store()
    {
        PutNodes("a");
        await using FakeApiServer second = await Api.StartPeerAsync(new() { BookmarkPeriod = TimeSpan.FromMilliseconds(50) });
        using var client = new RawClient(second);
        using WatchReader watch = await client.WatchAsync($"resourceVersion={Api.ResourceVersion}");
        second.StopCache();
        PutNodes("b");
        long newest = Api.ResourceVersion;

        Assert.Equal(["a"], (await client.GetAsync($"{Nodes}?resourceVersion=0")).Names);
        Assert.Equal(["a", "b"], (await client.GetAsync(Nodes)).Names);
        Assert.Equal(["a", "b"], (await Client.GetAsync($"{Nodes}?resourceVersion=0")).Names);
        Answer ahead = await client.GetAsync($"{Nodes}?resourceVersion={newest}&resourceVersionMatch=NotOlderThan");
        Assert.Equal((504, "ResourceVersionTooLarge"), (ahead.Code, (string?)ahead.Json["details"]!["causes"]![0]!["reason"]));
        using WatchReader future = await client.WatchAsync($"resourceVersion={newest}&timeoutSeconds=1&allowWatchBookmarks=true");
        Assert.Null(await future.NextAsync());
        using WatchReader list = await client.WatchAsync("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
        Assert.Equal(["ADDED a"], await list.TakeAsync(1));

        Task<string[]> missed = watch.TakeAsync(1), rest = list.TakeAsync(2);
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.False(missed.IsCompleted || rest.IsCompleted);
        second.ResumeCache();
        Assert.Equal(["ADDED b"], await missed);
        Assert.Equal(["ADDED b", "BOOKMARK"], await rest);
    }

    [Fact]
    public async Task Streaming_lists_are_turned_off_while_it_runs()
    {
        const string Query = $"{Nodes}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1";
        Assert.Equal(200, (await Client.GetAsync(Query)).Code);
        Api.StreamingLists = StreamingLists.Refused;
        Assert.Equal(422, (await Client.GetAsync(Query)).Code);
    }
}
