using System.Buffers.Binary;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux.Rtnetlink;

/// <summary>
/// What a route says of a tunnel: the encapsulation (RTA_ENCAP of linux/lwtunnel.h), the source address and the metrics. Encodes what a
/// tunnelled route of HostGw's says; decodes that, and nothing else.
/// </summary>
internal ref struct RouteEncapsulation
{
    /// <summary>All three are part of a tunnelled route.</summary>
    public const RouteExtras Extras = RouteExtras.Encapsulation | RouteExtras.Source | RouteExtras.Metrics;

    private const ushort LWTUNNEL_ENCAP_IP = 2;
    private const ushort LWTUNNEL_ENCAP_IP6 = 4;

    // The attributes of LWTUNNEL_ENCAP_IP6 have the same numbers; TTL and TOS are its HOPLIMIT and TC.
    private const ushort LWTUNNEL_IP_ID = 1;
    private const ushort LWTUNNEL_IP_DST = 2;
    private const ushort LWTUNNEL_IP_SRC = 3;
    private const ushort LWTUNNEL_IP_TTL = 4;
    private const ushort LWTUNNEL_IP_TOS = 5;
    private const ushort LWTUNNEL_IP_FLAGS = 6;
    private const ushort LWTUNNEL_IP_PAD = 7;

    /// <summary>
    /// The gateway of IPv6 routes, which nobody has: the link asks for no link-layer address. Without one each destination would be a
    /// next hop and so an entry of the kernel's neighbour table, which a pod that scans a peer's podCIDR would fill (gc_thresh3). In
    /// IPv4 a point-to-point link has one entry for all.
    /// </summary>
    public static readonly Ip GatewayIPv6 = Ip.Parse("fe80::9d");

    // TUNNEL_CSUM of linux/if_tunnel.h: the outer UDP datagram has a checksum. Without one it is not accepted in IPv6.
    private const ushort Checksum = 1;

    // In IPv4, 0 is the host's usual one; in IPv6 it would be 0 itself.
    private const byte HopLimitIPv6 = 64;

    /// <summary>RTA_ENCAP_TYPE.</summary>
    public ushort Type;

    /// <summary>RTA_ENCAP.</summary>
    public ReadOnlySpan<byte> Encapsulation;

    /// <summary>RTA_PREFSRC.</summary>
    public ReadOnlySpan<byte> Source;

    /// <summary>RTA_METRICS.</summary>
    public ReadOnlySpan<byte> Metrics;

    /// <summary>Takes one of these attributes of a route.</summary>
    /// <returns>Which extra it shows.</returns>
    public RouteExtras Add(NetlinkAttributes attribute)
    {
        switch (attribute.Type)
        {
            case RTA_PREFSRC:
                Source = attribute.Value;
                return RouteExtras.Source;
            case RTA_METRICS:
                Metrics = attribute.Value;
                return RouteExtras.Metrics;
            case RTA_ENCAP_TYPE:
                Type = attribute.Read<ushort>();
                return RouteExtras.Encapsulation;
            case RTA_ENCAP:
                Encapsulation = attribute.Value;
                return RouteExtras.None;
            default:
                return RouteExtras.None;
        }
    }

    /// <summary>Writes what belongs to the next hop. The kernel also compares it with a route that is to be deleted.</summary>
    /// <param name="isIPv4">Of the route, not of the outer header.</param>
    public static void Write(NetlinkWriter writer, Encapsulation tunnel, bool isIPv4)
    {
        if (!isIPv4)
            writer.Attribute(RTA_GATEWAY, GatewayIPv6);
        int nested = writer.BeginNested(RTA_ENCAP);
        writer.AttributeBigEndian(LWTUNNEL_IP_ID, (ulong)tunnel.Vni);
        writer.Attribute(LWTUNNEL_IP_DST, tunnel.Node);
        if (!tunnel.OuterSource.IsNone)
            writer.Attribute(LWTUNNEL_IP_SRC, tunnel.OuterSource);
        if (tunnel.Node.IsIPv6)
            writer.Attribute(LWTUNNEL_IP_TTL, HopLimitIPv6);
        writer.Attribute(LWTUNNEL_IP_FLAGS, BinaryPrimitives.ReverseEndianness(Checksum));
        writer.EndNested(nested);
        writer.Attribute(RTA_ENCAP_TYPE, tunnel.Node.IsIPv4 ? LWTUNNEL_ENCAP_IP : LWTUNNEL_ENCAP_IP6);
    }

    public static void WriteSourceAndMtu(NetlinkWriter writer, Encapsulation tunnel)
    {
        writer.Attribute(RTA_PREFSRC, tunnel.Source);
        int nested = writer.BeginNested(RTA_METRICS);
        writer.Attribute(RTAX_MTU, tunnel.Mtu);
        writer.EndNested(nested);
    }

    /// <summary>Null if the route says anything that a tunnelled route of HostGw's does not, or not all that it does.</summary>
    /// <param name="gateway">Of the route; none: 0.</param>
    /// <param name="isIPv4">Of the route, not of the outer header.</param>
    public readonly Encapsulation? Read(Ip gateway, bool isIPv4)
    {
        if (Type is not (LWTUNNEL_ENCAP_IP or LWTUNNEL_ENCAP_IP6) || gateway != (isIPv4 ? default : GatewayIPv6))
            return null;
        Outer outer = default;
        var attributes = new NetlinkAttributes(Encapsulation);
        while (attributes.Next())
        {
            if (!outer.TryRead(attributes))
                return null;
        }
        var source = Ip.FromBytes(Source);
        int mtu = OnlyMtu();
        bool isIPv4Outside = Type == LWTUNNEL_ENCAP_IP;
        return outer.IsComplete(isIPv4Outside) && mtu > 0 && !source.IsNone && source.IsIPv4 == isIPv4
            ? new(outer.Vni, outer.Node, source, mtu) { OuterSource = outer.Source }
            : null;
    }

    // 0 if there is any other metric: advmss, a lock, a congestion algorithm.
    private readonly int OnlyMtu()
    {
        int mtu = 0;
        var metrics = new NetlinkAttributes(Metrics);
        while (metrics.Next())
        {
            if (metrics.Type != RTAX_MTU)
                return 0;
            mtu = metrics.Read<int>();
        }
        return mtu;
    }

    private struct Outer
    {
        private ulong _id;
        private ushort _flags;
        private byte _hopLimit;

        public readonly uint Vni => (uint)_id;

        public Ip Node { get; private set; }

        /// <summary>None: the kernel chooses.</summary>
        public Ip Source { get; private set; }

        public bool TryRead(NetlinkAttributes attribute)
        {
            switch (attribute.Type)
            {
                case LWTUNNEL_IP_ID:
                    return BinaryPrimitives.TryReadUInt64BigEndian(attribute.Value, out _id);
                case LWTUNNEL_IP_DST:
                    Node = Ip.FromBytes(attribute.Value);
                    return true;
                case LWTUNNEL_IP_TTL:
                    _hopLimit = attribute.Read<byte>();
                    return true;
                case LWTUNNEL_IP_FLAGS:
                    return BinaryPrimitives.TryReadUInt16BigEndian(attribute.Value, out _flags);
                // The kernel lists these also where they are zero.
                case LWTUNNEL_IP_SRC:
                    Source = attribute.Value.ContainsAnyExcept((byte)0) ? Ip.FromBytes(attribute.Value) : default;
                    return true;
                case LWTUNNEL_IP_TOS or LWTUNNEL_IP_PAD:
                    return !attribute.Value.ContainsAnyExcept((byte)0);
                default:
                    return false;
            }
        }

        public readonly bool IsComplete(bool isIPv4) => _id <= uint.MaxValue && _flags == Checksum &&
            !Node.IsNone && Node.IsIPv4 == isIPv4 && (Source.IsNone || Source.IsIPv4 == isIPv4) &&
            _hopLimit == (isIPv4 ? 0 : HopLimitIPv6);
    }
}
