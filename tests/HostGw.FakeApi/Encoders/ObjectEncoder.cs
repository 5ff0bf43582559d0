using System.Buffers;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi.Encoders;

/// <summary>How stored objects look in one content type. One instance serves one response: it may remember what it has sent.</summary>
internal abstract class ObjectEncoder(ResourceKind kind)
{
    protected ResourceKind Kind { get; } = kind;

    public abstract string ContentType { get; }

    public virtual string WatchContentType => ContentType;

    public abstract void Object(IBufferWriter<byte> output, StoredObject item);

    public abstract void ListStart(IBufferWriter<byte> output, Page page);

    public abstract void ListItem(IBufferWriter<byte> output, StoredObject item);

    public abstract void ListEnd(IBufferWriter<byte> output);

    /// <summary>One frame of a watch; <paramref name="type"/> is ADDED, MODIFIED or DELETED.</summary>
    public abstract void WatchEvent(IBufferWriter<byte> output, string type, StoredObject item);

    /// <summary>A BOOKMARK frame; the last of a streaming list says so in an annotation.</summary>
    public abstract void Bookmark(IBufferWriter<byte> output, long revision, bool initialEventsEnd);

    /// <summary>An ERROR frame that carries a Status.</summary>
    public abstract void WatchError(IBufferWriter<byte> output, JsonObject status);

    protected static JsonObject Metadata(Page page)
    {
        var metadata = new JsonObject { ["resourceVersion"] = JsonFields.Number(page.Revision) };
        if (page.Continue is { } next)
            metadata["continue"] = next.ToString();
        if (page.Remaining is { } remaining)
            metadata["remainingItemCount"] = remaining;
        return metadata;
    }

    protected static JsonObject BookmarkMetadata(long revision, bool initialEventsEnd)
    {
        var metadata = new JsonObject { ["resourceVersion"] = JsonFields.Number(revision) };
        if (initialEventsEnd)
            metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        return metadata;
    }
}

/// <summary>Which encoder answers an Accept header: the first type in it that the server speaks.</summary>
internal sealed class Negotiation(bool protobuf)
{
    private const string NotAcceptable = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
        + "application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

    /// <exception cref="ApiException">406, none of them.</exception>
    public ObjectEncoder Choose(HttpRequest request, ResourceKind kind)
    {
        string accept = request.Headers.Accept.ToString();
        if (accept.Length == 0)
            return new JsonEncoder(kind);
        foreach (string wanted in accept.Split(','))
        {
            string[] parts = wanted.Split(';', StringSplitOptions.TrimEntries);
            bool isPlain = !Array.Exists(parts, p => p.StartsWith("as=", StringComparison.Ordinal));
            bool isMetadata = parts.Contains("as=PartialObjectMetadataList") || parts.Contains("as=PartialObjectMetadata");
            if (IsProtobuf(parts[0]) && (isMetadata || (isPlain && ProtobufKinds.Of(kind.Kind) is not null)))
                return isMetadata ? new MetadataEncoder(new ProtobufEncoder(MetadataEncoder.Kind)) : new ProtobufEncoder(kind);
            if (!IsJson(parts[0]))
                continue;
            if (isPlain)
                return new JsonEncoder(kind);
            if (isMetadata)
                return new MetadataEncoder(new JsonEncoder(MetadataEncoder.Kind));
            if (parts.Contains("as=Table") && parts.Contains("v=v1"))
                return new TableEncoder(kind, request.Query["includeObject"].ToString());
        }
        throw new ApiException(406, "NotAcceptable", NotAcceptable, []);
    }

    /// <summary>Whether what is no Node, such as a Status, goes out as protobuf.</summary>
    public bool PrefersProtobuf(HttpRequest request) =>
        request.Headers.Accept.ToString().Split(',').Select(a => a.Split(';')[0].Trim()).FirstOrDefault(a => IsJson(a) || IsProtobuf(a)) is { } first && IsProtobuf(first);

    private bool IsProtobuf(string type) => protobuf && type == ProtobufEncoder.MediaType;

    private static bool IsJson(string type) => type is "application/json" or "application/*" or "*/*";
}
