using System.Text.Json.Nodes;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Nodes;
using HostGw.FakeApi.Patching;

namespace HostGw.Tests.FakeApi;

public class PatchTests
{
    [Theory]
    [InlineData("""{"a":1}""", """{"a":null,"b":{"c":2}}""", """{"b":{"c":2}}""")]
    [InlineData("""{"a":[1,2]}""", """{"a":[3]}""", """{"a":[3]}""")]
    [InlineData("""{"a":{"b":1,"c":2}}""", """{"a":{"b":null}}""", """{"a":{"c":2}}""")]
    [InlineData("""{"a":"x"}""", """{"a":{"b":{"c":null}}}""", """{"a":{"b":{}}}""")]
    public void Merge_patches_follow_RFC_7386(string target, string patch, string expected) =>
        Same(expected, MergePatch.Apply(Object(target), Object(patch)));

    [Theory]
    [InlineData("addresses merge by type",
        """{"status":{"addresses":[{"type":"InternalIP","address":"1"},{"type":"Hostname","address":"h"}]}}""",
        """{"status":{"addresses":[{"type":"InternalIP","address":"2"},{"type":"ExternalIP","address":"3"}]}}""",
        """{"status":{"addresses":[{"type":"InternalIP","address":"2"},{"type":"ExternalIP","address":"3"},{"type":"Hostname","address":"h"}]}}""")]
    [InlineData("an element is deleted by its key",
        """{"status":{"conditions":[{"type":"Ready","status":"True"},{"type":"X"}]}}""",
        """{"status":{"conditions":[{"type":"X","$patch":"delete"}]}}""",
        """{"status":{"conditions":[{"type":"Ready","status":"True"}]}}""")]
    [InlineData("a list is replaced by directive",
        """{"status":{"addresses":[{"type":"InternalIP","address":"1"}]}}""",
        """{"status":{"addresses":[{"type":"Hostname","address":"h"},{"$patch":"replace"}]}}""",
        """{"status":{"addresses":[{"type":"Hostname","address":"h"}]}}""")]
    [InlineData("taints have no merge key",
        """{"spec":{"taints":[{"key":"a"},{"key":"b"}]}}""",
        """{"spec":{"taints":[{"key":"b"}]}}""",
        """{"spec":{"taints":[{"key":"b"}]}}""")]
    [InlineData("podCIDRs are a set",
        """{"spec":{"podCIDRs":["a"]}}""",
        """{"spec":{"podCIDRs":["a","b"]}}""",
        """{"spec":{"podCIDRs":["a","b"]}}""")]
    [InlineData("plain values are deleted by directive, and order is not kept",
        """{"metadata":{"finalizers":["a","b"]}}""",
        """{"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],"$setElementOrder/finalizers":["b"]}}""",
        """{"metadata":{"finalizers":["b"]}}""")]
    [InlineData("null removes, an object is replaced or deleted by directive",
        """{"metadata":{"labels":{"a":"1","b":"2"},"annotations":{"c":"3"}},"spec":{"x":1}}""",
        """{"metadata":{"labels":{"a":null},"annotations":{"$patch":"replace","d":"4"}},"spec":{"$patch":"delete"}}""",
        """{"metadata":{"labels":{"b":"2"},"annotations":{"d":"4"}}}""")]
    public void Strategic_merge_patches_know_a_Nodes_lists(string because, string target, string patch, string expected) =>
        Same(expected, new StrategicMergePatch(new NodeRules().MergeKeys).Apply(Object(target), Object(patch)), because);

    [Theory]
    [InlineData("""{"a":1}""", """[{"op":"add","path":"/b","value":[1]},{"op":"add","path":"/b/-","value":2},{"op":"add","path":"/b/0","value":0}]""", """{"a":1,"b":[0,1,2]}""")]
    [InlineData("""{"a":{"x/y":1}}""", """[{"op":"replace","path":"/a/x~1y","value":2}]""", """{"a":{"x/y":2}}""")]
    [InlineData("""{"a":[1,2]}""", """[{"op":"remove","path":"/a/0"}]""", """{"a":[2]}""")]
    [InlineData("""{"a":1}""", """[{"op":"test","path":"/a","value":1},{"op":"copy","from":"/a","path":"/b"},{"op":"move","from":"/a","path":"/c"}]""", """{"b":1,"c":1}""")]
    public void Json_patches_follow_RFC_6902(string target, string patch, string expected) =>
        Same(expected, JsonPatch.Apply(Object(target), JsonNode.Parse(patch)!.AsArray()));

    [Theory]
    [InlineData("""[{"op":"test","path":"/a","value":2}]""")]
    [InlineData("""[{"op":"remove","path":"/b"}]""")]
    [InlineData("""[{"op":"replace","path":"/b/c","value":1}]""")]
    [InlineData("""[{"op":"add","path":"/l/9","value":1}]""")]
    [InlineData("""[{"op":"jump","path":"/a"}]""")]
    [InlineData("""[{"op":"add"}]""")]
    public void A_json_patch_that_does_not_fit_is_422(string patch)
    {
        ApiException error = Assert.Throws<ApiException>(() => JsonPatch.Apply(Object("""{"a":1,"l":[]}"""), JsonNode.Parse(patch)!.AsArray()));
        Assert.Equal(422, error.Code);
    }

    private static JsonObject Object(string text) => JsonNode.Parse(text)!.AsObject();

    private static void Same(string expected, JsonObject actual, string because = "") =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual), $"{because}: got {actual.ToJsonString()}");
}
