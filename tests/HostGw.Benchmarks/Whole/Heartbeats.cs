using System.Diagnostics;
using HostGw.Benchmarks.Figures;

namespace HostGw.Benchmarks.Whole;

/// <summary>What it costs the agent that every node of the cluster reports its conditions once in five minutes.</summary>
internal static class Heartbeats
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(Site site, Build build, AgentProcess agent, TimeSpan warmUp, TimeSpan length)
    {
        // What is called often is compiled meanwhile.
        await BeatAsync(site, warmUp, () => { });
        AgentMetrics before = await agent.MetricsAsync();
        (long received, long start) = (agent.ReceivedBytes, Stopwatch.GetTimestamp());
        BusyTime busy = new(agent);
        int beats = await BeatAsync(site, length, busy.Note);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double bytes = agent.ReceivedBytes - received;
        AgentMetrics during = await agent.MetricsAsync() - before;

        Figure Figure(string name, string unit, double value) => new(name, unit, new(value)) { Build = build.Name, Size = site.Size };
        return
        [
            Figure(Names.HeartbeatCpu, "% of a core", busy.Percent) with
            {
                Peers = [new("heartbeats", beats), new("counted", busy.Counted)],
            },
            Figure(Names.HeartbeatPasses, "", during.Passes - during.Resyncs),
            Figure(Names.HeartbeatFullPasses, "", during.Resyncs),
            Figure(Names.HeartbeatWrites, "", during.Writes),
            Figure(Names.HeartbeatBytes, "kB/s", bytes / seconds / 1e3),
        ];
    }

    /// <summary>Lets the nodes report in their order, each once in five minutes, beginning with the one that is measured.</summary>
    /// <param name="noteBeat">Called at the beginning, before each heartbeat, and at the end.</param>
    public static async Task<int> BeatAsync(Site site, TimeSpan length, Action noteBeat)
    {
        TimeSpan between = Period / site.Size;
        IReadOnlyList<string> names = site.Server.Nodes.Names;
        long start = Stopwatch.GetTimestamp();
        int beats = 0;
        noteBeat();
        while (true)
        {
            TimeSpan due = between * (beats + 1);
            if (due > length)
                break;
            TimeSpan early = due - Stopwatch.GetElapsedTime(start);
            if (early > TimeSpan.Zero)
                await Task.Delay(early);
            noteBeat();
            site.Server.Nodes.Heartbeat(names[beats++ % names.Count]);
        }
        TimeSpan rest = length - Stopwatch.GetElapsedTime(start);
        if (rest > TimeSpan.Zero)
            await Task.Delay(rest);
        noteBeat();
        return beats;
    }
}
