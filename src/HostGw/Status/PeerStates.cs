using HostGw.Planning;

namespace HostGw.Status;

/// <summary>What becomes of podCIDRs, as one word.</summary>
internal static class PeerStates
{
    public static PeerState Of(in Verdict verdict, RouteStates routes) => verdict.Kind switch
    {
        VerdictKind.Self => PeerState.Self,
        VerdictKind.Routed => OfRoute(routes.Of(verdict.PodCidr)),
        VerdictKind.Skipped => PeerState.Skipped,
        VerdictKind.NoPodCidr => PeerState.NoPodCidr,
        VerdictKind.Waiting => PeerState.Waiting,
        VerdictKind.NoAddress => PeerState.NoAddress,
        VerdictKind.NoGateway => PeerState.NoGateway,
        VerdictKind.NotAdjacent => PeerState.NotAdjacent,
        _ => PeerState.Rejected,
    };

    public static string NameOf(PeerState state) => state switch
    {
        PeerState.Self => "this node",
        PeerState.Installed => "installed",
        PeerState.Skipped => "skipped",
        PeerState.NoPodCidr => "noPodCidr",
        PeerState.Waiting => "waiting",
        PeerState.Held => "held",
        PeerState.Missing => "missing",
        PeerState.NoAddress => "noAddress",
        PeerState.NoGateway => "noGateway",
        PeerState.NotAdjacent => "notAdjacent",
        PeerState.Rejected => "rejected",
        PeerState.Conflict => "conflict",
        _ => "failed",
    };

    public static Concern ConcernOf(PeerState state) => state switch
    {
        PeerState.Self or PeerState.Installed => Concern.None,
        PeerState.Skipped => Concern.Asked,
        PeerState.NoPodCidr or PeerState.Waiting or PeerState.Held => Concern.Waits,
        _ => Concern.Wrong,
    };

    private static PeerState OfRoute(string route) => route switch
    {
        "installed" => PeerState.Installed,
        "failed" => PeerState.Failed,
        "conflict" => PeerState.Conflict,
        "missing" => PeerState.Missing,
        _ => PeerState.Held,
    };
}

/// <summary>How much a state concerns a person.</summary>
internal enum Concern
{
    None,

    /// <summary>Somebody wants it so.</summary>
    Asked,

    /// <summary>Often over by itself.</summary>
    Waits,
    Wrong,
}
