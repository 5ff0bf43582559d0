using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>What a person does about a problem that does not say so itself.</summary>
internal static class Cures
{
    public const string ClusterRoute = "narrow clusterCidrs, or set clusterRoute to off";
    public const string Fight = "keep one program for it: stop or reconfigure the other one";

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

    public static string Of(HostPart part) => part switch
    {
        HostPart.Nat => "hostgw doctor on this node looks for the cause; nat.backend chooses another way (nftables, iptables)",
        HostPart.Forward => "install iptables where the agent runs, or set forwardAccept to false and accept the pod networks yourself",
        HostPart.Cni => "see docs/troubleshoot.md, or set cni.install to false",
        HostPart.ForwardingIPv4 or HostPart.ForwardingIPv6 => "let the agent write /proc/sys/net (SELinux or AppArmor may forbid it), or turn forwarding on yourself and set forwarding to false",
        _ => "hostgw doctor on this node looks for the cause",
    };
}
