using System.Text.Json.Nodes;
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
        using var client = new RawClient(server) { Accept = accept };
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

    // A real API server's list of 5,000 nodes is half as large as protobuf as it is as JSON for curl, which is given it indented.
    [Fact]
    public async Task Realistic_nodes_are_half_as_large_as_indented_json()
    {
        Api.Nodes.Put(NodeFactory.Cluster(10, realistic: true));
        string json = (await Client.GetAsync(Nodes)).Text;
        int indented = JsonNode.Parse(json)!.ToJsonString(new() { WriteIndented = true }).Length;
        Client.Accept = MediaType;
        int protobuf = (await Client.GetAsync(Nodes)).Text.Length;
        Assert.InRange(protobuf, indented * 45 / 100, indented * 60 / 100);
        Assert.True(protobuf < json.Length);
    }
}
