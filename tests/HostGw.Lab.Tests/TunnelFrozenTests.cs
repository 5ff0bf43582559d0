using System.Diagnostics;
using HostGw.Lab.Agents;
using HostGw.Lab.Interop;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>
/// Two pairs of nodes that change from native routes to the tunnel and back, with strict rp_filter. In the middle of each change an agent
/// is frozen: of the first pair the one that has not changed yet, of the second pair the one that has.
/// </summary>
public sealed class TunnelFrozenTests : TunnelTest
{
    private static readonly TimeSpan Frozen = TimeSpan.FromSeconds(2), Moment = TimeSpan.FromSeconds(5);

    private protected override ClusterSettings Settings => Tunnelled(4);

    private (Node, Node)[] Pairs => [(One, Two), (Cluster.Node(3), Cluster.Node(4))];

    [Fact]
    public async Task An_agent_frozen_in_the_middle_of_a_change_costs_what_it_is_frozen_for_and_a_moment()
    {
        await Cluster.StartAgentsAsync();
        await Verdicts.AllBecomeAsync(Cluster, "reachable");
        await ChangeAsync("to the tunnel", Cluster.Segment.DropPodsDatagrams, TunnelledAsync);
        await ChangeAsync("back to native", Cluster.Segment.DropNothing, NativeAsync);
    }

    // Probes are dropped or let through, pings never are: what is lost is lost by the change.
    private async Task ChangeAsync(string what, Action cause, Func<Node, IEnumerable<Node>, Task> become)
    {
        using PingFlood flood = await FloodAsync(Pairs);
        Task<string> laggard = FreezeAsync(Pairs[0], isFirst: false), leader = FreezeAsync(Pairs[1], isFirst: true);
        cause();
        string[] frozen = await Task.WhenAll(laggard, leader);
        foreach ((Node one, Node other) in Pairs)
        {
            await become(one, [other]);
            await become(other, [one]);
        }
        using (PingFlood after = await FloodAsync(Pairs))
        {
            await Verdicts.AllBecomeAsync(Cluster, "reachable");
            NothingLost(after);
        }
        PingFloodResult result = flood.Stop();
        Measured($"{what}, frozen {string.Join(" and ", frozen)}: {result}; the longest time without an answer", result.LongestGap);
        Assert.InRange(result.LongestGap, TimeSpan.Zero, Frozen + Moment);
    }

    /// <summary>Freezes an agent for a time as soon as one of a pair has another route to the other's pods.</summary>
    /// <param name="isFirst">Which: the one that has it.</param>
    /// <returns>Who was frozen, and whether the other one had changed already.</returns>
    private async Task<string> FreezeAsync((Node One, Node Other) pair, bool isFirst)
    {
        using RouteEvents one = RouteEvents.Listen(pair.One.Network), other = RouteEvents.Listen(pair.Other.Network);
        long start = Stopwatch.GetTimestamp();
        Task[] changes =
            [one.WaitAsync(start, pair.Other.PodCidrs[0], added: true), other.WaitAsync(start, pair.One.PodCidrs[0], added: true)];
        Node changed = await Task.WhenAny(changes) == changes[0] ? pair.One : pair.Other;
        Agent agent = Cluster.Agent((changed == pair.One) == isFirst ? pair.One : pair.Other);
        agent.Signal(Libc.SIGSTOP);
        bool isBoth = Array.TrueForAll(changes, c => c.IsCompleted);
        await Task.Delay(Frozen);
        agent.Signal(Libc.SIGCONT);
        await Task.WhenAll(changes);
        return $"{agent.Node} ({(isFirst ? "changed" : "not changed yet")}{(isBoth ? "; the other one, too" : "")})";
    }
}
