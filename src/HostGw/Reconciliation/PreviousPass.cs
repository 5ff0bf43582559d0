using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>What a pass needs to know of those before it. A pass that could not read the host changes nothing of it.</summary>
/// <param name="Report">Of the last pass that could read the host; null: there was none.</param>
/// <param name="RulesMayHaveChanged">HostGw's rules may have changed since they were last compared.</param>
/// <param name="LeftoversMayHaveChanged">Foreign rules may have changed since they were last searched for.</param>
/// <param name="RefusedChanges">Routes that the plan changed and the host has refused since: to install them is no repair.</param>
internal sealed record PreviousPass(
    PassReport? Report, bool RulesMayHaveChanged, bool LeftoversMayHaveChanged, IReadOnlySet<RouteKey> RefusedChanges)
{
    private const WakeCauses MayChangeLeftovers = WakeCauses.Start | WakeCauses.Nat | WakeCauses.Overrun;

    private const WakeCauses MayChangeRules = MayChangeLeftovers | WakeCauses.Retry | WakeCauses.Resync;

    public static PreviousPass None { get; } = new(null, false, false, new HashSet<RouteKey>());

    public IReadOnlyList<string> Leftovers => Report?.Leftovers ?? [];

    /// <summary>The repairs of rules that it held back, in words.</summary>
    public HeldRules HeldRules => Report?.HeldRepairs.Rules ?? default;

    /// <summary>Adds what the causes of the next pass announce. It remains until a pass has compared, or searched.</summary>
    public PreviousPass With(WakeCauses causes) => this with
    {
        RulesMayHaveChanged = RulesMayHaveChanged || (causes & MayChangeRules) != 0,
        LeftoversMayHaveChanged = LeftoversMayHaveChanged || (causes & MayChangeLeftovers) != 0,
    };

    public PreviousPass After(PassReport report, IReadOnlySet<RouteKey> refusedChanges) => new(
        report.Lasting(),
        RulesMayHaveChanged && report.Changes is not { ChangesNat: true, ChangesForward: true },
        LeftoversMayHaveChanged && report.Result.Leftovers is null,
        refusedChanges);
}
