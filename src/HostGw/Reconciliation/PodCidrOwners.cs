using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Reconciliation;

/// <summary>Notices when a podCIDR, and with it the gateway inside it, has passed to another node.</summary>
internal sealed class PodCidrOwners
{
    private Dictionary<Prefix, string> _uids = [];

    /// <summary>Next hops whose neighbour entry still names the previous node.</summary>
    public List<Neighbour> Update(Plan plan)
    {
        List<Neighbour> stale = [];
        if (plan.Scope != PlanScope.Everything)
            return stale;
        Dictionary<Prefix, string> uids = [];
        foreach (Verdict verdict in plan.Verdicts)
        {
            if (verdict.Kind != VerdictKind.Routed || !verdict.PodCidr.Contains(verdict.NextHop))
                continue;
            uids[verdict.PodCidr] = verdict.Node.Uid;
            bool moved = _uids.TryGetValue(verdict.PodCidr, out string? before) && before != verdict.Node.Uid;
            if (moved && plan.TryGetRoute(verdict.PodCidr, out PodRoute route))
                stale.Add(new(verdict.NextHop, route.Interface));
        }
        // A podCIDR that nobody holds at the moment may come back with another node.
        foreach ((Prefix podCidr, string uid) in _uids)
            uids.TryAdd(podCidr, uid);
        _uids = uids;
        return stale;
    }
}
