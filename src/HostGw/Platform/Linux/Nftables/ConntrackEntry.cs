using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>One connection as ctnetlink tells it, as far as we need it.</summary>
/// <remarks>linux/netfilter/nfnetlink_conntrack.h</remarks>
internal readonly ref struct ConntrackEntry
{
    private const ushort CTA_TUPLE_ORIG = 1;
    private const ushort CTA_TUPLE_REPLY = 2;
    private const ushort CTA_STATUS = 3;
    private const ushort CTA_ID = 12;
    private const ushort CTA_ZONE = 18;
    private const ushort CTA_TUPLE_IP = 1;
    private const ushort CTA_IP_V4_SRC = 1;
    private const ushort CTA_IP_V4_DST = 2;
    private const ushort CTA_IP_V6_SRC = 3;
    private const ushort CTA_IP_V6_DST = 4;
    private const uint IPS_SRC_NAT = 0x10;

    private readonly ReadOnlySpan<byte> _original;
    private readonly ReadOnlySpan<byte> _id;
    private readonly ReadOnlySpan<byte> _zone;

    public ConntrackEntry(ReadOnlySpan<byte> payload)
    {
        Family = payload.IsEmpty ? (byte)0 : payload[0];
        ReadOnlySpan<byte> attributes = payload[Math.Min(NfGenMsg.Size, payload.Length)..];
        _original = NftAttributes.Find(attributes, CTA_TUPLE_ORIG);
        _id = NftAttributes.Find(attributes, CTA_ID);
        _zone = NftAttributes.Find(attributes, CTA_ZONE);

        ReadOnlySpan<byte> reply = NftAttributes.Find(attributes, CTA_TUPLE_REPLY);
        Source = Address(_original, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
        Destination = Address(reply, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
        uint status = NftAttributes.ReadBigEndian(NftAttributes.Find(attributes, CTA_STATUS));
        HasSourceNat = (status & IPS_SRC_NAT) != 0 || Address(reply, CTA_IP_V4_DST, CTA_IP_V6_DST) != Source;
    }

    public byte Family { get; }

    /// <summary>Who began.</summary>
    public Ip Source { get; }

    /// <summary>Who answers: after destination NAT, which is what the masquerade rule sees. A service's address never shows here.</summary>
    public Ip Destination { get; }

    public bool HasSourceNat { get; }

    /// <summary>Writes what names exactly this connection, not a later one with the same addresses and ports.</summary>
    public void WriteKey(NetlinkWriter writer)
    {
        writer.Attribute(CTA_TUPLE_ORIG | NetlinkWriter.Nested, _original);
        if (!_zone.IsEmpty)
            writer.Attribute(CTA_ZONE, _zone);
        if (!_id.IsEmpty)
            writer.Attribute(CTA_ID, _id);
    }

    private static Ip Address(ReadOnlySpan<byte> tuple, ushort v4, ushort v6)
    {
        ReadOnlySpan<byte> addresses = NftAttributes.Find(tuple, CTA_TUPLE_IP);
        ReadOnlySpan<byte> value = NftAttributes.Find(addresses, v4);
        return Ip.FromBytes(value.IsEmpty ? NftAttributes.Find(addresses, v6) : value);
    }
}
