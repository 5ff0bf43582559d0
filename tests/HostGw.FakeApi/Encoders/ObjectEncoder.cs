using System.Buffers;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

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
        var metadata = new JsonObject { ["resourceVersion"] = JsonFields.Number(revision), ["creationTimestamp"] = null };
        if (initialEventsEnd)
            metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        return metadata;
    }
}
