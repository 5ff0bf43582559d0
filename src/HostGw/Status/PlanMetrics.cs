using HostGw.Planning;
using HostGw.Reconciliation;
using static HostGw.Status.MetricsWriter;

namespace HostGw.Status;

/// <summary>Metrics of what should stand, and what of it does.</summary>
internal static class PlanMetrics
{
    private static readonly string[] RouteFamilies = ["ipv4", "ipv6"];

    public static void Write(MetricsWriter metrics, Plan plan, PassReport last)
    {
        WriteRoutes(metrics, plan, new(last));
        WriteNodes(metrics, plan);
        metrics.Gauge("hostgw_problems", "What a person should look at on this host; hostgw status says what.", Problems.Of(last).Count());
        metrics.Gauge("hostgw_removals_held", "Routes that would have to go, but so many of ours at once that the API server has to confirm it first.", last.HeldRemovals?.Routes ?? 0);
        metrics.Gauge("hostgw_nat_info", "1, labelled with what keeps the masquerade rule.", (Labels(("backend", RuleStates.Backend(plan, last))), 1));
        metrics.States("hostgw_nat_state", "1 for the state of the masquerade rule.", RuleStates.OfNat(plan, last), RuleStates.All);
        metrics.States("hostgw_forward_accept_state", "1 for the state of what accepts pods' packets in chain FORWARD.", RuleStates.OfForward(plan, last), RuleStates.All);
        metrics.States("hostgw_cni_state", "1 for the state of our CNI configuration.", CniState.Of(plan, last), CniState.All);
        metrics.Gauge("hostgw_forwarding", "1 while this host forwards packets of the family.",
            [.. Forwarding("ipv4", last.Forwarding.IPv4), .. Forwarding("ipv6", last.Forwarding.IPv6)]);
    }

    private static void WriteRoutes(MetricsWriter metrics, Plan plan, RouteStates states)
    {
        Dictionary<(string Family, string State), int> routes = plan.Routes
            .GroupBy(r => (Family(r.Destination), states.Of(r.Destination))).ToDictionary(g => g.Key, g => g.Count());
        metrics.Gauge("hostgw_routes_desired", "Routes that should stand.",
            [.. RouteFamilies.Select(f => (OfFamily(f), (double)routes.Where(r => r.Key.Family == f).Sum(r => r.Value)))]);
        Standing("hostgw_routes_installed", "Of those, routes that stand.", "installed");
        Standing("hostgw_routes_conflicting", "Routes whose place somebody else's route holds.", "conflict");
        Standing("hostgw_routes_failed", "Routes that the host refused.", "failed");
        Standing("hostgw_routes_missing", "Routes whose repair waits because somebody keeps undoing it.", "missing");
        Standing("hostgw_routes_held", "Routes left as they stand because this node is not in order.", "held");

        void Standing(string name, string help, string state) =>
            metrics.Gauge(name, help, [.. RouteFamilies.Select(f => (OfFamily(f), (double)routes.GetValueOrDefault((f, state))))]);
    }

    private static void WriteNodes(MetricsWriter metrics, Plan plan)
    {
        VerdictKind[] kinds = Enum.GetValues<VerdictKind>();
        Dictionary<(string Family, VerdictKind Kind), int> podCidrs = plan.Verdicts
            .GroupBy(v => (Family(v.PodCidr), v.Kind)).ToDictionary(g => g.Key, g => g.Count());
        // Only a podCIDR that is missing or cannot be read is of no family.
        metrics.Gauge("hostgw_podcidrs", "podCIDRs of all nodes by what became of them.",
            [.. from kind in kinds
                from family in kind is VerdictKind.NoPodCidr ? ["none"] : kind is VerdictKind.Rejected ? [.. RouteFamilies, "none"] : RouteFamilies
                select (Labels(("family", family), ("verdict", VerdictNames.Of(kind))), (double)podCidrs.GetValueOrDefault((family, kind)))]);

        Dictionary<VerdictKind, int> nodes = plan.Verdicts
            .GroupBy(v => v.Node, ReferenceEqualityComparer.Instance).CountBy(g => g.Max(v => v.Kind)).ToDictionary();
        metrics.Gauge("hostgw_nodes", "Nodes by what became of them: the worst of their podCIDRs.",
            [.. kinds.Select(k => (Labels(("verdict", VerdictNames.Of(k))), (double)nodes.GetValueOrDefault(k)))]);
    }

    private static string Family(Prefix prefix) => prefix.IsNone ? "none" : prefix.IsIPv4 ? "ipv4" : "ipv6";

    private static string OfFamily(string family) => Labels(("family", family));

    private static IEnumerable<(string, double)> Forwarding(string family, bool? isOn) => isOn is { } known ? [(OfFamily(family), known ? 1 : 0)] : [];
}
