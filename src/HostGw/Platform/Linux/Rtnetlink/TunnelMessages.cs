using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Netlink.NetlinkFlags;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux.Rtnetlink;

/// <summary>Encodes requests for the link hostgw0 and its addresses, and decodes the answers.</summary>
/// <remarks>https://docs.kernel.org/networking/netlink_spec/rt-link.html; VNIs: struct tunnel_msg of linux/if_link.h.</remarks>
internal static class TunnelMessages
{
    private const ushort Request = NLM_F_REQUEST | NLM_F_ACK;

    // HostGw's link lets in one; a range that somebody added may be long.
    private const int MostVnis = 1000;

    private const ushort IFLA_INFO_KIND = 1;
    private const ushort IFLA_INFO_DATA = 2;
    private const ushort IFLA_VXLAN_LEARNING = 7;
    private const ushort IFLA_VXLAN_PORT = 15;
    private const ushort IFLA_VXLAN_COLLECT_METADATA = 25;
    private const ushort IFLA_VXLAN_GPE = 27;
    private const ushort IFLA_VXLAN_VNIFILTER = 30;
    private const ushort IFLA_INET6_ADDR_GEN_MODE = 8;
    private const byte IN6_ADDR_GEN_MODE_NONE = 1;
    private const ushort IFA_FLAGS = 8;
    private const uint IFA_F_NODAD = 0x02;
    private const uint IFA_F_NOPREFIXROUTE = 0x200;
    private const byte AF_BRIDGE = 7;
    private const int DEVCONF_DISABLE_IPV6 = 26;
    private const ushort VXLAN_VNIFILTER_ENTRY = 1;
    private const ushort VXLAN_VNIFILTER_ENTRY_START = 1;
    private const ushort VXLAN_VNIFILTER_ENTRY_END = 2;

    private static ReadOnlySpan<byte> Alias => "hostgw"u8;

    private static ReadOnlySpan<byte> Vxlan => "vxlan"u8;

    /// <summary>
    /// Creates it down, as `ip link add NAME group GROUP type vxlan external gpe vnifilter dstport PORT`. The kernel takes a group with a
    /// new link, and no alias: from its first moment it is known as HostGw's. Kernels before 5.18 ignore vnifilter, as every attribute
    /// inside IFLA_INFO_DATA that they do not know.
    /// </summary>
    /// <param name="link">Its name, and its index; 0: any.</param>
    public static void Create(NetlinkWriter writer, (string Name, int Index) link, int port, uint sequence)
    {
        writer.Begin(RTM_NEWLINK, Request | NLM_F_CREATE | NLM_F_EXCL, sequence);
        writer.Write(new ifinfomsg { ifi_index = link.Index });
        writer.Attribute(IFLA_IFNAME, link.Name);
        writer.Attribute(IFLA_GROUP, TunnelPlan.LinkGroup);
        int info = writer.BeginNested(IFLA_LINKINFO);
        writer.Attribute(IFLA_INFO_KIND, Vxlan);
        int data = writer.BeginNested(IFLA_INFO_DATA);
        writer.Attribute(IFLA_VXLAN_COLLECT_METADATA, (byte)1);
        writer.Attribute(IFLA_VXLAN_GPE, []);
        writer.Attribute(IFLA_VXLAN_VNIFILTER, (byte)1);
        writer.Attribute(IFLA_VXLAN_LEARNING, (byte)0);
        writer.Attribute(IFLA_VXLAN_PORT, BinaryPrimitives.ReverseEndianness((ushort)port));
        writer.EndNested(data);
        writer.EndNested(info);
        writer.End();
    }

    /// <summary>Gives the link both marks of HostGw's: alias and group.</summary>
    public static void Mark(NetlinkWriter writer, int index, uint sequence)
    {
        writer.Begin(RTM_NEWLINK, Request, sequence);
        writer.Write(new ifinfomsg { ifi_index = index });
        writer.Attribute(IFLA_IFALIAS, Alias);
        writer.Attribute(IFLA_GROUP, TunnelPlan.LinkGroup);
        writer.End();
    }

    public static void SetMtu(NetlinkWriter writer, int index, int mtu, uint sequence)
    {
        writer.Begin(RTM_NEWLINK, Request, sequence);
        writer.Write(new ifinfomsg { ifi_index = index });
        writer.Attribute(IFLA_MTU, mtu);
        writer.End();
    }

    /// <summary>Keeps the kernel from giving it an IPv6 link-local address. EAFNOSUPPORT: the link has no IPv6.</summary>
    public static void SetAddrGenMode(NetlinkWriter writer, int index, uint sequence)
    {
        writer.Begin(RTM_NEWLINK, Request, sequence);
        writer.Write(new ifinfomsg { ifi_index = index });
        int families = writer.BeginNested(IFLA_AF_SPEC);
        int v6 = writer.BeginNested(AF_INET6);
        writer.Attribute(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
        writer.EndNested(v6);
        writer.EndNested(families);
        writer.End();
    }

    public static void Turn(NetlinkWriter writer, int index, bool up, uint sequence)
    {
        writer.Begin(RTM_NEWLINK, Request, sequence);
        writer.Write(new ifinfomsg { ifi_index = index, ifi_flags = up ? IFF_UP : 0, ifi_change = IFF_UP });
        writer.End();
    }

    public static void Delete(NetlinkWriter writer, int index, uint sequence)
    {
        writer.Begin(RTM_DELLINK, Request, sequence);
        writer.Write(new ifinfomsg { ifi_index = index });
        writer.End();
    }

    public static void Ask(NetlinkWriter writer, int index, uint sequence)
    {
        writer.Begin(RTM_GETLINK, Request, sequence);
        writer.Write(new ifinfomsg { ifi_index = index });
        writer.Attribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        writer.End();
    }

    /// <inheritdoc cref="Ask(NetlinkWriter, int, uint)"/>
    public static void Ask(NetlinkWriter writer, string name, uint sequence)
    {
        writer.Begin(RTM_GETLINK, Request, sequence);
        writer.Write(default(ifinfomsg));
        writer.Attribute(IFLA_IFNAME, name);
        writer.Attribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        writer.End();
    }

    public static void DumpVnis(NetlinkWriter writer, int index, uint sequence)
    {
        writer.Begin(RTM_GETTUNNEL, NLM_F_REQUEST | NLM_F_DUMP, sequence);
        writer.Write(new tunnel_msg { family = AF_BRIDGE, ifindex = index });
        writer.End();
    }

    public static void AddVni(NetlinkWriter writer, int index, uint vni, uint sequence) => Vni(writer, RTM_NEWTUNNEL, index, vni, sequence);

    public static void DeleteVni(NetlinkWriter writer, int index, uint vni, uint sequence) =>
        Vni(writer, RTM_DELTUNNEL, index, vni, sequence);

    /// <summary>
    /// Adds a preferred address for ever, without duplicate address detection. In IPv4 a /32 makes no route of table main; in IPv6 a /128
    /// would make one.
    /// </summary>
    public static void AddAddress(NetlinkWriter writer, int index, Ip address, uint sequence)
    {
        writer.Begin(RTM_NEWADDR, Request | NLM_F_CREATE | NLM_F_EXCL, sequence);
        writer.Write(Header(address, address.Bits, index));
        writer.Attribute(IFA_LOCAL, address);
        if (address.IsIPv6)
            writer.Attribute(IFA_FLAGS, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
        writer.Attribute(IFA_ADDRESS, address);
        writer.End();
    }

    /// <summary>Of several with the same address but other lengths, in IPv4, the one of this length.</summary>
    public static void DeleteAddress(NetlinkWriter writer, HostAddress address, uint sequence)
    {
        writer.Begin(RTM_DELADDR, Request, sequence);
        writer.Write(Header(address.Address, address.Connected.Length, address.Interface));
        writer.Attribute(IFA_LOCAL, address.Address);
        writer.Attribute(IFA_ADDRESS, address.Connected.Address);
        writer.End();
    }

    /// <summary>Decodes a link that is named hostgw0, or carries a mark of HostGw's; all but its VNIs.</summary>
    public static bool TryDecodeLink(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out TunnelLink? link)
    {
        link = null;
        if (!MemoryMarshal.TryRead(payload, out ifinfomsg header) || header.ifi_family != AF_UNSPEC)
            return false;
        ReadOnlySpan<byte> attributes = payload[Unsafe.SizeOf<ifinfomsg>()..];
        ReadOnlySpan<byte> families = NetlinkAttributes.Find(attributes, IFLA_AF_SPEC);
        link = Decode(attributes, header.ifi_index) with
        {
            Name = NetlinkAttributes.ReadString(NetlinkAttributes.Find(attributes, IFLA_IFNAME)),
            IsOurs = IsOurs(attributes),
            IsUp = (header.ifi_flags & IFF_UP) != 0,
            WrongSetting = string.Join(", ", [.. WrongMark(attributes), .. WrongSetting(families)]),
            HasIPv6 = HasIPv6(families),
        };
        return true;
    }

    /// <summary>
    /// It is of the kind of HostGw's and carries a mark of it: the alias may not be set yet, or somebody changes one of them. Of another
    /// kind only with the name and the alias: anybody may write either, and links under other names are deleted.
    /// </summary>
    /// <param name="attributes">Of a link.</param>
    public static bool IsOurs(ReadOnlySpan<byte> attributes)
    {
        bool hasAlias = HasAlias(attributes);
        if (!hasAlias && Group(attributes) != TunnelPlan.LinkGroup)
            return false;
        return Decode(attributes, 0).IsVxlanGpe ||
            (hasAlias && NetlinkAttributes.ReadString(NetlinkAttributes.Find(attributes, IFLA_IFNAME)) == TunnelPlan.LinkName);
    }

    /// <inheritdoc cref="IsOurs"/>
    public static bool HasAllMarks(ReadOnlySpan<byte> attributes) =>
        HasAlias(attributes) && Group(attributes) == TunnelPlan.LinkGroup;

    /// <summary>Adds the VNIs of one message; consecutive ones come as a range.</summary>
    /// <param name="payload">Of RTM_NEWTUNNEL or RTM_DELTUNNEL.</param>
    public static void AddVnis(ReadOnlySpan<byte> payload, List<uint> vnis)
    {
        if (payload.Length < Unsafe.SizeOf<tunnel_msg>())
            return;
        var entries = new NetlinkAttributes(payload[Unsafe.SizeOf<tunnel_msg>()..]);
        while (entries.Next())
        {
            if (entries.Type != VXLAN_VNIFILTER_ENTRY)
                continue;
            uint first = Number(entries.Value, VXLAN_VNIFILTER_ENTRY_START);
            uint last = Math.Max(first, Number(entries.Value, VXLAN_VNIFILTER_ENTRY_END));
            for (uint vni = first; vni <= last && vnis.Count < MostVnis; vni++)
                vnis.Add(vni);
        }
    }

    /// <summary>The index of the link whose VNIs a notification is about.</summary>
    public static int LinkOf(ReadOnlySpan<byte> payload) => MemoryMarshal.TryRead(payload, out tunnel_msg header) ? header.ifindex : 0;

    private static TunnelLink Decode(ReadOnlySpan<byte> link, int index)
    {
        ReadOnlySpan<byte> info = NetlinkAttributes.Find(link, IFLA_LINKINFO);
        bool isVxlan = NetlinkAttributes.Find(info, IFLA_INFO_KIND).TrimEnd((byte)0).SequenceEqual(Vxlan);
        ReadOnlySpan<byte> vxlan = isVxlan ? NetlinkAttributes.Find(info, IFLA_INFO_DATA) : default;
        bool isExternal = false, isGpe = false, filters = false;
        int port = 0;
        var attributes = new NetlinkAttributes(vxlan);
        while (attributes.Next())
        {
            isExternal |= attributes.Type == IFLA_VXLAN_COLLECT_METADATA && attributes.Read<byte>() != 0;
            isGpe |= attributes.Type == IFLA_VXLAN_GPE;
            filters |= attributes.Type == IFLA_VXLAN_VNIFILTER && attributes.Read<byte>() != 0;
            if (attributes.Type == IFLA_VXLAN_PORT)
                port = BinaryPrimitives.ReverseEndianness(attributes.Read<ushort>());
        }
        return new(index) { IsVxlanGpe = isExternal && isGpe, Port = port, FiltersVnis = filters };
    }

    private static bool HasAlias(ReadOnlySpan<byte> link) =>
        NetlinkAttributes.Find(link, IFLA_IFALIAS).TrimEnd((byte)0).SequenceEqual(Alias);

    private static uint Group(ReadOnlySpan<byte> link) => Number(link, IFLA_GROUP);

    private static List<string> WrongMark(ReadOnlySpan<byte> link)
    {
        List<string> wrong = [];
        if (!HasAlias(link))
            wrong.Add("another alias");
        if (Group(link) is var group && group != TunnelPlan.LinkGroup)
            wrong.Add($"group {group}");
        return wrong;
    }

    // A link of less than 1280 bytes has no settings of IPv6, nor any in a kernel without it.
    private static bool HasIPv6(ReadOnlySpan<byte> families)
    {
        ReadOnlySpan<byte> values = NetlinkAttributes.Find(NetlinkAttributes.Find(families, AF_INET6), IFLA_INET6_CONF);
        const int Offset = DEVCONF_DISABLE_IPV6 * sizeof(int);
        return values.Length >= Offset + sizeof(int) && MemoryMarshal.Read<int>(values[Offset..]) == 0;
    }

    // A family that the kernel does not have has no settings.
    private static List<string> WrongSetting(ReadOnlySpan<byte> families)
    {
        ReadOnlySpan<byte> v6 = NetlinkAttributes.Find(families, AF_INET6);
        ReadOnlySpan<byte> addresses = NetlinkAttributes.Find(v6, IFLA_INET6_ADDR_GEN_MODE);
        List<string> wrong = [];
        if (addresses.Length > 0 && addresses[0] != IN6_ADDR_GEN_MODE_NONE)
            wrong.Add("addrgenmode");
        foreach (TunnelSetting setting in TunnelSetting.All)
        {
            ReadOnlySpan<byte> values = setting.IsIPv6
                ? NetlinkAttributes.Find(v6, IFLA_INET6_CONF)
                : NetlinkAttributes.Find(NetlinkAttributes.Find(families, AF_INET), IFLA_INET_CONF);
            int offset = setting.Number * sizeof(int);
            if (values.Length >= offset + sizeof(int) && MemoryMarshal.Read<int>(values[offset..]) is var value && value != setting.Value)
                wrong.Add($"{setting.Family} {setting.Name} {value}");
        }
        return wrong;
    }

    private static uint Number(ReadOnlySpan<byte> entry, ushort type) =>
        MemoryMarshal.TryRead(NetlinkAttributes.Find(entry, type), out uint number) ? number : 0;

    private static void Vni(NetlinkWriter writer, ushort type, int index, uint vni, uint sequence)
    {
        writer.Begin(type, Request, sequence);
        writer.Write(new tunnel_msg { family = AF_BRIDGE, ifindex = index });
        int entry = writer.BeginNested(VXLAN_VNIFILTER_ENTRY);
        writer.Attribute(VXLAN_VNIFILTER_ENTRY_START, vni);
        writer.EndNested(entry);
        writer.End();
    }

    private static ifaddrmsg Header(Ip address, int length, int index) => new()
    {
        ifa_family = address.IsIPv4 ? AF_INET : AF_INET6,
        ifa_prefixlen = (byte)length,
        ifa_index = (uint)index,
    };
}

/// <summary>A setting under /proc/sys/net/FAMILY/conf/hostgw0.</summary>
/// <param name="Number">Its place in IFLA_INET_CONF or IFLA_INET6_CONF.</param>
internal readonly record struct TunnelSetting(bool IsIPv6, string Name, int Number, int Value)
{
    /// <summary>
    /// Nothing out of the tunnel changes this host's routes, and replies may come back natively: rp_filter 2 asks only that their source
    /// has a route.
    /// </summary>
    public static TunnelSetting[] All { get; } =
    [
        new(IsIPv6: false, "accept_redirects", 3, 0),
        new(IsIPv6: false, "rp_filter", 7, 2),
        new(IsIPv6: true, "accept_ra", 3, 0),
        new(IsIPv6: true, "accept_redirects", 4, 0),
    ];

    public string Family => IsIPv6 ? "ipv6" : "ipv4";
}
