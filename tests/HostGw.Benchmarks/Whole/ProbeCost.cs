using System.Diagnostics;
using HostGw.Benchmarks.Figures;

namespace HostGw.Benchmarks.Whole;

/// <summary>What it costs the agent to probe peers that are there and answer, and to answer theirs.</summary>
internal static class ProbeCost
{
    /// <summary>As many peers as are probed at the full rate.</summary>
    public const int Peers = 500;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(25), Length = TimeSpan.FromSeconds(40),
        Between = TimeSpan.FromMilliseconds(20);

    /// <param name="site">A cluster of one node more than there are peers.</param>
    public static async Task<IReadOnlyList<Figure>> MeasureAsync(Site site, Build build)
    {
        site.Reset();
        using AnsweringPeers peers = new(site, Peers);
        using AgentProcess agent = await ColdStart.StartedAsync(site, build);
        await agent.QuietAsync();
        await Task.Delay(WarmUp);
        (long received, long start) = (agent.ReceivedBytes, Stopwatch.GetTimestamp());
        BusyTime busy = new(agent);
        while (Stopwatch.GetElapsedTime(start) < Length)
        {
            busy.Note();
            await Task.Delay(Between);
        }
        busy.Note();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double bytes = agent.ReceivedBytes - received;
        double reachable = (await agent.MetricsAsync()).Reachable;
        if (reachable != Peers)
            throw new InvalidOperationException($"{reachable} of {Peers} peers answer the agent's probes");

        Figure Figure(string name, string unit, double value) => new(name, unit, new(value)) { Build = build.Name, Size = site.Size };
        return
        [
            Figure(Names.ProbeCpu, "% of a core", busy.Percent) with { Peers = [new("counted", busy.Counted)] },
            Figure(Names.ProbeBytes, "kB/s", bytes / seconds / 1e3),
            Figure(Names.ProbeMemory, "MB", agent.PssMB),
        ];
    }
}
