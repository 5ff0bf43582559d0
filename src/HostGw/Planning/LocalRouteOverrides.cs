namespace HostGw.Planning;

/// <summary>
/// Foreign routes of table local, which is looked up before table main. Transparent proxies and load balancers make this host treat
/// packets to these addresses as its own (AnyIP); routes of other types lead them elsewhere or drop them.
/// </summary>
internal static class LocalRouteOverrides
{
    public static IEnumerable<RouteOverride> Find(Plan plan, HostState host, IRouteLookup lookup)
    {
        foreach (ForeignLocalRoute route in host.ForeignLocalRoutes)
        {
            Prefix taken = route.Destination;
            // Under another routeProtocol HostGw has made it itself. One that takes the address elsewhere is a ProbeObstacle.
            if (taken.IsOneAddress && plan.ProbeAddresses.Contains(taken.Address))
                continue;
            HashSet<Prefix> affected = [.. plan.Routes.Where(r => !r.NextHop.IsNone && !r.IsToOneAddress).Select(r => r.Destination)
                .Where(taken.Overlaps)];
            string whose = affected.Count > 0 ? "to other nodes' pods" : "to this node's pods";
            if (affected.Count == 0)
                affected = [.. plan.OwnPodCidrs.Where(taken.Overlaps)];
            if (affected.Count > 0 && !YieldsTo(affected.First(), taken, host, lookup))
            {
                yield return new(
                    $"the route {route}{Overrides.Way(default, route.Interface, host)}", whose, $"table local{Effect(route.Type)}",
                    $"ip {(taken.IsIPv6 ? "-6 " : "")}route del {route} table local proto {route.Protocol}", affected)
                {
                    SparesProbes = !affected.Any(p => taken.Contains(ProbeAddress.Of(p))),
                };
            }
        }
    }

    // Until a host gets its first policy rule, the kernel keeps IPv4's tables local and main as one, in which the longest prefix wins.
    private static bool YieldsTo(Prefix podCidr, Prefix taken, HostState host, IRouteLookup lookup)
    {
        if (taken.IsIPv6 || taken.Length >= podCidr.Length)
            return false;
        Ip source = host.Addresses.FirstOrDefault(a => a.Address.IsIPv4 && host.Interface(a.Interface) is { IsLoopback: false }).Address;
        return !source.IsNone &&
            lookup.Ask(new(source, podCidr.Aligned.Address.Plus(2), null)) is { Kind: RouteAnswerKind.Route } answer &&
            answer.Destination.Length > taken.Length;
    }

    private static string Effect(string type) => type switch
    {
        "local" or "anycast" => " (this host takes them for its own)",
        "blackhole" or "unreachable" or "prohibit" => " (which drops them)",
        _ => "",
    };
}
