namespace HostGw.Planning;

/// <summary>
/// Foreign routes of table local, which is looked up before table main: this host treats packets to these addresses as its own (AnyIP;
/// transparent proxies and load balancers use it).
/// </summary>
internal static class LocalRouteOverrides
{
    public static IEnumerable<RouteOverride> Find(Plan plan, HostState host)
    {
        foreach ((Prefix taken, ushort protocol) in host.ForeignLocalRoutes)
        {
            // Under another routeProtocol HostGw has made it itself, and it does what is wanted.
            if (taken.IsOneAddress && plan.ProbeAddresses.Contains(taken.Address))
                continue;
            HashSet<Prefix> affected = [.. plan.Routes.Where(r => !r.NextHop.IsNone && !r.IsToOneAddress).Select(r => r.Destination)
                .Where(taken.Overlaps)];
            string whose = affected.Count > 0 ? "to other nodes' pods" : "to this node's pods";
            if (affected.Count == 0)
                affected = [.. plan.OwnPodCidrs.Where(taken.Overlaps)];
            if (affected.Count > 0)
            {
                yield return new(
                    $"the route local {taken} dev lo", whose, "table local (this host takes them for its own)",
                    $"ip {(taken.IsIPv6 ? "-6 " : "")}route del local {taken} dev lo table local proto {protocol}", affected)
                {
                    SparesProbes = !affected.Any(p => taken.Contains(ProbeAddress.Of(p))),
                };
            }
        }
    }
}
