using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Netlink.NetlinkFlags;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux.Rtnetlink;

/// <summary>Encodes requests that add, replace, delete and list routes of table main.</summary>
internal static class RouteEncoder
{
    private const ushort Request = NLM_F_REQUEST | NLM_F_ACK;

    /// <summary>Adds a route. The kernel answers EEXIST if another route has the same key.</summary>
    /// <param name="scopeStep">How far the scope of a route with a next hop is from the usual one, below RT_SCOPE_SITE.</param>
    public static void Add(NetlinkWriter writer, PodRoute route, byte protocol, uint sequence, byte scopeStep = 0) =>
        New(writer, Request | NLM_F_CREATE | NLM_F_EXCL, route, protocol, scopeStep, sequence);

    /// <summary>Replaces the first route with this key, whoever installed it: the caller has checked that this is allowed.</summary>
    /// <inheritdoc cref="Add"/>
    public static void Replace(NetlinkWriter writer, PodRoute route, byte protocol, uint sequence, byte scopeStep = 0) =>
        New(writer, Request | NLM_F_CREATE | NLM_F_REPLACE, route, protocol, scopeStep, sequence);

    /// <summary>Deletes exactly this route, and no other with the same key.</summary>
    public static void Delete(NetlinkWriter writer, HostRoute route, uint sequence)
    {
        writer.Begin(RTM_DELROUTE, Request, sequence);
        Header(writer, route.Destination, (byte)route.Protocol, RT_SCOPE_NOWHERE, route.Tos, flags: 0);
        Key(writer, route.Key);
        // IPv4 compares no gateway with a route that uses a nexthop object.
        if (route.NextHopObject != 0)
            writer.Attribute(RTA_NH_ID, route.NextHopObject);
        // A multipath route is deleted as a whole: its first next hop alone would not match.
        else if (route.NextHopCount == 1)
            NextHop(writer, route.NextHop, route.Interface, route.Destination, route.Tunnel);
        writer.End();
    }

    /// <summary>Lists all routes of a table of one family.</summary>
    public static void Dump(NetlinkWriter writer, byte family, uint sequence, uint table = RT_TABLE_MAIN)
    {
        writer.Begin(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, sequence);
        // The field of the header has room for small numbers only.
        writer.Write(new rtmsg { rtm_family = family, rtm_table = table <= byte.MaxValue ? (byte)table : (byte)0 });
        writer.Attribute(RTA_TABLE, table);
        writer.End();
    }

    private static void New(NetlinkWriter writer, ushort flags, PodRoute route, byte protocol, byte scopeStep, uint sequence)
    {
        bool isTunnelled = route.Tunnel is not null, viaGateway = !route.NextHop.IsNone && !isTunnelled;
        byte scope = viaGateway ? scopeStep : isTunnelled ? (byte)(RT_SCOPE_LINK - scopeStep) : RT_SCOPE_LINK;
        writer.Begin(RTM_NEWROUTE, flags, sequence);
        Header(writer, route.Destination, protocol, scope, tos: 0, viaGateway ? RTNH_F_ONLINK : 0);
        Key(writer, route.Key);
        NextHop(writer, route.NextHop, route.Interface, route.Destination, route.Tunnel);
        if (route.Tunnel is { } tunnel)
            RouteEncapsulation.WriteSourceAndMtu(writer, tunnel);
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

    private static void NextHop(NetlinkWriter writer, Ip nextHop, int link, Prefix destination, Encapsulation? tunnel)
    {
        if (tunnel is not null)
            RouteEncapsulation.Write(writer, tunnel, destination.IsIPv4);
        else if (!nextHop.IsNone && nextHop.IsIPv4 != destination.IsIPv4)
            Via(writer, nextHop);
        else if (!nextHop.IsNone)
            writer.Attribute(RTA_GATEWAY, nextHop);
        writer.Attribute(RTA_OIF, link);
    }

    // rtvia: a next hop of the other address family. HostGw never installs such a route, but somebody may have changed one of its own.
    private static void Via(NetlinkWriter writer, Ip nextHop)
    {
        Span<byte> via = stackalloc byte[sizeof(ushort) + 16];
        MemoryMarshal.Write(via, (ushort)(nextHop.IsIPv4 ? AF_INET : AF_INET6));
        writer.Attribute(RTA_VIA, via[..(sizeof(ushort) + nextHop.WriteBytes(via[sizeof(ushort)..]))]);
    }
}

/// <summary>Decodes RTM_NEWROUTE and RTM_DELROUTE.</summary>
/// <param name="protocol">The protocol number of HostGw's routes.</param>
internal sealed class RouteDecoder(byte protocol)
{
    /// <summary>The next hops of all default routes decoded so far, including those of multipath routes.</summary>
    public HashSet<Ip> Gateways { get; } = [];

    /// <summary>The interfaces of the further gateways of other programs' multipath routes decoded so far.</summary>
    public HashSet<int> MultipathInterfaces { get; } = [];

    /// <summary>The nodes that HostGw's tunnelled routes decoded so far lead to.</summary>
    public HashSet<Ip> TunnelNodes { get; } = [];

    /// <summary>The source-specific routes decoded so far.</summary>
    public List<SourceRoute> SourceRoutes { get; } = [];

    /// <summary>
    /// False for a message that is not a route of table main in this family (<see cref="AF_UNSPEC"/>: either), and for a
    /// source-specific route: its key can never be that of a HostGw route.
    /// </summary>
    public bool TryDecode(ReadOnlySpan<byte> payload, byte family, out HostRoute route)
    {
        route = default;
        if (!MemoryMarshal.TryRead(payload, out rtmsg header) || header.rtm_family is not (AF_INET or AF_INET6) ||
            (family != AF_UNSPEC && header.rtm_family != family) || (header.rtm_flags & RTM_F_CLONED) != 0)
            return false;

        Fields fields = new() { Table = header.rtm_table, Hop = new(default, 0, header.rtm_flags), HopCount = 1 };
        fields.Destination = Ip.FromBytes(stackalloc byte[header.rtm_family == AF_INET ? 4 : 16]);
        var attributes = new NetlinkAttributes(payload[Unsafe.SizeOf<rtmsg>()..]);
        while (attributes.Next())
            Read(attributes, ref fields);

        if (fields.Table != RT_TABLE_MAIN || fields.Destination.IsIPv4 != (header.rtm_family == AF_INET) ||
            fields.Destination.IsNone || header.rtm_dst_len > fields.Destination.Bits)
            return false;

        NoteHops(header, fields);
        Encapsulation? tunnel = ReadTunnel(header, fields);
        if (tunnel is not null)
            TunnelNodes.Add(tunnel.Node);
        route = Make(header, fields, tunnel);
        if (header.rtm_src_len == 0)
            return true;
        if (!fields.Source.IsNone && header.rtm_src_len <= fields.Source.Bits)
            SourceRoutes.Add(new(new Prefix(fields.Source, header.rtm_src_len).Aligned, route));
        return false;
    }

    private void NoteHops(rtmsg header, in Fields fields)
    {
        bool isDefault = header.rtm_dst_len == 0;
        if (isDefault && !fields.Hop.Gateway.IsNone)
            Gateways.Add(fields.Hop.Gateway);
        foreach (RouteHop other in fields.OtherHops ?? [])
        {
            if (isDefault)
                Gateways.Add(other.Gateway);
            if (header.rtm_protocol != protocol)
                MultipathInterfaces.Add(other.Interface);
        }
    }

    private static void Read(NetlinkAttributes attribute, ref Fields fields)
    {
        switch (attribute.Type)
        {
            case RTA_DST:
                fields.Destination = Ip.FromBytes(attribute.Value);
                break;
            case RTA_SRC:
                fields.Source = Ip.FromBytes(attribute.Value);
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
            case RTA_PREFSRC or RTA_METRICS or RTA_ENCAP_TYPE or RTA_ENCAP:
                fields.Extras |= fields.Encapsulation.Add(attribute);
                break;
            case RTA_MULTIPATH:
                ReadMultipath(attribute.Value, ref fields);
                break;
            default:
                fields.Hop.Read(attribute);
                break;
        }
    }

    // Of HostGw's routes alone: those of other programs are compared by their next hop.
    private Encapsulation? ReadTunnel(rtmsg header, in Fields fields) =>
        fields.Extras == RouteEncapsulation.Extras && fields is { HopCount: 1, NextHopObject: 0 } &&
        header.rtm_protocol == protocol && header.rtm_type == RTN_UNICAST && (header.rtm_flags & RTNH_F_ONLINK) == 0
            ? fields.Encapsulation.Read(fields.Hop.Gateway, fields.Destination.IsIPv4)
            : null;

    private static void ReadMultipath(ReadOnlySpan<byte> hops, ref Fields fields)
    {
        fields.HopCount = 0;
        while (MemoryMarshal.TryRead(hops, out rtnexthop header) &&
            header.rtnh_len >= Unsafe.SizeOf<rtnexthop>() && header.rtnh_len <= hops.Length)
        {
            RouteHop hop = new(default, header.rtnh_ifindex, header.rtnh_flags);
            var attributes = new NetlinkAttributes(hops[Unsafe.SizeOf<rtnexthop>()..header.rtnh_len]);
            while (attributes.Next())
            {
                hop.Read(attributes);
                if (attributes.Type == RTA_ENCAP_TYPE)
                    fields.Extras |= RouteExtras.Encapsulation;
            }

            // A multipath route without any gateway is on-link: the first gateway decides.
            if (fields.HopCount++ == 0 || (fields.Hop.Gateway.IsNone && !hop.Gateway.IsNone))
                fields.Hop = hop;
            else if (!hop.Gateway.IsNone)
                (fields.OtherHops ??= []).Add(hop);
            hops = hops[Math.Min((header.rtnh_len + 3) & ~3, hops.Length)..];
        }
    }

    private HostRoute Make(rtmsg header, in Fields fields, Encapsulation? tunnel) => new()
    {
        Destination = new(fields.Destination, header.rtm_dst_len),
        Metric = fields.Metric,
        Tos = header.rtm_tos,
        NextHop = tunnel is null ? fields.Hop.Gateway : tunnel.Node,
        Interface = fields.Hop.Interface,
        IsOnLink = (fields.Hop.Flags & RTNH_F_ONLINK) != 0,
        NextHopCount = fields.HopCount,
        NextHopObject = fields.NextHopObject,
        Extras = tunnel is null ? fields.Extras : RouteExtras.None,
        Tunnel = tunnel,
        IsUnicast = header.rtm_type == RTN_UNICAST,
        Protocol = header.rtm_protocol,
        IsConnected = header.rtm_protocol == RTPROT_KERNEL,
        IsOurs = header.rtm_protocol == protocol && header.rtm_type == RTN_UNICAST,
    };

    private ref struct Fields
    {
        public Ip Destination;
        public Ip Source;
        public uint Table;
        public uint Metric;
        public RouteHop Hop;
        public ushort HopCount;
        public uint NextHopObject;
        public RouteExtras Extras;
        public RouteEncapsulation Encapsulation;
        public List<RouteHop>? OtherHops;
    }
}

/// <summary>A next hop of a route, as its attributes name it.</summary>
internal record struct RouteHop(Ip Gateway, int Interface, uint Flags)
{
    public void Read(NetlinkAttributes attribute)
    {
        switch (attribute.Type)
        {
            case RTA_GATEWAY:
                Gateway = Ip.FromBytes(attribute.Value);
                break;
            case RTA_VIA when attribute.Value.Length > sizeof(ushort): // a next hop of the other family
                Gateway = Ip.FromBytes(attribute.Value[sizeof(ushort)..]);
                break;
            case RTA_OIF:
                Interface = attribute.Read<int>();
                break;
        }
    }
}
