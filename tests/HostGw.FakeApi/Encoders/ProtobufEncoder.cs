using System.Buffers;
using System.Buffers.Binary;
using System.Text;
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
    private static readonly byte[] Magic = [.. "k8s\0"u8];
    private static readonly byte[] Tail = [0x1A, 0, 0x22, 0]; // contentEncoding and contentType, empty

    private static readonly byte[] StatusType = TypeMeta("v1", "Status");

    private readonly ProtobufMessage _message = ProtobufKinds.Of(kind.Kind)!;
    private readonly byte[] _type = TypeMeta(kind.ApiVersion, kind.Kind);

    public override string ContentType => MediaType;

    public override string WatchContentType => MediaType + ";stream=watch";

    public static byte[] Status(JsonObject status) => Enveloped(StatusType, ProtobufMetadata.Status.Encode(status));

    public override void Object(IBufferWriter<byte> output, StoredObject item) => Envelope(output, _type, Encoded(item).Span);

    public override void ListStart(IBufferWriter<byte> output, Page page)
    {
        byte[] metadata = ProtobufMetadata.ListMeta.Encode(Metadata(page));
        long length = ProtobufWriter.SizeOf(metadata.Length) + page.Items.Sum(item => ProtobufWriter.SizeOf(Encoded(item).Length));
        EnvelopeStart(output, TypeMeta(Kind.ApiVersion, Kind.ListKind), length);
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
        Frame(output, type, _type, Encoded(item).Span);

    public override void Bookmark(IBufferWriter<byte> output, long revision, bool initialEventsEnd) =>
        Frame(output, "BOOKMARK", _type, _message.Encode(new() { ["metadata"] = BookmarkMetadata(revision, initialEventsEnd) }));

    public override void WatchError(IBufferWriter<byte> output, JsonObject status) =>
        Frame(output, "ERROR", StatusType, ProtobufMetadata.Status.Encode(status));

    private ReadOnlyMemory<byte> Encoded(StoredObject item) => item.Encoded(_message.Encode);

    // WatchEvent: type, and the object as runtime.RawExtension. Written in place: thousands of watches are sent the same bytes.
    private static void Frame(IBufferWriter<byte> output, string type, byte[] typeMeta, ReadOnlySpan<byte> raw)
    {
        byte[] text = Encoding.ASCII.GetBytes(type);
        long envelope = Magic.Length + ProtobufWriter.SizeOf(typeMeta.Length) + ProtobufWriter.SizeOf(raw.Length) + Tail.Length;
        long extension = ProtobufWriter.SizeOf(envelope);
        BinaryPrimitives.WriteInt32BigEndian(
            output.GetSpan(sizeof(int)), (int)(ProtobufWriter.SizeOf(text.Length) + ProtobufWriter.SizeOf(extension)));
        output.Advance(sizeof(int));
        ProtobufWriter.Header(output, 1, text.Length);
        output.Write(text);
        ProtobufWriter.Header(output, 2, extension);
        ProtobufWriter.Header(output, 1, envelope);
        Envelope(output, typeMeta, raw);
    }

    private static byte[] Enveloped(byte[] typeMeta, ReadOnlySpan<byte> raw)
    {
        var output = new ArrayBufferWriter<byte>(raw.Length + 64);
        Envelope(output, typeMeta, raw);
        return output.WrittenSpan.ToArray();
    }

    private static void Envelope(IBufferWriter<byte> output, byte[] typeMeta, ReadOnlySpan<byte> raw)
    {
        EnvelopeStart(output, typeMeta, raw.Length);
        output.Write(raw);
        output.Write(Tail);
    }

    private static void EnvelopeStart(IBufferWriter<byte> output, byte[] typeMeta, long length)
    {
        output.Write(Magic);
        ProtobufWriter.Header(output, TypeMetaField, typeMeta.Length);
        output.Write(typeMeta);
        ProtobufWriter.Header(output, RawField, length);
    }

    private static byte[] TypeMeta(string apiVersion, string kind) =>
        ProtobufMetadata.TypeMeta.Encode(new() { ["apiVersion"] = apiVersion, ["kind"] = kind });
}
