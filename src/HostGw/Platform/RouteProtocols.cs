using System.Globalization;

namespace HostGw.Platform;

/// <summary>Who installs routes under which number (linux/rtnetlink.h, iproute2's rt_protos).</summary>
internal static class RouteProtocols
{
    public static string Name(byte protocol) => protocol switch
    {
        2 => "kernel",
        3 => "boot (by hand, flannel or another agent)",
        4 => "static",
        9 => "ra",
        11 => "zebra",
        12 => "bird",
        16 => "dhcp",
        17 => "mrouted or kube-router",
        80 => "calico",
        186 => "bgp",
        188 => "ospf",
        _ => protocol.ToString(CultureInfo.InvariantCulture),
    };
}
