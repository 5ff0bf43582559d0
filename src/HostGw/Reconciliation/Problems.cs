using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>What a person should know of a pass, in sentences. Empty in a cluster that is in order.</summary>
internal static class Problems
{
    public static IEnumerable<string> Of(PassReport report)
    {
        if (report.Plan is { } plan)
        {
            foreach (string fault in plan.Faults)
                yield return fault;
            foreach (ClusterRoute route in plan.ClusterRoutes.Where(c => c.Refusal is not null))
                yield return $"no cluster route {route.Destination}: it {route.Refusal}";
            foreach (Verdict verdict in plan.Verdicts.Where(v => v.Kind >= VerdictKind.Waiting || (v.Kind == VerdictKind.Routed && v.Reason.Length > 0)))
                yield return Describe(verdict);
        }
        foreach (RouteConflict conflict in report.Routes.Conflicts)
            yield return Describe(conflict);
        foreach (ContestedRoute route in report.Contested)
            yield return $"somebody keeps changing our route {route.Destination} ({route.Found}): it is repaired only every 10 s";
    }

    public static string Describe(Verdict verdict)
    {
        string podCidr = verdict.PodCidr.IsNone ? "" : $" {verdict.PodCidr}";
        return $"node {verdict.Node.Name}{podCidr} ({VerdictNames.Of(verdict.Kind)}): {verdict.Reason}";
    }

    public static string Describe(RouteConflict conflict)
    {
        HostRoute foreign = conflict.Foreign;
        string via = foreign.NextHop.IsNone ? "" : $" via {foreign.NextHop}";
        string kind = foreign.IsUnicast ? "a route" : "a blackhole or other special route";
        return $"conflict on {conflict.Route.Destination}: {kind}{via} of protocol {RouteProtocols.Name(foreign.Protocol)} stands there already; remove it or set adopt to take it over";
    }
}
