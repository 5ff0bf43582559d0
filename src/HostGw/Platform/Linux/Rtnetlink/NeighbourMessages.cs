using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux.Rtnetlink;

/// <summary>Makes the kernel forget which MAC address answers for a next hop.</summary>
internal static class NeighbourMessages
{
    public static void Delete(NetlinkWriter writer, Neighbour neighbour, uint sequence)
    {
        writer.Begin(RTM_DELNEIGH, NLM_F_REQUEST | NLM_F_ACK, sequence);
        writer.Write(new ndmsg { ndm_family = neighbour.Address.IsIPv4 ? AF_INET : AF_INET6, ndm_ifindex = neighbour.Interface });
        writer.Attribute(NDA_DST, neighbour.Address);
        writer.End();
    }
}
