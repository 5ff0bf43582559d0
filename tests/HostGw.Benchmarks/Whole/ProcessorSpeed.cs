using System.Diagnostics;
using HostGw.Benchmarks.Figures;

namespace HostGw.Benchmarks.Whole;

/// <summary>
/// Whether the processor runs at its full speed. A throttled or shared one becomes up to ten times slower, for some 60 ms, every second or
/// two, and no counter of the guest shows it: what was measured meanwhile tells of the machine, not of the agent.
/// </summary>
internal static class ProcessorSpeed
{
    private const int Steps = 50_000;
    private const int Calibrations = 200;

    // What an interrupt or another boost clock changes stays below.
    private const double Tolerance = 1.5;

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(5), Settled = TimeSpan.FromMilliseconds(50),
        Longest = TimeSpan.FromSeconds(2);

    private static ulong _result;
    private static long _slowAt;

    static ProcessorSpeed() => new Thread(Watch) { IsBackground = true, Name = "processor speed" }.Start();

    /// <summary>Whether no work of a tenth of a millisecond, done every few milliseconds, took longer than it should since then.</summary>
    /// <param name="timestamp">Of <see cref="Stopwatch"/>.</param>
    public static bool WasFullSince(long timestamp) => Volatile.Read(ref _slowAt) < timestamp;

    /// <summary>Waits until the processor was at its full speed for a while; after two seconds no longer.</summary>
    public static async Task WaitAsync()
    {
        long start = Stopwatch.GetTimestamp();
        while (!WasFullSince(Stopwatch.GetTimestamp() - (long)(Settled.TotalSeconds * Stopwatch.Frequency)) &&
            Stopwatch.GetElapsedTime(start) < Longest)
        {
            await Task.Delay(Between);
        }
    }

    private static void Watch()
    {
        long longest = (long)(Enumerable.Range(0, Calibrations).Min(_ => Work()) * Tolerance);
        while (true)
        {
            Thread.Sleep(Between);
            if (Work() > longest)
                Volatile.Write(ref _slowAt, Stopwatch.GetTimestamp());
        }
    }

    private static long Work()
    {
        long start = Stopwatch.GetTimestamp();
        ulong value = _result;
        for (int i = 0; i < Steps; i++)
            value = (value * 6_364_136_223_846_793_005) + 1;
        _result = value;
        return Stopwatch.GetTimestamp() - start;
    }
}

/// <summary>Samples of one latency. One during which the processor was slow is taken again.</summary>
/// <param name="wanted">How many are needed.</param>
/// <param name="most">How many can be taken.</param>
internal sealed class SteadySamples(int wanted, int most)
{
    private readonly List<double> _steady = [], _disturbed = [];

    /// <summary>There are enough of them, or the machine is hardly ever steady.</summary>
    public bool IsComplete => _steady.Count >= wanted || _steady.Count + _disturbed.Count >= most;

    public async Task TakeAsync(Func<Task<double>> measureAsync)
    {
        await ProcessorSpeed.WaitAsync();
        long start = Stopwatch.GetTimestamp();
        double value = await measureAsync();
        (ProcessorSpeed.WasFullSince(start) ? _steady : _disturbed).Add(value);
    }

    /// <summary>Where less than half of those wanted are steady the others are among the values, and nothing is called repeated.</summary>
    public Figure Of(string name, Site site, Build build)
    {
        bool enough = _steady.Count > wanted / 2;
        return new(name, "ms", new(enough ? _steady : _steady.Concat(_disturbed)))
        {
            Build = build.Name,
            Size = site.Size,
            Peers = [new("repeated", enough ? _disturbed.Count : 0)],
        };
    }
}
