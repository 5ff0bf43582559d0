using System.Text.Json.Nodes;
using HostGw.FakeApi.Resources;

namespace HostGw.FakeApi.Http;

/// <summary>An answer other than success: becomes a Status object, in the real server's words.</summary>
internal sealed class ApiException(int code, string reason, string message, JsonObject? details = null) : Exception(message)
{
    public int Code { get; } = code;

    public string Reason { get; } = reason;

    public JsonObject? Details { get; } = details;

    public int? RetryAfterSeconds { get; init; }

    /// <summary>A continue token that goes on inconsistently, in the answer to an expired one.</summary>
    public string? Continue { get; init; }

    public static ApiException BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiException Unauthorized() => new(401, "Unauthorized", "Unauthorized");

    public static ApiException NotFound(ResourceKind kind, string name) =>
        new(404, "NotFound", $"{kind.QualifiedName} \"{name}\" not found", Naming(kind.Group, kind.Plural, name));

    public static ApiException NoSuchPath() => new(404, "NotFound", "the server could not find the requested resource", []);

    public static ApiException MethodNotAllowed() =>
        new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", []);

    public static ApiException AlreadyExists(ResourceKind kind, string name) =>
        new(409, "AlreadyExists", $"{kind.QualifiedName} \"{name}\" already exists", Naming(kind.Group, kind.Plural, name));

    public static ApiException Conflict(ResourceKind kind, string name, string why) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {kind.QualifiedName} \"{name}\": {why}", Naming(kind.Group, kind.Plural, name));

    public static ApiException Expired(string message) => new(410, "Expired", message);

    /// <summary>422: a PUT of a kind that needs a resourceVersion names none.</summary>
    /// <remarks>kubernetes staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go, Update: the kind is the resource there.</remarks>
    public static ApiException Unconditional(ResourceKind kind, string name) => Invalid(
        kind.Group, kind.Plural, name,
        [new("metadata.resourceVersion", "FieldValueInvalid", "Invalid value: 0x0: must be specified for an update")]);

    /// <summary>What the store says is passed on as it is: no reason, and 500.</summary>
    /// <remarks>https://github.com/kubernetes/kubernetes/issues/112152</remarks>
    public static ApiException TooLargeForEtcd() => new(500, "", "etcdserver: request is too large");

    /// <summary>What watches and lists from the cache get while a server that has just started fills it.</summary>
    public static ApiException CacheInitializing() =>
        new(429, "TooManyRequests", "storage is (re)initializing", new JsonObject { ["retryAfterSeconds"] = 1 }) { RetryAfterSeconds = 1 };

    /// <summary>What priority and fairness says to a request that has waited for too long.</summary>
    public static ApiException NoSeat() =>
        new(429, "TooManyRequests", "too many requests, please try again later", new JsonObject { ["retryAfterSeconds"] = 1 })
        {
            RetryAfterSeconds = 1,
        };

    public static ApiException TooLargeRevision(long wanted, long current) =>
        new(504, "Timeout", $"Timeout: Too large resource version: {wanted}, current: {current}", new JsonObject
        {
            ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ResourceVersionTooLarge", ["message"] = "Too large resource version" }),
            ["retryAfterSeconds"] = 1,
        })
        { RetryAfterSeconds = 1 };

    /// <summary>422; <paramref name="kind"/> may be no stored kind (ListOptions).</summary>
    public static ApiException Invalid(string group, string kind, string name, IReadOnlyList<FieldError> errors)
    {
        string[] sentences = [.. errors.Select(e => $"{e.Field}: {e.Message}")];
        string list = sentences.Length == 1 ? sentences[0] : $"[{string.Join(", ", sentences)}]";
        JsonObject details = Naming(group, kind, name);
        details["causes"] = new JsonArray([.. errors.Select(e =>
            new JsonObject { ["reason"] = e.Reason, ["message"] = e.Message, ["field"] = e.Field })]);
        string qualified = group.Length == 0 ? kind : $"{kind}.{group}";
        return new(422, "Invalid", $"{qualified} \"{name}\" is invalid: {list}", details);
    }

    /// <summary>422: the patched object cannot be decoded.</summary>
    public static ApiException InvalidPatch(JsonObject patch, string why)
    {
        string message = $"Invalid value: \"{GoText(patch)}\": {why}";
        var cause = new JsonObject { ["reason"] = "FieldValueInvalid", ["message"] = message, ["field"] = "patch" };
        return new(422, "Invalid", $" \"\" is invalid: patch: {message}", new JsonObject { ["causes"] = new JsonArray(cause) });
    }

    // As Go's fmt prints a decoded JSON value.
    private static string GoText(JsonNode? node) => node switch
    {
        JsonObject map => $"map[{string.Join(' ', map.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => $"{m.Key}:{GoText(m.Value)}"))}]",
        JsonArray list => $"[{string.Join(' ', list.Select(GoText))}]",
        null => "<nil>",
        _ => node.ToString(),
    };

    public JsonObject ToStatus()
    {
        var metadata = new JsonObject();
        if (Continue is not null)
            metadata["continue"] = Continue;
        var status = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = metadata,
            ["status"] = "Failure",
            ["message"] = Message,
        };
        if (Reason.Length > 0)
            status["reason"] = Reason;
        if (Details is not null)
            status["details"] = Details.DeepClone();
        status["code"] = Code;
        return status;
    }

    private static JsonObject Naming(string group, string kind, string name)
    {
        var details = new JsonObject();
        if (name.Length > 0)
            details["name"] = name;
        if (group.Length > 0)
            details["group"] = group;
        details["kind"] = kind;
        return details;
    }
}
