namespace HostGw.Platform;

/// <summary>Why a pass runs. Several causes may share one pass.</summary>
[Flags]
internal enum WakeCauses
{
    None = 0,

    /// <summary>The watch of the host was established: earlier changes were not reported.</summary>
    Start = 1,
    Nodes = 2,
    Routes = 4,
    Links = 8,
    Addresses = 16,
    Forwarding = 32,
    Nat = 64,

    /// <summary>Notifications of the kernel were lost: anything may have changed.</summary>
    Overrun = 128,

    /// <summary>An operation failed or could not be finished, or a repair that waited may be made now.</summary>
    Retry = 256,

    /// <summary>Periodic full pass: nothing that an earlier pass found is relied on.</summary>
    Resync = 512,

    /// <summary>Somebody changed a CNI configuration.</summary>
    Cni = 1024,

    /// <summary>Somebody changed the routing policy (ip rule).</summary>
    PolicyRules = 2048,
}

/// <summary>Causes of passes as logs, metrics and status name them.</summary>
internal static class WakeCauseNames
{
    private static readonly (WakeCauses Cause, string Name)[] All =
    [
        (WakeCauses.Start, "start"), (WakeCauses.Nodes, "nodes"), (WakeCauses.Routes, "routes"), (WakeCauses.Links, "links"),
        (WakeCauses.Addresses, "addresses"), (WakeCauses.Forwarding, "forwarding"), (WakeCauses.Nat, "nat"),
        (WakeCauses.Overrun, "overrun"), (WakeCauses.Retry, "retry"), (WakeCauses.Resync, "resync"),
        (WakeCauses.Cni, "cni"), (WakeCauses.PolicyRules, "policyrules"),
    ];

    public static string Of(WakeCauses causes) => string.Join(",", All.Where(a => causes.HasFlag(a.Cause)).Select(a => a.Name));
}
