using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Decides what this host should have. Pure: same nodes, same host, same policy, same plan.</summary>
internal static class Planner
{
    /// <param name="nodes">All nodes of the cluster, sorted by name.</param>
    public static Plan Plan(IReadOnlyList<ClusterNode> nodes, HostState host, Policy policy)
    {
        ClusterNode? self = Self(nodes, policy);
        (PlanScope scope, ImmutableArray<string> faults) = OwnNode.Check(self, policy);
        ImmutableArray<Prefix> own = scope == PlanScope.Everything ? self!.PodCidrs : [];

        InterfaceChoice v4 = InterfaceChoice.For(ipv6: false, policy, host, self);
        InterfaceChoice v6 = InterfaceChoice.For(ipv6: true, policy, host, self);
        PodCidrClaim[] claimed = Claims(nodes, new(policy, host, own));
        PodCidrClaims claims = new(claimed, nodes, policy);
        ImmutableArray<Verdict> verdicts = new Verdicts(policy, claims, new(policy, host, claims, self), v4, v6).For(nodes, claimed);
        ImmutableArray<ClusterRoute> clusterRoutes = ClusterRoute.For(policy, host, nodes, claims);
        ApiServerRoute? apiServer = ApiServerRoute.For(policy, host, v4);
        NatPlan? nat = policy.Nat.Enabled ? NatPlanner.Plan(policy, host, own, claims.Held, nodes) : null;

        return new()
        {
            Scope = scope,
            KnowsSelf = self is not null,
            Faults = faults,
            Routes = Routes(verdicts, clusterRoutes, new(host, own, apiServer, v4, v6)),
            Waiting = WaitingFor(verdicts, clusterRoutes, new(host, own, apiServer, v4, v6)),
            ClusterRoutes = clusterRoutes,
            ApiServerRoute = apiServer,
            Nat = nat,
            ForwardIPv4 = policy.Forwarding && own.Any(p => p.IsIPv4),
            ForwardIPv6 = policy.Forwarding && own.Any(p => p.IsIPv6),
            ForwardAccept = policy.ForwardAccept ? [.. own.Select(p => p.Aligned).Order().Distinct()] : [],
            Cni = policy.InstallCni ? CniPlan.For(own, v4, v6) with { Policies = host.Windows is null ? null : new(nat, policy.ServiceCidrs) } : null,
            InterfaceIPv4 = v4,
            InterfaceIPv6 = v6,
            OwnPodCidrs = own,
            Verdicts = verdicts,
        };
    }

    /// <summary>This node, or null while the API has none.</summary>
    public static ClusterNode? Self(IReadOnlyList<ClusterNode> nodes, Policy policy)
    {
        foreach (ClusterNode node in nodes)
        {
            if (node.Name == policy.NodeName)
                return node;
        }
        return null;
    }

    // In the order of the nodes.
    private static PodCidrClaim[] Claims(IReadOnlyList<ClusterNode> nodes, PodCidrGuard guard)
    {
        int count = 0;
        foreach (ClusterNode node in nodes)
            count += node.PodCidrs.Length;
        var claims = new PodCidrClaim[count];
        int next = 0;
        foreach (ClusterNode node in nodes)
        {
            foreach (Prefix podCidr in node.PodCidrs)
                claims[next++] = new(node, podCidr, guard.Refuse(podCidr));
        }
        return claims;
    }

    private static ImmutableArray<PodRoute> Routes(ImmutableArray<Verdict> verdicts, ImmutableArray<ClusterRoute> clusterRoutes, RouteTargets targets)
    {
        var routes = ImmutableArray.CreateBuilder<PodRoute>(verdicts.Count(v => v.Kind == VerdictKind.Routed));
        foreach (Verdict verdict in verdicts)
        {
            if (verdict.Kind == VerdictKind.Routed)
                targets.AddPeer(verdict.PodCidr, verdict.NextHop, routes);
        }
        foreach (ClusterRoute route in clusterRoutes)
        {
            if (route.Refusal is null)
                targets.AddOnLink(route.Destination, routes);
        }
        targets.AddOwn(routes);
        routes.Sort((a, b) => a.Key.CompareTo(b.Key));
        RemoveRepeated(routes);
        return routes.DrainToImmutable();
    }

    // A node may list a podCIDR twice.
    private static void RemoveRepeated(ImmutableArray<PodRoute>.Builder sorted)
    {
        int kept = 0;
        for (int i = 0; i < sorted.Count; i++)
        {
            if (kept == 0 || sorted[kept - 1].Key != sorted[i].Key)
                sorted[kept++] = sorted[i];
        }
        sorted.Count = kept;
    }

    private static ImmutableArray<Prefix> WaitingFor(ImmutableArray<Verdict> verdicts, ImmutableArray<ClusterRoute> clusterRoutes, RouteTargets targets)
    {
        IEnumerable<Prefix> waiting = verdicts.Where(v => v.Kind == VerdictKind.Waiting).Select(v => v.PodCidr);
        return [.. waiting.Concat(targets.WaitingFor(clusterRoutes)).Order()];
    }
}
