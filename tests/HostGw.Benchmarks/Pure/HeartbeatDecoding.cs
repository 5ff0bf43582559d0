using BenchmarkDotNet.Attributes;
using HostGw.Benchmarks.Figures;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;

namespace HostGw.Benchmarks.Pure;

/// <summary>A node that reports what is known, from the bytes to the store.</summary>
public class HeartbeatDecoding
{
    private readonly byte[] _frame = Answers.Modified(Answers.Protobuf);
    private readonly NodeStore _store = new();
    private readonly ListWatchDecoder _decoder;

    public HeartbeatDecoding()
    {
        NodeDraft draft = new(NodeSelector.Everything, "node-00002");
        _decoder = new(isWatch: true, draft, type => _store.Apply(type, draft));
    }

    [Benchmark(Description = Names.HeartbeatProtobuf)]
    public int Protobuf() => _decoder.Decode(_frame, isFinal: false);
}
