using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>A pass that writes nothing: what an agent that starts now would change, and what it would report.</summary>
internal sealed class DryPass(IHostNetwork network, Policy policy, AdoptMode adopt)
{
    /// <summary>Plans, and compares the plan with what was read of the host. Asks the host for nothing more.</summary>
    public PassReport Compare(NodeSnapshot nodes, HostState host, Reachability reachability)
    {
        Plan plan = Planner.Plan(nodes.Nodes, host, policy.WithFound(nodes.ServiceCidrs), null, reachability);
        HostChanges changes = HostDiff.Between(plan, host, new HashSet<RouteKey>(), adopt);
        HeldRemovals? held = null;
        if (nodes.IsPartial)
            (changes, held) = new RemovalBrake(TimeProvider.System).Hold(changes, nodes.QuorumReads, isPartial: true);
        return new()
        {
            Digest = nodes.Digest,
            Reachability = reachability,
            Plan = plan,
            Changes = changes with { FindsLeftovers = changes.ChangesNat },
            HeldRemovals = held,
        };
    }

    /// <summary>Adds what the host says of its rules, HostGw's and foreign ones, and of the CNI configuration.</summary>
    public PassReport Preview(PassReport compared)
    {
        ApplyResult result = network.Apply(compared.Changes, ApplyMode.Preview);
        return compared with
        {
            Changes = compared.Changes.Without(result),
            Result = result,
            Leftovers = [.. (result.Leftovers ?? []).Select(l => l.Problem)],
        };
    }
}
