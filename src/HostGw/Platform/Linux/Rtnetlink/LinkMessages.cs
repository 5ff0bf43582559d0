using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Netlink.NetlinkFlags;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux.Rtnetlink;

/// <summary>Encodes requests for interfaces and their addresses, and decodes the answers.</summary>
internal static class LinkMessages
{
    public static void DumpLinks(NetlinkWriter writer, uint sequence)
    {
        writer.Begin(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, sequence);
        writer.Write(default(ifinfomsg));
        writer.Attribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        writer.End();
    }

    public static void DumpAddresses(NetlinkWriter writer, uint sequence)
    {
        writer.Begin(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, sequence);
        writer.Write(default(ifaddrmsg));
        writer.End();
    }

    public static bool TryDecodeLink(ReadOnlySpan<byte> payload, out HostInterface? link)
    {
        link = null;
        // AF_BRIDGE messages describe a port, not the interface.
        if (!MemoryMarshal.TryRead(payload, out ifinfomsg header) || header.ifi_family != AF_UNSPEC)
            return false;

        ReadOnlySpan<byte> attributes = payload[Unsafe.SizeOf<ifinfomsg>()..];
        Fields fields = Read(attributes);
        bool Has(uint flag) => (header.ifi_flags & flag) != 0;
        if (fields.Name is { Length: > 0 } name)
        {
            link = new(header.ifi_index, name, Has(IFF_UP), Has(IFF_LOOPBACK))
            {
                HasNeighbours = !Has(IFF_NOARP),
                IsPointToPoint = Has(IFF_POINTOPOINT),
                ForwardsIPv4 = ForwardsIPv4(fields.Families),
                Mtu = fields.Mtu,
                AcceptRa = AcceptRa(fields.Families),
                AcceptDad = AcceptDad(fields.Families),
                IsPeerElsewhere = fields.IsPeerElsewhere && !fields.IsPort,
                IsTunnel = TunnelMessages.IsOurs(attributes),
                HasAllTunnelMarks = TunnelMessages.HasAllMarks(attributes),
            };
        }
        return link is not null;
    }

    private static Fields Read(ReadOnlySpan<byte> link)
    {
        Fields fields = default;
        var attributes = new NetlinkAttributes(link);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case IFLA_IFNAME:
                    fields.Name = attributes.ReadString();
                    break;
                case IFLA_MTU:
                    fields.Mtu = attributes.Read<int>();
                    break;
                case IFLA_AF_SPEC:
                    fields.Families = attributes.Value;
                    break;
                case IFLA_LINK_NETNSID:
                    fields.IsPeerElsewhere = true;
                    break;
                case IFLA_MASTER:
                    fields.IsPort = true;
                    break;
            }
        }
        return fields;
    }

    public static bool TryDecodeAddress(ReadOnlySpan<byte> payload, out HostAddress address)
    {
        address = default;
        if (!MemoryMarshal.TryRead(payload, out ifaddrmsg header))
            return false;

        // On a point-to-point link IFA_ADDRESS is the peer's address and IFA_LOCAL this host's; otherwise IPv6 sends only IFA_ADDRESS.
        Ip local = default, peer = default;
        var attributes = new NetlinkAttributes(payload[Unsafe.SizeOf<ifaddrmsg>()..]);
        while (attributes.Next())
        {
            if (attributes.Type == IFA_LOCAL)
                local = Ip.FromBytes(attributes.Value);
            else if (attributes.Type == IFA_ADDRESS)
                peer = Ip.FromBytes(attributes.Value);
        }
        if (peer.IsNone || header.ifa_prefixlen > peer.Bits)
            return false;

        address = new(local.IsNone ? peer : local, new Prefix(peer, header.ifa_prefixlen).Aligned, (int)header.ifa_index)
        {
            IsDuplicate = peer.IsIPv6 && (header.ifa_flags & IFA_F_DADFAILED) != 0,
        };
        return true;
    }

    // IFLA_AF_SPEC { AF_INET { IFLA_INET_CONF: one number per IPV4_DEVCONF_*, of which FORWARDING is the first } }
    private static bool ForwardsIPv4(ReadOnlySpan<byte> families)
    {
        ReadOnlySpan<byte> settings = NetlinkAttributes.Find(NetlinkAttributes.Find(families, AF_INET), IFLA_INET_CONF);
        return !MemoryMarshal.TryRead(settings, out int forwarding) || forwarding != 0;
    }

    // IFLA_AF_SPEC { AF_INET6 { IFLA_INET6_CONF: one number per DEVCONF_* of linux/ipv6.h, counted from 0 } }
    private static int AcceptRa(ReadOnlySpan<byte> families) => SettingIPv6(families, 3); // DEVCONF_ACCEPT_RA

    private static int AcceptDad(ReadOnlySpan<byte> families) => SettingIPv6(families, 27); // DEVCONF_ACCEPT_DAD

    private static int SettingIPv6(ReadOnlySpan<byte> families, int number)
    {
        ReadOnlySpan<byte> settings = NetlinkAttributes.Find(NetlinkAttributes.Find(families, AF_INET6), IFLA_INET6_CONF);
        int offset = number * sizeof(int);
        return settings.Length >= offset + sizeof(int) ? MemoryMarshal.Read<int>(settings[offset..]) : 0;
    }

    private ref struct Fields
    {
        public string? Name;
        public int Mtu;
        public bool IsPeerElsewhere;
        public bool IsPort;

        /// <summary>IFLA_AF_SPEC.</summary>
        public ReadOnlySpan<byte> Families;
    }
}

/// <summary>Encodes requests that list, probe and delete neighbours, and decodes neighbours.</summary>
internal static class NeighbourMessages
{
    public static void Delete(NetlinkWriter writer, Neighbour neighbour, uint sequence) =>
        Write(writer, RTM_DELNEIGH, NLM_F_REQUEST | NLM_F_ACK, flags: 0, neighbour, sequence);

    /// <summary>Has the kernel resolve the address as if a packet were to be sent there.</summary>
    public static void Use(NetlinkWriter writer, Neighbour neighbour, uint sequence) =>
        Write(writer, RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, NTF_USE, neighbour, sequence);

    public static void Dump(NetlinkWriter writer, uint sequence)
    {
        writer.Begin(RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP, sequence);
        writer.Write(default(ndmsg));
        writer.End();
    }

    /// <param name="state">One of NUD_*.</param>
    public static bool TryDecode(ReadOnlySpan<byte> payload, out Neighbour neighbour, out ushort state, out string mac)
    {
        (neighbour, state, mac) = (default, 0, "");
        if (!MemoryMarshal.TryRead(payload, out ndmsg header) || header.ndm_family is not (AF_INET or AF_INET6))
            return false;
        Ip address = default;
        var attributes = new NetlinkAttributes(payload[Unsafe.SizeOf<ndmsg>()..]);
        while (attributes.Next())
        {
            if (attributes.Type == NDA_DST)
                address = Ip.FromBytes(attributes.Value);
            else if (attributes.Type == NDA_LLADDR)
                mac = string.Join(':', attributes.Value.ToArray().Select(b => b.ToString("x2")));
        }
        (neighbour, state) = (new(address, header.ndm_ifindex), header.ndm_state);
        return !address.IsNone;
    }

    private static void Write(NetlinkWriter writer, ushort type, ushort request, byte flags, Neighbour neighbour, uint sequence)
    {
        byte family = neighbour.Address.IsIPv4 ? AF_INET : AF_INET6;
        writer.Begin(type, request, sequence);
        writer.Write(new ndmsg { ndm_family = family, ndm_ifindex = neighbour.Interface, ndm_flags = flags });
        writer.Attribute(NDA_DST, neighbour.Address);
        writer.End();
    }
}
