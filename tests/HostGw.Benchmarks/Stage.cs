namespace HostGw.Benchmarks;

/// <summary>A size of the cluster, and how often it is measured.</summary>
/// <param name="ColdRuns">Cold starts of each build.</param>
/// <param name="Samples">Of each latency; 0: only cold starts.</param>
/// <param name="NatLives">Agents of which each repairs its NAT rule a few times.</param>
/// <param name="Heartbeats">How long they are measured, after half of that time.</param>
internal sealed record Stage(int Size, int ColdRuns, int Samples, int NatLives, TimeSpan Heartbeats)
{
    /// <summary>In growing order, for the cluster only grows. As often as fits into a quarter of an hour.</summary>
    public static IReadOnlyList<Stage> All { get; } =
    [
        new(10, ColdRuns: 7, Samples: 50, NatLives: 10, TimeSpan.FromSeconds(5)),
        new(1_000, ColdRuns: 7, Samples: 50, NatLives: 10, TimeSpan.FromSeconds(10)),
        new(4_500, ColdRuns: 7, Samples: 0, NatLives: 0, default),
        new(5_000, ColdRuns: 5, Samples: 200, NatLives: 20, TimeSpan.FromSeconds(60)),
        new(20_000, ColdRuns: 3, Samples: 50, NatLives: 2, TimeSpan.FromSeconds(30)),
    ];
}
