namespace HostGw.Benchmarks.Figures;

/// <summary>Measured values of one thing, at least one.</summary>
internal sealed class Samples
{
    private readonly double[] _sorted;

    /// <exception cref="ArgumentException">There are none.</exception>
    public Samples(params IEnumerable<double> values)
    {
        _sorted = [.. values.Order()];
        if (_sorted.Length == 0)
            throw new ArgumentException("nothing was measured", nameof(values));
    }

    public int Count => _sorted.Length;

    public double Max => _sorted[^1];

    public double Median => (_sorted[(Count - 1) / 2] + _sorted[Count / 2]) / 2;

    public double P99 => Percentile(99);

    public double Of(Statistic statistic) => statistic switch
    {
        Statistic.P99 => P99,
        Statistic.Max => Max,
        _ => Median,
    };

    /// <summary>The smallest value that at least so many percent of the values do not exceed (nearest rank).</summary>
    private double Percentile(int percent) => _sorted[(int)Math.Ceiling(Count * percent / 100.0) - 1];
}

/// <summary>Which value of many a budget speaks of.</summary>
internal enum Statistic
{
    Median,
    P99,
    Max,
}
