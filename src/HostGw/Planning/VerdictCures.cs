namespace HostGw.Planning;

/// <summary>What to do about a verdict.</summary>
internal static class VerdictCures
{
    public static string Of(VerdictKind kind) => kind switch
    {
        VerdictKind.Routed => "if that address is a router by accident, correct the node's InternalIP (kubelet --node-ip)",
        VerdictKind.NoPodCidr => "let the controller manager give it one (--allocate-node-cidrs, and a --cluster-cidr with room for it)",
        VerdictKind.Waiting => "bring this host's interface or address back; what stands stays until then",
        VerdictKind.NoAddress => "give the node an InternalIP of that family outside of the pod networks (kubelet --node-ip), or annotate it with hostgw.io/next-hop",
        VerdictKind.NoGateway => "give the node a podCIDR of /30 or shorter, or set nextHop to NodeAddress",
        VerdictKind.NotAdjacent => "host-gateway routes need one L2 segment: put the node's address on this host's segment, annotate it with hostgw.io/next-hop for a router on it, " +
            "or leave it out with hostgw.io/skip",
        _ => "re-create the Node with a podCIDR of its own inside clusterCidrs; if the podCIDR is right, correct clusterCidrs or what it overlaps",
    };
}
