using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Problems;

/// <summary>Peers whose pods the probes do not reach, although the route is installed: one problem for each cause.</summary>
internal static class ReachabilityProblems
{
    private const int Named = 3;

    /// <param name="explained">Destinations whose packets something on this host takes, which is reported as such.</param>
    public static IEnumerable<Problem> Of(Plan plan, Reachability reachability, IReadOnlySet<Prefix> explained)
    {
        if (With(plan, reachability, explained, ReachKind.PodTrafficDropped, isTunnelled: false) is { } dropped)
        {
            yield return new("PodTrafficDropped",
                $"packets between pods do not arrive at {dropped}: probes between the nodes' addresses are answered, " +
                "those between addresses of the pod networks are not",
                $"{Cures.PodTrafficDropped}; or {(plan.Tunnel is null ? Cures.UseTunnel : Cures.LetTunnelPass)}")
            {
                IsOfMany = true,
            };
        }
        if (With(plan, reachability, explained, ReachKind.PodTrafficDropped, isTunnelled: true) is { } blocked)
        {
            yield return new("TunnelUnanswered",
                $"packets between pods do not arrive at {blocked}: probes between the nodes' addresses are answered, " +
                "those through the tunnel are not",
                $"{Cures.LetTunnelPass}, and see that these nodes' agents run with the same settings of the tunnel (`hostgw status` there)")
            {
                IsOfMany = true,
            };
        }
        if (With(plan, reachability, explained, ReachKind.Unreachable) is { } silent)
        {
            yield return new("PeersUnreachable",
                $"no probe is answered any more by {silent}: neither at the node's address nor in its pod network", Cures.Unreachable)
            {
                IsOfMany = true,
            };
        }
    }

    /// <summary>Destinations of which a foreign route or rule of this host takes the packets, or a part of them.</summary>
    public static IReadOnlySet<Prefix> Explained(RouteChanges routes, IReadOnlyList<RouteOverride> overrides) =>
        new HashSet<Prefix>([
            .. overrides.SelectMany(o => o.Affected), .. routes.Shadows.Select(s => s.Route.Destination),
            .. routes.Conflicts.Where(c => (c.Foreign.NextHop, c.Foreign.Interface) != (c.Route.NextHop, c.Route.Interface))
                .Select(c => c.Route.Destination),
        ]);

    // A peer without a route is reported as such, and that explains it.
    private static string? With(
        Plan plan, Reachability reachability, IReadOnlySet<Prefix> explained, ReachKind kind, bool? isTunnelled = null)
    {
        string[] peers =
        [
            .. plan.Verdicts.Where(v => v.Kind == VerdictKind.Routed && reachability.Of(v) is { } reach && reach.Kind == kind)
                .Where(v => !explained.Contains(v.PodCidr))
                .Where(v => isTunnelled is null || isTunnelled == v.Tunnel is not null)
                .DistinctBy(v => v.Node.Name).Select(v => $"{v.Node.Name} ({v.PodCidr})"),
        ];
        string more = peers.Length > Named ? $" and {peers.Length - Named} more" : "";
        return peers.Length == 0 ? null
            : $"{peers.Length} {(peers.Length == 1 ? "node" : "nodes")}: {string.Join(", ", peers.Take(Named))}{more}";
    }
}
