using System.Globalization;

namespace HostGw.Benchmarks.Figures;

/// <summary>Where it was measured.</summary>
/// <param name="Load">Mean number of running processes in the minute before.</param>
internal sealed record MachineFacts(string Cpu, int Cores, string Kernel, long MemoryBytes, double Load)
{
    public static MachineFacts Read() => new(
        After(File.ReadAllText("/proc/cpuinfo"), "model name\t: "),
        Environment.ProcessorCount,
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        ProcText.KiB(File.ReadAllText("/proc/meminfo"), "MemTotal") * 1024,
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture));

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Cpu}, {Cores} cores, {MemoryBytes / (1 << 30)} GiB, Linux {Kernel}, load before {Load}");

    private static string After(string text, string label) => text.Split('\n').FirstOrDefault(line => line.StartsWith(label, StringComparison.Ordinal))?[label.Length..] ?? "unknown";
}
