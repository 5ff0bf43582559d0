using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>
/// The repair of the link hostgw0 before a pass plans. Otherwise thousands of nodes would be planned twice: without the link, and again
/// with it. Pure.
/// </summary>
/// <param name="Made">What was changed of the link.</param>
/// <param name="Result">What the host answered. What it refused the pass tries again.</param>
internal sealed record LinkRepair(TunnelChanges Made, ApplyResult Result, Repairs Repairs)
{
    public static LinkRepair None { get; } = new(TunnelChanges.None, new(), default);

    /// <summary>The host may have another state since.</summary>
    public bool WasTried => !ReferenceEquals(this, None);

    /// <summary>What the plan before wants of the link, behind its guards, and nothing else; null: the link is as that wants it.</summary>
    public static HostChanges? Needed(Plan before, HostState host) =>
        host is { GuardObstacle: "", SourceObstacle: "" } && TunnelChanges.Between(before, host) is { Continues: true } tunnel
            ? new()
            {
                Plan = before,
                Host = host,
                Routes = RouteChanges.None,
                Tunnel = tunnel,
                ChangesGuards = true,
                Guards = before.Guards,
                PodCidrs = before.OwnPodCidrs,
            }
            : null;

    /// <summary>The report of the pass with this repair in it.</summary>
    public PassReport In(PassReport report) => !WasTried ? report : report with
    {
        Changes = Made.IsEmpty || !report.Changes.Tunnel.IsEmpty
            ? report.Changes
            : report.Changes with { Tunnel = Made with { IsRead = true } },
        Result = report.Result with
        {
            TunnelChange = Joined(Result.TunnelChange, report.Result.TunnelChange),
            GuardChange = Joined(Result.GuardChange, report.Result.GuardChange),
            NetlinkWrites = Result.NetlinkWrites + report.Result.NetlinkWrites,
        },
        Repairs = Repairs + report.Repairs,
    };

    private static string Joined(params string[] parts) => string.Join("; ", parts.Where(p => p.Length > 0));
}
