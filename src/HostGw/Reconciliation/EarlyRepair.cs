using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>
/// Repairs guards, policy rules, and link hostgw0 with the routes that were lost with it, by the previous plan, before everything that
/// takes longer the more nodes there are. Without it a missing link would make a pass plan all nodes twice. The whole pass always
/// follows. Pure.
/// </summary>
/// <param name="Made">What was changed.</param>
/// <param name="Result">What the host answered. What it refused the pass tries again.</param>
internal sealed record EarlyRepair(HostChanges Made, ApplyResult Result, Repairs Repairs)
{
    /// <summary>The causes that may announce such a loss.</summary>
    public const WakeCauses Causes =
        WakeCauses.Links | WakeCauses.Addresses | WakeCauses.Forwarding | WakeCauses.PolicyRules | WakeCauses.Guards | WakeCauses.Overrun;

    public static EarlyRepair None { get; } = new(new() { Routes = RouteChanges.None }, new(), default);

    /// <summary>The changes that restore what the previous plan desires of these; null: none is known to be necessary.</summary>
    /// <param name="last">The pass before, which could read the host: its guards also let in peers whose removal it held.</param>
    /// <param name="host">As <see cref="IHostNetwork.ReadBriefly"/> returns it.</param>
    public static HostChanges? Needed(PassReport last, HostState host, WakeCauses causes)
    {
        Plan before = last.Plan!;
        bool changesGuards = before.Scope == PlanScope.Everything && last.Changes.ChangesGuards;
        bool mayHaveTunnel = changesGuards && host is { GuardObstacle: "", SourceObstacle: "" };
        HostChanges changes = new()
        {
            Plan = before,
            Host = host,
            Routes = RouteChanges.None with { Held = last.Routes.Held },
            PolicyRules = PolicyRuleChanges.Between(before, host),
            Tunnel = mayHaveTunnel && TunnelChanges.Between(before, host) is { Continues: true } tunnel ? tunnel : TunnelChanges.None,
            ChangesGuards = changesGuards,
            Guards = last.Changes.Guards,
            FindsOverrides = false,
        };
        bool isNeeded = (changesGuards && causes.HasFlag(WakeCauses.Guards)) || !changes.PolicyRules.IsEmpty || !changes.Tunnel.IsEmpty;
        return before.Scope == PlanScope.Everything && isNeeded ? changes : null;
    }

    /// <summary>
    /// The same without what must wait, and with the routes that the kernel took with the link or its address, if that is repaired.
    /// </summary>
    public static HostChanges WithRoutes(HostChanges permitted)
    {
        TunnelChanges tunnel = permitted.Tunnel;
        bool lostAll = tunnel.Link is not { IsUp: true };
        int link = tunnel.Link?.Index ?? tunnel.Index;
        return tunnel.IsEmpty ? permitted : permitted with
        {
            Routes = new()
            {
                Add = [.. permitted.Plan.Routes.Where(
                    r => r.Interface == link && r.Tunnel is { } over && (lostAll || tunnel.AddSources.Contains(over.Source)) &&
                        !permitted.Routes.Held.Contains(r.Key))],
            },
        };
    }

    /// <summary>The report of the pass, with this repair.</summary>
    public PassReport AddTo(PassReport report) => ReferenceEquals(this, None) ? report : report with
    {
        Changes = report.Changes with
        {
            Routes = Made.Routes.Add.Count == 0 ? report.Changes.Routes
                : report.Changes.Routes with { Add = [.. Made.Routes.Add, .. report.Changes.Routes.Add] },
            Tunnel = Made.Tunnel.IsEmpty || !report.Changes.Tunnel.IsEmpty ? report.Changes.Tunnel : Made.Tunnel with { IsRead = true },
            PolicyRules = Made.PolicyRules.IsEmpty || !report.Changes.PolicyRules.IsEmpty ? report.Changes.PolicyRules : Made.PolicyRules,
        },
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
