using BenchmarkDotNet.Attributes;
using HostGw.Planning;
using HostGw.Reconciliation;

namespace HostGw.Benchmarks.Pure;

/// <summary>What should stand, compared with what does, when both are the same.</summary>
public class Diffing
{
    private readonly HashSet<RouteKey> _ledger = [];
    private Plan _plan = new();
    private HostState _host = new();

    [Params(5_000, 65_536)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Make()
    {
        _plan = new() { Scope = PlanScope.Everything, Routes = ManyNodes.Routes(Size) };
        _host = ManyNodes.Host(_plan.Routes);
        _ledger.UnionWith(_plan.Routes.Select(route => route.Key));
    }

    [Benchmark(Description = "diff of routes, no difference")]
    public bool Routes() => RouteDiff.Between(_plan, _host.Routes, _ledger, AdoptMode.Equivalent).IsEmpty;

    [Benchmark(Description = "diff of the host, no difference")]
    public bool Host() => HostDiff.Between(_plan, _host, _ledger, AdoptMode.Equivalent).Routes.IsEmpty;
}
