using System.Diagnostics;
using HostGw.Benchmarks.Figures;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Benchmarks.Whole;

/// <summary>
/// The segment's switch begins to drop pods' packets, all at once: how soon the agents of two nodes say so, and how long their pods do not
/// reach each other.
/// </summary>
internal static class TunnelSwitch
{
    private const int Rounds = 3;

    private static readonly TimeSpan BetweenPings = TimeSpan.FromMilliseconds(20);

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(TunnelledCluster cluster, Build build)
    {
        List<double> verdicts = [], silences = [];
        for (int round = 0; round < Rounds; round++)
        {
            await AllAsync(cluster, (one, other) => cluster.BecomeAsync(one, other, TunnelledCluster.IsNative));
            await MeasureAsync(cluster, verdicts, silences);
            cluster.Segment.DropNothing();
        }
        await AllAsync(cluster, (one, other) => cluster.BecomeAsync(one, other, TunnelledCluster.IsNative));
        return
        [
            new(Names.TunnelVerdict, "s", new(verdicts)) { Build = build.Name },
            new(Names.TunnelSwitch, "s", new(silences)) { Build = build.Name },
        ];
    }

    private static async Task MeasureAsync(TunnelledCluster cluster, List<double> verdicts, List<double> silences)
    {
        PingFlood[] floods = [.. cluster.Pairs.Select(pair => Flood(pair.One, pair.Other))];
        cluster.Segment.DropPodAddresses();
        long start = Stopwatch.GetTimestamp();
        double[] times = await AllAsync(cluster, async (one, other) =>
        {
            await cluster.BecomeAsync(one, other, TunnelledCluster.IsDropped);
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        });
        verdicts.AddRange(times);
        await AllAsync(cluster, (one, other) => cluster.BecomeAsync(one, other, TunnelledCluster.IsTunnelled));
        // The longest time between two replies ends with the first one that came through the tunnel.
        foreach ((Node one, Node other) in cluster.Pairs)
        {
            if (Ping.Once(one.Pods[0].Network, other.Pods[0].Addresses[0], TimeSpan.FromSeconds(1)) is null)
                throw new InvalidOperationException($"{one.Name}'s pod does not reach {other.Name}'s through the tunnel");
        }
        silences.AddRange(floods.Select(flood => flood.Stop().LongestGap.TotalSeconds));
    }

    private static PingFlood Flood(Node one, Node other) =>
        PingFlood.Start([(one.Pods[0].Network, other.Pods[0].Addresses[0])], BetweenPings);

    private static Task AllAsync(TunnelledCluster cluster, Func<Node, Node, Task> becomeAsync) =>
        Task.WhenAll(cluster.Pairs.Select(pair => becomeAsync(pair.One, pair.Other)));

    private static Task<double[]> AllAsync(TunnelledCluster cluster, Func<Node, Node, Task<double>> becomeAsync) =>
        Task.WhenAll(cluster.Pairs.Select(pair => becomeAsync(pair.One, pair.Other)));
}
