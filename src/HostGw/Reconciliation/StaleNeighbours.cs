using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>Next hops inside podCIDRs that have passed to another node: their neighbour entries still name the previous one.</summary>
internal sealed class StaleNeighbours
{
    private readonly Dictionary<Prefix, string> _uids = [];
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
            bool moved = _uids.TryGetValue(verdict.PodCidr, out string? before) && before != verdict.Node.Uid;
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
