namespace HostGw.FakeApi.Resources;

/// <summary>Which lists of a pod's template a strategic merge patch merges.</summary>
/// <remarks>The patchStrategy tags of core/v1 PodSpec and Container.</remarks>
internal sealed class PodTemplateRules : WriteRules
{
    private const string Pod = "spec.template.spec";

    public override IReadOnlyDictionary<string, string> MergeKeys { get; } = new Dictionary<string, string>
    {
        [$"{Pod}.volumes"] = "name",
        [$"{Pod}.imagePullSecrets"] = "name",
        [$"{Pod}.containers"] = "name",
        [$"{Pod}.containers.env"] = "name",
        [$"{Pod}.containers.ports"] = "containerPort",
        [$"{Pod}.containers.volumeMounts"] = "mountPath",
        [$"{Pod}.initContainers"] = "name",
        [$"{Pod}.initContainers.env"] = "name",
        [$"{Pod}.initContainers.volumeMounts"] = "mountPath",
    };
}
