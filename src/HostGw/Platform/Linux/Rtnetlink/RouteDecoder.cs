using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux.Rtnetlink;

/// <summary>Reads RTM_NEWROUTE and RTM_DELROUTE messages.</summary>
/// <param name="protocol">The protocol number that marks a route as ours.</param>
internal sealed class RouteDecoder(byte protocol)
{
    /// <summary>Next hops of all default routes seen so far, those inside a multipath included.</summary>
    public HashSet<Ip> Gateways { get; } = [];

    /// <summary>
    /// False for a message that is no route of table main of that family (<see cref="AF_UNSPEC"/>: either), and for
    /// one that holds for some sources only: it stands beside ours, not on its key.
    /// </summary>
    public bool TryDecode(ReadOnlySpan<byte> payload, byte family, out HostRoute route)
    {
        route = default;
        if (!MemoryMarshal.TryRead(payload, out rtmsg header) || header.rtm_family is not (AF_INET or AF_INET6) ||
            (family != AF_UNSPEC && header.rtm_family != family) || (header.rtm_flags & RTM_F_CLONED) != 0)
            return false;

        Fields fields = new() { Table = header.rtm_table, Hop = new(default, 0, header.rtm_flags), HopCount = 1 };
        fields.Destination = Ip.FromBytes(stackalloc byte[header.rtm_family == AF_INET ? 4 : 16]);
        bool isDefault = header.rtm_dst_len == 0;
        var attributes = new NetlinkAttributes(payload[Unsafe.SizeOf<rtmsg>()..]);
        while (attributes.Next())
            Read(attributes, ref fields);

        if (fields.Table != RT_TABLE_MAIN || fields.Destination.IsIPv4 != (header.rtm_family == AF_INET) ||
            fields.Destination.IsNone || header.rtm_dst_len > fields.Destination.Bits)
            return false;

        if (isDefault && !fields.Hop.Gateway.IsNone)
            Gateways.Add(fields.Hop.Gateway);
        if (isDefault && fields.OtherGateways is { } others)
            Gateways.UnionWith(others);
        route = Make(header, fields);
        return header.rtm_src_len == 0;
    }

    private static void Read(NetlinkAttributes attribute, ref Fields fields)
    {
        switch (attribute.Type)
        {
            case RTA_DST:
                fields.Destination = Ip.FromBytes(attribute.Value);
                break;
            case RTA_TABLE:
                fields.Table = attribute.Read<uint>();
                break;
            case RTA_PRIORITY:
                fields.Metric = attribute.Read<uint>();
                break;
            case RTA_NH_ID:
                fields.NextHopObject = attribute.Read<uint>();
                break;
            case RTA_MULTIPATH:
                ReadMultipath(attribute.Value, ref fields);
                break;
            default:
                ReadHop(attribute, ref fields.Hop);
                break;
        }
    }

    private static void ReadHop(NetlinkAttributes attribute, ref Hop hop)
    {
        switch (attribute.Type)
        {
            case RTA_GATEWAY:
                hop.Gateway = Ip.FromBytes(attribute.Value);
                break;
            case RTA_VIA when attribute.Value.Length > sizeof(ushort): // a next hop of the other family
                hop.Gateway = Ip.FromBytes(attribute.Value[sizeof(ushort)..]);
                break;
            case RTA_OIF:
                hop.Interface = attribute.Read<int>();
                break;
        }
    }

    private static void ReadMultipath(ReadOnlySpan<byte> hops, ref Fields fields)
    {
        fields.HopCount = 0;
        while (MemoryMarshal.TryRead(hops, out rtnexthop header) &&
            header.rtnh_len >= Unsafe.SizeOf<rtnexthop>() && header.rtnh_len <= hops.Length)
        {
            Hop hop = new(default, header.rtnh_ifindex, header.rtnh_flags);
            var attributes = new NetlinkAttributes(hops[Unsafe.SizeOf<rtnexthop>()..header.rtnh_len]);
            while (attributes.Next())
                ReadHop(attributes, ref hop);

            if (fields.HopCount++ == 0)
                fields.Hop = hop;
            else if (!hop.Gateway.IsNone)
                (fields.OtherGateways ??= []).Add(hop.Gateway);
            hops = hops[Math.Min((header.rtnh_len + 3) & ~3, hops.Length)..];
        }
    }

    private HostRoute Make(rtmsg header, Fields fields) => new()
    {
        Destination = new(fields.Destination, header.rtm_dst_len),
        Metric = fields.Metric,
        Tos = header.rtm_tos,
        NextHop = fields.Hop.Gateway,
        Interface = fields.Hop.Interface,
        IsOnLink = (fields.Hop.Flags & RTNH_F_ONLINK) != 0,
        NextHopCount = fields.HopCount,
        NextHopObject = fields.NextHopObject,
        IsUnicast = header.rtm_type == RTN_UNICAST,
        Protocol = header.rtm_protocol,
        IsConnected = header.rtm_protocol == RTPROT_KERNEL,
        IsOurs = header.rtm_protocol == protocol && header.rtm_type == RTN_UNICAST,
    };

    private record struct Hop(Ip Gateway, int Interface, uint Flags);

    private struct Fields
    {
        public Ip Destination;
        public uint Table;
        public uint Metric;
        public Hop Hop;
        public int HopCount;
        public uint NextHopObject;
        public List<Ip>? OtherGateways;
    }
}
