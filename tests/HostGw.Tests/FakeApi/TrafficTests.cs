using HostGw.FakeApi;

namespace HostGw.Tests.FakeApi;

/// <summary>What the server says that it has sent is what arrived.</summary>
public sealed class TrafficTests : FakeApiTest
{
    private const string Nodes = "/api/v1/nodes";
    private const string Streaming = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";

    protected override FakeApiOptions Options => new() { PlainListen = [new(IPAddress.Loopback, 0), new(IPAddress.Parse("127.0.0.2"), 0)] };

    [Fact]
    public async Task Lists_are_counted_by_page_with_the_bytes_of_their_bodies()
    {
        PutNodes("a", "b", "c");
        Answer first = await Client.GetAsync($"{Nodes}?limit=2");
        Answer second = await Client.GetAsync($"{Nodes}?limit=2&continue={first.Continue}");
        await Client.GetAsync("/api/v1/namespaces");
        Sent sent = Api.Sent("nodes");
        Assert.Equal((2, first.Text.Length + second.Text.Length), (sent.Lists, sent.ListBytes));
        Assert.Equal((0, 0, sent.ListBytes), (sent.Watches, sent.OtherBytes, sent.Bytes));
        Assert.Equal(1, Api.Sent("namespaces").Lists);
    }

    [Fact]
    public async Task Lists_of_one_object_by_its_name_are_counted_by_themselves()
    {
        PutNodes("a", "b");
        Answer named = await Client.GetAsync($"{Nodes}?fieldSelector=metadata.name%3Da");
        Sent sent = Api.Sent("nodes");
        Assert.Equal((0, 0, 1, named.Text.Length), (sent.Lists, sent.ListBytes, sent.NamedLists, sent.OtherBytes));
    }

    [Fact]
    public async Task The_beginning_of_a_streaming_list_is_a_list_and_what_follows_events()
    {
        PutNodes("a", "b");
        using WatchReader watch = await Client.WatchAsync(Streaming), other = await Client.WatchAsync(Streaming);
        await watch.TakeAsync(3);
        await other.TakeAsync(3);
        Sent before = Api.Sent("nodes");
        Assert.Equal((2, 2, 0, 0), (before.Lists, before.Watches, before.Events, before.WatchBytes));
        Assert.Equal((0, before.ListBytes), (before.Bookmarks, before.Bytes));

        Api.Nodes.Heartbeat("a");
        string frame = (await watch.NextAsync())!.Json.ToJsonString();
        await other.NextAsync();
        Sent events = Api.Sent("nodes").Since(before);
        Assert.Equal((0, 0, 2), (events.Lists, events.ListBytes, events.Events));
        Assert.InRange(events.WatchBytes, 2 * frame.Length * 9 / 10, 2 * frame.Length * 11 / 10); // but for what is escaped otherwise
    }

    [Fact]
    public async Task Writes_are_counted_unless_they_are_refused()
    {
        const string path = "/api/v1/namespaces/default/configmaps", body = """{"metadata":{"name":"a"}}""";
        Assert.Equal(201, (await Client.SendAsync(HttpMethod.Post, path, body)).Code);
        Assert.Equal(409, (await Client.SendAsync(HttpMethod.Post, path, body)).Code);
        Assert.Equal(1, Api.Sent("configmaps").Writes);
    }

    [Fact]
    public async Task Without_TLS_it_serves_the_same_at_every_plain_address()
    {
        PutNodes("a");
        foreach (IPEndPoint endpoint in Api.PlainEndpoints)
        {
            using var client = new HttpClient { BaseAddress = new($"http://{endpoint}") };
            client.DefaultRequestHeaders.Authorization = new("Bearer", Api.Token);
            string list = await client.GetStringAsync(Nodes, TestContext.Current.CancellationToken);
            Assert.Contains("\"name\":\"a\"", list, StringComparison.Ordinal);
        }
        Assert.Equal(2, Api.PlainEndpoints.Count);
    }
}
