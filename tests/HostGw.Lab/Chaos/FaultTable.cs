namespace HostGw.Lab.Chaos;

/// <summary>Faults that happen on one stage, with a table of their own.</summary>
/// <param name="Name">One may ask for all of them by it.</param>
/// <param name="IsTunnelled">Whether the stage has the tunnel and a node that only it reaches.</param>
internal sealed record FaultTable(string Name, bool IsTunnelled, IReadOnlyList<Fault> Faults)
{
    /// <summary>Every fault there is a word for.</summary>
    public static IReadOnlyList<FaultTable> All { get; } =
    [
        new("segment", IsTunnelled: false,
        [
            .. ApiFaults.All.Select(f => f with { LeavesPause = true }), .. NodeFaults.All, .. AgentFaults.All, .. HostFaults.All,
            Churn.Fault,
        ]),
        new("tunnel", IsTunnelled: true, [.. TunnelFaults.All, .. FabricFaults.All]),
    ];

    /// <param name="words">Of names of faults, or a table's name; none: all.</param>
    public FaultTable With(string[] words) => this with
    {
        Faults =
        [
            .. Faults.Where(f => words.Length == 0 || words.Contains(Name) ||
                words.Any(w => f.Name.Contains(w, StringComparison.OrdinalIgnoreCase))),
        ],
    };
}
