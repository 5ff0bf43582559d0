using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Http;

/// <summary>Which of the four patches a request is, and for an apply by whom.</summary>
internal sealed record PatchKind(string ContentType, string FieldManager)
{
    public const string ApplyType = "application/apply-patch+yaml";
    public const string JsonType = "application/json-patch+json";
    public const string MergeType = "application/merge-patch+json";
    public const string StrategicType = "application/strategic-merge-patch+json";

    public bool IsApply => ContentType == ApplyType;

    /// <exception cref="ApiException">415 for another type, 422 for an apply by nobody.</exception>
    public static PatchKind Of(HttpRequest request)
    {
        string type = request.ContentType?.Split(';')[0].Trim() ?? "";
        string manager = request.Query["fieldManager"].ToString();
        if (type is not (ApplyType or JsonType or MergeType or StrategicType))
            throw new ApiException(415, "UnsupportedMediaType",
                $"the body of the request was in an unknown format - accepted media types include: {JsonType}, {MergeType}, {StrategicType}, {ApplyType}", []);
        if (type == ApplyType && manager.Length == 0)
            throw ApiException.Invalid("meta.k8s.io", "PatchOptions", "", [new("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")]);
        return new PatchKind(type, manager);
    }
}
