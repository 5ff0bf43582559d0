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

    /// <summary>The kernel takes the longest prefix: a route inside a podCIDR takes a part of its traffic elsewhere.</summary>
    public static IEnumerable<Problem> Shadowed(Examination seen) => seen.Plan is not { } plan ? [] :
        OverrideProblems.Shadowed(plan, seen.Routes.Shadows.Where(s => !FormerPods.LeadsToOne(s.Foreign, seen)))
            .Select(p => p with { Rule = "shadowed" });

    /// <summary>Policy rules, and IPv6 routes for certain sources, that take packets before the installed routes do.</summary>
    public static IEnumerable<Problem> Overridden(Examination seen) => seen.Plan is not { } plan ? [] :
        OverrideProblems.Overridden(plan, seen.Overrides).Select(p => p with { Rule = "overridden" });

    public static IEnumerable<Problem> ProbeAddress(Examination seen) =>
        from obstacle in seen.ProbeObstacles
        select ProblemCatalog.Of(obstacle) with { Rule = "probeAddress" };

    /// <summary>Works without the plan: this fault can cut the way to the API server.</summary>
    public static IEnumerable<Problem> WithoutMain(Examination seen) =>
        from family in seen.Host.PolicyRules.GroupBy(r => r.IsIPv6)
        where seen.Plan is null && !family.Any(LeadsToMain)
            // The kernel consults IPv6 rules only once one was added.
            && !(family.Key && family.All(r => r.IsDefault))
        select new Problem("overridden",
            $"no policy rule of {(family.Key ? "IPv6" : "IPv4")} leads to table main (overridden): packets find none of the routes there",
            OverrideProblems.MainCure(PolicyRule.MainCommand(family.Key)));

    private static bool LeadsToMain(PolicyRule rule) => rule is { IsPlain: true, Table: RoutingTables.Main, SuppressPrefixLength: < 0 } &&
        rule.From.IsNone && rule.To.IsNone;

    /// <summary>Rules on marks are left out: VPNs use them to exempt packets.</summary>
    public static IEnumerable<Problem> NotJudged(Examination seen) => seen.Plan is not { } plan ? [] :
        from rule in seen.Host.PolicyRules
        where rule is { IsUndecidable: true, NeedsMark: false } && Overrides.MayLeadElsewhere(rule)
            && plan.OwnPodCidrs.Any(own => own.IsIPv6 == rule.IsIPv6 && MayMatchPodsOf(rule, own, plan))
        select new Problem("ruleNotJudged",
            $"policy rule {rule.Preference}: {rule} may take pods' packets: it depends on more than their addresses, interface, " +
                "protocol and ports",
            $"if packets between pods are lost and nothing needs it: {rule.DeleteCommand}");

    // From this node's pods to other nodes', or the way back.
    private static bool MayMatchPodsOf(PolicyRule rule, Prefix own, Plan plan)
    {
        return rule.IsInverted || (Overrides.Meets(rule.From, own) && MeetsPeer(rule.To)) ||
            (MeetsPeer(rule.From) && Overrides.Meets(rule.To, own));

        bool MeetsPeer(Prefix selector) => selector.IsNone || plan.Routes.Any(r => Overrides.Meets(selector, r.Destination));
    }

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

/// <summary>
/// Pods that still run with addresses of a podCIDR that this node no longer has, because its Node was re-created: no other node routes
/// to them here.
/// </summary>
internal static class FormerPods
{
    private const int Named = 10;

    public static IEnumerable<Problem> Find(Examination seen)
    {
        string[] addresses = [.. seen.Host.Routes.Where(r => LeadsToOne(r, seen)).Select(r => r.Destination.Address.ToString())];
        if (addresses.Length > 0)
        {
            string more = addresses.Length > Named ? $" and {addresses.Length - Named} more" : "";
            yield return new("formerPods",
                $"pods on this node still have addresses outside of its podCIDRs {string.Join(", ", seen.Plan!.OwnPodCidrs)}: " +
                $"{string.Join(", ", addresses.Take(Named))}{more}; other nodes do not reach them here",
                "delete these pods, so that their controllers make them again: " +
                    $"kubectl get pods -A -o wide --field-selector spec.nodeName={seen.Policy.NodeName} lists them");
        }
        foreach ((HostAddress address, HostInterface bridge) in Bridges(seen))
        {
            yield return new("formerPods",
                $"{bridge.Name} has {address.Address} in the pod network {address.Connected}, outside of this node's podCIDRs " +
                $"{string.Join(", ", seen.Plan!.OwnPodCidrs)}: other nodes do not reach pods with such addresses here",
                $"if {bridge.Name} is the bridge of this node's pods: {OwnNode.Drain(seen.Policy.NodeName)}, " +
                    (seen.Host.Windows is null
                        ? $"then ip link delete {bridge.Name}, which the plugin makes again with the new address, "
                        : "then remove its HNS network (Get-HnsNetwork lists them, Remove-HnsNetwork removes one), ") +
                    $"then kubectl uncordon {seen.Policy.NodeName}, and delete the pods of DaemonSets that remain; " +
                    $"or, if it is another interface, give it another network: this one is for pods");
        }
    }

    /// <summary>A route to one such pod, as the plugin ptp makes it: without a gateway, to a full address.</summary>
    public static bool LeadsToOne(HostRoute route, Examination seen)
    {
        if (seen.Plan is not { Scope: PlanScope.Everything } plan || route.IsOurs || !route.IsUnicast || !route.NextHop.IsNone ||
            // Windows lists a route to each own address and each broadcast address.
            (seen.Host.Windows is not null && route.IsConnected) ||
            route.Destination.Length != route.Destination.Address.Bits || IsOwn(route.Destination, plan))
            return false;
        return seen.Host.Interface(route.Interface) is { IsLoopback: false } link &&
            (IsPtp(link, route.Destination.IsIPv4, seen.Host) || (!IsUplink(link, plan) && IsOfPods(route.Destination, seen))) &&
            // In IPv6 the kernel makes one to each address of the host, such as that of the pods' gateway.
            !seen.Host.Addresses.Any(a => a.Address == route.Destination.Address);
    }

    // ptp names the host's end veth1a2b3c4d, and gives it the gateway's address alone.
    private static bool IsPtp(HostInterface link, bool ipv4, HostState host) =>
        link.Name.StartsWith("veth", StringComparison.Ordinal) &&
        host.Addresses.Any(a => a.Interface == link.Index && a.Address.IsIPv4 == ipv4 && a.Connected.Length == a.Address.Bits);

    private static IEnumerable<(HostAddress Address, HostInterface Bridge)> Bridges(Examination seen) =>
        from address in seen.Host.Addresses
        where seen.Plan is { Scope: PlanScope.Everything } plan && address.Connected.Length < address.Address.Bits
            && !plan.OwnPodCidrs.Any(p => p.Overlaps(address.Connected)) && IsOfPods(address.Connected, seen)
        let link = seen.Host.Interface(address.Interface)
        where link is { IsLoopback: false } && !IsUplink(link, seen.Plan!)
        select (address, link);

    private static bool IsOwn(Prefix destination, Plan plan) => plan.OwnPodCidrs.Any(p => p.Contains(destination));

    private static bool IsUplink(HostInterface link, Plan plan) =>
        link.Index == plan.InterfaceIPv4.Interface?.Index || link.Index == plan.InterfaceIPv6.Interface?.Index ||
        plan.Routes.Any(r => r.Interface == link.Index);

    // The former podCIDR may by now be another node's.
    private static bool IsOfPods(Prefix addresses, Examination seen) =>
        PodCidrGuard.Covers(seen.Policy.ClusterCidrs, addresses) || seen.Nodes.Any(n => n.PodCidrs.Any(p => p.Contains(addresses)));
}
