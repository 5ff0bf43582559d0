using System.Buffers;
using System.Text.Json.Nodes;
using HostGw.Benchmarks.Whole;
using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

namespace HostGw.Benchmarks.Pure;

/// <summary>What an API server answers, as bytes.</summary>
internal static class Answers
{
    public static ObjectEncoder Protobuf => new ProtobufEncoder(Kinds.Node);

    public static byte[] List(ObjectEncoder encoder, int nodes)
    {
        StoredObject[] items = [.. Enumerable.Range(1, nodes).Select(Node)];
        var output = new ArrayBufferWriter<byte>();
        encoder.ListStart(output, new(nodes, items, null, null));
        foreach (StoredObject item in items)
            encoder.ListItem(output, item);
        encoder.ListEnd(output);
        return output.WrittenSpan.ToArray();
    }

    public static byte[] Modified(ObjectEncoder encoder)
    {
        var output = new ArrayBufferWriter<byte>();
        encoder.WatchEvent(output, "MODIFIED", Node(1));
        return output.WrittenSpan.ToArray();
    }

    private static StoredObject Node(int number)
    {
        JsonObject content = Site.Describe(number).ToJsonObject();
        JsonFields.Metadata(content)["uid"] = $"0f3c8e0e-8d5c-4f0e-9c53-{number:d12}";
        return StoredObject.From(Kinds.Node, $"node-{number:d5}", number, content);
    }
}
