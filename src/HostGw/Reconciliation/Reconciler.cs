using System.Diagnostics.CodeAnalysis;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>One pass: read, plan, compare, hold back what must wait, apply, report. <see cref="ReconcileLoop"/> decides when.</summary>
internal sealed class Reconciler(IHostNetwork network, Policy policy, AdoptMode adopt, TimeProvider time)
{
    private readonly PlanCache _planner = new(policy);
    private readonly OwnedKeys _owned = new();
    private readonly StaleNeighbours _neighbours = new();
    private readonly RemovalBrake _brake = new(time);
    private readonly RepairLimiter _limiter = new(time);
    private PreviousPass _previous = PreviousPass.None;

    /// <summary>What the probes say.</summary>
    public Func<Reachability> Reachability { get; init; } = static () => Planning.Reachability.Off;

    /// <param name="nodes">A complete snapshot: an empty one would mean that every peer is gone.</param>
    /// <param name="apiServers">Its known addresses, beginning with the one that the API client is connected to.</param>
    public PassReport Run(NodeSnapshot nodes, IReadOnlyList<Ip> apiServers, WakeCauses causes)
    {
        PassReport begun = new()
        {
            At = time.GetUtcNow(),
            Causes = causes,
            ResourceVersion = nodes.ResourceVersion,
            Digest = nodes.Digest,
            Reachability = Reachability(),
        };
        long start = time.GetTimestamp();
        _previous = _previous.With(causes);
        EarlyRepair early = RepairEarly(nodes, causes);
        PassReport report = TryRead(apiServers, out HostState? host, out HostFailure? failure)
            ? Reconcile(begun, nodes, host, early)
            : early.AddTo(begun with { Result = new() { Failures = [failure] } });
        return report with { Elapsed = time.GetElapsedTime(start) };
    }

    private PassReport Reconcile(PassReport begun, NodeSnapshot nodes, HostState host, EarlyRepair early)
    {
        Plan plan = _planner.Plan(nodes.Nodes, nodes.ServiceCidrs, host, begun.Reachability);
        HostChanges wanted = Compare(plan, host, begun.Causes);
        (HostChanges confirmed, HeldRemovals? removals) = _brake.Hold(wanted, nodes.QuorumReads, nodes.IsPartial);
        RepairScope repairs = new(_previous, confirmed, _owned.Keys, begun.Causes);
        (HostChanges permitted, HeldRepairs held) = _limiter.Hold(confirmed, repairs, _previous.HeldRules);
        (HostChanges made, ApplyResult result) = Apply(permitted, repairs);

        PassReport report = early.AddTo(begun with
        {
            NodesSavedAt = nodes.SavedAt,
            Plan = plan,
            Changes = made,
            Result = result,
            HeldRemovals = removals,
            HeldRepairs = held.After(result),
            Contests = _limiter.Contested(plan),
            Repairs = repairs.Count(made, result),
            Leftovers = result.Leftovers is { } found ? [.. found.Select(l => l.Problem)] : _previous.Leftovers,
        });
        Remember(report, repairs);
        return report;
    }

    private (HostChanges Made, ApplyResult Result) Apply(HostChanges permitted, RepairScope repairs)
    {
        ApplyResult result = network.Apply(permitted, ApplyMode.Change);
        HostChanges made = permitted.Without(result);
        _limiter.Count(made, result, repairs);
        return (made, result);
    }

    private bool TryRead(
        IReadOnlyList<Ip> apiServers, [NotNullWhen(true)] out HostState? host, [NotNullWhen(false)] out HostFailure? failure)
    {
        try
        {
            (host, failure) = (network.Read(apiServers), null);
            return true;
        }
        catch (HostNetworkException e)
        {
            (host, failure) = (null, new(HostPart.State, "read the host", null, e));
            return false;
        }
    }

    // Only what another program has changed since the pass before. What a new plan changes is left to the pass.
    private EarlyRepair RepairEarly(NodeSnapshot nodes, WakeCauses causes)
    {
        if ((causes & EarlyRepair.Causes) == 0 || _previous.Report is not { Plan: not null } last || !_planner.IsOf(nodes.Nodes) ||
            ReadBriefly() is not { } host || EarlyRepair.Needed(last, host, causes) is not { } needed)
            return EarlyRepair.None;
        needed = needed with { ReadsRulesAgain = _previous.RulesMayHaveChanged, ReadsGuardsAgain = _previous.GuardsMayHaveChanged };
        RepairScope repairs = new(_previous, needed, _owned.Keys, causes);
        (HostChanges permitted, _) = _limiter.Hold(repairs.Only(needed), repairs, _previous.HeldRules);
        (HostChanges made, ApplyResult result) = Apply(EarlyRepair.WithRoutes(permitted), repairs);
        return new(made, result, repairs.Count(made, result));
    }

    // If this read fails, so does that of the pass, which reports it.
    private HostState? ReadBriefly()
    {
        try
        {
            return network.ReadBriefly();
        }
        catch (HostNetworkException)
        {
            return null;
        }
    }

    private HostChanges Compare(Plan plan, HostState host, WakeCauses causes) => HostDiff.Between(plan, host, _owned.Keys, adopt) with
    {
        ForgetNeighbours = _neighbours.Of(plan),
        ReadsRulesAgain = _previous.RulesMayHaveChanged,
        ReadsGuardsAgain = _previous.GuardsMayHaveChanged,
        // iptables-legacy sends no notifications: foreign rules that were found are searched for periodically.
        FindsLeftovers = plan is { Scope: PlanScope.Everything, Routes.IsEmpty: false } &&
            (_previous.LeftoversMayHaveChanged || (_previous.Leftovers.Count > 0 && causes.HasFlag(WakeCauses.Resync))),
    };

    private void Remember(PassReport report, RepairScope repairs)
    {
        _neighbours.Forgotten(report.Failures);
        _owned.Remember(report.Plan!, report.Changes.Host.RouteSpan, report.Routes);
        _previous = _previous.After(report, repairs.ChangesNotMade(report.Result));
    }
}

/// <summary>Next hops inside podCIDRs that moved to another node: their neighbour entries hold the previous node's MAC address.</summary>
internal sealed class StaleNeighbours
{
    private readonly Dictionary<Prefix, ObjectUid> _uids = [];
    private readonly HashSet<Neighbour> _stale = [];

    /// <summary>The entries that the host must forget, also those of earlier plans that it refused to.</summary>
    public IReadOnlyList<Neighbour> Of(Plan plan)
    {
        if (plan.Scope != PlanScope.Everything)
            return [];
        // A podCIDR that no node has at the moment stays known: it may come back with another node.
        foreach (Verdict verdict in plan.Verdicts)
        {
            if (verdict.Kind != VerdictKind.Routed || !verdict.PodCidr.Contains(verdict.NextHop))
                continue;
            bool moved = _uids.TryGetValue(verdict.PodCidr, out ObjectUid before) && before != verdict.Node.Uid;
            _uids[verdict.PodCidr] = verdict.Node.Uid;
            if (!moved)
                continue;
            foreach (PodRoute route in plan.RoutesTo(verdict.PodCidr))
                _stale.Add(new(verdict.NextHop, route.Interface));
        }
        return [.. _stale];
    }

    /// <summary>The host has forgotten all but these.</summary>
    public void Forgotten(IReadOnlyList<HostFailure> failures) => _stale.RemoveWhere(
        n => !failures.Any(f => f.Part == HostPart.Neighbours && f.Route?.Destination == Prefix.Host(n.Address)));
}
