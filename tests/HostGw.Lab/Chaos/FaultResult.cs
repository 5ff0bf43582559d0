using HostGw.Lab.Probes;

namespace HostGw.Lab.Chaos;

/// <summary>What became of one fault.</summary>
/// <param name="Recovery">From its end until every node had learnt what happened meanwhile.</param>
/// <param name="Failure">What did not hold; null: everything did.</param>
internal sealed record FaultResult(Fault Fault, PingFloodResult Pings, TimeSpan? Recovery, string? Failure)
{
    /// <summary>More about it than the table has.</summary>
    public string Note { get; init; } = "";

    public bool IsGood => Failure is null && (Pings.Lost == 0 || Fault.OwnLoss is not null);

    public string Verdict => Failure is not null ? "FAILED" : Pings.Lost == 0 ? "nothing lost" : Fault.OwnLoss ?? "LOST PINGS";

    public override string ToString() => $"{Fault.Name}: {Verdict}; {Pings}; recovery {Recovery?.TotalSeconds:0.0} s; {Failure}";
}
