using BenchmarkDotNet.Attributes;
using HostGw.Benchmarks.Figures;
using HostGw.Nodes;
using HostGw.Planning;

namespace HostGw.Benchmarks.Pure;

/// <summary>A node that reports what is known, from the bytes to the store.</summary>
public class HeartbeatDecoding
{
    private readonly byte[] _protobuf = Answers.Modified(Answers.Protobuf), _json = Answers.Modified(Answers.Json);
    private readonly NodeStore _store = new();
    private readonly NodeProtobufDecoder _protobufDecoder;
    private readonly NodeJsonDecoder _jsonDecoder;

    public HeartbeatDecoding()
    {
        _protobufDecoder = new NodeProtobufDecoder(ProtobufPlace.Event, new(NodeSelector.Everything), (type, draft) => _store.Apply(type, draft));
        _jsonDecoder = new NodeJsonDecoder(JsonPlace.Event, new(NodeSelector.Everything), (type, draft) => _store.Apply(type, draft));
    }

    [Benchmark(Description = Names.HeartbeatProtobuf)]
    public int Protobuf() => _protobufDecoder.Decode(_protobuf, isFinal: false);

    [Benchmark(Description = Names.HeartbeatJson)]
    public int Json() => _jsonDecoder.Decode(_json, isFinal: false);
}
