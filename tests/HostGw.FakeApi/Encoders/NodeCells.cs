using System.Text.Json.Nodes;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Encoders;

/// <summary>The cells of kubectl get nodes.</summary>
/// <remarks>kubernetes pkg/printers/internalversion/printers.go, printNode.</remarks>
internal static class NodeCells
{
    private const string RolePrefix = "node-role.kubernetes.io/";

    public static string Status(JsonObject node)
    {
        JsonNode? ready = Items(node, "conditions").FirstOrDefault(c => JsonFields.At(c, "type") == "Ready");
        string status = ready is null ? "Unknown" : JsonFields.At(ready, "status") == "True" ? "Ready" : "NotReady";
        return JsonFields.At(node, "spec.unschedulable") == "true" ? $"{status},SchedulingDisabled" : status;
    }

    public static string Roles(JsonObject node)
    {
        IEnumerable<KeyValuePair<string, JsonNode?>> labels = node["metadata"]?["labels"] as JsonObject ?? [];
        string[] roles =
        [
            .. labels.Select(l => l.Key.StartsWith(RolePrefix, StringComparison.Ordinal) ? l.Key[RolePrefix.Length..]
                    : l.Key == "kubernetes.io/role" ? JsonFields.Text(l.Value) ?? "" : "")
                .Where(r => r.Length > 0).Distinct().Order(StringComparer.Ordinal),
        ];
        return roles.Length == 0 ? "<none>" : string.Join(",", roles);
    }

    public static string Address(JsonObject node, string type) =>
        JsonFields.At(Items(node, "addresses").FirstOrDefault(a => JsonFields.At(a, "type") == type), "address") is { Length: > 0 } found ? found : "<none>";

    private static IEnumerable<JsonNode?> Items(JsonObject node, string list) => (node["status"] as JsonObject)?[list] as JsonArray ?? [];
}
