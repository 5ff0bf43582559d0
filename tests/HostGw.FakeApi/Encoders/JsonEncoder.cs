using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Encoders;

/// <summary>application/json: the stored bytes, copied.</summary>
internal class JsonEncoder(ResourceKind kind) : ObjectEncoder(kind)
{
    private static readonly string[] NodeInfo =
    [
        "machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion", "kubeProxyVersion",
        "operatingSystem", "architecture",
    ];

    private bool _first = true;

    public override string ContentType => "application/json";

    public override void Object(IBufferWriter<byte> output, StoredObject item) => output.Write(item.Json.Span);

    public override void ListStart(IBufferWriter<byte> output, Page page)
    {
        output.Write(ObjectJson.Serialize(new JsonObject
        {
            ["kind"] = Kind.ListKind,
            ["apiVersion"] = Kind.ApiVersion,
            ["metadata"] = Metadata(page),
        }).AsSpan()[..^1]);
        output.Write(",\"items\":["u8);
    }

    public override void ListItem(IBufferWriter<byte> output, StoredObject item)
    {
        if (!_first)
            output.Write(","u8);
        _first = false;
        output.Write(item.Json.Span[..Math.Min(1, item.Json.Length)]);
        output.Write(item.ItemTail.Span);
    }

    public override void ListEnd(IBufferWriter<byte> output) => output.Write("]}\n"u8);

    public override void WatchEvent(IBufferWriter<byte> output, string type, StoredObject item)
    {
        FrameStart(output, type);
        output.Write(item.Json.Span);
        output.Write("}\n"u8);
    }

    public override void Bookmark(IBufferWriter<byte> output, long revision, bool initialEventsEnd) =>
        WatchEvent(output, "BOOKMARK", StoredObject.Raw("", revision, ObjectJson.Serialize(Kind, Empty(BookmarkMetadata(revision, initialEventsEnd)))));

    public override void WatchError(IBufferWriter<byte> output, JsonObject status)
    {
        FrameStart(output, "ERROR");
        output.Write(ObjectJson.Serialize(status));
        output.Write("}\n"u8);
    }

    // What Go's encoder writes of an empty Node.
    private JsonObject Empty(JsonObject metadata)
    {
        var content = new JsonObject { ["metadata"] = metadata };
        if (Kind != Kinds.Node)
            return content;
        content["spec"] = new JsonObject();
        content["status"] = new JsonObject
        {
            ["daemonEndpoints"] = new JsonObject { ["kubeletEndpoint"] = new JsonObject { ["Port"] = 0 } },
            ["nodeInfo"] = new JsonObject(NodeInfo.Select(n => KeyValuePair.Create<string, JsonNode?>(n, ""))),
        };
        return content;
    }

    private static void FrameStart(IBufferWriter<byte> output, string type)
    {
        output.Write("{\"type\":\""u8);
        output.Write(Encoding.ASCII.GetBytes(type));
        output.Write("\",\"object\":"u8);
    }
}
