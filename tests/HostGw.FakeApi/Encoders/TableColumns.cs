using System.Text.Json.Nodes;
using HostGw.FakeApi.Resources;

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
