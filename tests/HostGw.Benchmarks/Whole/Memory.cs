using System.Diagnostics;
using HostGw.Benchmarks.Figures;
using HostGw.FakeApi;

namespace HostGw.Benchmarks.Whole;

/// <summary>What the agent holds once nothing happens any more, and the most it ever held.</summary>
internal sealed class Memory
{
    private const int Reads = 20;
    private const double SameMB = 0.1;
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(3), EventDeadline = TimeSpan.FromMinutes(2);

    private readonly Dictionary<Build, double> _smallest = [];

    /// <summary>To be called with the smallest cluster first: what more nodes cost is told against that.</summary>
    public async Task<IReadOnlyList<Figure>> MeasureAsync(Site site, Build build, AgentProcess agent)
    {
        double pss = await SettledAsync(agent), resident = agent.ResidentMB, peak = agent.PeakMB;
        Figure Figure(string name, string unit, double value) => new(name, unit, new(value)) { Build = build.Name, Size = site.Size };
        List<Figure> figures =
        [
            Figure(Names.MemorySettled, "MB", pss),
            Figure(Names.MemoryResident, "MB", resident),
            Figure(Names.MemoryPeak, "MB", peak),
            Figure(Names.MemoryPeakRatio, "x", peak / resident),
        ];
        if (!_smallest.TryAdd(build, pss))
            figures.Add(Figure(Names.MemoryGrowth, "MB", pss - _smallest[build]));
        figures.Add(Figure(Names.MemoryAfterEvent, "MB", await AfterEventAsync(site, agent)));
        return figures;
    }

    /// <summary>Of an agent that probes nobody.</summary>
    public static async Task<Figure> MeasureWithoutProbesAsync(Site site, Build build, AgentProcess agent) =>
        new(Names.MemoryWithoutProbes, "MB", new(await SettledAsync(agent))) { Build = build.Name, Size = site.Size };

    // A podCIDR outside of the cluster's is rejected, and the agent says so in an Event.
    private static async Task<double> AfterEventAsync(Site site, AgentProcess agent)
    {
        NodeSpec node = Site.Describe(site.Size + 1) with { PodCidrs = ["192.168.77.0/24"] };
        site.Server.ClearRequests();
        site.Server.Nodes.Put(node);
        long start = Stopwatch.GetTimestamp();
        while (!site.Server.Requests.Any(IsWrittenEvent))
        {
            if (Stopwatch.GetElapsedTime(start) > EventDeadline)
                throw new TimeoutException("the agent wrote no Event about a rejected podCIDR");
            await Task.Delay(Between);
        }
        double pss = await SettledAsync(agent);
        site.Server.Nodes.Delete(node.Name);
        await agent.QuietAsync();
        return pss;
    }

    private static bool IsWrittenEvent(RequestRecord request) =>
        request.Method is "POST" or "PATCH" && request.Path.Contains("/events", StringComparison.Ordinal) && request.Code is (200 or 201);

    private static async Task<double> SettledAsync(AgentProcess agent)
    {
        double last = agent.PssMB;
        for (int i = 0; i < Reads; i++)
        {
            await Task.Delay(Between);
            double now = agent.PssMB;
            if (Math.Abs(now - last) < SameMB)
                return now;
            last = now;
        }
        throw new InvalidOperationException($"the agent's memory does not settle: {last:F1} MB after {Reads * Between}");
    }
}
