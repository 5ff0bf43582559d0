using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Netlink.NetlinkFlags;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux.Rtnetlink;

/// <summary>Encodes requests that add, delete and list policy rules, and decodes the answers (linux/fib_rules.h).</summary>
internal static class RuleMessages
{
    private const ushort FRA_DST = 1;
    private const ushort FRA_SRC = 2;
    private const ushort FRA_IIFNAME = 3;
    private const ushort FRA_GOTO = 4;
    private const ushort FRA_PRIORITY = 6;
    private const ushort FRA_FWMARK = 10;
    private const ushort FRA_FLOW = 11;
    private const ushort FRA_TUN_ID = 12;
    private const ushort FRA_SUPPRESS_IFGROUP = 13;
    private const ushort FRA_SUPPRESS_PREFIXLEN = 14;
    private const ushort FRA_TABLE = 15;
    private const ushort FRA_FWMASK = 16;
    private const ushort FRA_OIFNAME = 17;
    private const ushort FRA_PAD = 18;
    private const ushort FRA_L3MDEV = 19;
    private const ushort FRA_UID_RANGE = 20;
    private const ushort FRA_PROTOCOL = 21;
    private const ushort FRA_IP_PROTO = 22;
    private const ushort FRA_SPORT_RANGE = 23;
    private const ushort FRA_DPORT_RANGE = 24;
    private const ushort FRA_SPORT_MASK = 28;
    private const ushort FRA_DPORT_MASK = 29;

    private const byte FR_ACT_TO_TBL = 1;
    private const byte FR_ACT_GOTO = 2;
    private const byte FR_ACT_BLACKHOLE = 6;
    private const byte FR_ACT_UNREACHABLE = 7;
    private const byte FR_ACT_PROHIBIT = 8;
    private const uint FIB_RULE_INVERT = 2;

    /// <summary>Lists the rules of all families.</summary>
    public static void Dump(NetlinkWriter writer, uint sequence)
    {
        writer.Begin(RTM_GETRULE, NLM_F_REQUEST | NLM_F_DUMP, sequence);
        writer.Write(default(fib_rule_hdr));
        writer.End();
    }

    /// <summary>Adds one of HostGw's rules. The kernel answers EEXIST if there is exactly this one.</summary>
    public static void Add(NetlinkWriter writer, PolicyRule rule, byte protocol, uint sequence) =>
        Write(writer, RTM_NEWRULE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, rule, protocol, sequence);

    /// <summary>Deletes one of HostGw's rules, and none that differs in anything.</summary>
    public static void Delete(NetlinkWriter writer, PolicyRule rule, byte protocol, uint sequence) =>
        Write(writer, RTM_DELRULE, NLM_F_REQUEST | NLM_F_ACK, rule, protocol, sequence);

    /// <param name="protocol">The protocol number of HostGw's rules.</param>
    public static bool TryDecode(ReadOnlySpan<byte> payload, byte protocol, out PolicyRule? rule)
    {
        rule = null;
        if (!MemoryMarshal.TryRead(payload, out fib_rule_hdr header) || header.family is not (AF_INET or AF_INET6))
            return false;

        Fields fields = new() { Table = header.table };
        List<string> further = header.tos == 0 ? [] : [Text($"tos 0x{header.tos:x}")];
        var attributes = new NetlinkAttributes(payload[Unsafe.SizeOf<fib_rule_hdr>()..]);
        while (attributes.Next())
        {
            if (!TryReadAction(attributes, ref fields) && !TryReadSelector(attributes, header, ref fields) &&
                !TryReadTransport(attributes, ref fields))
                further.Add(FurtherSelector(attributes));
        }
        rule = Rule(header, fields, string.Join(' ', further));
        bool isOurs = fields.Protocol == protocol && rule is { IsPlain: true, Table: RoutingTables.Main, SuppressPrefixLength: >= 0 } &&
            rule.From.IsNone && !rule.To.IsNone;
        rule = isOurs ? rule with { IsOurs = true } : rule;
        return true;
    }

    private static PolicyRule Rule(fib_rule_hdr header, in Fields fields, string further) => new()
    {
        IsIPv6 = header.family == AF_INET6,
        Preference = fields.Preference,
        From = fields.From,
        To = fields.To,
        InputInterface = fields.InputInterface ?? "",
        OutputInterface = fields.OutputInterface ?? "",
        Mark = fields.Mark,
        MarkMask = fields.MarkMask,
        IpProtocol = fields.IpProtocol,
        SourcePorts = fields.SourcePorts,
        DestinationPorts = fields.DestinationPorts,
        Further = further,
        IsInverted = (header.flags & FIB_RULE_INVERT) != 0,
        Action = ActionOf(header.action),
        Table = fields.Table,
        Target = fields.Target,
        SuppressPrefixLength = fields.SuppressPrefixLength ?? -1,
        SuppressesGroup = fields.SuppressGroup is >= 0,
        IsVrf = fields.IsVrf,
        Protocol = fields.Protocol,
    };

    // A rule consists of a selector and an action: https://man7.org/linux/man-pages/man8/ip-rule.8.html
    private static bool TryReadAction(NetlinkAttributes attribute, ref Fields fields)
    {
        switch (attribute.Type)
        {
            case FRA_PRIORITY:
                fields.Preference = attribute.Read<uint>();
                return true;
            case FRA_TABLE:
                fields.Table = attribute.Read<uint>();
                return true;
            case FRA_GOTO:
                fields.Target = attribute.Read<uint>();
                return true;
            case FRA_PROTOCOL:
                fields.Protocol = attribute.Read<byte>();
                return true;
            case FRA_SUPPRESS_PREFIXLEN:
                fields.SuppressPrefixLength = attribute.Read<int>();
                return true;
            case FRA_SUPPRESS_IFGROUP:
                fields.SuppressGroup = attribute.Read<int>();
                return true;
            default:
                return attribute.Type is FRA_FLOW or FRA_PAD;
        }
    }

    private static bool TryReadSelector(NetlinkAttributes attribute, fib_rule_hdr header, ref Fields fields)
    {
        switch (attribute.Type)
        {
            case FRA_DST:
                fields.To = PrefixOf(attribute, header.dst_len);
                return true;
            case FRA_SRC:
                fields.From = PrefixOf(attribute, header.src_len);
                return true;
            case FRA_IIFNAME:
                fields.InputInterface = attribute.ReadString();
                return true;
            case FRA_OIFNAME:
                fields.OutputInterface = attribute.ReadString();
                return true;
            case FRA_FWMARK:
                fields.Mark = attribute.Read<uint>();
                return true;
            case FRA_FWMASK:
                fields.MarkMask = attribute.Read<uint>();
                return true;
            case FRA_L3MDEV:
                fields.IsVrf = attribute.Read<byte>() != 0;
                return true;
            default:
                return false;
        }
    }

    private static bool TryReadTransport(NetlinkAttributes attribute, ref Fields fields)
    {
        switch (attribute.Type)
        {
            case FRA_IP_PROTO:
                fields.IpProtocol = attribute.Read<byte>();
                return true;
            case FRA_SPORT_RANGE:
                fields.SourcePorts = Ports(attribute);
                return true;
            case FRA_DPORT_RANGE:
                fields.DestinationPorts = Ports(attribute);
                return true;
            case FRA_SPORT_MASK or FRA_DPORT_MASK:
                return attribute.Read<ushort>() == ushort.MaxValue; // the whole port, as newer kernels say of a single one
            default:
                return false;
        }
    }

    // struct fib_rule_port_range: start and end, in the order of the host's bytes.
    private static PortRange Ports(NetlinkAttributes attribute) =>
        new((ushort)attribute.Read<uint>(), (ushort)(attribute.Read<uint>() >> 16));

    private static string FurtherSelector(NetlinkAttributes attribute) => attribute.Type switch
    {
        FRA_TUN_ID when BinaryPrimitives.TryReadUInt64BigEndian(attribute.Value, out ulong id) => Text($"tun_id {id}"),
        FRA_UID_RANGE when MemoryMarshal.TryRead(attribute.Value, out ulong range) => Text($"uidrange {(uint)range}-{range >> 32}"),
        // Newer than this program.
        _ => Text($"(selector {attribute.Type})"),
    };

    private static void Write(NetlinkWriter writer, ushort type, ushort flags, PolicyRule rule, byte protocol, uint sequence)
    {
        writer.Begin(type, flags, sequence);
        writer.Write(new fib_rule_hdr
        {
            family = rule.IsIPv6 ? AF_INET6 : AF_INET,
            dst_len = rule.To.Length,
            table = (byte)RoutingTables.Main,
            action = FR_ACT_TO_TBL,
        });
        writer.Attribute(FRA_DST, rule.To.Address);
        writer.Attribute(FRA_PRIORITY, rule.Preference);
        writer.Attribute(FRA_TABLE, RoutingTables.Main);
        writer.Attribute(FRA_SUPPRESS_PREFIXLEN, rule.SuppressPrefixLength);
        writer.Attribute(FRA_PROTOCOL, protocol);
        writer.End();
    }

    private static Prefix PrefixOf(NetlinkAttributes attribute, byte length) =>
        Ip.FromBytes(attribute.Value) is { IsNone: false } ip && length <= ip.Bits ? new Prefix(ip, length).Aligned : default;

    private static PolicyRuleAction ActionOf(byte action) => action switch
    {
        FR_ACT_TO_TBL => PolicyRuleAction.Lookup,
        FR_ACT_GOTO => PolicyRuleAction.Goto,
        FR_ACT_BLACKHOLE => PolicyRuleAction.Blackhole,
        FR_ACT_UNREACHABLE => PolicyRuleAction.Unreachable,
        FR_ACT_PROHIBIT => PolicyRuleAction.Prohibit,
        _ => PolicyRuleAction.None,
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private struct Fields
    {
        public uint Preference;
        public Prefix From;
        public Prefix To;
        public string? InputInterface;
        public string? OutputInterface;
        public uint Mark;
        public uint MarkMask;
        public byte IpProtocol;
        public PortRange? SourcePorts;
        public PortRange? DestinationPorts;
        public uint Table;
        public uint Target;
        public int? SuppressPrefixLength;
        public int? SuppressGroup;
        public bool IsVrf;
        public byte Protocol;
    }
}

/// <summary>Encodes the question which route a packet takes, and decodes the answer.</summary>
internal static class LookupMessages
{
    // Without it the kernel says that every IPv4 route is one of table main. For IPv6 it always says the table, and refuses this flag.
    private const uint RTM_F_LOOKUP_TABLE = 0x1000;
    private const uint RTM_F_FIB_MATCH = 0x2000;
    private const byte RTN_BLACKHOLE = 6;
    private const byte RTN_PROHIBIT = 8;

    public static void Ask(NetlinkWriter writer, in PacketPath path, uint sequence)
    {
        writer.Begin(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_ACK, sequence);
        writer.Write(new rtmsg
        {
            rtm_family = path.Destination.IsIPv4 ? AF_INET : AF_INET6,
            rtm_dst_len = (byte)path.Destination.Bits,
            rtm_src_len = (byte)path.Source.Bits,
            rtm_flags = path.Destination.IsIPv4 ? RTM_F_LOOKUP_TABLE | RTM_F_FIB_MATCH : RTM_F_FIB_MATCH,
        });
        writer.Attribute(RTA_DST, path.Destination);
        writer.Attribute(RTA_SRC, path.Source);
        if (path.Interface is { } link)
            writer.Attribute(RTA_IIF, link.Index);
        if (path.Protocol != 0)
            writer.Attribute(RTA_IP_PROTO, path.Protocol);
        if (path.SourcePort != 0)
            writer.Attribute(RTA_SPORT, BinaryPrimitives.ReverseEndianness(path.SourcePort));
        if (path.DestinationPort != 0)
            writer.Attribute(RTA_DPORT, BinaryPrimitives.ReverseEndianness(path.DestinationPort));
        writer.End();
    }

    /// <summary>Asks for the path of this host's own packets to an address.</summary>
    // Without RTM_F_FIB_MATCH: an MTU that the kernel has learnt belongs to the path, not to the route in the table.
    public static void AskPath(NetlinkWriter writer, Ip destination, uint sequence)
    {
        writer.Begin(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_ACK, sequence);
        writer.Write(new rtmsg { rtm_family = destination.IsIPv4 ? AF_INET : AF_INET6, rtm_dst_len = (byte)destination.Bits });
        writer.Attribute(RTA_DST, destination);
        writer.End();
    }

    /// <summary>Decodes the answer to <see cref="AskPath"/>; false for one that is no unicast route.</summary>
    /// <param name="mtu">0: that of the interface.</param>
    public static bool TryDecodePath(ReadOnlySpan<byte> payload, out int link, out int mtu)
    {
        link = mtu = 0;
        if (!MemoryMarshal.TryRead(payload, out rtmsg header) || header.rtm_type != RTN_UNICAST)
            return false;
        var attributes = new NetlinkAttributes(payload[Unsafe.SizeOf<rtmsg>()..]);
        while (attributes.Next())
        {
            if (attributes.Type == RTA_OIF)
                link = attributes.Read<int>();
            else if (attributes.Type == RTA_METRICS && NetlinkAttributes.Find(attributes.Value, RTAX_MTU) is { Length: sizeof(int) } metric)
                mtu = MemoryMarshal.Read<int>(metric);
        }
        return link > 0;
    }

    /// <summary>Decodes a route of a list; false for one of another table, and for one that only packets of certain sources take.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> payload, uint table, out RouteAnswer route) =>
        TryDecode(payload, out route) && route.Table == table && MemoryMarshal.Read<rtmsg>(payload).rtm_src_len == 0;

    /// <summary>False for a message that is no route.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> payload, out RouteAnswer answer)
    {
        answer = default;
        if (!MemoryMarshal.TryRead(payload, out rtmsg header) || header.rtm_family is not (AF_INET or AF_INET6))
            return false;
        Ip destination = Ip.FromBytes(stackalloc byte[header.rtm_family == AF_INET ? 4 : 16]);
        uint table = header.rtm_table;
        RouteHop hop = default;
        var attributes = new NetlinkAttributes(payload[Unsafe.SizeOf<rtmsg>()..]);
        while (attributes.Next())
        {
            if (attributes.Type == RTA_DST)
                destination = Ip.FromBytes(attributes.Value);
            else if (attributes.Type == RTA_TABLE)
                table = attributes.Read<uint>();
            else
                hop.Read(attributes);
        }
        if (destination.IsNone || header.rtm_dst_len > destination.Bits)
            return false;
        uint seen = header.rtm_type == RTN_LOCAL ? RoutingTables.Local : table;
        answer = new(KindOf(header.rtm_type), seen, new Prefix(destination, header.rtm_dst_len).Aligned, hop.Gateway, hop.Interface);
        return true;
    }

    private static RouteAnswerKind KindOf(byte type) => type switch
    {
        >= RTN_BLACKHOLE and <= RTN_PROHIBIT => RouteAnswerKind.Blocked,
        RTN_THROW => RouteAnswerKind.Throw,
        _ => RouteAnswerKind.Route,
    };
}
