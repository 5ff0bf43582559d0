using HostGw.Benchmarks.Figures;

namespace HostGw.Benchmarks.Whole;

/// <summary>What the agent holds once nothing happens any more, and the most it ever held.</summary>
internal sealed class Memory
{
    private const int Reads = 20;
    private const double SameMB = 0.1;
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(3);

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
        return figures;
    }

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
