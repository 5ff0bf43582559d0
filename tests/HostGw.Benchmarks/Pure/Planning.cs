using System.Collections.Immutable;
using BenchmarkDotNet.Attributes;
using HostGw.Planning;

namespace HostGw.Benchmarks.Pure;

/// <summary>What this host should have, decided from all nodes.</summary>
public class Planning
{
    private readonly HostState _host = ManyNodes.Host([]);
    private ImmutableArray<ClusterNode> _nodes;

    [Params(5_000, 20_000)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Make() => _nodes = ManyNodes.Of(Size);

    [Benchmark(Description = "plan")]
    public int Plan() => Planner.Plan(_nodes, _host, ManyNodes.Policy).Routes.Length;
}
