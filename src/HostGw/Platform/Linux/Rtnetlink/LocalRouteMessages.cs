using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Netlink.NetlinkFlags;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux.Rtnetlink;

/// <summary>A route of table local.</summary>
/// <param name="Type">RTN_*.</param>
internal readonly record struct LocalRoute(ProbeRoute Route, byte Type, byte Protocol)
{
    private static readonly string[] TypeNames =
        ["unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit", "throw"];

    /// <summary>As `ip route` names it.</summary>
    public string TypeName => Type < TypeNames.Length ? TypeNames[Type] : $"{Type}";

    /// <summary>This host takes its packets: the kernel makes an anycast entry of the first address of each of its IPv6 prefixes.</summary>
    public static bool IsForThisHost(byte type) => type is RTN_LOCAL or RTN_ANYCAST;

    /// <summary>The kernel made it, for an address of this host. Kernels before 4.20 give those of IPv6 no protocol.</summary>
    public bool IsOfKernel => Protocol is RTPROT_KERNEL or RTPROT_UNSPEC;

    /// <summary>Another program made it, and it takes packets: after a throw route the lookup goes on with the next table.</summary>
    /// <param name="protocol">That of HostGw's routes.</param>
    public bool IsForeign(byte protocol) => Protocol != protocol && !IsOfKernel && Type != RTN_THROW;
}

/// <summary>Encodes and decodes routes of table local, in which the kernel keeps this host's addresses.</summary>
internal static class LocalRouteMessages
{
    private const ushort Request = NLM_F_REQUEST | NLM_F_ACK;
    private const byte Table = (byte)RoutingTables.Local;

    /// <summary>
    /// Adds a local route before those of the same key, as `ip route prepend` does: older kernels make a broadcast entry of the first
    /// address of each IPv4 prefix.
    /// </summary>
    public static void Add(NetlinkWriter writer, Ip address, byte protocol, uint sequence)
    {
        writer.Begin(RTM_NEWROUTE, Request | NLM_F_CREATE, sequence);
        writer.Write(Header(address) with { rtm_protocol = protocol, rtm_scope = RT_SCOPE_HOST, rtm_type = RTN_LOCAL });
        writer.Attribute(RTA_DST, address);
        writer.Attribute(RTA_OIF, LOOPBACK_IFINDEX);
        writer.End();
    }

    /// <summary>Deletes this route of HostGw's, or another one of HostGw's with the same key; no foreign one.</summary>
    public static void Delete(NetlinkWriter writer, ProbeRoute route, byte protocol, uint sequence)
    {
        writer.Begin(RTM_DELROUTE, Request, sequence);
        writer.Write(Header(route.Destination.Address) with
        {
            rtm_dst_len = route.Destination.Length,
            rtm_tos = route.Tos,
            rtm_protocol = protocol,
            rtm_scope = RT_SCOPE_NOWHERE,
        });
        writer.Attribute(RTA_DST, route.Destination.Address);
        if (route.Metric != 0)
            writer.Attribute(RTA_PRIORITY, route.Metric);
        if (route.Interface != 0)
            writer.Attribute(RTA_OIF, route.Interface);
        writer.End();
    }

    /// <summary>Lists the routes of one family.</summary>
    public static void Dump(NetlinkWriter writer, byte family, uint sequence) => RouteEncoder.Dump(writer, family, sequence, Table);

    /// <summary>Asks which route a packet of this host to the address takes.</summary>
    public static void Ask(NetlinkWriter writer, Ip destination, uint sequence)
    {
        writer.Begin(RTM_GETROUTE, Request, sequence);
        writer.Write(Header(destination) with { rtm_table = 0 });
        writer.Attribute(RTA_DST, destination);
        writer.End();
    }

    /// <summary>RTN_* of the answer; 0: it is none.</summary>
    public static byte TypeOf(ReadOnlySpan<byte> payload) => MemoryMarshal.TryRead(payload, out rtmsg header) ? header.rtm_type : (byte)0;

    /// <summary>Whether a notification concerns one of these addresses, a route of HostGw's, or a foreign one.</summary>
    public static bool Concerns(ReadOnlySpan<byte> payload, ReadOnlySpan<Ip> addresses, byte protocol)
    {
        // Most are of kube-proxy's ipvs mode, which gives the host thousands of addresses.
        if (!MemoryMarshal.TryRead(payload, out rtmsg header) || header.rtm_table != Table)
            return false;
        return TryDecode(payload, out LocalRoute route) &&
            (route.Protocol == protocol || route.IsForeign(protocol) || addresses.Contains(route.Route.Destination.Address));
    }

    /// <summary>False for a message that is no route of table local.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> payload, out LocalRoute route)
    {
        route = default;
        if (!MemoryMarshal.TryRead(payload, out rtmsg header) || header.rtm_table != Table ||
            header.rtm_family is not (AF_INET or AF_INET6) || (header.rtm_flags & RTM_F_CLONED) != 0)
            return false;
        Ip destination = Ip.FromBytes(stackalloc byte[header.rtm_family == AF_INET ? 4 : 16]);
        uint metric = 0;
        int link = 0;
        bool saysMore = header.rtm_src_len != 0;
        var attributes = new NetlinkAttributes(payload[Unsafe.SizeOf<rtmsg>()..]);
        while (attributes.Next())
        {
            if (attributes.Type == RTA_DST)
                destination = Ip.FromBytes(attributes.Value);
            else if (attributes.Type == RTA_PRIORITY)
                metric = attributes.Read<uint>();
            else if (attributes.Type == RTA_OIF)
                link = attributes.Read<int>();
            else
                saysMore |= attributes.Type is RTA_GATEWAY or RTA_VIA or RTA_MULTIPATH or RTA_NH_ID or
                    RTA_PREFSRC or RTA_METRICS or RTA_ENCAP_TYPE;
        }
        if (destination.IsNone || header.rtm_dst_len > destination.Bits)
            return false;
        bool isPlain = !saysMore && header.rtm_type == RTN_LOCAL && link == LOOPBACK_IFINDEX;
        ProbeRoute read = new(new(destination, header.rtm_dst_len), metric, header.rtm_tos, link) { IsPlain = isPlain };
        route = new(read, header.rtm_type, header.rtm_protocol);
        return true;
    }

    private static rtmsg Header(Ip address) => new()
    {
        rtm_family = address.IsIPv4 ? AF_INET : AF_INET6,
        rtm_dst_len = (byte)address.Bits,
        rtm_table = Table,
    };
}
