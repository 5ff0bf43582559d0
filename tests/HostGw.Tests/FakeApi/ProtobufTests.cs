using HostGw.FakeApi;

namespace HostGw.Tests.FakeApi;

public sealed class ProtobufTests : FakeApiTest
{
    private const string Nodes = "/api/v1/nodes";
    private const string MediaType = "application/vnd.kubernetes.protobuf";

    [Theory]
    [InlineData(MediaType, true, MediaType)]
    [InlineData(MediaType + ", application/json", true, MediaType)]
    [InlineData("application/json, " + MediaType, true, "application/json")]
    [InlineData("*/*", true, "application/json")]
    [InlineData(MediaType + ", application/json", false, "application/json")]
    public async Task Nodes_come_in_the_first_encoding_that_is_spoken(string accept, bool protobuf, string expected)
    {
        await using FakeApiServer server = await FakeApiServer.StartAsync(new() { Protobuf = protobuf });
        using var client = new ApiClient(server) { Accept = accept };
        Assert.Equal(expected, (await client.GetAsync(Nodes)).ContentType);
        Assert.Equal(expected, (await client.GetAsync(Nodes + "/none")).ContentType); // 404, a Status
    }

    [Fact]
    public async Task A_watch_says_that_it_is_a_stream()
    {
        Client.Accept = MediaType;
        Assert.Equal(MediaType + "; stream=watch", (await Client.GetAsync(Nodes + "?watch=1&timeoutSeconds=1")).ContentType);
    }

    [Fact]
    public async Task Other_kinds_are_json()
    {
        Client.Accept = MediaType + ", application/json";
        Assert.Equal("application/json", (await Client.GetAsync("/api/v1/namespaces")).ContentType);
        Client.Accept = MediaType;
        Assert.Equal(406, (await Client.GetAsync("/api/v1/namespaces")).Code);
    }

    [Fact]
    public async Task Realistic_nodes_are_smaller_than_in_json()
    {
        Api.Nodes.Put(NodeFactory.Cluster(10, realistic: true));
        int json = (await Client.GetAsync(Nodes)).Text.Length;
        Client.Accept = MediaType;
        Assert.InRange((await Client.GetAsync(Nodes)).Text.Length, json * 4 / 10, json * 9 / 10);
    }
}
