using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>One pass: the plan, the changes that were made, what the host answered, and what was held back.</summary>
internal sealed record PassReport
{
    public DateTimeOffset At { get; init; }

    public TimeSpan Elapsed { get; init; }

    public WakeCauses Causes { get; init; }

    public string ResourceVersion { get; init; } = "";

    /// <summary>When the nodes of the plan were saved; null where the API server has sent them since the start.</summary>
    public DateTimeOffset? NodesSavedAt { get; init; }

    /// <summary>Null where the nodes do not come from the digest.</summary>
    public DigestHealth? Digest { get; init; }

    /// <summary>Null where the host could not be read.</summary>
    public Plan? Plan { get; init; }

    /// <summary>What was changed: without what was held back, and without what the host refused.</summary>
    public HostChanges Changes { get; init; } = new() { Routes = RouteChanges.None };

    public ApplyResult Result { get; init; } = new();

    /// <summary>What the probes said when the pass began.</summary>
    public Reachability Reachability { get; init; } = Reachability.Off;

    /// <summary>Removals that wait until the nodes are read by quorum, or all of the node digest; null: none.</summary>
    public HeldRemovals? HeldRemovals { get; init; }

    /// <summary>Repairs that wait for their rate limit.</summary>
    public HeldRepairs HeldRepairs { get; init; } = HeldRepairs.None;

    /// <summary>What another program undoes again and again, whether or not this pass had to repair it.</summary>
    public Contests Contests { get; init; } = Contests.None;

    /// <summary>Which of the changes were repairs.</summary>
    public Repairs Repairs { get; init; }

    /// <summary>Foreign rules that masquerade traffic between pods, with the cure, as found when they were last searched for.</summary>
    public IReadOnlyList<string> Leftovers { get; init; } = [];

    /// <summary>
    /// The probe addresses that the host held when the pass ended: the local route is there, and nothing is before it; on Windows those of
    /// the host endpoint.
    /// </summary>
    public ImmutableArray<Ip> HeldProbeAddresses =>
    [
        .. Plan?.EndpointAddresses ?? [],
        .. from address in Plan?.ProbeAddresses ?? []
           where Changes.ProbeRoutes.LeaveRight(address, Changes.Host) && !Result.ProbeObstacles.Any(o => o.Address == address)
           select address,
    ];

    /// <summary>Routes that were changed, and the conflicts.</summary>
    public RouteChanges Routes => Changes.Routes;

    public IReadOnlyList<HostFailure> Failures => Result.Failures;

    public bool ForwardingChanged => Changes.EnableForwardingIPv4 || Changes.EnableForwardingIPv6;

    public bool Changed => !Routes.IsEmpty || !Changes.PolicyRules.IsEmpty || !Changes.ProbeRoutes.IsEmpty || !Changes.Tunnel.IsEmpty ||
        Result.NatChange.Length > 0 || Result.ForwardChange.Length > 0 || Result.GuardChange.Length > 0 || Result.CniChange.Length > 0 ||
        ForwardingChanged || Changes.AcceptRa.Count > 0;

    /// <summary>The next pass should not wait for a notification.</summary>
    public bool IsUnfinished => Failures.Count > 0 || Routes.IsUnfinished || Continues || Changes.Tunnel.MayChangeUnannounced;

    /// <summary>The next pass follows at once. The kernel does not announce to us what we have made.</summary>
    public bool Continues => Changes.Tunnel.Continues;

    /// <summary>What is kept after the pass: without the routes that it changed, which may be thousands.</summary>
    public PassReport Lasting() => this with { Changes = Changes.Lasting() };
}

/// <summary>What a pass needs to know of those before it. A pass that could not read the host changes nothing of it.</summary>
/// <param name="Report">Of the last pass that could read the host; null: there was none.</param>
/// <param name="RulesMayHaveChanged">HostGw's rules may have changed since they were last compared.</param>
/// <param name="GuardsMayHaveChanged">The guards may have changed unannounced since they were last compared.</param>
/// <param name="LeftoversMayHaveChanged">Foreign rules may have changed since they were last searched for.</param>
/// <param name="ChangesNotMade">Routes that the plan changed, and that the host has refused since or that wait: to install them is no
/// repair.</param>
internal sealed record PreviousPass(
    PassReport? Report, bool RulesMayHaveChanged, bool GuardsMayHaveChanged, bool LeftoversMayHaveChanged,
    IReadOnlySet<RouteKey> ChangesNotMade)
{
    private const WakeCauses MayChangeLeftovers = WakeCauses.Start | WakeCauses.Nat | WakeCauses.Overrun;

    private const WakeCauses MayChangeRules = MayChangeLeftovers | WakeCauses.Retry | WakeCauses.Resync;

    // Other changes of the guards are announced one by one.
    private const WakeCauses MayChangeGuards = WakeCauses.Start | WakeCauses.Overrun | WakeCauses.Retry | WakeCauses.Resync;

    public static PreviousPass None { get; } = new(null, false, false, false, new HashSet<RouteKey>());

    public IReadOnlyList<string> Leftovers => Report?.Leftovers ?? [];

    /// <summary>The repairs of rules that it held back, in words.</summary>
    public HeldRules HeldRules => Report?.HeldRepairs.Rules ?? default;

    /// <summary>Adds what the causes of the next pass announce. It remains until a pass has compared, or searched.</summary>
    public PreviousPass With(WakeCauses causes) => this with
    {
        RulesMayHaveChanged = RulesMayHaveChanged || (causes & MayChangeRules) != 0,
        GuardsMayHaveChanged = GuardsMayHaveChanged || (causes & MayChangeGuards) != 0,
        LeftoversMayHaveChanged = LeftoversMayHaveChanged || (causes & MayChangeLeftovers) != 0,
    };

    public PreviousPass After(PassReport report, IReadOnlySet<RouteKey> changesNotMade) => new(
        report.Lasting(),
        RulesMayHaveChanged && report.Changes is not { ChangesNat: true, ChangesForward: true },
        GuardsMayHaveChanged && !report.Changes.ChangesGuards,
        LeftoversMayHaveChanged && report.Result.Leftovers is null,
        changesNotMade);
}
