using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Problems.Rules;

/// <summary>Whether the Nodes say what this host needs to know.</summary>
internal static class NodeRules
{
    public static IEnumerable<Problem> OwnNode(Examination seen)
    {
        if (seen.Plan is null)
            return [];
        if (seen.Self is not { } self)
        {
            return [new("ownNode",
                $"the API server has no Node named '{seen.Policy.NodeName}': the agent changes nothing",
                "name the node as `kubectl get nodes` does (setting nodeName), or let its kubelet register it")];
        }
        return self.PodCidrs.IsEmpty && self.UnreadablePodCidrs.IsEmpty
            ? [new("noPodCidr",
                "this node has no podCIDR: its pods get no addresses, and peers have no route to it",
                Cures.NoPodCidr)]
            : seen.Plan.Faults.Select(f => seen.Plan.AddressFaults.Contains(f)
                ? new Problem("ownNode", WithoutCure(f), Planning.OwnNode.AddressCure)
                : new Problem("ownPodCidr", f, OfPodCidr(seen.Plan, self)));
    }

    private static string WithoutCure(string fault) => fault.Replace($": {Planning.OwnNode.AddressCure}", "", StringComparison.Ordinal);

    private static string OfPodCidr(Plan plan, ClusterNode self) => plan.Scope == PlanScope.Everything
        ? $"{Planning.OwnNode.Drain(self.Name)}, kubectl delete node {self.Name}, then restart its kubelet: " +
            "another podCIDR is allocated; labels and taints that were set by hand are gone"
        : "re-create the Node with a podCIDR inside the cluster's pod networks, or correct clusterCidrs or serviceCidrs";

    public static IEnumerable<Problem> Digest(Examination seen) =>
    [
        .. DigestProblems.Rejected(seen.Digest).Select(p => p with { Rule = "digestShardRejected" }),
        .. DigestProblems.Stale(seen.Digest).Select(p => p with { Rule = "digestStale" }),
    ];

    public static IEnumerable<Problem> Interfaces(Examination seen) =>
        // Without our own Node nothing is known of interfaces, and another rule reports that.
        from choice in seen.Self is null ? [] : Unusable(seen)
        select new Problem("interface",
            $"no route can be made: {choice.Reason}",
            "bring the interface and its address up, correct this node's address (kubelet --node-ip), " +
            "or name another interface in the setting interface");

    public static IEnumerable<Problem> Duplicates(Examination seen) => seen.Plan is not { } plan ? [] :
        ProblemCatalog.Duplicates(plan, seen.Host).Select(p => p with { Rule = "duplicateAddress" });

    public static IEnumerable<Problem> Peers(Examination seen)
    {
        string[] reported = [.. Unusable(seen).Select(c => c.Reason)];
        return from verdict in seen.Plan?.Verdicts ?? []
               where verdict.Kind > VerdictKind.Skipped ||
                   (verdict is { Kind: VerdictKind.Routed, Tunnel: null } && verdict.Reason.Length > 0)
               where !verdict.AwaitsTunnel
               where verdict.Node.Name != seen.Policy.NodeName && verdict.Fault != VerdictFault.Self
               where !(verdict.Kind == VerdictKind.Waiting && reported.Contains(verdict.Reason))
               where !seen.Reachability.IsRoutedByNetwork(verdict)
               select new Problem(
                   verdict.Kind == VerdictKind.Routed ? "nextHop" : VerdictNames.Of(verdict.Kind),
                   ProblemCatalog.Describe(verdict),
                   verdict.Kind == VerdictKind.NotAdjacent && !seen.Reachability.IsOn
                       ? $"{Cures.Of(verdict, seen.Policy)}. {Cures.RoutedByNetwork}" : Cures.Of(verdict, seen.Policy));
    }

    public static IEnumerable<Problem> ClusterRoutes(Examination seen) =>
        from problem in ProblemCatalog.ClusterRoutes(seen.Plan)
        select problem with { Rule = "clusterRoute" };

    private static IEnumerable<InterfaceChoice> Unusable(Examination seen)
    {
        foreach (bool ipv4 in (bool[])[true, false])
        {
            InterfaceChoice choice = (ipv4 ? seen.Plan?.InterfaceIPv4 : seen.Plan?.InterfaceIPv6) ?? default;
            bool isNeeded = seen.Plan?.Verdicts.Any(
                v => v.Kind == VerdictKind.Waiting && v.PodCidr.IsIPv4 == ipv4 && v.Reason == choice.Reason) ?? false;
            if (isNeeded)
                yield return choice;
        }
    }
}

/// <summary>Whether the next hops answer, and whether it is they who do.</summary>
internal static class NeighbourRules
{
    private const int Named = 3;

    /// <summary>Every address that these rules ask for: next hops, their nodes' own addresses, and the host's gateways.</summary>
    public static IReadOnlySet<Neighbour> Wanted(Plan plan, HostState host)
    {
        HashSet<Neighbour> wanted = [];
        foreach (Verdict verdict in Routed(plan))
        {
            wanted.Add(new(verdict.NextHop, verdict.Interface));
            if (OwnAddress(verdict) is { IsNone: false } own)
                wanted.Add(new(own, verdict.Interface));
        }
        wanted.UnionWith(Gateways(host).Select(g => new Neighbour(g, LinkOf(plan, g))));
        return wanted;
    }

    public static IEnumerable<Problem> Unanswered(Examination seen) =>
        from verdict in Routed(seen)
        where Entry(seen, verdict.NextHop) is { IsUnanswered: true }
        select new Problem("unanswered",
            $"no host answers for {verdict.NextHop}, the next hop to the pods of {verdict.Node.Name} ({verdict.PodCidr})",
            InPods(verdict)
                ? "see that the node runs, that its bridge holds that address, and that its arp_ignore is 0; " +
                    "or set nextHop to NodeAddress on all nodes"
                : "see that the node runs, that it is on this segment, " +
                    "and that no firewall or switch keeps ARP or neighbour discovery from it");

    public static IEnumerable<Problem> Fixed(Examination seen) =>
        from verdict in Routed(seen)
        let entry = Entry(seen, verdict.NextHop)
        where entry is { IsFixed: true }
        select new Problem("fixedNeighbour",
            $"the neighbour entry of {verdict.NextHop}, the next hop to the pods of {verdict.Node.Name}, is permanent " +
            $"(MAC address {entry.Mac}): it is not corrected if another machine has that address",
            $"ip neigh del {verdict.NextHop} dev {seen.Host.Interface(entry.Interface)?.Name}, and remove what writes it");

    /// <summary>A gateway inside a podCIDR is answered for by its node, unless another cluster on the segment has the same.</summary>
    public static IEnumerable<Problem> OtherMac(Examination seen) =>
        from verdict in Routed(seen)
        where InPods(verdict)
        let gateway = Mac(seen, verdict.NextHop)
        let own = Mac(seen, OwnAddress(verdict))
        where gateway.Length > 0 && own.Length > 0 && gateway != own
        select new Problem("otherMac",
            $"{verdict.NextHop}, the gateway to the pods of {verdict.Node.Name}, is answered by {gateway}, " +
            $"and the node's {OwnAddress(verdict)} by {own}",
            "find who has that MAC address: another cluster with the same podCIDRs on this segment, " +
            "or a node that left the cluster and still runs; or set nextHop to NodeAddress on all nodes");

    /// <summary>One MAC address for several nodes is that of a router between them.</summary>
    public static IEnumerable<Problem> SharedMac(Examination seen)
    {
        // A node that is a gateway, or shares an address with another, is reported as such: its MAC addresses prove no router.
        HashSet<string> doubtful = [.. Routed(seen).Where(v => v.Reason.Length > 0).Select(v => v.Node.Name)];
        IEnumerable<(Ip Address, string Who)> nodes =
            Routed(seen).Where(v => !doubtful.Contains(v.Node.Name)).Select(v => (v.NextHop, v.Node.Name));
        IEnumerable<(Ip Address, string Who)> gateways = Gateways(seen.Host).Select(g => (g, "this host's gateway"));
        return from one in nodes.Concat(gateways).DistinctBy(n => n.Address)
               let mac = Mac(seen, one.Address)
               where mac.Length > 0
               group one.Who by mac into same
               let who = same.Distinct().ToArray()
               where who.Length > 1
               select new Problem("sharedMac",
                   $"{string.Join(", ", who.Take(Named))}{(who.Length > Named ? $" and {who.Length - Named} more" : "")} " +
                   $"are answered by one MAC address, {same.Key}: " +
                   "a router or the cloud's network is between these nodes, and drops packets to pods that it does not know",
                   "host-gateway routes need one L2 segment (docs/who-for.md); " +
                   "or let that network forward pod addresses (routes in the cloud, no proxy ARP, no source check): this finding remains");
    }

    private static IEnumerable<Verdict> Routed(Examination seen) => seen.Plan is { } plan ? Routed(plan) : [];

    // A node at the other end of the tunnel may be beyond a router: it is no neighbour.
    private static IEnumerable<Verdict> Routed(Plan plan) =>
        plan.Verdicts.Where(v => v.Kind == VerdictKind.Routed && plan.RoutesTo(v.PodCidr) is not [{ Tunnel: not null }, ..]);

    private static IEnumerable<Ip> Gateways(HostState host) =>
        host.Protected.Where(p => p.Role == ProtectedRole.Gateway).Select(p => p.Address);

    private static bool InPods(Verdict verdict) => verdict.PodCidr.Contains(verdict.NextHop);

    private static Ip OwnAddress(Verdict verdict) =>
        verdict.Node.InternalIPs.FirstOrDefault(ip => ip.IsIPv4 == verdict.NextHop.IsIPv4);

    private static int LinkOf(Plan plan, Ip address) => (address.IsIPv4 ? plan.InterfaceIPv4 : plan.InterfaceIPv6).Interface?.Index ?? 0;

    private static NeighbourEntry? Entry(Examination seen, Ip address) => seen.Neighbours.GetValueOrDefault(address);

    private static string Mac(Examination seen, Ip address) => Entry(seen, address) is { IsUnanswered: false } entry ? entry.Mac : "";
}
