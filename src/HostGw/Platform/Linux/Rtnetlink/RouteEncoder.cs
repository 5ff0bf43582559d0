using System.Runtime.InteropServices;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux.Rtnetlink;

/// <summary>Writes the messages that add, replace and delete routes of table main.</summary>
internal static class RouteEncoder
{
    private const ushort Request = NLM_F_REQUEST | NLM_F_ACK;

    /// <summary>Adds a route whose key no other route holds: else the kernel answers EEXIST.</summary>
    /// <param name="scope">Of a route over a gateway: anything from universe to below site.</param>
    public static void Add(NetlinkWriter writer, PodRoute route, byte protocol, uint sequence, byte scope = RT_SCOPE_UNIVERSE) =>
        New(writer, Request | NLM_F_CREATE | NLM_F_EXCL, route, protocol, scope, sequence);

    /// <summary>Replaces the first route on the key, whoever owns it: the caller must know that it may.</summary>
    /// <param name="scope">Of a route over a gateway: anything from universe to below site.</param>
    public static void Replace(NetlinkWriter writer, PodRoute route, byte protocol, uint sequence, byte scope = RT_SCOPE_UNIVERSE) =>
        New(writer, Request | NLM_F_CREATE | NLM_F_REPLACE, route, protocol, scope, sequence);

    /// <summary>Deletes this very route, and no other on its key.</summary>
    public static void Delete(NetlinkWriter writer, HostRoute route, uint sequence)
    {
        writer.Begin(RTM_DELROUTE, Request, sequence);
        Header(writer, route.Destination, (byte)route.Protocol, RT_SCOPE_NOWHERE, route.Tos, flags: 0);
        Key(writer, route.Key);
        // IPv4 matches no next hop against a route that keeps its own elsewhere.
        if (route.NextHopObject != 0)
            writer.Attribute(RTA_NH_ID, route.NextHopObject);
        // A multipath route goes as a whole: its first next hop alone would not match it.
        else if (route.NextHopCount == 1)
            NextHop(writer, route.NextHop, route.Interface, route.Destination);
        writer.End();
    }

    /// <summary>Asks for all routes of table main of one family.</summary>
    public static void Dump(NetlinkWriter writer, byte family, uint sequence)
    {
        writer.Begin(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, sequence);
        writer.Write(new rtmsg { rtm_family = family, rtm_table = RT_TABLE_MAIN });
        writer.Attribute(RTA_TABLE, (uint)RT_TABLE_MAIN);
        writer.End();
    }

    private static void New(NetlinkWriter writer, ushort flags, PodRoute route, byte protocol, byte scope, uint sequence)
    {
        bool viaGateway = !route.NextHop.IsNone;
        writer.Begin(RTM_NEWROUTE, flags, sequence);
        Header(writer, route.Destination, protocol, viaGateway ? scope : RT_SCOPE_LINK, tos: 0, viaGateway ? RTNH_F_ONLINK : 0);
        Key(writer, route.Key);
        NextHop(writer, route.NextHop, route.Interface, route.Destination);
        writer.End();
    }

    private static void Header(NetlinkWriter writer, Prefix destination, byte protocol, byte scope, byte tos, uint flags) =>
        writer.Write(new rtmsg
        {
            rtm_family = destination.IsIPv4 ? AF_INET : AF_INET6,
            rtm_dst_len = destination.Length,
            rtm_tos = tos,
            rtm_table = RT_TABLE_MAIN,
            rtm_protocol = protocol,
            rtm_scope = scope,
            rtm_type = RTN_UNICAST,
            rtm_flags = flags,
        });

    private static void Key(NetlinkWriter writer, RouteKey key)
    {
        writer.Attribute(RTA_DST, key.Destination.Address);
        if (key.Metric != 0)
            writer.Attribute(RTA_PRIORITY, key.Metric);
    }

    private static void NextHop(NetlinkWriter writer, Ip nextHop, int link, Prefix destination)
    {
        if (!nextHop.IsNone && nextHop.IsIPv4 != destination.IsIPv4)
            Via(writer, nextHop);
        else if (!nextHop.IsNone)
            writer.Attribute(RTA_GATEWAY, nextHop);
        writer.Attribute(RTA_OIF, link);
    }

    // rtvia: a next hop of the other family than the route, which nobody but a visitor gives a route of ours.
    private static void Via(NetlinkWriter writer, Ip nextHop)
    {
        Span<byte> via = stackalloc byte[sizeof(ushort) + 16];
        MemoryMarshal.Write(via, (ushort)(nextHop.IsIPv4 ? AF_INET : AF_INET6));
        writer.Attribute(RTA_VIA, via[..(sizeof(ushort) + nextHop.WriteBytes(via[sizeof(ushort)..]))]);
    }
}
