using System.Text.Json.Nodes;
using HostGw.FakeApi;
using HostGw.FakeApi.Encoders;

namespace HostGw.Tests.FakeApi;

public sealed class TableTests : FakeApiTest
{
    private const string AsTable = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

    [Theory]
    [InlineData(119, "119s")]
    [InlineData(120, "2m")]
    [InlineData(200, "3m20s")]
    [InlineData(25 * 60, "25m")]
    [InlineData((3 * 3600) + (12 * 60), "3h12m")]
    [InlineData(20 * 3600, "20h")]
    [InlineData((4 * 86400) + (3 * 3600), "4d3h")]
    [InlineData(40 * 86400, "40d")]
    [InlineData(760 * 86400, "2y30d")]
    [InlineData(3300L * 86400, "9y")]
    public void Ages_are_written_as_kubectl_writes_them(long seconds, string expected) =>
        Assert.Equal(expected, Cells.Short(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public async Task A_list_becomes_a_table_of_the_same_nodes()
    {
        Api.Nodes.Put(new NodeSpec("a") { Labels = new Dictionary<string, string> { ["node-role.kubernetes.io/z"] = "", ["node-role.kubernetes.io/b"] = "" } });
        Api.Nodes.PutRaw("b", "no JSON");
        Client.Accept = AsTable;
        JsonObject table = (await Client.GetAsync("/api/v1/nodes")).Json;
        Assert.Equal("Table", (string?)table["kind"]);
        Assert.Equal("Name", (string?)table["columnDefinitions"]![0]!["name"]);
        Assert.Equal("b,z", (string?)table["rows"]![0]!["cells"]![2]);
        Assert.Equal("a", (string?)table["rows"]![0]!["object"]!["metadata"]!["name"]);
        Assert.Equal(2, table["rows"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_watch_sends_the_columns_only_once()
    {
        PutNodes("a", "b");
        Client.Accept = AsTable;
        using WatchReader watch = await Client.WatchAsync("");
        Assert.NotEmpty((await watch.NextAsync())!.Object["columnDefinitions"]!.AsArray());
        Assert.Empty((await watch.NextAsync())!.Object["columnDefinitions"]!.AsArray());
    }

    [Theory]
    [InlineData("application/yaml", 406)]
    [InlineData("application/vnd.kubernetes.protobuf,application/json", 200)]
    [InlineData("*/*", 200)]
    public async Task Other_types_are_refused_or_passed_over(string accept, int code)
    {
        Client.Accept = accept;
        Assert.Equal(code, (await Client.GetAsync("/api/v1/nodes")).Code);
    }
}
