using System.Buffers;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Encoders;

/// <summary>as=PartialObjectMetadata and as=PartialObjectMetadataList: of every object its metadata alone, in either content type.</summary>
internal sealed class MetadataEncoder(ObjectEncoder inner) : ObjectEncoder(Kind)
{
    public static new readonly ResourceKind Kind = new("meta.k8s.io", "", "PartialObjectMetadata", Namespaced: false);

    private readonly Dictionary<StoredObject, StoredObject> _reduced = [];

    public override string ContentType => inner.ContentType;

    public override string WatchContentType => inner.WatchContentType;

    public override void Object(IBufferWriter<byte> output, StoredObject item) => inner.Object(output, Reduced(item));

    public override void ListStart(IBufferWriter<byte> output, Page page) =>
        inner.ListStart(output, page with { Items = [.. page.Items.Select(Reduced)] });

    public override void ListItem(IBufferWriter<byte> output, StoredObject item) => inner.ListItem(output, Reduced(item));

    public override void ListEnd(IBufferWriter<byte> output) => inner.ListEnd(output);

    public override void WatchEvent(IBufferWriter<byte> output, string type, StoredObject item) => inner.WatchEvent(output, type, Reduced(item));

    public override void Bookmark(IBufferWriter<byte> output, long revision, bool initialEventsEnd) =>
        inner.Bookmark(output, revision, initialEventsEnd);

    public override void WatchError(IBufferWriter<byte> output, JsonObject status) => inner.WatchError(output, status);

    // The protobuf encoder asks for the size of every item before it writes it.
    private StoredObject Reduced(StoredObject item)
    {
        if (_reduced.TryGetValue(item, out StoredObject? known))
            return known;
        var content = new JsonObject { ["metadata"] = item.ParseOrEmpty()["metadata"]?.DeepClone() ?? new JsonObject() };
        // Items of this list keep their kind and apiVersion.
        return _reduced[item] = StoredObject.Raw(item.Key, item.Revision, ObjectJson.Serialize(Kind, content));
    }
}
