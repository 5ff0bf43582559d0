using System.Text.Json.Nodes;
using HostGw.Chart.Tests.Policy;

namespace HostGw.Chart.Tests;

/// <summary>What the admission policy lets an agent's token do to a node's status.</summary>
public sealed class PolicyTests
{
    private const string Agent = "system:serviceaccount:hostgw-system:hostgw";
    private const string OtherCondition = "hostgw may change the condition NetworkUnavailable, no other";
    private const string OtherField = "hostgw may change nothing of a node's status but a condition";
    private const string OtherNode = "hostgw may patch the node it runs on, no other";
    private const string Metadata = "hostgw may not change the metadata of a node";

    private static readonly PolicyJudge Policy = new("hostgw", "config.networkUnavailable.clear=true");

    [Theory]
    [InlineData("""{"conditions":[{"type":"Ready","status":"True"},{"type":"NetworkUnavailable","status":"False"}]}""", "allowed")]
    [InlineData("""{"conditions":[{"type":"Ready","status":"True"}]}""", "allowed")]
    [InlineData("""{"conditions":[{"type":"Ready","status":"False"},{"type":"NetworkUnavailable","status":"True"}]}""", OtherCondition)]
    [InlineData("""{"conditions":[{"type":"NetworkUnavailable","status":"False"}]}""", OtherCondition)]
    [InlineData("""{"conditions":[{"type":"Ready","status":"True"},{"type":"DiskPressure","status":"True"},{"type":"NetworkUnavailable","status":"False"}]}""", OtherCondition)]
    [InlineData("""{"capacity":{"cpu":"64"}}""", OtherField)]
    [InlineData("""{"capacity":null}""", OtherField)]
    [InlineData("""{"addresses":[{"type":"InternalIP","address":"192.0.2.66"}]}""", OtherField)]
    public void Of_the_status_only_the_one_condition_may_change(string change, string answer) =>
        Assert.Equal(answer, Judge(Request(Agent, "node-1", "node-1"), change: Merge("status", change)));

    [Theory]
    [InlineData("""{"labels":{"node-role.kubernetes.io/control-plane":""}}""")]
    [InlineData("""{"annotations":{"hostgw.io/next-hop":"192.0.2.66"}}""")]
    [InlineData("""{"finalizers":["hostgw.io/never"]}""")]
    [InlineData("""{"ownerReferences":[{"kind":"Pod","name":"x"}]}""")]
    public void Metadata_stays(string change) =>
        Assert.Equal(Metadata, Judge(Request(Agent, "node-1", "node-1"), change: Merge("metadata", change)));

    [Fact]
    public void A_node_without_any_condition_may_get_the_first()
    {
        JsonObject before = Node();
        before.Remove("status");
        Assert.Equal("allowed", Judge(
            Request(Agent, "node-1", "node-1"), before, n => n["status"] = JsonNode.Parse("""{"conditions":[{"type":"NetworkUnavailable","status":"False"}]}""")));
    }

    [Theory]
    [InlineData("node-1", "allowed")]
    [InlineData("node-2", OtherNode)]
    [InlineData(null, OtherNode)]
    public void Only_the_node_that_the_token_names_may_be_patched(string? tokenNode, string answer) =>
        Assert.Equal(answer, Judge(Request(Agent, "node-1", tokenNode), change: _ => { }));

    [Fact]
    public void Others_are_not_concerned() =>
        Assert.Equal("not concerned", Judge(Request("system:node:node-1", "node-1", null), change: Merge("status", """{"capacity":{"cpu":"64"}}""")));

    private static string Judge(JsonObject request, JsonObject? before = null, Action<JsonObject>? change = null)
    {
        JsonObject oldObject = before ?? Node(), after = (JsonObject)oldObject.DeepClone();
        change!(after);
        return Assert.Single(Policy.Ask(new JsonObject { ["request"] = request, ["object"] = after, ["oldObject"] = oldObject }));
    }

    private static JsonObject Request(string user, string node, string? tokenNode) => new()
    {
        ["operation"] = "UPDATE",
        ["name"] = node,
        ["userInfo"] = new JsonObject
        {
            ["username"] = user,
            ["extra"] = tokenNode is null ? [] : new JsonObject { ["authentication.kubernetes.io/node-name"] = new JsonArray(tokenNode) },
        },
    };

    private static JsonObject Node() => (JsonObject)JsonNode.Parse(
        """
        {"metadata":{"name":"node-1","labels":{"a":"b"}},"spec":{"podCIDR":"10.1.0.0/24"},
         "status":{"capacity":{"cpu":"2"},"conditions":[{"type":"Ready","status":"True"},{"type":"NetworkUnavailable","status":"True"}]}}
        """)!;

    // A null takes the field away.
    private static Action<JsonObject> Merge(string part, string change) => node =>
    {
        foreach ((string name, JsonNode? value) in (JsonObject)JsonNode.Parse(change)!)
        {
            node[part]!.AsObject().Remove(name);
            if (value is not null)
                node[part]![name] = value.DeepClone();
        }
    };
}
