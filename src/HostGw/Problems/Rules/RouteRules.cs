using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Problems.Rules;

/// <summary>Whether the desired routes are installed, alone in their place.</summary>
internal static class RouteRules
{
    public static IEnumerable<Problem> Conflicts(Examination seen) => seen.Plan is not { } plan ? [] :
        from conflict in seen.Routes.Conflicts
        let orElse = MayBeTaken(conflict) ? "; or let the agent take it over with adopt=all" : ""
        select new Problem("conflict",
            ProblemCatalog.Describe(plan, conflict),
            $"stop what makes it, then: {Cures.Removal(conflict.Foreign)}{orElse}");

    /// <summary>The kernel takes the longest prefix: a route inside a peer's podCIDR takes a part of its traffic elsewhere.</summary>
    public static IEnumerable<Problem> Shadowed(Examination seen) => seen.Plan is not { } plan ? [] :
        OverrideProblems.Shadowed(plan, seen.Routes.Shadows.Where(s => !FormerPods.LeadsToOne(s.Foreign, seen)))
            .Select(p => p with { Rule = "shadowed" });

    /// <summary>Policy rules, and IPv6 routes for certain sources, that take packets before the installed routes do.</summary>
    public static IEnumerable<Problem> Overridden(Examination seen) => seen.Plan is not { } plan ? [] :
        OverrideProblems.Overridden(plan, seen.Overrides).Select(p => p with { Rule = "overridden" });

    public static IEnumerable<Problem> NotApplied(Examination seen)
    {
        int missing = seen.Routes.Add.Count, wrong = seen.Routes.Replace.Count, stale = seen.Routes.Delete.Count;
        if (missing + wrong + stale == 0)
            yield break;
        yield return new("routes",
            $"routes are not as the Nodes say: {missing} missing, {wrong} wrong, {stale} of nodes that are gone (hostgw plan lists them)",
            "start the agent on this host; if it runs, hostgw status and its log say what keeps it from that");
    }

    private static bool MayBeTaken(RouteConflict conflict) =>
        !conflict.IsShared && !conflict.Foreign.IsConnected && conflict.Foreign.Key == conflict.Route.Key;
}
