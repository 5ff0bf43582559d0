using HostGw.Planning;
using HostGw.Reconciliation;

namespace HostGw.Diagnosis;

/// <summary>Whether the Nodes say what this host needs to know.</summary>
internal static class NodeRules
{
    public static IEnumerable<Finding> OwnNode(Examination seen)
    {
        if (seen.Plan is null)
            return [];
        if (seen.Self is not { } self)
        {
            return [new("ownNode", $"the API server has no Node named '{seen.Policy.NodeName}': the agent changes nothing",
                "name the node as `kubectl get nodes` does (setting nodeName), or let its kubelet register it")];
        }
        return self.PodCidrs.IsEmpty && self.UnreadablePodCidrs.IsEmpty
            ? [new("noPodCidr", "this node has no podCIDR: its pods get no addresses, and peers have no route to it",
                "kubeadm init --pod-network-cidr=…, or kube-controller-manager --allocate-node-cidrs --cluster-cidr=…")]
            : seen.Plan.Faults.Select(f => new Finding("ownPodCidr", f, "re-create the Node within the cluster's pod networks, or correct clusterCidrs"));
    }

    public static IEnumerable<Finding> Interfaces(Examination seen) =>
        // Without our own Node nothing is known of interfaces: that is said already.
        from choice in seen.Self is null ? [] : Unusable(seen)
        select new Finding("interface", $"no route can be made: {choice.Reason}", "bring the interface and its address up, or name another one in the setting interface");

    public static IEnumerable<Finding> Peers(Examination seen)
    {
        string[] said = [.. Unusable(seen).Select(c => c.Reason)];
        return from verdict in seen.Plan?.Verdicts ?? []
               where verdict.Kind > VerdictKind.Skipped || (verdict.Kind == VerdictKind.Routed && verdict.Reason.Length > 0)
               where verdict.Node.Name != seen.Policy.NodeName && !(verdict.Kind == VerdictKind.Waiting && said.Contains(verdict.Reason))
               select new Finding(verdict.Kind == VerdictKind.Routed ? "nextHop" : VerdictNames.Of(verdict.Kind), Problems.Describe(verdict), VerdictCures.Of(verdict.Kind));
    }

    public static IEnumerable<Finding> ClusterRoutes(Examination seen) =>
        from route in seen.Plan?.ClusterRoutes ?? []
        where route.Refusal is not null
        select new Finding("clusterRoute", $"no cluster route {route.Destination}: it {route.Refusal}", "narrow clusterCidrs, or set clusterRoute to off");

    private static IEnumerable<InterfaceChoice> Unusable(Examination seen)
    {
        foreach (bool ipv4 in (bool[])[true, false])
        {
            InterfaceChoice choice = (ipv4 ? seen.Plan?.InterfaceIPv4 : seen.Plan?.InterfaceIPv6) ?? default;
            bool isNeeded = seen.Plan?.Verdicts.Any(v => v.Kind == VerdictKind.Waiting && v.PodCidr.IsIPv4 == ipv4 && v.Reason == choice.Reason) ?? false;
            if (isNeeded)
                yield return choice;
        }
    }
}
