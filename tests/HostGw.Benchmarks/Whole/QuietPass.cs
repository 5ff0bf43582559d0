using System.Collections.Immutable;
using HostGw.Benchmarks.Figures;
using HostGw.Lab.Network;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Reconciliation;
using Ip = HostGw.Net.Ip;

namespace HostGw.Benchmarks.Whole;

/// <summary>A pass over many routes of a real kernel that finds nothing to do.</summary>
internal static class QuietPass
{
    // The kernel keeps all next hops on an interface in one chain: it would need minutes to add as many as there are routes.
    private const int NextHops = 256;
    private const int Warm = 10, Passes = 20;

    public static IReadOnlyList<Figure> Measure(int routes)
    {
        var machine = new NetworkNamespace("quiet");
        NetworkNamespace.Create([machine.Name]);
        machine.Configure(["link add eth0 type veth peer name peer0", "link set peer0 up", $"address add {ManyNodes.Address}/12 dev eth0", "link set eth0 up"]);
        try
        {
            return machine.Run(() => MeasureInside(routes));
        }
        finally
        {
            NetworkNamespace.Delete([machine.Name]);
        }
    }

    private static Figure[] MeasureInside(int routes)
    {
        using var host = new LinuxHost(new() { RouteProtocol = Site.Protocol, ProcSysNet = new("/proc/sys/net") });
        var reconciler = new Reconciler(host, ManyNodes.Policy, AdoptMode.Equivalent, TimeProvider.System);
        NodeSnapshot nodes = new(ManyNodes.Of(routes, NextHops), "1", IsComplete: true);
        PassReport Pass() => reconciler.Run(nodes, [], WakeCauses.Resync);

        PassReport first = Pass();
        if (first.Failures.Count > 0 || first.Routes.Add.Count != routes)
            throw new InvalidOperationException($"the first pass added {first.Routes.Add.Count} routes of {routes}; failures: {first.Failures.Count}");
        for (int i = 0; i < Warm; i++)
            Pass();

        // Not the reports themselves: each has the routes that it was computed from.
        (double Milliseconds, long Writes)[] passes =
            [.. Enumerable.Range(0, Passes).Select(_ => Pass()).Select(p => (p.Elapsed.TotalMilliseconds, p.Result.NetlinkWrites))];
        ImmutableArray<double> times = [.. passes.Select(p => p.Milliseconds)];
        return
        [
            new(Names.QuietPass, "ms", new(times)) { Size = routes },
            new(Names.QuietPassWrites, "", new(passes.Sum(p => p.Writes))) { Size = routes },
        ];
    }
}
