using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;
using static HostGw.Platform.Linux.Netlink.NetlinkFlags;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>Deletes entries of the kernel's connection tracking: the next packet of each begins a new one, through the rules.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Conntrack(NetlinkSocket socket)
{
    private const int NFNL_SUBSYS_CTNETLINK = 1;
    private const byte IPCTNL_MSG_CT_GET = 1;
    private const byte IPCTNL_MSG_CT_DELETE = 2;

    // 10 MB of deletions per round. If there are more such connections than all rounds take, the rest stay until they end.
    private const int PerRound = 65_536;
    private const int Rounds = 16;

    /// <returns>The number of deleted connections; 0 if the kernel tracks none.</returns>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public int Delete(UnmasqueradedFlows flows) => Delete(AF_INET, flows) + Delete(AF_INET6, flows);

    private int Delete(byte family, UnmasqueradedFlows flows)
    {
        int deleted = 0;
        for (int round = 0; round < Rounds; round++)
        {
            NetlinkWriter deletions = Deletions(family, flows);
            deleted += Execute(deletions);
            if (deletions.Count < PerRound)
                break;
        }
        return deleted;
    }

    private NetlinkWriter Deletions(byte family, UnmasqueradedFlows flows)
    {
        var request = new NetlinkWriter();
        var deletions = new NetlinkWriter();
        Begin(request, IPCTNL_MSG_CT_GET, NLM_F_DUMP, family);
        request.End();
        try
        {
            socket.Dump("list tracked connections", request, deletions.Clear, (_, payload) =>
            {
                var entry = new ConntrackEntry(payload);
                if (deletions.Count == PerRound || !flows.Contains(entry))
                    return;
                Begin(deletions, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, family);
                entry.WriteKey(deletions);
                deletions.End();
            });
        }
        catch (NetlinkException e) when (e.Errno is Errno.EINVAL or Errno.EOPNOTSUPP)
        {
            // No connection tracking in this kernel: no connection keeps an address.
        }
        return deletions;
    }

    private int Execute(NetlinkWriter deletions)
    {
        int deleted = deletions.Count;
        NetlinkException? first = null;
        socket.Execute("delete a tracked connection", deletions, (_, failure) =>
        {
            deleted--;
            if (!failure.IsNotFound) // otherwise it has ended meanwhile
                first ??= failure;
        });
        return first is null ? deleted : throw first;
    }

    private void Begin(NetlinkWriter writer, byte message, int flags, byte family)
    {
        writer.Begin((ushort)((NFNL_SUBSYS_CTNETLINK << 8) | message), (ushort)(NLM_F_REQUEST | flags), socket.NextSequence());
        writer.Write(new NfGenMsg(family));
    }
}

/// <summary>Selects the connections that the masquerade rule would have rewritten, but that began without it. Pure.</summary>
/// <param name="podCidrs">This node's.</param>
/// <param name="localAddresses">This host's, to which the rule does not apply.</param>
internal sealed class UnmasqueradedFlows(NatPlan plan, ImmutableArray<Prefix> podCidrs, IReadOnlySet<Ip> localAddresses)
{
    private readonly ImmutableArray<Prefix> _podCidrs = podCidrs.Sort();

    public bool Contains(in ConntrackEntry entry) =>
        !entry.HasSourceNat &&
        (entry.Source.IsIPv4 ? plan.IPv4 : plan.IPv6) &&
        Covers(_podCidrs, entry.Source) &&
        !Covers(plan.Exempt, entry.Destination) &&
        !localAddresses.Contains(entry.Destination);

    // The prefixes are sorted and disjoint: only the last one that begins at or before the address can contain it.
    private static bool Covers(ImmutableArray<Prefix> prefixes, Ip address)
    {
        int index = prefixes.BinarySearch(Prefix.Host(address));
        int before = index >= 0 ? index : ~index - 1;
        return before >= 0 && prefixes[before].Contains(address);
    }
}

/// <summary>A tracked connection, decoded from a ctnetlink message.</summary>
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
        ReadOnlySpan<byte> attributes = NfGenMsg.AttributesOf(payload);
        _original = NetlinkAttributes.Find(attributes, CTA_TUPLE_ORIG);
        _id = NetlinkAttributes.Find(attributes, CTA_ID);
        _zone = NetlinkAttributes.Find(attributes, CTA_ZONE);

        ReadOnlySpan<byte> reply = NetlinkAttributes.Find(attributes, CTA_TUPLE_REPLY);
        Source = Address(_original, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
        Destination = Address(reply, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
        uint status = NetlinkAttributes.ReadBigEndian(NetlinkAttributes.Find(attributes, CTA_STATUS));
        HasSourceNat = (status & IPS_SRC_NAT) != 0 || Address(reply, CTA_IP_V4_DST, CTA_IP_V6_DST) != Source;
    }

    /// <summary>The address that began the connection.</summary>
    public Ip Source { get; }

    /// <summary>The address that answers: after destination NAT, as the masquerade rule sees it, so never that of a service.</summary>
    public Ip Destination { get; }

    public bool HasSourceNat { get; }

    /// <summary>Writes the attributes that identify this connection, and not a later one with the same addresses and ports.</summary>
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
        ReadOnlySpan<byte> addresses = NetlinkAttributes.Find(tuple, CTA_TUPLE_IP);
        ReadOnlySpan<byte> value = NetlinkAttributes.Find(addresses, v4);
        return Ip.FromBytes(value.IsEmpty ? NetlinkAttributes.Find(addresses, v6) : value);
    }
}
