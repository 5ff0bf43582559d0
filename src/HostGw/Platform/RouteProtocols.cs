using System.Globalization;

namespace HostGw.Platform;

/// <summary>Who installs routes under which number (linux/rtnetlink.h, iproute2's rt_protos; nldef.h).</summary>
internal static class RouteProtocols
{
    /// <summary>Where Windows's numbers begin.</summary>
    public const ushort Windows = 256;

    public static string Name(ushort protocol) => protocol >= Windows ? NameOnWindows(protocol - Windows) : protocol switch
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

    private static string NameOnWindows(int protocol) => protocol switch
    {
        1 => "other",
        2 => "local",
        3 => "NetMgmt (New-NetRoute, flannel or another agent)",
        4 => "icmp",
        14 => "bgp",
        19 => "dhcp",
        10002 => "NT autostatic",
        10006 => "NT static (route add)",
        10007 => "NT static non-DoD",
        _ => protocol.ToString(CultureInfo.InvariantCulture),
    };
}
