using System.Runtime.InteropServices;
using HostGw.Planning;
using HostGw.Reconciliation;
using static HostGw.Status.MetricsWriter;

namespace HostGw.Status;

/// <summary>Metrics of what should stand, and what of it does.</summary>
internal static class PlanMetrics
{
    private const string NoFamily = "none";

    private static readonly string[] RouteFamilies = ["ipv4", "ipv6"];
    private static readonly string[] Families = [.. RouteFamilies, NoFamily];
    private static readonly VerdictKind[] Kinds = Enum.GetValues<VerdictKind>();

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
        Dictionary<string, int>[] counts = [.. RouteFamilies.Select(_ => new Dictionary<string, int>())];
        foreach (PodRoute route in plan.Routes)
            CollectionsMarshal.GetValueRefOrAddDefault(counts[Family(route.Destination)], states.Of(route.Destination), out _)++;

        metrics.Gauge("hostgw_routes_desired", "Routes that should stand.", Each(family => counts[family].Values.Sum()));
        Standing("hostgw_routes_installed", "Of those, routes that stand.", "installed");
        Standing("hostgw_routes_conflicting", "Routes whose place somebody else's route holds.", "conflict");
        Standing("hostgw_routes_failed", "Routes that the host refused.", "failed");
        Standing("hostgw_routes_missing", "Routes whose repair waits because somebody keeps undoing it.", "missing");
        Standing("hostgw_routes_held", "Routes left as they stand because this node is not in order.", "held");

        void Standing(string name, string help, string state) => metrics.Gauge(name, help, Each(family => counts[family].GetValueOrDefault(state)));

        static (string, double)[] Each(Func<int, int> count) => [.. RouteFamilies.Select((name, family) => (Labels(("family", name)), (double)count(family)))];
    }

    private static void WriteNodes(MetricsWriter metrics, Plan plan)
    {
        int[,] podCidrs = new int[Families.Length, Kinds.Length];
        int[] nodes = new int[Kinds.Length];
        VerdictKind worst = default;
        for (int i = 0; i < plan.Verdicts.Length; i++)
        {
            Verdict verdict = plan.Verdicts[i];
            podCidrs[Family(verdict.PodCidr), (int)verdict.Kind]++;
            // Those of one node stand together.
            bool isFirst = i == 0 || plan.Verdicts[i - 1].Node != verdict.Node, isLast = i == plan.Verdicts.Length - 1 || plan.Verdicts[i + 1].Node != verdict.Node;
            worst = isFirst || verdict.Kind > worst ? verdict.Kind : worst;
            nodes[(int)worst] += isLast ? 1 : 0;
        }
        // Only a podCIDR that is missing or cannot be read is of no family.
        metrics.Gauge("hostgw_podcidrs", "podCIDRs of all nodes by what became of them.",
            [.. from kind in Kinds
                from family in kind is VerdictKind.NoPodCidr ? [NoFamily] : kind is VerdictKind.Rejected ? Families : RouteFamilies
                select (Labels(("family", family), ("verdict", VerdictNames.Of(kind))), (double)podCidrs[Families.IndexOf(family), (int)kind])]);
        metrics.Gauge("hostgw_nodes", "Nodes by what became of them: the worst of their podCIDRs.",
            [.. Kinds.Select(k => (Labels(("verdict", VerdictNames.Of(k))), (double)nodes[(int)k]))]);
    }

    // Its place in Families.
    private static int Family(Prefix prefix) => prefix.IsNone ? 2 : prefix.IsIPv4 ? 0 : 1;

    private static string OfFamily(string family) => Labels(("family", family));

    private static IEnumerable<(string, double)> Forwarding(string family, bool? isOn) => isOn is { } known ? [(OfFamily(family), known ? 1 : 0)] : [];
}
