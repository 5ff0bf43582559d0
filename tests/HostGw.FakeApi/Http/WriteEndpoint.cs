using System.Text.Json;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Selectors;
using HostGw.FakeApi.Storage;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Http;

/// <summary>create, update, patch, delete, deletecollection.</summary>
internal sealed class WriteEndpoint(Store store, ObjectWriter writer, Negotiation negotiation)
{
    private const int LargestBody = 3 * 1024 * 1024; // the real server's limit

    public async Task ServeAsync(HttpContext context, ApiPath path, Reply reply)
    {
        HttpRequest request = context.Request;
        JsonNode? body = await ReadAsync(request);
        bool dryRun = request.Query["dryRun"] == "All";
        string manager = request.Query["fieldManager"].ToString();
        switch (request.Method, path.Name)
        {
            case ("POST", null):
                await SendAsync(request, path, reply, 201, writer.Create(path, Object(body), manager, dryRun));
                break;
            case ("PUT", not null):
                (StoredObject updated, bool isNew) = writer.Update(path, Object(body), manager, dryRun);
                await SendAsync(request, path, reply, isNew ? 201 : 200, updated);
                break;
            case ("PATCH", not null):
                (StoredObject patched, bool created) = writer.Patch(path, body, PatchKind.Of(request), dryRun);
                await SendAsync(request, path, reply, created ? 201 : 200, patched);
                break;
            case ("DELETE", not null):
                await reply.SendJsonAsync(200, writer.Delete(path, body as JsonObject, dryRun));
                break;
            case ("DELETE", null):
                await DeleteCollectionAsync(request, path, reply);
                break;
            default:
                throw ApiException.MethodNotAllowed();
        }
        reply.Traffic?.Write();
    }

    private async Task DeleteCollectionAsync(HttpRequest request, ApiPath path, Reply reply)
    {
        Selection selection = Selection.From(path.Kind, path.Namespace, null, request.Query);
        TableSnapshot snapshot = store[path.Kind].Read();
        StoredObject[] doomed = [.. selection.In(snapshot)];
        foreach (StoredObject item in doomed)
            store[path.Kind].Delete(item.Key);

        ObjectEncoder encoder = negotiation.Choose(request, path.Kind);
        await reply.StartAsync(200, encoder.ContentType);
        encoder.ListStart(reply.Body, new Page(store.Revision, doomed, null, null));
        foreach (StoredObject item in doomed)
            encoder.ListItem(reply.Body, EventForm.Of(path.Kind, item));
        encoder.ListEnd(reply.Body);
        await reply.SendAsync();
    }

    private async Task SendAsync(HttpRequest request, ApiPath path, Reply reply, int code, StoredObject written)
    {
        ObjectEncoder encoder = negotiation.Choose(request, path.Kind);
        await reply.StartAsync(code, encoder.ContentType);
        encoder.Object(reply.Body, EventForm.Of(path.Kind, written));
        await reply.SendAsync();
    }

    private static JsonObject Object(JsonNode? body) =>
        body as JsonObject ?? throw ApiException.BadRequest("the request body is no JSON object");

    private static async Task<JsonNode?> ReadAsync(HttpRequest request)
    {
        using var bytes = new MemoryStream();
        await request.Body.CopyToAsync(bytes, request.HttpContext.RequestAborted);
        if (bytes.Length == 0)
            return null;
        if (bytes.Length > LargestBody)
            throw new ApiException(413, "RequestEntityTooLarge", $"Request entity too large: limit is {LargestBody}");
        string type = request.ContentType?.Split(';')[0].Trim() ?? "";
        if (type == ProtobufEncoder.MediaType)
            return FromProtobuf(bytes.ToArray());
        if (type.Length > 0 && !type.EndsWith("json", StringComparison.Ordinal) && type != PatchKind.ApplyType)
            throw new ApiException(415, "UnsupportedMediaType", $"the body of the request was in an unknown format - accepted media types include: application/json; got {type}", []);
        try
        {
            return JsonNode.Parse(bytes.ToArray(), documentOptions: ObjectJson.Deep);
        }
        catch (JsonException broken)
        {
            throw ApiException.BadRequest($"couldn't parse the request body: {broken.Message}");
        }
    }

    private static JsonObject FromProtobuf(byte[] body)
    {
        try
        {
            return ProtobufBody.Read(body);
        }
        catch (Exception broken) when (broken is FormatException or ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw new ApiException(415, "UnsupportedMediaType", $"the body of the request was in an unknown format: {broken.Message}", []);
        }
    }
}

/// <summary>Which of the four patches a request is, and by whom.</summary>
/// <param name="Force">An apply takes fields over from their managers.</param>
internal sealed record PatchKind(string ContentType, string FieldManager, bool Force)
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
        return new PatchKind(type, manager, request.Query["force"] == "true");
    }
}
