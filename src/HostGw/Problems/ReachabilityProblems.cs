using System.Collections.Immutable;
using System.Globalization;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Problems;

/// <summary>Peers whose pods the probes do not reach, although the route is installed: one problem for each cause.</summary>
internal static class ReachabilityProblems
{
    private const int MostNamed = 3;

    /// <param name="explained">Destinations whose packets something on this host takes, which is reported as such.</param>
    public static IEnumerable<Problem> Of(Plan plan, Reachability reachability, IReadOnlySet<Prefix> explained)
    {
        if (With(plan, reachability, explained, ReachKind.PodTrafficDropped, isTunnelled: false) is { } dropped)
        {
            string tunnel = plan.Tunnel is not null ? $"; or {Cures.LetTunnelPass}"
                : Cures.UseTunnel(plan.Policy) is { Length: > 0 } use ? $"; or {use}, and let UDP to tunnel.port pass" : "";
            yield return OfMany("PodTrafficDropped",
                $"packets between pods do not arrive at {dropped}: probes between the nodes' addresses are answered, " +
                "those between addresses of the pod networks are not",
                Cures.PodTrafficDropped + tunnel);
        }
        if (With(plan, reachability, explained, ReachKind.PodTrafficDropped, isTunnelled: true) is { } blocked)
        {
            yield return OfMany("TunnelUnanswered",
                $"packets between pods do not arrive at {blocked}: probes between the nodes' addresses are answered, " +
                "those through the tunnel are not",
                $"{Cures.LetTunnelPass}, and see that these nodes' agents run with the same settings of the tunnel " +
                "(`hostgw status` there)");
        }
        if (With(plan, reachability, ImmutableHashSet<Prefix>.Empty, ReachKind.Unreachable) is { } silent)
        {
            yield return OfMany("PeersUnreachable",
                $"no probe is answered any more by {silent}: neither at the node's address nor in its pod network", Cures.Unreachable);
        }
        if (PodsSilent(plan, reachability, explained) is { } unknown)
            yield return unknown;
    }

    /// <summary>PodCIDRs to which a foreign route or rule of this host takes the probes.</summary>
    public static IReadOnlySet<Prefix> Explained(RouteChanges routes, IReadOnlyList<RouteOverride> overrides) =>
        new HashSet<Prefix>([
            .. overrides.Where(o => !o.SparesProbes).SelectMany(o => o.Affected),
            .. routes.Shadows.Where(s => s.Foreign.Destination.Contains(ProbeAddress.Of(s.Route.Destination)))
                .Select(s => s.Route.Destination),
            .. routes.Conflicts.Where(c => (c.Foreign.NextHop, c.Foreign.Interface) != (c.Route.NextHop, c.Route.Interface))
                .Select(c => c.Route.Destination),
        ]);

    private static Problem OfMany(string rule, string text, string cure) => new(rule, text, cure) { IsOfMany = true };

    // Affects neither readiness nor routes: whether pods' packets arrive is unknown.
    private static Problem? PodsSilent(Plan plan, Reachability reachability, IReadOnlySet<Prefix> explained)
    {
        string[] peers =
        [
            .. from verdict in plan.Verdicts
               where verdict.Kind == VerdictKind.Routed && !explained.Contains(verdict.PodCidr)
               let reach = reachability.Of(verdict)
               where reach is { PodsFellSilent: true }
               group $"{verdict.Node.Name} ({verdict.PodCidr}, silent{Since(reach.Value)})" by verdict.Node.Name into node
               select node.First(),
        ];
        return peers.Length == 0 ? null : OfMany("PodsSilent",
            $"probes in the pod network are no longer answered by {Named(peers)}; those to the node's address are. The cause is unknown: " +
            "with a Windows node at one end it may be the host endpoint, a firewall, or the network between the nodes",
            Cures.PodsSilent);
    }

    /// <summary>" since 2026-01-02 02:00:00 UTC"; empty: the time is not known.</summary>
    public static string Since(Reach reach) =>
        reach.Since is { } since ? string.Create(CultureInfo.InvariantCulture, $" since {since:yyyy-MM-dd HH:mm:ss} UTC") : "";

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
        return peers.Length == 0 ? null : Named(peers);
    }

    private static string Named(string[] peers)
    {
        string more = peers.Length > MostNamed ? $" and {peers.Length - MostNamed} more" : "";
        return $"{peers.Length} {(peers.Length == 1 ? "node" : "nodes")}: {string.Join(", ", peers.Take(MostNamed))}{more}";
    }
}
