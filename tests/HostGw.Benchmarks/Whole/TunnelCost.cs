using HostGw.Benchmarks.Figures;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Benchmarks.Whole;

/// <summary>
/// TCP from pod to pod on one segment at one time: by a native route, through hostgw0, and through a plain VXLAN link, in turns that begin
/// with another one each time. A ratio is of one turn, so that it does not tell how fast the machine is.
/// </summary>
internal static class TunnelCost
{
    private const int Turns = 15;

    private static readonly TimeSpan Stream = TimeSpan.FromSeconds(1), Echo = TimeSpan.FromMilliseconds(400);

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(TunnelledCluster cluster, Build build)
    {
        (Node one, Node native, Node tunnelled) = (cluster.Node(1), cluster.Node(2), cluster.Node(3));
        PlainVxlan.Connect(one, native);
        cluster.Segment.DropPodAddressesBetween(one, tunnelled);
        await cluster.BecomeAsync(one, tunnelled, TunnelledCluster.IsTunnelled);
        await cluster.BecomeAsync(one, native, TunnelledCluster.IsNative);

        NetworkNamespace from = one.Pods[0].Network;
        Pod near = native.Pods[0], far = tunnelled.Pods[0];
        (NetworkNamespace To, IPAddress Address)[] paths =
            [(near.Network, near.Addresses[0]), (far.Network, far.Addresses[0]), (near.Network, PlainVxlan.PodAddress(native))];
        double[][] streams = new double[Turns][], echoes = new double[Turns][];
        for (int turn = 0; turn < Turns; turn++)
        {
            (streams[turn], echoes[turn]) = (new double[paths.Length], new double[paths.Length]);
            for (int i = 0; i < paths.Length; i++)
            {
                int path = (turn + i) % paths.Length;
                streams[turn][path] = TcpPath.Throughput(from, paths[path].To, paths[path].Address, Stream);
                echoes[turn][path] = TcpPath.RoundTrip(from, paths[path].To, paths[path].Address, Echo);
            }
        }
        return
        [
            .. Figures(Names.TunnelThroughput, Names.TunnelThroughputRatio, "Gbit/s", streams, build),
            .. Figures(Names.TunnelRoundTrip, Names.TunnelRoundTripRatio, "us", echoes, build),
        ];
    }

    private static Figure[] Figures(string name, string ratio, string unit, double[][] turns, Build build) =>
    [
        new(name, unit, Of(turns, t => t[1]))
        {
            Build = build.Name,
            Peers = [new("native", Of(turns, t => t[0]).Median), new("plain VXLAN", Of(turns, t => t[2]).Median)],
        },
        new(ratio, "x", Of(turns, t => t[1] / t[0]))
        {
            Build = build.Name,
            Peers = [new("plain VXLAN", Of(turns, t => t[2] / t[0]).Median)],
        },
    ];

    private static Samples Of(double[][] turns, Func<double[], double> value) => new(turns.Select(value));
}
