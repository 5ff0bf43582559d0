using System.Collections.Immutable;
using BenchmarkDotNet.Attributes;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;

namespace HostGw.Benchmarks.Pure;

/// <summary>The kernel's messages for routes, written into the buffer that every pass uses again.</summary>
public class Encoding
{
    private readonly NetlinkWriter _writer = new();
    private ImmutableArray<PodRoute> _routes;

    [Params(65_536)]
    public int Size { get; set; }

    [GlobalSetup]
    public void Make() => _routes = ManyNodes.Routes(Size);

    [Benchmark(Description = "encode routes")]
    public int Routes()
    {
        _writer.Clear();
        for (int i = 0; i < _routes.Length; i++)
            RouteEncoder.Add(_writer, _routes[i], 157, (uint)i);
        return _writer.Length;
    }
}
