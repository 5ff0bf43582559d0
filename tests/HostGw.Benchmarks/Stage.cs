namespace HostGw.Benchmarks;

/// <summary>A size of the cluster, and how often it is measured.</summary>
/// <param name="ColdRuns">Cold starts of each build.</param>
/// <param name="Samples">Of each latency; 0: only cold starts.</param>
/// <param name="NatLives">Agents of which each repairs its NAT rule a few times.</param>
/// <param name="WarmUp">How long heartbeats come before they are measured.</param>
/// <param name="Heartbeats">How long they are measured.</param>
internal sealed record Stage(int Size, int ColdRuns, int Samples, int NatLives, TimeSpan WarmUp, TimeSpan Heartbeats)
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(10);

    // The agent passes every 60 s whatever happens.
    private static readonly TimeSpan PastAPass = TimeSpan.FromSeconds(68);

    // It asks 50 peers a second: after these times it knows that 1,000 and 5,000 are not there.
    private static readonly TimeSpan PastFirstProbes = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan PastTwoPasses = TimeSpan.FromSeconds(128);
    private static readonly TimeSpan BeforeTheNext = TimeSpan.FromSeconds(45);

    /// <summary>In growing order, for the cluster only grows. As often as fits into 35 minutes.</summary>
    public static IReadOnlyList<Stage> All { get; } =
    [
        new(10, ColdRuns: 7, Samples: 50, NatLives: 10, Short, Short),
        new(1_000, ColdRuns: 7, Samples: 50, NatLives: 10, PastFirstProbes, Short),
        new(4_500, ColdRuns: 7, Samples: 0, NatLives: 0, default, default),
        new(5_000, ColdRuns: 5, Samples: 200, NatLives: 20, PastTwoPasses, BeforeTheNext),
        new(20_000, ColdRuns: 3, Samples: 50, NatLives: 2, PastAPass, Short),
    ];
}
