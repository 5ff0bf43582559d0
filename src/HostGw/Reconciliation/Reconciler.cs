using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>One pass: read the host, plan, compare, apply, record. Knows nothing of when.</summary>
internal sealed class Reconciler(IHostNetwork host, Policy policy, AdoptMode adopt, TimeProvider time)
{
    // What these announce leaves rules as they were.
    private const WakeCauses NoNewsOfRules = WakeCauses.Nodes | WakeCauses.Routes | WakeCauses.Links | WakeCauses.Addresses | WakeCauses.Forwarding | WakeCauses.Cni;

    private const WakeCauses MayBringLeftovers = WakeCauses.Start | WakeCauses.Nat | WakeCauses.Overrun;

    private readonly PlanMemory _planner = new(policy);
    private readonly RouteLedger _ledger = new();
    private readonly RemovalBrake _removalBrake = new();
    private readonly RepairBrake _brake = new(time);
    private readonly RuleBrake _ruleBrake = new(time);
    private readonly CniBrake _cniBrake = new(time);
    private readonly PodCidrOwners _owners = new();
    private LastPass? _last;
    private string[] _leftovers = [];
    private bool _owesLeftovers;

    /// <param name="nodes">A complete snapshot: an empty one would mean that every peer is gone.</param>
    /// <param name="apiServer">The address that the API client is connected to.</param>
    public PassReport Run(NodeSnapshot nodes, Ip apiServer, WakeCauses causes)
    {
        DateTimeOffset at = time.GetUtcNow();
        long start = time.GetTimestamp();
        _owesLeftovers |= (causes & MayBringLeftovers) != 0;
        PassReport report = ReadAndRun(nodes, apiServer, causes);
        return report with { At = at, Elapsed = time.GetElapsedTime(start), Causes = causes, ResourceVersion = nodes.ResourceVersion };
    }

    private PassReport ReadAndRun(NodeSnapshot nodes, Ip apiServer, WakeCauses causes)
    {
        HostState state;
        try
        {
            state = host.Read(apiServer);
        }
        catch (HostNetworkException e)
        {
            return new() { Failures = [new(HostPart.State, "read the host", null, e)] };
        }
        return Run(_planner.Plan(nodes.Nodes, state), state, causes, nodes.QuorumReads) with { NodesSavedAt = nodes.SavedAt };
    }

    private PassReport Run(Plan plan, HostState state, WakeCauses causes, int quorumReads)
    {
        HostChanges changes = HostDiff.Between(plan, state, _ledger.Keys, adopt) with
        {
            ForgetNeighbours = _owners.Update(plan),
            ReadsRulesAgain = (causes & ~NoNewsOfRules) != 0,
            // iptables-legacy sends no notifications: while there are some they are searched for periodically.
            FindsLeftovers = plan is { Scope: PlanScope.Everything, Routes.IsEmpty: false } && (_owesLeftovers || (_leftovers.Length > 0 && causes.HasFlag(WakeCauses.Resync))),
        };
        changes = _removalBrake.HoldBack(changes, plan, state.Routes, quorumReads);
        // Nobody asked for other rules: what has to be done to them is a repair.
        bool sameRules = _last is not null && _last.HadRules(changes.Nat, plan);
        changes = _ruleBrake.HoldBack(changes, isRepair: sameRules);
        bool sameCni = _last is not null && _last.HadCni(plan.Cni);
        TimeSpan? cniPause = sameCni ? _cniBrake.Pause() : null;
        if (cniPause is not null)
            changes = changes with { ChangesCni = false };
        RouteChanges routes = changes.Routes;
        IReadOnlyList<PodRoute> heldBack = _brake.HoldBack(routes, IsRepair);
        ApplyResult result = host.Apply(changes, ApplyMode.Change);

        routes.RemoveRefused(result.RefusedRoutes);
        _brake.Count(routes, IsRepair);
        if (sameRules)
            _ruleBrake.Count(result);
        if (sameCni && result.CniChange.Length > 0)
            _cniBrake.Count(result.CniChange);
        Repairs repairs = Repairs.Of(routes, IsRepair) with
        {
            Masquerade = sameRules && result.NatChange.Length > 0 ? 1 : 0,
            ForwardAccept = sameRules && result.ForwardChange.Length > 0 ? 1 : 0,
            Cni = sameCni && result.CniChange.Length > 0 ? 1 : 0,
        };
        _owners.Forgotten(result.Failures);
        _ledger.Remember(plan, state.Routes, routes);
        if (result.Leftovers is { } leftovers)
            (_leftovers, _owesLeftovers) = ([.. leftovers.Select(l => l.Problem)], false);

        bool turnedOnIPv4 = changes.EnableForwardingIPv4 && result.Failures.All(f => f.Part != HostPart.ForwardingIPv4);
        bool turnedOnIPv6 = changes.EnableForwardingIPv6 && result.Failures.All(f => f.Part != HostPart.ForwardingIPv6);
        ForwardingState forwarding = new(turnedOnIPv4 ? true : state.Forwarding.IPv4, turnedOnIPv6 ? true : state.Forwarding.IPv6);
        bool forwardedBefore = _last is not null && ((turnedOnIPv4 && _last.ForwardedIPv4) || (turnedOnIPv6 && _last.ForwardedIPv6));
        _last = new(
            _removalBrake.Held is null ? plan : plan with { Nat = changes.Nat },
            result.Failures.All(f => f.Part is not (HostPart.Nat or HostPart.Forward)), result.Cni is { IsOurs: true } || cniPause is not null, forwarding);
        return new()
        {
            Plan = plan,
            Routes = routes,
            HeldRemovals = _removalBrake.Held,
            HeldBack = heldBack,
            HeldBackFor = Sooner(Sooner(_brake.Pause(heldBack), _ruleBrake.HeldFor), cniPause),
            Contested = _brake.Contested(plan),
            ContestedRules = _ruleBrake.Contested,
            HeldRules = _ruleBrake.Held,
            HeldRulesFor = _ruleBrake.HeldFor,
            NatChange = result.NatChange,
            NatBackend = result.NatBackend,
            ForwardChange = result.ForwardChange,
            CniChange = result.CniChange,
            Cni = result.Cni,
            ContestedCni = _cniBrake.Contested,
            Obstacles = [.. result.Obstacles, .. _leftovers],
            Repairs = repairs with { Forwarding = forwardedBefore ? 1 : 0 },
            Failures = result.Failures,
            NetlinkWrites = result.NetlinkWrites,
            Forwarding = forwarding,
            ForwardingChanged = turnedOnIPv4 || turnedOnIPv6,
            AcceptRa = result.Failures.All(f => f.Part != HostPart.ForwardingIPv6) ? changes.AcceptRa : [],
        };
    }

    // Nobody asked for another route, yet ours does not stand as it did.
    private bool IsRepair(PodRoute route) => _ledger.Keys.Contains(route.Key) && _last is not null && _last.HadRoute(route);

    private static TimeSpan? Sooner(TimeSpan? a, TimeSpan? b) => a is null || b < a ? b ?? a : a;
}
