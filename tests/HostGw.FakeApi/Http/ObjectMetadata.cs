using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Http;

/// <summary>What the server itself writes into metadata, and what nobody may change there.</summary>
internal static partial class ObjectMetadata
{
    private static readonly string[] Immutable = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "resourceVersion"];

    /// <exception cref="ApiException">422, neither a valid name nor a generateName.</exception>
    public static string NameFor(JsonObject content, ResourceKind kind, string? ns)
    {
        JsonObject metadata = JsonFields.Metadata(content);
        string name = JsonFields.Text(metadata["name"]) ?? "";
        if (name.Length == 0 && JsonFields.Text(metadata["generateName"]) is { Length: > 0 } prefix)
            name = prefix + Guid.NewGuid().ToString("N")[..5];
        if (name.Length == 0)
            throw ApiException.Invalid(kind.Group, kind.Kind, "", [new("metadata.name", "FieldValueRequired", "Required value: name or generateName is required")]);
        if (name.Length > 253 || !Subdomain().IsMatch(name))
            throw ApiException.Invalid(kind.Group, kind.Kind, name, [new("metadata.name", "FieldValueInvalid", $"Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character")]);
        if (JsonFields.Text(metadata["namespace"]) is { Length: > 0 } given && kind.Namespaced && given != ns)
            throw ApiException.BadRequest($"the namespace of the provided object does not match the namespace sent on the request");
        return name;
    }

    public static void Stamp(JsonObject content, string name, string? ns, DateTimeOffset now)
    {
        JsonObject metadata = JsonFields.Metadata(content);
        metadata["name"] = name;
        if (ns is not null)
            metadata["namespace"] = ns;
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = JsonFields.Time(now);
    }

    public static void Keep(JsonObject after, JsonObject before)
    {
        foreach (string field in Immutable)
        {
            if (before[field] is { } kept)
                after[field] = kept.DeepClone();
            else
                after.Remove(field);
        }
    }

    public static JsonObject MarkDeleted(JsonObject content, DateTimeOffset now)
    {
        JsonObject metadata = JsonFields.Metadata(content);
        metadata["deletionTimestamp"] ??= JsonFields.Time(now);
        metadata["deletionGracePeriodSeconds"] = 0;
        return content;
    }

    public static void CheckPreconditions(JsonObject content, JsonObject? options, ResourceKind kind, string name)
    {
        foreach ((string field, string title) in new[] { ("uid", "UID"), ("resourceVersion", "ResourceVersion") })
        {
            string wanted = JsonFields.At(options, $"preconditions.{field}"), actual = JsonFields.At(content, $"metadata.{field}");
            if (wanted.Length > 0 && wanted != actual)
                throw ApiException.Conflict(kind, name, $"Precondition failed: {title} in precondition: {wanted}, {title} in object meta: {actual}");
        }
    }

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")]
    private static partial Regex Subdomain();
}
