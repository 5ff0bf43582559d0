using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Problems;

/// <summary>Installed routes that packets do not take, or not all of them: the same sentences everywhere.</summary>
internal static class OverrideProblems
{
    public static IEnumerable<Problem> Shadowed(Plan plan, IEnumerable<RouteShadow> shadows) =>
        from shadow in shadows
        let peer = plan.RoutedPeer(shadow.Route.Destination) is { } node ? $"node {node.Name} " : ""
        select new Problem("RouteShadowed", $"{peer}{shadow.Route.Destination} (shadowed): {Reason(shadow)}",
            $"stop what makes it, then: {Cures.Removal(shadow.Foreign)}")
        {
            Subject = $"{shadow.Route.Destination}",
        };

    public static string Reason(RouteShadow shadow)
    {
        HostRoute foreign = shadow.Foreign;
        string kind = foreign.IsUnicast ? $"a route {NextHopText.Of(foreign.NextHop)}" : "a blackhole or other special route";
        string more = shadow.More > 0 ? $", and {shadow.More} more," : "";
        return $"{kind} to {foreign.Destination} of protocol {RouteProtocols.Name(foreign.Protocol)}{more} takes a part of its packets";
    }

    public static IEnumerable<Problem> Overridden(Plan plan, IReadOnlyList<RouteOverride> overrides) =>
        from found in overrides
        let first = found.Affected.Min()
        let peer = plan.RoutedPeer(first) is { } node ? $"node {node.Name} {first}" : $"{first}"
        let others = found.Affected.Count > 1 ? " and other nodes" : ""
        select new Problem("RouteOverridden",
            $"{peer}{others} (overridden): packets {found.Traffic} take {found.Instead} instead of HostGw's routes, by {found.Cause}",
            Cure(plan, found))
        {
            Subject = found.Cause,
        };

    public static string Reason(RouteOverride found) => $"packets {found.Traffic} take {found.Instead}, by {found.Cause}";

    private static string Cure(Plan plan, RouteOverride found)
    {
        string removal = $"if nothing needs it, stop what makes it, then: {found.Removal}";
        if (!found.IsByRule)
            return removal;
        bool isIPv6 = found.Affected.Min().IsIPv6;
        string first = plan.PolicyRules.IsEmpty
            ? "set policyRule to on (and clusterCidrs), so that HostGw's routes are tried before that rule"
            : plan.PolicyRules.Any(p => p.IsIPv6 == isIPv6)
            ? "there is no room for HostGw's rule before that one, which is at the front: give it a greater preference"
            : $"add the pods' {(isIPv6 ? "IPv6" : "IPv4")} network to clusterCidrs, so that HostGw's rule is for this family, too";
        return $"{first}; or, {removal}";
    }
}
