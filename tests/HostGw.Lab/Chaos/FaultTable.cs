namespace HostGw.Lab.Chaos;

/// <summary>Every fault there is a word for.</summary>
internal static class FaultTable
{
    public static IReadOnlyList<Fault> All { get; } =
    [
        .. ApiFaults.All.Select(f => f with { LeavesPause = true }), .. NodeFaults.All, .. AgentFaults.All, .. HostFaults.All, Churn.Fault,
    ];
}
