namespace HostGw.Platform;

/// <summary>Causes of passes as logs, metrics and status name them.</summary>
internal static class WakeCauseNames
{
    private static readonly (WakeCauses Cause, string Name)[] All =
    [
        (WakeCauses.Start, "start"), (WakeCauses.Nodes, "nodes"), (WakeCauses.Routes, "routes"), (WakeCauses.Links, "links"),
        (WakeCauses.Addresses, "addresses"), (WakeCauses.Forwarding, "forwarding"), (WakeCauses.Nat, "nat"),
        (WakeCauses.Overrun, "overrun"), (WakeCauses.Retry, "retry"), (WakeCauses.Resync, "resync"),
        (WakeCauses.Cni, "cni"),
    ];

    public static string Of(WakeCauses causes) => string.Join(",", All.Where(a => causes.HasFlag(a.Cause)).Select(a => a.Name));
}
