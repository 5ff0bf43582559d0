using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>
/// Finds what keeps packets from taking the installed routes: policy rules that other programs made, and IPv6 routes for certain
/// sources. The kernel is asked only where there is such a rule that can match.
/// </summary>
internal sealed class Overrides
{
    /// <summary>256 lookups take 2 ms. With more peers or rules, samples.</summary>
    public const int MostLookups = 256;

    private readonly Plan _plan;
    private readonly HostState _host;
    private readonly IRouteLookup _lookup;
    private readonly bool _ipv6;
    private readonly Prefix _own;
    private readonly ImmutableArray<PolicyRule> _rules;
    private readonly ImmutableArray<PodRoute> _peers;
    private readonly ImmutableArray<HostRoute> _podRoutes;
    private readonly Dictionary<(PolicyRule Rule, Traffic Traffic), (string Instead, HashSet<Prefix> Affected)> _found = [];

    private Overrides(Plan plan, HostState host, IRouteLookup lookup, bool ipv6)
    {
        (_plan, _host, _lookup, _ipv6) = (plan, host, lookup, ipv6);
        _own = plan.OwnPodCidrs.FirstOrDefault(p => p.IsIPv6 == ipv6);
        _rules = [.. host.PolicyRules.Where(r => r.IsIPv6 == ipv6)];
        _peers = [.. plan.Routes.Where(r => !r.NextHop.IsNone && !r.IsToOneAddress && r.Destination.IsIPv6 == ipv6)
            .DistinctBy(r => r.Destination)];
        _podRoutes = _own.IsNone ? [] : [.. host.Routes.Where(r => _own.Contains(r.Destination) && IsToPods(r))];
    }

    public static IReadOnlyList<RouteOverride> Find(Plan plan, HostState host, IRouteLookup lookup)
    {
        if (plan.Scope != PlanScope.Everything)
            return [];
        List<RouteOverride> found = [.. LocalRouteOverrides.Find(plan, host, lookup), .. SourceRouteOverrides.Find(plan, host)];
        foreach (bool ipv6 in (ReadOnlySpan<bool>)[false, true])
        {
            if (!PolicyRule.AreUsual([.. host.PolicyRules.Where(r => r.IsIPv6 == ipv6)]))
                found.AddRange(new Overrides(plan, host, lookup, ipv6).Find());
        }
        return found;
    }

    private RouteOverride[] Find()
    {
        if (_own.IsNone || _peers.IsEmpty)
            return [];
        (PolicyRule Rule, Traffic Traffic)[] pairs =
            [.. from rule in BeforeMain()
                where MayInterfere(rule)
                from traffic in Enum.GetValues<Traffic>()
                where CanMatch(rule, traffic)
                select (rule, traffic)];
        int each = Math.Max(1, MostLookups / Math.Max(1, pairs.Length));
        // What one lookup finds makes others needless, so each is decided on after those before it.
        var lookups =
            from pair in pairs
            from peer in Sample(pair.Rule, pair.Traffic, each)
            where !IsKnown(pair.Rule, pair.Traffic, peer)
            let path = PathOf(pair.Rule, pair.Traffic, peer)
            where path is not null
            select (path.Value, peer, pair.Traffic);
        foreach ((PacketPath path, PodRoute peer, Traffic traffic) in lookups.Take(MostLookups))
            Examine(path, peer, traffic);
        return WithoutMain() is { } lack ? [lack, .. ByRules()] : [.. ByRules()];
    }

    private IEnumerable<RouteOverride> ByRules() =>
        from found in _found
        group found by found.Key.Rule into same
        let affected = same.SelectMany(s => s.Value.Affected).ToHashSet()
        select new RouteOverride(
            $"policy rule {same.Key.Preference}: {same.Key}", string.Join(", ", same.Select(s => Words(s.Key.Traffic))),
            same.First().Value.Instead, same.Key.DeleteCommand, affected)
        {
            IsByRule = true,
            SparesProbes = !same.Key.MayTakeProbes || same.All(s => s.Key.Traffic == Traffic.OfHost),
        };

    // Another program has deleted the rule that leads to table main, or limited it.
    private RouteOverride? WithoutMain()
    {
        if (BeforeMain().Count() < _rules.Length)
            return null;
        HashSet<Prefix> affected = [];
        List<Traffic> traffics = [];
        foreach (Traffic traffic in Enum.GetValues<Traffic>())
        {
            var lacking =
                (from peer in _peers
                 let path = PathOf(AnyPacket, traffic, peer)
                 where path is not null && !IsDecidedOrMain(path.Value) && !_found.Any(f => f.Value.Affected.Contains(peer.Destination))
                 select (Path: path.Value, Peer: peer)).ToArray();
            // The kernel consults IPv6 rules only once one was added.
            if (lacking is [var first, ..] && !HasTheSameEffect(_lookup.Ask(first.Path), first.Path, first.Peer, traffic))
            {
                traffics.Add(traffic);
                affected.UnionWith(lacking.Select(l => l.Peer.Destination));
            }
        }
        return affected.Count == 0 ? null : new(
            "policy rules: none leads to table main", string.Join(", ", traffics.Select(Words)), "no route",
            PolicyRule.MainCommand(_ipv6), affected)
        {
            IsOmission = true,
        };
    }

    private static PolicyRule AnyPacket { get; } = new();

    private bool IsDecidedOrMain(PacketPath path) => Matching(path).Any(r => r.Action != PolicyRuleAction.None &&
        (r.Action != PolicyRuleAction.Lookup || (r.Table == RoutingTables.Main && !r.Suppresses(ShortestRoute))));

    // The rules that are tried before one that finds HostGw's routes in table main for all packets, such as wg-quick's
    // `lookup main suppress_prefixlength 0` or the main rule itself.
    private IEnumerable<PolicyRule> BeforeMain()
    {
        int shortest = ShortestRoute;
        bool mayJump = _rules.Any(r => r.Action == PolicyRuleAction.Goto);
        return _rules.TakeWhile(rule => mayJump || !(rule.IsPlain && rule.Table == RoutingTables.Main && rule.From.IsNone &&
            !rule.Suppresses(shortest) &&
            (rule.To.IsNone || (rule.To.Contains(_own) && _peers.All(p => rule.To.Contains(p.Destination))))));
    }

    private int ShortestRoute => _peers.Select(p => p.Destination.Length).Concat(_podRoutes.Select(r => r.Destination.Length)).Min();

    /// <summary>Whether it may take a pod's packet away from table main. Rules on packet marks cannot be judged: left out.</summary>
    public static bool MayInterfere(PolicyRule rule) =>
        !rule.IsUndecidable && MayLeadElsewhere(rule);

    public static bool MayLeadElsewhere(PolicyRule rule) =>
        !rule.IsDefault && !rule.IsOurs && (rule.IsInverted || rule.OutputInterface.Length == 0) &&
        rule.Action != PolicyRuleAction.None &&
        (rule.Action != PolicyRuleAction.Lookup || rule.IsVrf || rule.Table is not (RoutingTables.Main or RoutingTables.Local));

    private bool CanMatch(PolicyRule rule, Traffic traffic)
    {
        if (rule.IsInverted || rule.IsVrf)
            return traffic != Traffic.OfHost;
        return traffic switch
        {
            Traffic.ToPeers => Meets(rule.From, _own) && rule.InputInterface != "lo",
            Traffic.FromPeers => Meets(rule.To, _own) && rule.InputInterface != "lo",
            // Without such a selector, the rule treats the host's packets as those of pods.
            _ => rule.InputInterface == "lo" || (rule.InputInterface.Length == 0 && (!rule.From.IsNone || _podRoutes.IsEmpty)),
        };
    }

    /// <summary>Whether a selector of a rule matches some address of a prefix; without a selector it does.</summary>
    public static bool Meets(Prefix selector, Prefix prefix) => selector.IsNone || selector.Overlaps(prefix);

    // Evenly spaced among the peers that the rule's selector names. Of those whose packets come in by one interface, one is enough.
    private IEnumerable<PodRoute> Sample(PolicyRule rule, Traffic traffic, int most)
    {
        Prefix selector = rule.IsInverted ? default : traffic == Traffic.FromPeers ? rule.From : rule.To;
        IEnumerable<PodRoute> all = _peers.Where(p => Meets(selector, p.Destination));
        PodRoute[] named = [.. traffic == Traffic.FromPeers ? all.DistinctBy(p => p.Interface) : all];
        int step = Math.Max(1, (named.Length + most - 1) / most);
        for (int i = 0; i < named.Length; i += step)
            yield return named[i];
    }

    private PacketPath? PathOf(PolicyRule rule, Traffic traffic, PodRoute peer)
    {
        Prefix from = rule.IsInverted ? default : rule.From, to = rule.IsInverted ? default : rule.To;
        return traffic switch
        {
            Traffic.ToPeers => ToOrFromPod(rule, from, InterfaceOf(rule), (pod, link) => new(pod, AddressIn(peer.Destination, to), link)),
            Traffic.FromPeers => InterfaceOf(rule) is { } only && only != peer.Interface ? null
                : _host.Interface(peer.Interface) is { } uplink
                    ? ToOrFromPod(rule, to, null, (pod, _) => new(AddressIn(peer.Destination, from), pod, uplink)) : null,
            _ => HostAddress(peer, from) is { IsNone: false } host
                ? Matched(rule, new(host, AddressIn(peer.Destination, to), null)) : null,
        };
    }

    // On which alone the rule takes packets; null: on any, 0: the host has no such interface.
    private int? InterfaceOf(PolicyRule rule) => rule.IsInverted || rule.InputInterface.Length == 0 ? null
        : _host.Interfaces.FirstOrDefault(i => i.Name == rule.InputInterface)?.Index ?? 0;

    // While no pod has an interface, its packets cannot be asked for.
    private PacketPath? ToOrFromPod(PolicyRule rule, Prefix within, int? only, Func<Ip, HostInterface, PacketPath> path)
    {
        foreach (HostRoute route in _podRoutes)
        {
            if ((only is null || route.Interface == only) && Meets(within, route.Destination) &&
                _host.Interface(route.Interface) is { } link &&
                Matched(rule, path(AddressIn(route.Destination, within), link)) is { } matched)
                return matched;
        }
        return null;
    }

    // With the protocol and ports that the rule names. The rule of VRFs matches by what the interface belongs to.
    private static PacketPath? Matched(PolicyRule rule, PacketPath path)
    {
        path = rule.IsInverted
            ? path with { Protocol = rule.IpProtocol == IpProtocols.Udp ? IpProtocols.Tcp : (byte)0 }
            : path with
            {
                Protocol = rule.IpProtocol,
                SourcePort = rule.SourcePorts?.First ?? 0,
                DestinationPort = rule.DestinationPorts?.First ?? 0,
            };
        return rule.IsVrf || rule.Matches(path) ? path : null;
    }

    private bool IsToPods(HostRoute route) =>
        route.IsUnicast && route.NextHop.IsNone && route.Interface != _host.Tunnel?.Index &&
        _host.Interface(route.Interface) is { IsUp: true, IsLoopback: false };

    // The source that the host's own packets to the peer have.
    private Ip HostAddress(PodRoute peer, Prefix within) =>
        peer.Tunnel is not { } tunnel ? NodeAddress(within) : within.IsNone || within.Contains(tunnel.Source) ? tunnel.Source : default;

    // Only addresses by which the cluster knows this node: others are in use elsewhere.
    private Ip NodeAddress(Prefix within) =>
        _plan.Verdicts.FirstOrDefault(v => v.Kind == VerdictKind.Self).Node is { } self
            ? self.InternalIPs.Concat(self.ExternalIPs).FirstOrDefault(a =>
                a.IsIPv6 == _ipv6 && (within.IsNone || within.Contains(a)) && _host.Addresses.Any(h => h.Address == a))
            : default;

    // Neither the first address nor one of this host, which routing treats as special.
    private Ip AddressIn(Prefix prefix, Prefix within)
    {
        Prefix range = (!within.IsNone && within.Length > prefix.Length ? within : prefix).Aligned;
        Ip address = range.Address;
        if (range.Length > address.Bits - 2)
            return address;
        address = address.Plus(2);
        while (_host.Addresses.Any(a => a.Address == address) && range.Contains(address.Plus(1)))
            address = address.Plus(1);
        return address;
    }

    private void Examine(PacketPath path, PodRoute peer, Traffic traffic)
    {
        RouteAnswer answer = _lookup.Ask(path);
        if (answer.Kind == RouteAnswerKind.Refused)
        {
            if (Walk(path, peer, traffic) is (PolicyRule rule, RouteAnswer instead))
                Note(rule, instead, path, peer, traffic);
        }
        else if (!HasTheSameEffect(answer, path, peer, traffic) && Winner(answer.Table, path) is { } winner)
        {
            Note(winner, answer, path, peer, traffic);
        }
    }

    // What main says instead of HostGw's route (nothing, or a more specific one) is reported as missing or shadowed.
    private bool HasTheSameEffect(RouteAnswer answer, PacketPath path, PodRoute peer, Traffic traffic) =>
        answer.Table is RoutingTables.Main or RoutingTables.Local ||
        (answer.Kind == RouteAnswerKind.Route && (traffic == Traffic.FromPeers
            ? _podRoutes.Any(r => r.Destination.Contains(path.Destination) && r.Interface == answer.Interface)
            : peer.Tunnel is null && (answer.NextHop, answer.Interface) == (peer.NextHop, peer.Interface)));

    private PolicyRule? Winner(uint table, PacketPath path) =>
        Matching(path).FirstOrDefault(r => r.Action == PolicyRuleAction.Lookup && r.Table == table && MayInterfere(r)) ??
        _rules.FirstOrDefault(r => r.IsVrf && table != RoutingTables.Default);

    private IEnumerable<PolicyRule> Matching(PacketPath path)
    {
        uint target = 0;
        foreach (PolicyRule rule in _rules)
        {
            if (rule.Preference < target || !rule.Matches(path))
                continue;
            if (rule.Action == PolicyRuleAction.Goto)
                target = rule.Target;
            else
                yield return rule;
        }
    }

    // The kernel answers EINVAL for a blackhole, and also for what rp_filter would drop: only rules and tables can tell.
    private (PolicyRule Rule, RouteAnswer Instead)? Walk(PacketPath path, PodRoute peer, Traffic traffic)
    {
        foreach (PolicyRule rule in Matching(path))
        {
            if (rule.Action == PolicyRuleAction.None || (rule.Action == PolicyRuleAction.Lookup && rule.Table == RoutingTables.Local))
                continue;
            if (rule.Action != PolicyRuleAction.Lookup)
                return (rule, RouteAnswer.Refused);
            if (rule.Table == RoutingTables.Main && !rule.Suppresses(peer.Destination.Length))
                return null;
            if (rule.Table == RoutingTables.Main || _lookup.LongestMatch(rule.Table, path.Destination) is not { } match ||
                rule.Suppresses(match.Destination.Length))
                continue;
            return HasTheSameEffect(match, path, peer, traffic) ? null : (rule, match);
        }
        return null;
    }

    private bool IsKnown(PolicyRule rule, Traffic traffic, PodRoute peer) =>
        _found.TryGetValue((rule, traffic), out var found) && found.Affected.Contains(peer.Destination);

    private void Note(PolicyRule rule, RouteAnswer instead, PacketPath path, PodRoute peer, Traffic traffic)
    {
        if (!_found.TryGetValue((rule, traffic), out var found))
            _found[(rule, traffic)] = found = (Describe(rule, instead), []);
        found.Affected.Add(peer.Destination);
        // Who takes one packet of a route takes all that match rule and route.
        Prefix selector = rule.IsInverted ? Prefix.Host(path.Destination) : traffic == Traffic.FromPeers ? rule.From : rule.To;
        bool isWhole = traffic == Traffic.FromPeers || instead.Kind == RouteAnswerKind.Refused;
        found.Affected.UnionWith(_peers
            .Where(p => Meets(selector, p.Destination) && (isWhole || instead.Destination.Contains(p.Destination)) &&
                (traffic != Traffic.FromPeers || p.Interface == peer.Interface) &&
                (traffic != Traffic.OfHost || p.Tunnel?.Source == peer.Tunnel?.Source))
            .Select(p => p.Destination));
    }

    private string Describe(PolicyRule rule, RouteAnswer instead)
    {
        if (rule.Action != PolicyRuleAction.Lookup)
            return "nothing: the rule drops them";
        string kind = instead.Kind == RouteAnswerKind.Blocked ? "blackhole or unreachable " : "";
        return $"table {RoutingTables.Name(instead.Table)} ({kind}{instead.Destination}{Way(instead.NextHop, instead.Interface, _host)})";
    }

    /// <summary>As `ip route` writes it, with a space before it.</summary>
    public static string Way(Ip nextHop, int link, HostState host)
    {
        string device = host.Interface(link)?.Name is { } name ? $" dev {name}" : "";
        return (nextHop.IsNone ? "" : $" via {nextHop}") + device;
    }

    private static string Words(Traffic traffic) => traffic switch
    {
        Traffic.ToPeers => "from this node's pods to other nodes' pods",
        Traffic.FromPeers => "from other nodes' pods to this node's pods",
        _ => "from this node to other nodes' pods",
    };

    private enum Traffic
    {
        ToPeers,
        FromPeers,
        OfHost,
    }
}

/// <summary>
/// IPv6 routes for certain sources. The kernel compares destinations first: only one as long as HostGw's, or longer, takes precedence.
/// </summary>
internal static class SourceRouteOverrides
{
    public static IEnumerable<RouteOverride> Find(Plan plan, HostState host)
    {
        foreach ((Prefix source, HostRoute route) in host.SourceRoutes)
        {
            if (plan.OwnPodCidrs.Any(source.Overlaps) && plan.PeerRouteOver(route.Destination) is { } peer && !IsSame(route, peer))
            {
                yield return new(
                    Text(source, route), "from this node's pods to other nodes' pods", "it",
                    $"ip -6 route del {route.Destination} from {source} proto {route.Protocol}", new HashSet<Prefix> { peer.Destination });
            }
        }

        string Text(Prefix source, HostRoute route)
        {
            string kind = route.IsUnicast ? "" : "blackhole or unreachable ";
            return $"the route {kind}{route.Destination} from {source}{Overrides.Way(route.NextHop, route.Interface, host)}";
        }
    }

    private static bool IsSame(HostRoute route, PodRoute peer) =>
        peer.Tunnel is null && route.IsUnicast && route.NextHopCount == 1 &&
        (route.NextHop, route.Interface) == (peer.NextHop, peer.Interface);
}
