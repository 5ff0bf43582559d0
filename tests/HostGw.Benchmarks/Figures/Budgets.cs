namespace HostGw.Benchmarks.Figures;

/// <summary>The most that a figure may be, or the least.</summary>
/// <param name="Of">Which of its values.</param>
internal sealed record Budget(string Name, Statistic Of, double Limit)
{
    /// <summary>The limit is the least.</summary>
    public bool IsLeast { get; init; }


    /// <summary>Of this build only; empty: of every one.</summary>
    public string Build { get; init; } = "";

    /// <summary>At these sizes only; empty: at every one.</summary>
    public int[] Sizes { get; init; } = [];

    public bool Allows(double value) => IsLeast ? value >= Limit : value <= Limit;

    public bool Concerns(Figure figure) =>
        figure.Name == Name && (Build.Length == 0 || Build == figure.Build) && (Sizes.Length == 0 || (figure.Size is { } size && Sizes.Contains(size)));
}

/// <summary>What is promised. A figure that has no row here is only reported.</summary>
internal static class Budgets
{
    private static readonly int[] UpToFiveThousand = [10, 1_000, 5_000];

    public static IReadOnlyList<Budget> All { get; } =
    [
        new(Names.FirstRequest, Statistic.Median, 60) { Build = "AOT", Sizes = [10] },
        new(Names.ColdStartRatio, Statistic.Median, 0.75) { Build = "AOT", Sizes = [4_500] },
        new(Names.ColdStartRatio, Statistic.Median, 1.5) { Sizes = [4_500, 20_000] },
        new(Names.MemorySettled, Statistic.Max, 28) { Build = "AOT", Sizes = [5_000] },
        new(Names.MemoryAfterEvent, Statistic.Max, 30) { Build = "AOT", Sizes = [5_000] },
        new(Names.MemoryGrowth, Statistic.Max, 5) { Sizes = [5_000] },
        new(Names.MemoryPeakRatio, Statistic.Max, 1.5) { Sizes = [20_000] },
        new(Names.Join, Statistic.P99, 20) { Sizes = UpToFiveThousand },
        new(Names.RouteDeleted, Statistic.P99, 20) { Sizes = UpToFiveThousand },
        new(Names.RouteChanged, Statistic.P99, 20) { Sizes = UpToFiveThousand },
        new(Names.ProbeAddressDeleted, Statistic.P99, 20) { Sizes = UpToFiveThousand },
        new(Names.TunnelDeleted, Statistic.P99, 20) { Sizes = UpToFiveThousand },
        new(Names.TunnelDown, Statistic.P99, 20) { Sizes = UpToFiveThousand },
        new(Names.TunnelSourceDeleted, Statistic.P99, 20) { Sizes = UpToFiveThousand },
        new(Names.GuardElementDeleted, Statistic.P99, 20) { Sizes = UpToFiveThousand },
        new(Names.GuardRuleDeleted, Statistic.P99, 20) { Sizes = UpToFiveThousand },
        new(Names.GuardTableDeleted, Statistic.P99, 20) { Sizes = UpToFiveThousand },
        new(Names.PolicyRuleDeleted, Statistic.P99, 20) { Sizes = UpToFiveThousand },
        new(Names.NatDeleted, Statistic.P99, 20) { Sizes = UpToFiveThousand },
        new(Names.ServerReturn, Statistic.Max, 5),
        new(Names.ServerReturnToAll, Statistic.Median, 5),
        new(Names.ServerReturnSlowest, Statistic.Max, 8),
        new(Names.QuietPass, Statistic.Median, 84) { Sizes = [65_536] },
        new(Names.QuietPassWrites, Statistic.Max, 0),
        new(Names.HeartbeatCpu, Statistic.Max, 0.5) { Sizes = [5_000] },
        new(Names.ProbeCpu, Statistic.Max, 0.5),
        new(Names.TunnelVerdict, Statistic.Max, 15),
        new(Names.TunnelSwitch, Statistic.Max, 20),
        new(Names.TunnelThroughputRatio, Statistic.Median, 0.7) { IsLeast = true },
        new(Names.DigestFirstList, Statistic.Max, 1.5) { Sizes = [5_000] },
        new(Names.DigestJoin, Statistic.P99, 2_000) { Sizes = [5_000] },
        new(Names.DigestJoinBytes, Statistic.Median, 3) { Sizes = [5_000] },
        new(Names.DigestHour, Statistic.Max, 250) { Sizes = [5_000] },
        new(Names.DigestWrites, Statistic.Max, 0),
        new(Names.HeartbeatPasses, Statistic.Max, 0),
        new(Names.HeartbeatWrites, Statistic.Max, 0),
        new(Names.Allocated(Names.HeartbeatProtobuf), Statistic.Max, 0),
    ];

    public static Budget? For(Figure figure) => All.FirstOrDefault(budget => budget.Concerns(figure));
}
