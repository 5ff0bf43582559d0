using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Patching;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Http;

/// <summary>Writes as a client may make them: conflicts, immutable metadata, the kind's own rules.</summary>
internal sealed class ObjectWriter(Store store, TimeProvider time)
{
    // etcd's --max-request-bytes.
    private const int LargestRequest = 3 * 512 * 1024;

    private const string Modified = "the object has been modified; please apply your changes to the latest version and try again";

    public StoredObject Create(ApiPath path, JsonObject content, string manager, bool dryRun)
    {
        EventForm.ToCore(path.Kind, content);
        string name = ObjectMetadata.NameFor(content, path.Kind, path.Namespace);
        return store[path.Kind].Write(path.Kind.Key(path.Namespace, name), old =>
        {
            if (old is not null)
                throw ApiException.AlreadyExists(path.Kind, name);
            return New(path, Managed(path, null, content, manager), name);
        }, dryRun);
    }

    public (StoredObject Object, bool Created) Update(ApiPath path, JsonObject content, string manager, bool dryRun)
    {
        bool created = false;
        StoredObject written = store[path.Kind].Write(path.Key, old =>
        {
            created = old is null && path is { Kind.CreatesOnUpdate: true, IsStatus: false };
            if (created)
                return New(path, Managed(path, null, content, manager), path.Name!);
            JsonObject present = old ?? throw ApiException.NotFound(path.Kind, path.Name!);
            if (!path.Kind.UpdatesUnconditionally && JsonFields.At(content, "metadata.resourceVersion").Length == 0)
                throw ApiException.Unconditional(path.Kind, path.Name!);
            return Changed(path, present, Managed(path, present, content, manager));
        }, dryRun);
        return (Finish(path, written, dryRun), created);
    }

    public (StoredObject Object, bool Created) Patch(ApiPath path, JsonNode? patch, PatchKind how, bool dryRun)
    {
        bool created = false;
        StoredObject written = store[path.Kind].Write(path.Key, old =>
        {
            created = old is null && how.IsApply && !path.IsStatus;
            if (created)
                return New(path, Patched(path, null, patch, how), path.Name!);
            JsonObject present = old ?? throw ApiException.NotFound(path.Kind, path.Name!);
            return Changed(path, present, Patched(path, present, patch, how));
        }, dryRun);
        return (Finish(path, written, dryRun), created);
    }

    /// <summary>The Status of a delete; an object with finalizers stays, marked.</summary>
    public JsonObject Delete(ApiPath path, JsonObject? options, bool dryRun)
    {
        ResourceTable table = store[path.Kind];
        JsonObject present = table.Read().Find(path.Key)?.ParseOrEmpty() ?? throw ApiException.NotFound(path.Kind, path.Name!);
        ObjectMetadata.CheckPreconditions(present, options, path.Kind, path.Name!);
        if (!dryRun && present["metadata"]?["finalizers"] is JsonArray { Count: > 0 })
            table.Write(path.Key, old => ObjectMetadata.MarkDeleted(old ?? present, time.GetUtcNow()));
        else if (!dryRun)
            table.Delete(path.Key);

        var details = new JsonObject { ["name"] = path.Name };
        if (path.Kind.Group.Length > 0)
            details["group"] = path.Kind.Group;
        details["kind"] = path.Kind.Plural;
        details["uid"] = JsonFields.At(present, "metadata.uid");
        return new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Success",
            ["details"] = details,
        };
    }

    // The write that takes the last finalizer off a deleted object deletes it.
    private StoredObject Finish(ApiPath path, StoredObject written, bool dryRun)
    {
        JsonNode? metadata = written.ParseOrEmpty()["metadata"];
        if (!dryRun && metadata?["deletionTimestamp"] is not null && metadata["finalizers"] is not JsonArray { Count: > 0 })
            store[path.Kind].Delete(path.Key);
        return written;
    }

    private JsonObject New(ApiPath path, JsonObject content, string name)
    {
        if (path.Kind.Namespaced && store[Kinds.Namespace].Read().Find(path.Namespace!) is null)
            throw ApiException.NotFound(Kinds.Namespace, path.Namespace!);
        ObjectMetadata.Stamp(content, name, path.Kind.Namespaced ? path.Namespace : null, time.GetUtcNow());
        return Checked(path, content, null, name);
    }

    private static JsonObject Changed(ApiPath path, JsonObject old, JsonObject content)
    {
        string name = path.Name!;
        JsonObject before = JsonFields.Metadata(old), after = JsonFields.Metadata(content);
        if (JsonFields.Text(after["name"]) is { } renamed && renamed != name)
            throw ApiException.BadRequest($"the name of the object ({renamed}) does not match the name on the URL ({name})");
        if (JsonFields.Text(after["resourceVersion"]) is { Length: > 0 } revision && revision != JsonFields.Text(before["resourceVersion"]))
            throw ApiException.Conflict(path.Kind, name, Modified);
        if (JsonFields.Text(after["uid"]) is { Length: > 0 } uid && uid != JsonFields.Text(before["uid"]))
            throw ApiException.Conflict(path.Kind, name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {JsonFields.Text(before["uid"])}");

        EventForm.ToCore(path.Kind, content);
        ObjectMetadata.Keep(after, before);
        return Checked(path, content, old, name);
    }

    private static JsonObject Checked(ApiPath path, JsonObject content, JsonObject? old, string name)
    {
        path.Kind.Rules.Prepare(content, old, path.IsStatus);
        FieldError[] errors = [.. path.Kind.Rules.Validate(content, old)];
        if (errors.Length > 0)
            throw ApiException.Invalid(path.Kind.Group, path.Kind.Kind, name, errors);
        return Size(path.Kind, content) <= LargestRequest ? content : throw ApiException.TooLargeForEtcd();
    }

    // As it is stored. The encoding is asked only where the JSON, which is never shorter, is too long.
    private static int Size(ResourceKind kind, JsonObject content)
    {
        int json = ObjectJson.Serialize(kind, content).Length;
        return json > LargestRequest && ProtobufKinds.Of(kind.Kind) is { } message ? message.Encode(content).Length : json;
    }

    private static void CheckLists(JsonObject patch, IEnumerable<string> paths)
    {
        foreach (string path in paths)
        {
            JsonNode? value = path.Split('.').Aggregate((JsonNode?)patch, (node, step) => (node as JsonObject)?[step]);
            if (value is null or JsonArray)
                continue;
            string type = value is JsonObject ? "map[string]interface {}" : value.GetValueKind() == JsonValueKind.String ? "string" : "int64";
            throw ApiException.InvalidPatch(patch, $"cannot restore slice from {type}");
        }
    }

    private static JsonObject Patched(ApiPath path, JsonObject? old, JsonNode? patch, PatchKind how)
    {
        IReadOnlyDictionary<string, string> mergeKeys = path.Kind.Rules.MergeKeys;
        var strategic = new StrategicMergePatch(mergeKeys);
        JsonObject target = (JsonObject?)old?.DeepClone() ?? [];
        if (how.ContentType == PatchKind.StrategicType && patch is JsonObject lists)
            CheckLists(lists, mergeKeys.Keys);
        switch (how.ContentType, patch)
        {
            case (PatchKind.JsonType, JsonArray operations): return Managed(JsonPatch.Apply(target, operations));
            case (PatchKind.MergeType, JsonObject merge): return Managed(MergePatch.Apply(target, merge));
            case (PatchKind.StrategicType, JsonObject merge): return Managed(strategic.Apply(target, merge));
            case (PatchKind.ApplyType, JsonObject applied):
                JsonObject merged = strategic.Apply(target, applied);
                new ManagedFields(old, mergeKeys).Applied(old, applied, merged, how);
                return merged;
            default: throw ApiException.BadRequest("the patch is not of the form its content type says");
        }

        JsonObject Managed(JsonObject content) => ObjectWriter.Managed(path, old, content, how.FieldManager);
    }

    private static JsonObject Managed(ApiPath path, JsonObject? old, JsonObject content, string manager)
    {
        if (!path.IsStatus && manager.Length > 0)
            new ManagedFields(old, path.Kind.Rules.MergeKeys).Updated(old, content, manager);
        return content;
    }
}

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
