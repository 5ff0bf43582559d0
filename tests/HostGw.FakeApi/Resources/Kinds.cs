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

    public static readonly ResourceKind Lease = new("coordination.k8s.io", "leases", "Lease", Namespaced: true)
    {
        CreatesOnUpdate = true,
        UpdatesUnconditionally = false,
        Rules = new LeaseRules(),
    };

    public static readonly ResourceKind EndpointSlice = new("discovery.k8s.io", "endpointslices", "EndpointSlice", Namespaced: true);

    public static readonly ResourceKind ServiceCidr = new("networking.k8s.io", "servicecidrs", "ServiceCIDR", Namespaced: false)
    {
        HasStatus = true,
    };

    public static readonly IReadOnlyList<ResourceKind> All = [Node, Namespace, Pod, Event, Lease, EndpointSlice, ServiceCidr, .. InstalledKinds.All];

    /// <summary>Events of events.k8s.io are the core ones in other words; they share one table.</summary>
    public static readonly ResourceKind NewEvent = Event with { Group = "events.k8s.io", Rules = new EventRules(strict: true) };

    public static readonly IReadOnlyList<string> Groups = [.. All.Append(NewEvent).Select(k => k.Group).Where(g => g.Length > 0).Distinct()];

    public static ResourceKind? Find(string group, string version, string plural) =>
        version == ResourceKind.Version ? InGroup(group).FirstOrDefault(k => k.Plural == plural) : null;

    /// <exception cref="KeyNotFoundException">There is no such kind.</exception>
    public static ResourceKind Of(string kind) =>
        All.FirstOrDefault(k => k.Kind == kind) ?? throw new KeyNotFoundException($"FakeApi stores no {kind}");

    public static IEnumerable<ResourceKind> InGroup(string group) => All.Append(NewEvent).Where(k => k.Group == group);
}

/// <summary>What an installation consists of. Stored and given back, and nothing comes of it: there is no controller.</summary>
internal static class InstalledKinds
{
    private const string Rbac = "rbac.authorization.k8s.io";
    private const string Admission = "admissionregistration.k8s.io";
    private const string Monitoring = "monitoring.coreos.com";

    public static readonly IReadOnlyList<ResourceKind> All =
    [
        new("", "configmaps", "ConfigMap", Namespaced: true) { ShortNames = ["cm"], Rules = new ConfigMapRules() },
        new("", "secrets", "Secret", Namespaced: true) { SelectableFields = ["type"] },
        new("", "services", "Service", Namespaced: true) { ShortNames = ["svc"], Categories = ["all"] },
        new("", "serviceaccounts", "ServiceAccount", Namespaced: true) { ShortNames = ["sa"] },
        new("apps", "deployments", "Deployment", Namespaced: true) { ShortNames = ["deploy"], Categories = ["all"], HasStatus = true, Rules = new PodTemplateRules() },
        new("apps", "daemonsets", "DaemonSet", Namespaced: true) { ShortNames = ["ds"], Categories = ["all"], HasStatus = true, Rules = new PodTemplateRules() },
        new(Rbac, "roles", "Role", Namespaced: true),
        new(Rbac, "rolebindings", "RoleBinding", Namespaced: true),
        new(Rbac, "clusterroles", "ClusterRole", Namespaced: false),
        new(Rbac, "clusterrolebindings", "ClusterRoleBinding", Namespaced: false),
        new(Admission, "validatingadmissionpolicies", "ValidatingAdmissionPolicy", Namespaced: false),
        new(Admission, "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", Namespaced: false),
        new(Monitoring, "podmonitors", "PodMonitor", Namespaced: true),
        new(Monitoring, "servicemonitors", "ServiceMonitor", Namespaced: true),
        new(Monitoring, "prometheusrules", "PrometheusRule", Namespaced: true),
    ];
}

/// <summary>One kind of object the server stores, under its names in paths, discovery and JSON.</summary>
internal sealed record ResourceKind(string Group, string Plural, string Kind, bool Namespaced)
{
    public const string Version = "v1";

    public string[] ShortNames { get; init; } = [];

    public string[] Categories { get; init; } = [];

    public bool HasStatus { get; init; }

    /// <summary>Dotted paths that a fieldSelector may name besides metadata.name and metadata.namespace.</summary>
    public string[] SelectableFields { get; init; } = [];

    /// <summary>A PUT of an object that is not there creates it.</summary>
    /// <remarks>AllowCreateOnUpdate of the kind's strategy.go in kubernetes pkg/registry.</remarks>
    public bool CreatesOnUpdate { get; init; }

    /// <summary>A PUT need not name the resourceVersion that it replaces.</summary>
    /// <remarks>AllowUnconditionalUpdate of the kind's strategy.go in kubernetes pkg/registry.</remarks>
    public bool UpdatesUnconditionally { get; init; } = true;

    /// <summary>What this kind checks and changes when a client writes it.</summary>
    public WriteRules Rules { get; init; } = WriteRules.None;

    public string Singular => Kind.ToLowerInvariant();

    public string ListKind => Kind + "List";

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>The plural with its group, as error messages name it.</summary>
    public string QualifiedName => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    public string Key(string? ns, string name) => Namespaced ? $"{ns}/{name}" : name;
}
