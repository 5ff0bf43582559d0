using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Encoders;

/// <summary>application/vnd.kubernetes.protobuf; each version of an object is encoded once and then copied.</summary>
/// <remarks>kubernetes staging/src/k8s.io/apimachinery/pkg/runtime/serializer/protobuf/protobuf.go: frames of a watch carry a bare WatchEvent, only the object in it has an envelope.</remarks>
internal sealed class ProtobufEncoder(ResourceKind kind) : ObjectEncoder(kind)
{
    public const string MediaType = "application/vnd.kubernetes.protobuf";

    // runtime.Unknown
    private const int TypeMetaField = 1, RawField = 2;
    private static readonly byte[] Tail = [0x1A, 0, 0x22, 0]; // contentEncoding and contentType, empty

    private readonly ProtobufMessage _message = ProtobufKinds.Of(kind.Kind)!;

    public override string ContentType => MediaType;

    public override string WatchContentType => MediaType + ";stream=watch";

    public static byte[] Status(JsonObject status) => Enveloped("v1", "Status", ProtobufMetadata.Status.Encode(status));

    public override void Object(IBufferWriter<byte> output, StoredObject item) => output.Write(Enveloped(Kind.ApiVersion, Kind.Kind, Encoded(item).Span));

    public override void ListStart(IBufferWriter<byte> output, Page page)
    {
        byte[] metadata = ProtobufMetadata.ListMeta.Encode(Metadata(page));
        long length = ProtobufWriter.SizeOf(metadata.Length) + page.Items.Sum(item => ProtobufWriter.SizeOf(Encoded(item).Length));
        EnvelopeStart(output, Kind.ApiVersion, Kind.ListKind, length);
        ProtobufWriter.Header(output, 1, metadata.Length);
        output.Write(metadata);
    }

    public override void ListItem(IBufferWriter<byte> output, StoredObject item)
    {
        ReadOnlySpan<byte> bytes = Encoded(item).Span;
        ProtobufWriter.Header(output, 2, bytes.Length);
        output.Write(bytes);
    }

    public override void ListEnd(IBufferWriter<byte> output) => output.Write(Tail);

    public override void WatchEvent(IBufferWriter<byte> output, string type, StoredObject item) =>
        Frame(output, type, Enveloped(Kind.ApiVersion, Kind.Kind, Encoded(item).Span));

    public override void Bookmark(IBufferWriter<byte> output, long revision, bool initialEventsEnd) =>
        Frame(output, "BOOKMARK", Enveloped(Kind.ApiVersion, Kind.Kind, _message.Encode(new() { ["metadata"] = BookmarkMetadata(revision, initialEventsEnd) })));

    public override void WatchError(IBufferWriter<byte> output, JsonObject status) => Frame(output, "ERROR", Status(status));

    private ReadOnlyMemory<byte> Encoded(StoredObject item) => item.Encoded(_message.Encode);

    private static void Frame(IBufferWriter<byte> output, string type, byte[] item)
    {
        var frame = new ProtobufWriter();
        frame.WriteText(1, type);
        frame.WriteMessage(2, extension => extension.WriteBytes(1, item));
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(sizeof(int)), frame.Written.Length);
        output.Advance(sizeof(int));
        output.Write(frame.Written);
    }

    private static byte[] Enveloped(string apiVersion, string kind, ReadOnlySpan<byte> raw)
    {
        var output = new ArrayBufferWriter<byte>(raw.Length + 64);
        EnvelopeStart(output, apiVersion, kind, raw.Length);
        output.Write(raw);
        output.Write(Tail);
        return output.WrittenSpan.ToArray();
    }

    private static void EnvelopeStart(IBufferWriter<byte> output, string apiVersion, string kind, long length)
    {
        byte[] type = ProtobufMetadata.TypeMeta.Encode(new() { ["apiVersion"] = apiVersion, ["kind"] = kind });
        output.Write("k8s\0"u8);
        ProtobufWriter.Header(output, TypeMetaField, type.Length);
        output.Write(type);
        ProtobufWriter.Header(output, RawField, length);
    }
}
