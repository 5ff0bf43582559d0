namespace HostGw.Planning;

/// <summary>Verdicts as people read them, in status, metrics and logs.</summary>
internal static class VerdictNames
{
    public static string Of(VerdictKind kind) => kind switch
    {
        VerdictKind.Self => "self",
        VerdictKind.Routed => "routed",
        VerdictKind.Skipped => "skipped",
        VerdictKind.NoPodCidr => "noPodCidr",
        VerdictKind.Waiting => "waiting",
        VerdictKind.NoAddress => "noAddress",
        VerdictKind.NoGateway => "noGateway",
        VerdictKind.NotAdjacent => "notAdjacent",
        _ => "rejected",
    };
}
