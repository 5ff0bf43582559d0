namespace HostGw.FakeApi.Resources;

/// <summary>What an installation consists of. Stored and given back, and nothing comes of it: there is no controller.</summary>
internal static class InstalledKinds
{
    private const string Rbac = "rbac.authorization.k8s.io";
    private const string Admission = "admissionregistration.k8s.io";
    private const string Monitoring = "monitoring.coreos.com";

    public static readonly IReadOnlyList<ResourceKind> All =
    [
        new("", "configmaps", "ConfigMap", Namespaced: true) { ShortNames = ["cm"] },
        new("", "secrets", "Secret", Namespaced: true) { SelectableFields = ["type"] },
        new("", "services", "Service", Namespaced: true) { ShortNames = ["svc"], Categories = ["all"] },
        new("", "serviceaccounts", "ServiceAccount", Namespaced: true) { ShortNames = ["sa"] },
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
