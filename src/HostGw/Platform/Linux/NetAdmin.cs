using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>The capability that every change of routes, rules and network settings takes.</summary>
[SupportedOSPlatform("linux")]
internal static class NetAdmin
{
    /// <summary>Asks the kernel itself: what a process may do depends on the user namespace that owns its network.</summary>
    /// <exception cref="NetlinkException">EPERM: this process has no such right.</exception>
    public static void Require()
    {
        using var socket = new NetlinkSocket(NETLINK_ROUTE);
        var request = new NetlinkWriter();
        // It names no neighbour, so nothing can come of it; but the kernel looks at the right first.
        request.Begin(RTM_DELNEIGH, NLM_F_REQUEST | NLM_F_ACK, socket.NextSequence());
        request.Write(new ndmsg { ndm_family = AF_INET });
        request.End();
        socket.Execute("change this host's network", request, (_, refusal) =>
        {
            if (refusal.Errno == Errno.EPERM)
                throw refusal;
        });
    }
}
