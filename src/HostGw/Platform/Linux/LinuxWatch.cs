using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>Turns the kernel's announcements into wake-ups.</summary>
[SupportedOSPlatform("linux")]
internal static class LinuxWatch
{
    // A v4 route vanishes with its link or last address without a word; NETCONF tells of forwarding.
    private static readonly int[] Groups =
    [
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE,
        RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
    ];

    /// <exception cref="NetlinkException">The kernel forbids the socket.</exception>
    public static async Task RunAsync(RouteNews news, Action<WakeCauses> wake, CancellationToken cancellationToken)
    {
        using var subscription = new NetlinkSubscription(NETLINK_ROUTE, Groups);
        while (!cancellationToken.IsCancellationRequested)
        {
            ReadOnlyMemory<byte>? datagram = await subscription.ReceiveAsync(cancellationToken);
            WakeCauses causes = datagram is { } received ? news.Read(received.Span) : WakeCauses.Overrun;
            if (causes != WakeCauses.None)
                wake(causes);
        }
    }
}
