using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Whether our own Node object is in order. Where it is not, what stands on this host stays.</summary>
internal static class OwnNode
{
    public static (PlanScope Scope, ImmutableArray<string> Faults) Check(ClusterNode? self, Policy policy)
    {
        if (self is null)
            return (PlanScope.Nothing, [$"the API server has no Node named '{policy.NodeName}': check the setting nodeName, or register the node; nothing is changed until then"]);

        List<string> faults = [];
        foreach (string unreadable in self.UnreadablePodCidrs)
            faults.Add($"this node's podCIDR '{PodCidrGuard.Printable(unreadable)}' is not a CIDR; nothing is changed until the Node is re-created with a valid one");
        foreach (Prefix podCidr in self.PodCidrs)
        {
            if (PodCidrGuard.RefuseShape(podCidr, policy) is { } reason)
                faults.Add($"this node's podCIDR {podCidr} {reason}; nothing is changed until the Node or the setting is corrected");
        }
        if (faults.Count > 0)
            return (PlanScope.Nothing, [.. faults]);

        return self.PodCidrs.IsEmpty
            ? (PlanScope.AddRoutes, ["this node has no podCIDR: let the controller manager give it one (kubeadm init --pod-network-cidr=…, or kube-controller-manager --allocate-node-cidrs --cluster-cidr=…)"])
            : (PlanScope.Everything, []);
    }
}
