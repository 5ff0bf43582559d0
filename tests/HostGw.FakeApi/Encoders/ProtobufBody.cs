using System.Text;
using System.Text.Json.Nodes;

namespace HostGw.FakeApi.Encoders;

/// <summary>
/// Bodies of requests in protobuf, as far as helm and kubectl send them: Secrets, in which helm keeps its releases, Namespaces without
/// their spec, and options without content.
/// </summary>
/// <remarks>
/// runtime.Unknown in k8s.io/apimachinery, ObjectMeta in meta/v1, Secret and Namespace in core/v1: the numbers of their generated.proto.
/// </remarks>
internal static class ProtobufBody
{
    private const int Magic = 4; // "k8s\0"

    /// <exception cref="FormatException">It is something else.</exception>
    public static JsonObject Read(ReadOnlySpan<byte> body)
    {
        Dictionary<int, List<byte[]>> envelope = Fields(body[Magic..]);
        Dictionary<int, List<byte[]>> type = Fields(First(envelope, 1)), content = Fields(First(envelope, 2));
        var read = new JsonObject { ["apiVersion"] = Text(type, 1), ["kind"] = Text(type, 2) };
        if (Text(type, 2) == "DeleteOptions")
            return read;
        if (Text(type, 2) is not ("Secret" or "Namespace"))
            throw new FormatException($"protobuf is read of Secrets and Namespaces only, this is a {Text(type, 2)}");
        read["metadata"] = Metadata(Fields(First(content, 1)));
        if (Text(type, 2) == "Namespace")
            return read;
        read["data"] = Map(content, 2, value => Convert.ToBase64String(value));
        read["type"] = Text(content, 3);
        return read;
    }

    public static JsonObject Metadata(Dictionary<int, List<byte[]>> fields)
    {
        var metadata = new JsonObject { ["labels"] = Map(fields, 11, Encoding.UTF8.GetString), ["annotations"] = Map(fields, 12, Encoding.UTF8.GetString) };
        foreach ((string name, int number) in new[] { ("name", 1), ("namespace", 3), ("uid", 5), ("resourceVersion", 6) })
        {
            if (Text(fields, number) is { Length: > 0 } text)
                metadata[name] = text;
        }
        return metadata;
    }

    private static JsonObject Map(Dictionary<int, List<byte[]>> fields, int number, Func<byte[], string> value) =>
        new(fields.GetValueOrDefault(number, []).Select(entry => Fields(entry)).Select(e => KeyValuePair.Create(Text(e, 1), (JsonNode?)value(First(e, 2)))));

    public static string Text(Dictionary<int, List<byte[]>> fields, int number) => Encoding.UTF8.GetString(First(fields, number));

    public static byte[] First(Dictionary<int, List<byte[]>> fields, int number) => fields.TryGetValue(number, out List<byte[]>? values) ? values[0] : [];

    // Only what has a length; numbers are passed over.
    public static Dictionary<int, List<byte[]>> Fields(ReadOnlySpan<byte> message)
    {
        Dictionary<int, List<byte[]>> fields = [];
        while (!message.IsEmpty)
        {
            int tag = Varint(ref message);
            switch (tag & 7)
            {
                case 0:
                    Varint(ref message);
                    break;
                case 2:
                    int length = Varint(ref message);
                    if (!fields.TryGetValue(tag >> 3, out List<byte[]>? values))
                        fields[tag >> 3] = values = [];
                    values.Add(message[..length].ToArray());
                    message = message[length..];
                    break;
                default:
                    throw new FormatException($"a field of wire type {tag & 7} is not expected");
            }
        }
        return fields;
    }

    private static int Varint(ref ReadOnlySpan<byte> message)
    {
        long value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = message[0];
            message = message[1..];
            value |= shift < 64 ? (long)(next & 0x7f) << shift : 0;
            if (next < 0x80)
                return (int)value;
        }
    }
}
