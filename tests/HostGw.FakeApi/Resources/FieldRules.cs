using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Resources;

/// <summary>meta/v1 MicroTime: has exactly six digits after the second, in whatever is read.</summary>
/// <remarks>kubernetes staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/micro_time.go, UnmarshalJSON.</remarks>
internal static partial class MicroTime
{
    /// <exception cref="ApiException">400, another form of time.</exception>
    public static void Check(string kind, JsonObject content, params string[] paths)
    {
        foreach (string text in paths.Select(p => JsonFields.At(content, p)).Where(t => t.Length > 0 && !Form().IsMatch(t)))
        {
            throw ApiException.BadRequest(
                $"{kind} in version \"v1\" cannot be handled as a {kind}: " +
                $"parsing time \"{text}\" as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse it");
        }
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$")]
    private static partial Regex Form();
}

/// <summary>What the real server checks of a Lease.</summary>
/// <remarks>kubernetes pkg/apis/coordination/validation/validation.go, ValidateLeaseSpec.</remarks>
internal sealed class LeaseRules : WriteRules
{
    public override void Prepare(JsonObject incoming, JsonObject? old, bool statusEndpoint) =>
        MicroTime.Check("Lease", incoming, "spec.acquireTime", "spec.renewTime");

    public override IEnumerable<FieldError> Validate(JsonObject incoming, JsonObject? old)
    {
        if (Number(incoming, "leaseDurationSeconds") is <= 0 and var seconds)
            yield return Invalid("leaseDurationSeconds", seconds, "must be greater than 0");
        if (Number(incoming, "leaseTransitions") is < 0 and var transitions)
            yield return Invalid("leaseTransitions", transitions, "must be greater than or equal to 0");
    }

    private static int? Number(JsonObject lease, string field) =>
        lease["spec"]?[field] is JsonValue value && value.TryGetValue(out int number) ? number : null;

    private static FieldError Invalid(string field, int? value, string why) =>
        new($"spec.{field}", "FieldValueInvalid", $"Invalid value: {value}: {why}");
}

/// <summary>What the real server checks of a ConfigMap.</summary>
/// <remarks>kubernetes pkg/apis/core/validation/validation.go, ValidateConfigMap and ValidateConfigMapUpdate.</remarks>
internal sealed partial class ConfigMapRules : WriteRules
{
    private const int MaxBytes = 1024 * 1024;

    private const string InvalidKey =
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' " +
        "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

    private static readonly string[] Contents = ["data", "binaryData"];

    public override IEnumerable<FieldError> Validate(JsonObject incoming, JsonObject? old)
    {
        foreach (string field in Contents)
        {
            foreach ((string key, _) in incoming[field] as JsonObject ?? [])
            {
                if (key.Length > 253 || !ConfigKey().IsMatch(key))
                    yield return new($"{field}[{key}]", "FieldValueInvalid", $"Invalid value: \"{key}\": {InvalidKey}");
            }
        }
        if (Size(incoming) > MaxBytes)
            yield return new("", "FieldValueTooLong", $"Too long: may not be more than {MaxBytes} bytes");
        if (JsonFields.At(old, "immutable") != "true")
            yield break;
        foreach (string field in Contents.Prepend("immutable").Where(f => !JsonNode.DeepEquals(incoming[f], old![f])))
            yield return new(field, "FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set");
    }

    private static int Size(JsonObject content) =>
        (content["data"] as JsonObject ?? []).Sum(d => System.Text.Encoding.UTF8.GetByteCount(JsonFields.Text(d.Value) ?? ""))
        + (content["binaryData"] as JsonObject ?? []).Sum(d => (JsonFields.Text(d.Value) ?? "").Length * 3 / 4);

    [GeneratedRegex("^[-._a-zA-Z0-9]+$")]
    private static partial Regex ConfigKey();
}
