using System.Text.Json.Nodes;

namespace HostGw.FakeApi.Resources;

/// <summary>A kind's part in a write: fill in, keep what the endpoint may not change, then name what is invalid.</summary>
internal class WriteRules
{
    public static readonly WriteRules None = new();

    /// <summary>Paths of lists that a strategic merge patch merges, with their key; an empty key is a set of plain values.</summary>
    public virtual IReadOnlyDictionary<string, string> MergeKeys { get; } = new Dictionary<string, string>();

    /// <summary>Changes <paramref name="incoming"/> in place; <paramref name="old"/> is null on create.</summary>
    public virtual void Prepare(JsonObject incoming, JsonObject? old, bool statusEndpoint)
    {
    }

    /// <summary>One sentence per invalid field, in the real server's words.</summary>
    public virtual IEnumerable<FieldError> Validate(JsonObject incoming, JsonObject? old) => [];
}

/// <summary>A cause in a 422 answer.</summary>
internal sealed record FieldError(string Field, string Reason, string Message);

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
