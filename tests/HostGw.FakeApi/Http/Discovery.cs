using System.Text.Json.Nodes;
using HostGw.FakeApi.Resources;

namespace HostGw.FakeApi.Http;

/// <summary>Legacy discovery and the least of OpenAPI v3 that kubectl accepts.</summary>
internal static class Discovery
{
    public static JsonObject Version() => new()
    {
        ["major"] = "1",
        ["minor"] = "36",
        ["emulationMajor"] = "1",
        ["emulationMinor"] = "36",
        ["minCompatibilityMajor"] = "1",
        ["minCompatibilityMinor"] = "35",
        ["gitVersion"] = "v1.36.2",
        ["gitCommit"] = "98b35193b2ac7a23a673325f5e9b830ecd5ba406",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "2026-08-01T00:00:00Z",
        ["goVersion"] = "go1.26.10",
        ["compiler"] = "gc",
        ["platform"] = "linux/amd64",
    };

    /// <summary>Null when the path is no discovery document.</summary>
    public static JsonNode? Find(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries) switch
    {
        ["api"] => new JsonObject { ["kind"] = "APIVersions", ["versions"] = new JsonArray("v1") },
        ["apis"] => new JsonObject { ["kind"] = "APIGroupList", ["apiVersion"] = "v1", ["groups"] = new JsonArray([.. Kinds.Groups.Select(Group)]) },
        ["api", "v1"] => Resources("", "v1"),
        ["apis", string group] when Kinds.Groups.Contains(group) => Group(group),
        ["apis", string group, "v1"] when Kinds.Groups.Contains(group) => Resources(group, $"{group}/v1"),
        ["openapi", "v3"] => OpenApi.Index(),
        ["openapi", "v3", "api", "v1"] => OpenApi.Document(""),
        ["openapi", "v3", "apis", string group, "v1"] when Kinds.Groups.Contains(group) => OpenApi.Document(group),
        _ => null,
    };

    private static JsonObject Group(string group)
    {
        JsonObject version() => new() { ["groupVersion"] = $"{group}/v1", ["version"] = "v1" };
        return new JsonObject { ["name"] = group, ["versions"] = new JsonArray(version()), ["preferredVersion"] = version() };
    }

    private static JsonObject Resources(string group, string groupVersion) => new()
    {
        ["kind"] = "APIResourceList",
        ["apiVersion"] = "v1",
        ["groupVersion"] = groupVersion,
        ["resources"] = new JsonArray([.. Kinds.InGroup(group).SelectMany(Entries)]),
    };

    private static IEnumerable<JsonObject> Entries(ResourceKind kind)
    {
        JsonObject main = Entry(kind, kind.Plural, kind.Singular, "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch");
        if (kind.ShortNames.Length > 0)
            main["shortNames"] = new JsonArray([.. kind.ShortNames]);
        if (kind.Categories.Length > 0)
            main["categories"] = new JsonArray([.. kind.Categories]);
        yield return main;
        if (kind.HasStatus)
            yield return Entry(kind, kind.Plural + "/status", "", "get", "patch", "update");
    }

    private static JsonObject Entry(ResourceKind kind, string name, string singular, params string[] verbs) => new()
    {
        ["name"] = name,
        ["singularName"] = singular,
        ["namespaced"] = kind.Namespaced,
        ["kind"] = kind.Kind,
        ["verbs"] = new JsonArray([.. verbs]),
    };
}

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
