namespace HostGw;

/// <summary>
/// How long to wait before something that failed is tried again: twice as long after each failure, up to a bound. With jitter up to a
/// fifth longer, so that agents that failed at the same moment do not all come back at the same moment.
/// </summary>
/// <param name="first">After the first failure.</param>
/// <param name="longest">Without jitter.</param>
/// <param name="random">From 0 to 1; null: no jitter.</param>
internal sealed class Backoff(TimeSpan first, TimeSpan longest, Func<double>? random = null)
{
    private const double Factor = 2, Jitter = 0.2;

    // From here on every bound is reached, and the power would overflow.
    private const int MostDoublings = 30;

    /// <param name="attempt">How many attempts had failed before the last one.</param>
    /// <param name="askedFor">What the server asked for, if that is longer.</param>
    public TimeSpan Delay(int attempt, TimeSpan? askedFor = null)
    {
        TimeSpan delay = first * Math.Pow(Factor, Math.Min(attempt, MostDoublings));
        if (delay > longest)
            delay = longest;
        if (askedFor > delay)
            delay = askedFor.Value;
        return delay * (1 + (Jitter * (random?.Invoke() ?? 0)));
    }
}
