using System.Diagnostics.CodeAnalysis;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>
/// Tells repairs from other changes: the previous pass had the same plan and left it installed, so another program has changed it
/// since.
/// </summary>
/// <param name="owned">See <see cref="OwnedKeys"/>.</param>
/// <param name="causes">Of this pass.</param>
internal sealed class RepairScope(PreviousPass previous, HostChanges changes, IReadOnlySet<RouteKey> owned, WakeCauses causes)
{
    private readonly PassReport? _before = previous.Report;

    /// <summary>What has to be done to the masquerade rule is a repair.</summary>
    public bool Masquerade { get; } = LeftInstalled(
        previous, HostPart.Nat, h => h.RulesWait, before => (before.ChangesNat, Equals(before.Nat, changes.Nat)));

    /// <summary>What has to be done to the guards of probes and tunnel is a repair.</summary>
    public bool Guards { get; } = LeftInstalled(
        previous, HostPart.Guards, h => h.GuardsWait, before => (before.ChangesGuards, Equals(before.Guards, changes.Guards)));

    /// <summary>What has to be done to chain FORWARD is a repair.</summary>
    public bool ForwardAccept { get; } = LeftInstalled(
        previous, HostPart.Forward, h => h.RulesWait,
        before => (before.ChangesForward, before.ForwardAccept.SequenceEqual(changes.ForwardAccept)));

    /// <summary>Neither the masquerade rule nor chain FORWARD has to change for the plan. Both wait together, or none.</summary>
    public bool Rules => Masquerade && ForwardAccept;

    /// <summary>What has to be done to the CNI configuration is a repair.</summary>
    public bool Cni { get; } = HadEverything(previous, out PassReport? before) && !before.Result.Refused(HostPart.Cni) &&
        Equals(before.Plan!.Cni, changes.Plan.Cni) && (before.Result.Cni is { IsOurs: true } || before.HeldRepairs.CniWait is not null);

    /// <summary>What has to be done to the policy rules is a repair.</summary>
    public bool PolicyRules { get; } = HadEverything(previous, out PassReport? last) && !last.Result.Refused(HostPart.PolicyRules) &&
        last.Plan!.PolicyRules.SequenceEqual(changes.Plan.PolicyRules) && !changes.PolicyRules.IsEmpty;

    /// <summary>What has to be done to the probe addresses is a repair.</summary>
    public bool ProbeAddress { get; } = HadEverything(previous, out PassReport? had) && !had.Result.Refused(HostPart.ProbeAddress) &&
        had.Result.ProbeObstacles.Count == 0 && had.Plan!.ProbeAddresses.SequenceEqual(changes.Plan.ProbeAddresses) &&
        !changes.ProbeRoutes.IsEmpty;

    /// <summary>What has to be done to the link hostgw0 is a repair.</summary>
    public bool Tunnel { get; } = HadEverything(previous, out PassReport? left) && !left.Result.Refused(HostPart.Tunnel) &&
        !left.Result.Refused(HostPart.Guards) && Equals(left.Plan!.Tunnel, changes.Plan.Tunnel) && !changes.Tunnel.IsEmpty;

    /// <summary>What has to be done to forwarding and router advertisements is a repair, or concerns a new interface.</summary>
    public bool Settings { get; } = HadEverything(previous, out _);

    /// <summary>To install this route, in the place of another, is a repair.</summary>
    public bool IsRepair(PodRoute route) =>
        owned.Contains(route.Key) && !previous.ChangesNotMade.Contains(route.Key) &&
        _before?.Plan is { } plan && plan.TryGetRoute(route.Key, out PodRoute before) && before == route;

    /// <summary>The same of a route that is missing. With a link that goes down the kernel itself removes routes.</summary>
    public bool IsRepairOfMissing(PodRoute route) => !causes.HasFlag(WakeCauses.Links) && IsRepair(route);

    /// <summary>Of policy rules and the link hostgw0 only what is a repair.</summary>
    public HostChanges Only(HostChanges all) => all with
    {
        PolicyRules = PolicyRules ? all.PolicyRules : PolicyRuleChanges.None,
        Tunnel = Tunnel ? all.Tunnel : TunnelChanges.None,
    };

    /// <summary>Counts the repairs among the changes that were made.</summary>
    public Repairs Count(HostChanges made, ApplyResult result) => new()
    {
        RoutesRemoved = made.Routes.Add.Count(IsRepairOfMissing),
        RoutesChanged = made.Routes.Replace.Count(c => c.Cause == CorrectionCause.Differs && IsRepair(c.Route)),
        RoutesOverwritten = made.Routes.Replace.Count(c => c.Cause == CorrectionCause.Overwritten && IsRepair(c.Route)),
        Masquerade = Masquerade && result.NatChange.Length > 0 ? 1 : 0,
        ForwardAccept = ForwardAccept && result.ForwardChange.Length > 0 ? 1 : 0,
        Guards = Guards && result.GuardChange.Length > 0 ? 1 : 0,
        Forwarding = RepairsForwarding(made) ? 1 : 0,
        Cni = Cni && result.CniChange.Length > 0 ? 1 : 0,
        PolicyRules = PolicyRules && !made.PolicyRules.IsEmpty ? 1 : 0,
        ProbeAddress = ProbeAddress && !made.ProbeRoutes.IsEmpty ? 1 : 0,
        Tunnel = Tunnel && !made.Tunnel.IsEmpty ? 1 : 0,
    };

    /// <summary>The routes that the plan changed, and that the host refused or that wait.</summary>
    public HashSet<RouteKey> ChangesNotMade(ApplyResult result) =>
    [
        .. result.RefusedRoutes.Where(k => changes.Plan.TryGetRoute(k, out PodRoute route) && !IsRepair(route)), .. changes.Routes.Held,
    ];

    private static bool HadEverything(PreviousPass previous, [NotNullWhen(true)] out PassReport? before)
    {
        before = previous.Report;
        return before?.Plan?.Scope == PlanScope.Everything;
    }

    // Plans may be long: they are compared once, however often the answer is asked for.
    private static bool LeftInstalled(
        PreviousPass previous, HostPart part, Func<HeldRepairs, TimeSpan?> wait,
        Func<HostChanges, (bool WasChanged, bool IsSame)> compare) =>
        HadEverything(previous, out PassReport? before) && !before.Result.Refused(part) &&
        compare(before.Changes) is (var wasChanged, true) && (wasChanged || wait(before.HeldRepairs) is not null);

    private bool RepairsForwarding(HostChanges made) => _before?.Plan is { } plan &&
        ((made.EnableForwardingIPv4 && plan.ForwardIPv4 && HadForwarding(_before, _before.Changes.Forwarding.IPv4)) ||
        (made.EnableForwardingIPv6 && plan.ForwardIPv6 && HadForwarding(_before, _before.Changes.Forwarding.IPv6)));

    private static bool HadForwarding(PassReport before, bool? after) => after == true || before.HeldRepairs.SettingsWait is not null;
}

/// <summary>How much was repaired: changed by another program, though neither the nodes nor the settings had changed.</summary>
internal readonly record struct Repairs
{
    public long RoutesRemoved { get; init; }

    /// <summary>Still with HostGw's protocol number.</summary>
    public long RoutesChanged { get; init; }

    /// <summary>Replaced by a foreign route.</summary>
    public long RoutesOverwritten { get; init; }

    public long Masquerade { get; init; }

    public long ForwardAccept { get; init; }

    public long Guards { get; init; }

    public long Forwarding { get; init; }

    public long Cni { get; init; }

    public long PolicyRules { get; init; }

    public long ProbeAddress { get; init; }

    public long Tunnel { get; init; }

    public static Repairs operator +(Repairs a, Repairs b) => new()
    {
        RoutesRemoved = a.RoutesRemoved + b.RoutesRemoved,
        RoutesChanged = a.RoutesChanged + b.RoutesChanged,
        RoutesOverwritten = a.RoutesOverwritten + b.RoutesOverwritten,
        Masquerade = a.Masquerade + b.Masquerade,
        ForwardAccept = a.ForwardAccept + b.ForwardAccept,
        Guards = a.Guards + b.Guards,
        Forwarding = a.Forwarding + b.Forwarding,
        Cni = a.Cni + b.Cni,
        PolicyRules = a.PolicyRules + b.PolicyRules,
        ProbeAddress = a.ProbeAddress + b.ProbeAddress,
        Tunnel = a.Tunnel + b.Tunnel,
    };
}
