using System.Globalization;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Encoders;

/// <summary>A column of kubectl get; priority above 0 shows only with -o wide.</summary>
internal sealed record TableColumn(string Name, string Description, int Priority, Func<JsonObject, string> Cell)
{
    public JsonObject ToDefinition() => new()
    {
        ["name"] = Name,
        ["type"] = "string",
        ["format"] = Name == "Name" ? "name" : "",
        ["description"] = Description,
        ["priority"] = Priority,
    };
}

/// <summary>The columns of each kind, as the real server's printers have them.</summary>
internal static class TableColumns
{
    private static readonly TableColumn[] Node =
    [
        new("Name", "Name must be unique within a namespace.", 0, Cells.Name),
        new("Status", "The status of the node", 0, NodeCells.Status),
        new("Roles", "The roles of the node", 0, NodeCells.Roles),
        new("Age", "CreationTimestamp is when this object was created.", 0, Cells.Age),
        new("Version", "Kubelet Version reported by the node.", 0, n => Cells.At(n, "status.nodeInfo.kubeletVersion", "")),
        new("Internal-IP", "List of addresses reachable to the node.", 1, n => NodeCells.Address(n, "InternalIP")),
        new("External-IP", "List of addresses reachable to the node.", 1, n => NodeCells.Address(n, "ExternalIP")),
        new("OS-Image", "OS Image reported by the node from /etc/os-release.", 1, n => Cells.At(n, "status.nodeInfo.osImage", "<unknown>")),
        new("Kernel-Version", "Kernel Version reported by the node.", 1, n => Cells.At(n, "status.nodeInfo.kernelVersion", "<unknown>")),
        new("Container-Runtime", "ContainerRuntime Version reported by the node.", 1, n => Cells.At(n, "status.nodeInfo.containerRuntimeVersion", "<unknown>")),
    ];

    private static readonly TableColumn[] Event =
    [
        new("Last Seen", "The time at which the most recent occurrence of this event was recorded.", 0, Cells.LastSeen),
        new("Type", "Type of this event.", 0, e => Cells.At(e, "type", "")),
        new("Reason", "The reason for the transition.", 0, e => Cells.At(e, "reason", "")),
        new("Object", "The object that this event is about.", 0, e => $"{Cells.At(e, "involvedObject.kind", "").ToLowerInvariant()}/{Cells.At(e, "involvedObject.name", "")}"),
        new("Message", "A human-readable description of the status of this operation.", 0, e => Cells.At(e, "message", "").Trim()),
    ];

    private static readonly TableColumn[] Namespace =
    [
        new("Name", "Name must be unique within a namespace.", 0, Cells.Name),
        new("Status", "The status of the namespace", 0, n => Cells.At(n, "status.phase", "")),
        new("Age", "CreationTimestamp is when this object was created.", 0, Cells.Age),
    ];

    private static readonly TableColumn[] Other =
    [
        new("Name", "Name must be unique within a namespace.", 0, Cells.Name),
        new("Age", "CreationTimestamp is when this object was created.", 0, Cells.Age),
    ];

    public static IReadOnlyList<TableColumn> Of(ResourceKind kind) => kind.Kind switch
    {
        "Node" => Node,
        "Event" => Event,
        "Namespace" => Namespace,
        _ => Other,
    };
}

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

/// <summary>Cells that several kinds share.</summary>
internal static class Cells
{
    public static string Name(JsonObject content) => At(content, "metadata.name", "");

    public static string Age(JsonObject content) => Since(At(content, "metadata.creationTimestamp", ""));

    public static string LastSeen(JsonObject content) =>
        Since(new[] { "series.lastObservedTime", "lastTimestamp", "eventTime" }.Select(p => At(content, p, "")).FirstOrDefault(t => t.Length > 0) ?? "");

    public static string At(JsonObject content, string path, string absent) =>
        JsonFields.At(content, path) is { Length: > 0 } text ? text : absent;

    private static string Since(string timestamp)
    {
        if (!DateTimeOffset.TryParse(timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset then))
            return "<unknown>";
        return Short(DateTimeOffset.UtcNow - then);
    }

    /// <summary>A duration as kubectl shows it: 5s, 3m20s, 25m, 3h12m, 20h, 4d3h, 40d, 2y30d, 9y.</summary>
    /// <remarks>k8s.io/apimachinery/pkg/util/duration, HumanDuration.</remarks>
    internal static string Short(TimeSpan age)
    {
        long seconds = Math.Max(0, (long)age.TotalSeconds), minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
        return seconds < 120 ? $"{seconds}s"
            : minutes < 10 ? Pair(minutes, "m", seconds % 60, "s")
            : minutes < 180 ? $"{minutes}m"
            : hours < 8 ? Pair(hours, "h", minutes % 60, "m")
            : hours < 48 ? $"{hours}h"
            : hours < 192 ? Pair(days, "d", hours % 24, "h")
            : days < 730 ? $"{days}d"
            : days < 2920 ? Pair(days / 365, "y", days % 365, "d")
            : $"{days / 365}y";
    }

    private static string Pair(long large, string unit, long small, string smallUnit) =>
        small == 0 ? $"{large}{unit}" : $"{large}{unit}{small}{smallUnit}";
}
