using System.Globalization;
using System.Text.Json.Nodes;
using HostGw.FakeApi;

namespace HostGw.Tests.FakeApi;

/// <summary>What an API server writes by itself is there without a test's doing, as a real one wrote it.</summary>
public sealed class PublishedObjectTests : FakeApiTest
{
    [Theory]
    [InlineData("endpointslice-kubernetes.json")]
    [InlineData("endpointslice-kubernetes.protobuf")]
    [InlineData("service-cidrs.json")]
    [InlineData("service-cidrs.protobuf")]
    public async Task It_is_the_recorded_object_but_for_the_address(string name)
    {
        Recording recorded = Recording.Read(name);
        Client.Accept = recorded.Accept;
        (string head, byte[] body) = await Client.SendRawAsync(HttpMethod.Get, recorded.Path, null, "");
        SortedDictionary<string, string> actual = AnswerFields.Normalised(AnswerFields.Of(recorded with { Head = head, Body = body }));
        foreach (string path in actual.Keys.ToArray())
            actual[path] = AsRecorded(actual[path]);
        Assert.Empty(AnswerFields.Differences(AnswerFields.Normalised(AnswerFields.Of(recorded)), actual));
    }

    [Theory]
    [InlineData("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", "EndpointSliceList")]
    [InlineData("/apis/discovery.k8s.io/v1/endpointslices", "EndpointSliceList")]
    [InlineData("/apis/networking.k8s.io/v1/servicecidrs", "ServiceCIDRList")]
    public async Task It_is_in_its_list(string path, string kind)
    {
        JsonNode list = (await Client.GetAsync(path)).Json;
        Assert.Equal(kind, (string?)list["kind"]);
        Assert.Equal("kubernetes", (string?)Assert.Single(list["items"]!.AsArray())!["metadata"]!["name"]);
    }

    [Fact]
    public async Task A_second_server_joins_the_addresses()
    {
        IPEndPoint address = new(IPAddress.Parse("127.0.0.2"), Api.Endpoints[0].Port);
        await using FakeApiServer second = await Api.StartPeerAsync(new() { Listen = [address] });
        JsonNode slice = JsonNode.Parse(Api.Objects.Get("EndpointSlice", "default", "kubernetes")!)!;
        Assert.Equal(["127.0.0.1", "127.0.0.2"], slice["endpoints"]!.AsArray().Select(e => (string?)e!["addresses"]![0]));
    }

    private string AsRecorded(string value) =>
        value == Api.Endpoints[0].Address.ToString() ? "172.30.0.1"
        : value == Api.Endpoints[0].Port.ToString(CultureInfo.InvariantCulture) ? "6443"
        : value;
}
