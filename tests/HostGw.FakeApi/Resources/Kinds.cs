using HostGw.FakeApi.Nodes;

namespace HostGw.FakeApi.Resources;

/// <summary>Everything the server knows: Nodes, and what kubectl and the agent ask for around them.</summary>
internal static class Kinds
{
    public static readonly ResourceKind Node = new("", "nodes", "Node", Namespaced: false)
    {
        ShortNames = ["no"],
        HasStatus = true,
        SelectableFields = ["spec.unschedulable"],
        Rules = new NodeRules(),
    };

    public static readonly ResourceKind Namespace = new("", "namespaces", "Namespace", Namespaced: false)
    {
        ShortNames = ["ns"],
        HasStatus = true,
        SelectableFields = ["status.phase"],
    };

    public static readonly ResourceKind Pod = new("", "pods", "Pod", Namespaced: true)
    {
        ShortNames = ["po"],
        Categories = ["all"],
        HasStatus = true,
        SelectableFields = ["spec.nodeName", "status.phase"],
    };

    public static readonly ResourceKind Event = new("", "events", "Event", Namespaced: true)
    {
        ShortNames = ["ev"],
        SelectableFields =
        [
            "involvedObject.kind", "involvedObject.name", "involvedObject.namespace", "involvedObject.uid",
            "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
            "reason", "reportingComponent", "source", "type",
        ],
        Rules = new EventRules(strict: false),
    };

    public static readonly ResourceKind Lease = new("coordination.k8s.io", "leases", "Lease", Namespaced: true);

    public static readonly IReadOnlyList<ResourceKind> All = [Node, Namespace, Pod, Event, Lease, .. InstalledKinds.All];

    /// <summary>Events of events.k8s.io are the core ones in other words; they share one table.</summary>
    public static readonly ResourceKind NewEvent = Event with { Group = "events.k8s.io", Rules = new EventRules(strict: true) };

    public static readonly IReadOnlyList<string> Groups = [.. All.Append(NewEvent).Select(k => k.Group).Where(g => g.Length > 0).Distinct()];

    public static ResourceKind? Find(string group, string version, string plural) =>
        version == ResourceKind.Version ? InGroup(group).FirstOrDefault(k => k.Plural == plural) : null;

    public static IEnumerable<ResourceKind> InGroup(string group) => All.Append(NewEvent).Where(k => k.Group == group);
}
