using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>Notices when a podCIDR, and with it the gateway inside it, has passed to another node.</summary>
internal sealed class PodCidrOwners
{
    private readonly Dictionary<Prefix, string> _uids = [];
    private readonly HashSet<Neighbour> _stale = [];

    /// <summary>Next hops whose neighbour entry still names the previous node.</summary>
    public IReadOnlyList<Neighbour> Update(Plan plan)
    {
        if (plan.Scope != PlanScope.Everything)
            return [];
        // What nobody holds at the moment stays known: it may come back with another node.
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

    /// <summary>What the host did not refuse to forget is done with.</summary>
    public void Forgotten(IReadOnlyList<HostFailure> failures) => _stale.RemoveWhere(
        n => !failures.Any(f => f.Part == HostPart.Neighbours && f.Route?.Destination == Prefix.Host(n.Address)));
}
