using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>What one pass leaves to the next. A pass that could not read the host leaves what it found.</summary>
/// <param name="Report">Of the last pass that could read the host; null: there was none.</param>
/// <param name="OwesSearch">Foreign rules may have changed since they were last searched for.</param>
internal sealed record PreviousPass(PassReport? Report, bool OwesSearch)
{
    private const WakeCauses MayBringLeftovers = WakeCauses.Start | WakeCauses.Nat | WakeCauses.Overrun;

    public static PreviousPass None { get; } = new(null, OwesSearch: false);

    public IReadOnlyList<string> Leftovers => Report?.Leftovers ?? [];

    /// <summary>Repairs of rules that waited, in words.</summary>
    public HeldRules HeldRules => Report?.HeldRepairs.Rules ?? default;

    public PreviousPass Before(WakeCauses causes) => this with { OwesSearch = OwesSearch || (causes & MayBringLeftovers) != 0 };

    public PreviousPass After(PassReport report) => new(report.Lasting(), OwesSearch && report.Result.Leftovers is null);
}

/// <summary>
/// Tells repairs from other changes: the previous pass had the same plan and left it installed, so another program has changed it
/// since.
/// </summary>
internal sealed class RepairScope(PassReport? previous, HostChanges changes, IReadOnlySet<RouteKey> owned)
{
    private readonly Plan? _before = previous?.Plan;

    /// <summary>What has to be done to the masquerade rule or chain FORWARD is a repair.</summary>
    public bool Rules { get; } = WasWhole(previous) && !previous!.Result.RefusedRules &&
        Equals(previous.Changes.Nat, changes.Nat) && previous.Changes.ForwardAccept.SequenceEqual(changes.ForwardAccept);

    /// <summary>What has to be done to the CNI configuration is a repair.</summary>
    public bool Cni { get; } = WasWhole(previous) && Equals(previous!.Plan!.Cni, changes.Plan.Cni) &&
        (previous.Result.Cni is { IsOurs: true } || previous.HeldRepairs.CniFor is not null);

    public bool Includes(PodRoute route) =>
        owned.Contains(route.Key) && _before is not null && _before.TryGetRoute(route.Key, out PodRoute before) && before == route;

    /// <summary>Counts the repairs among the changes that were made.</summary>
    public Repairs Count(HostChanges made, ApplyResult result) => new()
    {
        RoutesRemoved = made.Routes.Add.Count(Includes),
        RoutesChanged = made.Routes.Replace.Count(c => c.Cause == CorrectionCause.Differs && Includes(c.Route)),
        RoutesOverwritten = made.Routes.Replace.Count(c => c.Cause == CorrectionCause.Overwritten && Includes(c.Route)),
        Masquerade = Rules && result.NatChange.Length > 0 ? 1 : 0,
        ForwardAccept = Rules && result.ForwardChange.Length > 0 ? 1 : 0,
        Forwarding = IsRepair(made) ? 1 : 0,
        Cni = Cni && result.CniChange.Length > 0 ? 1 : 0,
    };

    private bool IsRepair(HostChanges made) => _before is not null &&
        ((made.EnableForwardingIPv4 && _before.ForwardIPv4 && previous!.Changes.Forwarding.IPv4 == true) ||
        (made.EnableForwardingIPv6 && _before.ForwardIPv6 && previous!.Changes.Forwarding.IPv6 == true));

    private static bool WasWhole(PassReport? previous) => previous?.Plan?.Scope == PlanScope.Everything;
}
