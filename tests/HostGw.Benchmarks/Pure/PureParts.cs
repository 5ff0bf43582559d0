using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using HostGw.Benchmarks.Figures;
using Perfolizer.Horology;

namespace HostGw.Benchmarks.Pure;

/// <summary>The hot parts that touch nothing, by BenchmarkDotNet in this process: nothing is built or fetched.</summary>
internal static class PureParts
{
    private static readonly Type[] All = [typeof(ListDecoding), typeof(HeartbeatDecoding), typeof(Planning), typeof(Diffing), typeof(Encoding)];

    /// <param name="artifacts">Where BenchmarkDotNet keeps its own log.</param>
    public static IReadOnlyList<Figure> Measure(string artifacts)
    {
        Directory.CreateDirectory(artifacts);
        using var log = new StreamLogger(Path.Combine(artifacts, "benchmarks.log"));
        IConfig config = ManualConfig.CreateEmpty()
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance).WithIterationCount(5).WithIterationTime(TimeInterval.FromMilliseconds(250)))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddLogger(log)
            .WithArtifactsPath(artifacts);
        return [.. All.SelectMany(type => BenchmarkRunner.Run(type, config).Reports).SelectMany(Figures)];
    }

    private static IEnumerable<Figure> Figures(BenchmarkReport report)
    {
        BenchmarkCase benchmark = report.BenchmarkCase;
        string name = benchmark.Descriptor.WorkloadMethodDisplayInfo.Trim('\'');
        if (!report.Success || report.ResultStatistics is not { } times)
            throw new InvalidOperationException($"{name} was not measured: see benchmarks.log");
        int? size = benchmark.Parameters.Items.Count > 0 ? (int)benchmark.Parameters[nameof(ListDecoding.Size)] : null;
        double allocated = report.GcStats.GetBytesAllocatedPerOperation(benchmark) ?? 0;
        return
        [
            new(name, "us", new(times.OriginalValues.Select(ns => ns / 1e3))) { Size = size },
            new(Names.Allocated(name), "B", new(allocated)) { Size = size },
        ];
    }
}
