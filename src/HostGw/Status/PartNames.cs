using HostGw.Platform;

namespace HostGw.Status;

/// <summary>Parts of the host as metrics name them.</summary>
internal static class PartNames
{
    public static string Of(HostPart part) => part switch
    {
        HostPart.State => "state",
        HostPart.ForwardingIPv4 => "forwarding_ipv4",
        HostPart.ForwardingIPv6 => "forwarding_ipv6",
        HostPart.NeighbourThresholds => "neighbour_thresholds",
        HostPart.Neighbours => "neighbours",
        HostPart.Nat => "nat",
        HostPart.Forward => "forward_accept",
        HostPart.Routes => "routes",
        HostPart.Ownership => "ownership",
        HostPart.PodNetwork => "pod_network",
        _ => "cni",
    };
}
