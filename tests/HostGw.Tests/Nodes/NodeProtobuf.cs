using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Encoders;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;
using HostGw.Kubernetes;
using HostGw.Nodes;

namespace HostGw.Tests.Nodes;

/// <summary>Encodes nodes as the API server does, and decodes protobuf in pieces into lines of text.</summary>
internal static class NodeProtobuf
{
    private const string MediaType = "application/vnd.kubernetes.protobuf";

    /// <summary>A whole answer with a list of nodes, each given as JSON.</summary>
    public static byte[] ListOf(string version, params string[] nodes) => Listed(version, [.. nodes.Select(Stored)]);

    /// <summary>The same with nodes that are encoded already.</summary>
    public static byte[] ListOfEncoded(string version, params byte[][] nodes) => Listed(version, [.. nodes.Select(StoredAs)]);

    /// <summary>One frame of a watch.</summary>
    public static byte[] Frame(string type, string node) => Encoded((encoder, output) => encoder.WatchEvent(output, type, Stored(node)));

    public static byte[] Bookmark(long version, bool isEnd) => Encoded((encoder, output) => encoder.Bookmark(output, version, isEnd));

    public static byte[] Error(string status) => Encoded((encoder, output) => encoder.WatchError(output, JsonNode.Parse(status)!.AsObject()));

    public static string[] Events(byte[] frames, params int[] cuts)
    {
        List<string> lines = [];
        NodeDraft draft = new(NodeText.Selector);
        var decoder = new ListWatchDecoder(isWatch: true, draft, type => lines.Add($"{type} {draft.ResourceVersion} {NodeText.Text(NodeText.Built(draft))}"));
        NodeText.Feed(decoder, frames, cuts);
        return [.. lines];
    }

    public static string[] List(byte[] bytes, params int[] cuts)
    {
        List<string> lines = [];
        NodeDraft draft = new(NodeText.Selector);
        var decoder = new ListWatchDecoder(isWatch: false, draft, _ => lines.Add(NodeText.Text(NodeText.Built(draft))));
        decoder.Decode(bytes.AsSpan(NodeText.Feed(decoder, bytes, cuts)), isFinal: true);
        ListPage page = decoder.Page();
        return [.. lines, $"{page.ResourceVersion}/{page.Continue}"];
    }

    /// <summary>The node as a line of text.</summary>
    public static string Node(string json) => List(ListOf("5", json))[0];

    public static ApiResponse Response(byte[] bytes)
    {
        var content = new ByteArrayContent(bytes) { Headers = { ContentType = new(MediaType) } };
        return new(new HttpResponseMessage { Content = content }, new MemoryStream(bytes));
    }

    private static byte[] Listed(string version, StoredObject[] items)
    {
        var output = new ArrayBufferWriter<byte>();
        ProtobufEncoder encoder = new(Kinds.Node);
        encoder.ListStart(output, new Page(long.Parse(version, System.Globalization.CultureInfo.InvariantCulture), items, null, null));
        foreach (StoredObject item in items)
            encoder.ListItem(output, item);
        encoder.ListEnd(output);
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Encoded(Action<ProtobufEncoder, IBufferWriter<byte>> encode)
    {
        var output = new ArrayBufferWriter<byte>();
        encode(new(Kinds.Node), output);
        return output.WrittenSpan.ToArray();
    }

    private static StoredObject StoredAs(byte[] node)
    {
        StoredObject stored = Stored("{}");
        stored.Encoded(_ => node);
        return stored;
    }

    private static StoredObject Stored(string node) => StoredObject.Raw("", 0, Encoding.UTF8.GetBytes(node));
}
