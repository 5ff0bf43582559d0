using BenchmarkDotNet.Attributes;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;

namespace HostGw.Benchmarks.Pure;

/// <summary>A list of all nodes, from the bytes to the store.</summary>
public class ListDecoding
{
    private byte[] _list = [];

    [Params(5_000)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Encode() => _list = Answers.List(Answers.Protobuf, Size);

    [Benchmark(Description = "decode the list, protobuf")]
    public int Protobuf()
    {
        NodeStore store = new();
        NodeDraft draft = new(NodeSelector.Everything);
        ListWatchDecoder decoder = new(isWatch: false, draft, _ => store.AddListed(draft));
        store.BeginList();
        decoder.Decode(_list, isFinal: true);
        store.CompleteList(decoder.Page().ResourceVersion);
        return store.Snapshot.Nodes.Length;
    }
}
