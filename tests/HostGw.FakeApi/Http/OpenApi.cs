using System.Text.Json.Nodes;
using HostGw.FakeApi.Resources;

namespace HostGw.FakeApi.Http;

/// <summary>OpenAPI v3 with no schemas: kubectl only looks whether a kind's paths take fieldValidation.</summary>
internal static class OpenApi
{
    public static JsonObject Index()
    {
        var paths = new JsonObject { ["api/v1"] = Location("api/v1") };
        foreach (string group in Kinds.Groups)
            paths[$"apis/{group}/v1"] = Location($"apis/{group}/v1");
        return new JsonObject { ["paths"] = paths };
    }

    public static JsonObject Document(string group)
    {
        var paths = new JsonObject();
        foreach (ResourceKind kind in Kinds.InGroup(group))
        {
            string root = group.Length == 0 ? "/api/v1" : $"/apis/{group}/v1";
            string collection = kind.Namespaced ? $"{root}/namespaces/{{namespace}}/{kind.Plural}" : $"{root}/{kind.Plural}";
            paths[collection] = new JsonObject { ["post"] = Operation(kind, "post") };
            paths[$"{collection}/{{name}}"] = new JsonObject { ["put"] = Operation(kind, "put"), ["patch"] = Operation(kind, "patch") };
        }
        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v1.34.0" },
            ["paths"] = paths,
            ["components"] = new JsonObject(),
        };
    }

    private static JsonObject Location(string path) => new() { ["serverRelativeURL"] = $"/openapi/v3/{path}" };

    private static JsonObject Operation(ResourceKind kind, string action) => new()
    {
        ["parameters"] = new JsonArray(Parameter("dryRun"), Parameter("fieldManager"), Parameter("fieldValidation")),
        ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK" } },
        ["x-kubernetes-action"] = action,
        ["x-kubernetes-group-version-kind"] = new JsonObject { ["group"] = kind.Group, ["version"] = "v1", ["kind"] = kind.Kind },
    };

    private static JsonObject Parameter(string name) => new()
    {
        ["name"] = name,
        ["in"] = "query",
        ["schema"] = new JsonObject { ["type"] = "string", ["uniqueItems"] = true },
    };
}
