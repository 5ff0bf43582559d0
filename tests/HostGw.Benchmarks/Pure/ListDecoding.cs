using BenchmarkDotNet.Attributes;
using HostGw.Nodes;
using HostGw.Planning;

namespace HostGw.Benchmarks.Pure;

/// <summary>A list of all nodes, from the bytes to the store.</summary>
public class ListDecoding
{
    private byte[] _protobuf = [], _json = [];

    [Params(5_000)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Encode() => (_protobuf, _json) = (Answers.List(Answers.Protobuf, Size), Answers.List(Answers.Json, Size));

    [Benchmark(Description = "decode the list, protobuf")]
    public int Protobuf()
    {
        var store = new NodeStore();
        return Decode(store, new NodeProtobufDecoder(ProtobufPlace.List, new(NodeSelector.Everything), (_, draft) => store.AddListed(draft)), _protobuf);
    }

    [Benchmark(Description = "decode the list, JSON")]
    public int Json()
    {
        var store = new NodeStore();
        return Decode(store, new NodeJsonDecoder(JsonPlace.List, new(NodeSelector.Everything), (_, draft) => store.AddListed(draft)), _json);
    }

    // A stream in memory is read at once: nothing is awaited.
    private static int Decode(NodeStore store, INodeDecoder decoder, byte[] list)
    {
        store.BeginList();
        BodyPump.RunAsync(new MemoryStream(list), decoder, endsDocument: true, CancellationToken.None).GetAwaiter().GetResult();
        store.CompleteList(decoder.Page().ResourceVersion);
        return store.Snapshot.Nodes.Length;
    }
}
