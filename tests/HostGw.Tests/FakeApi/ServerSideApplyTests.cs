using System.Text.Json.Nodes;

namespace HostGw.Tests.FakeApi;

/// <summary>Fields have managers, and an apply that would change another's field is refused.</summary>
/// <remarks>https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts</remarks>
public sealed class ServerSideApplyTests : FakeApiTest
{
    private const string ConfigMap = "/api/v1/namespaces/default/configmaps/a";

    // The answer of a real server, as reports of users quote it, but for the API group, manager and field.
    [Fact]
    public async Task A_conflict_is_answered_in_the_real_servers_words()
    {
        Assert.Equal(201, (await ApplyAsync("helm", "1")).Code);
        await Client.PatchAsync($"{ConfigMap}?fieldManager=kubectl-client-side-apply", "strategic-merge", Data("2"));
        Answer refused = await ApplyAsync("helm", "3");
        Assert.Equal(409, refused.Code);
        Assert.Equal(
            """
            {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Apply failed with 1 conflict:
             conflict with \"kubectl-client-side-apply\" using v1: .data.config.yaml","reason":"Conflict","details":{"causes":[
            {"reason":"FieldManagerConflict","message":"conflict with \"kubectl-client-side-apply\" using v1",
            "field":".data.config.yaml"}]},"code":409}
            """.ReplaceLineEndings(""),
            refused.Json.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    [Fact]
    public async Task Several_conflicts_are_listed_by_manager()
    {
        await ApplyAsync("helm", "1", "1", "1");
        await Client.PatchAsync($"{ConfigMap}?fieldManager=kubectl-edit", "merge", Data("2", "2"));
        await ApplyAsync("other", "2", "2", "1");
        Assert.Equal(
            """
            Apply failed with 4 conflicts: conflicts with "kubectl-edit" using v1:
            - .data.config.yaml
            - .data.second
            conflicts with "other":
            - .data.config.yaml
            - .data.second
            """.ReplaceLineEndings("\n"),
            (await ApplyAsync("helm", "1", "1", "1")).Message);
    }

    [Fact]
    public async Task Force_takes_a_field_over_and_the_same_value_is_shared()
    {
        await ApplyAsync("helm", "1");
        await Client.PatchAsync($"{ConfigMap}?fieldManager=kubectl-edit", "merge", Data("2"));
        Assert.Equal(200, (await ApplyAsync("helm", "2")).Code);
        Assert.Equal(409, (await ApplyAsync("helm", "3")).Code);
        Assert.Equal(200, (await ApplyAsync("helm&force=true", "3")).Code);
        Assert.Equal(200, (await ApplyAsync("helm", "4")).Code);
        Assert.Equal("Apply failed with 1 conflict: conflict with \"helm\": .data.config.yaml", (await ApplyAsync("me", "5")).Message);
    }

    [Fact]
    public async Task Elements_of_a_list_have_managers_of_their_own()
    {
        Assert.Equal(201, (await PodAsync("helm", "apply", """{"name":"agent","image":"v1"}""")).Code);
        await PodAsync("kubectl-set", "strategic-merge", """{"name":"agent","env":[{"name":"X","value":"1"}]}""");
        Assert.Equal(200, (await PodAsync("helm", "apply", """{"name":"agent","image":"v2"}""")).Code);
        await PodAsync("kubectl-set", "strategic-merge", """{"name":"agent","image":"v3"}""");
        Assert.Equal(
            "Apply failed with 1 conflict: conflict with \"kubectl-set\" using apps/v1: .spec.template.spec.containers[name=\"agent\"].image",
            (await PodAsync("helm", "apply", """{"name":"agent","image":"v4"}""")).Message);
    }

    private Task<Answer> PodAsync(string manager, string patch, string container) => Client.PatchAsync(
        $"/apis/apps/v1/namespaces/default/daemonsets/a?fieldManager={manager}", patch,
        """{"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"a"},"spec":{"template":{"spec":{"containers":[""" + container + "]}}}}");

    private Task<Answer> ApplyAsync(string manager, params string[] values) => Client.PatchAsync(
        $"{ConfigMap}?fieldManager={manager}", "apply",
        Data(values).Insert(1, "\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"},"));

    private static string Data(params string[] values)
    {
        string[] keys = ["config.yaml", "second", "third"];
        return new JsonObject { ["data"] = new JsonObject(keys.Zip(values, (k, v) => KeyValuePair.Create(k, (JsonNode?)v))) }.ToJsonString();
    }
}
