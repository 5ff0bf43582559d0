using System.Collections.Immutable;

namespace HostGw.Status;

/// <summary>How often something took how long. Immutable; the buckets never change, so that sums over all agents and versions hold.</summary>
/// <param name="Counts">Per bucket, not cumulative; the last is for what took longer than every bound.</param>
internal sealed record Histogram(ImmutableArray<long> Counts, double SumSeconds)
{
    /// <summary>Seconds: from a pass that finds nothing to do, to one over a host that hardly answers.</summary>
    public static ImmutableArray<double> UpperBounds { get; } = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    public static Histogram Empty { get; } = new([.. Enumerable.Repeat(0L, UpperBounds.Length + 1)], 0);

    public long Count => Counts.Sum();

    public Histogram With(TimeSpan taken)
    {
        double seconds = taken.TotalSeconds;
        int bucket = 0;
        while (bucket < UpperBounds.Length && seconds > UpperBounds[bucket])
            bucket++;
        return new(Counts.SetItem(bucket, Counts[bucket] + 1), SumSeconds + seconds);
    }
}
