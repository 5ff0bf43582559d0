using HostGw.Planning;

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
            : seen.Plan.Faults.Select(f => new Problem("ownPodCidr",
                f,
                seen.Plan.Scope == PlanScope.Everything
                    ? $"kubectl drain {self.Name} --ignore-daemonsets, kubectl delete node {self.Name}, then restart its kubelet: " +
                        "another podCIDR is allocated; labels and taints that were set by hand are gone"
                    : "re-create the Node with a podCIDR inside the cluster's pod networks, or correct clusterCidrs or serviceCidrs"));
    }

    public static IEnumerable<Problem> Interfaces(Examination seen) =>
        // Without our own Node nothing is known of interfaces, and another rule reports that.
        from choice in seen.Self is null ? [] : Unusable(seen)
        select new Problem("interface",
            $"no route can be made: {choice.Reason}",
            "bring the interface and its address up, correct this node's address (kubelet --node-ip), " +
            "or name another interface in the setting interface");

    public static IEnumerable<Problem> Peers(Examination seen)
    {
        string[] reported = [.. Unusable(seen).Select(c => c.Reason)];
        return from verdict in seen.Plan?.Verdicts ?? []
               where verdict.Kind > VerdictKind.Skipped || (verdict.Kind == VerdictKind.Routed && verdict.Reason.Length > 0)
               where verdict.Node.Name != seen.Policy.NodeName && verdict.Fault != VerdictFault.Self
               where !(verdict.Kind == VerdictKind.Waiting && reported.Contains(verdict.Reason))
               select new Problem(
                   verdict.Kind == VerdictKind.Routed ? "nextHop" : VerdictNames.Of(verdict.Kind),
                   ProblemCatalog.Describe(verdict), Cures.Of(verdict));
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
