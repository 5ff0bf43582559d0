using System.Collections.Immutable;
using System.Globalization;

namespace HostGw.Planning;

/// <summary>A rule of the routing policy (`ip rule`): the kernel asks the tables of the rules that match a packet, in order.</summary>
/// <remarks>https://man7.org/linux/man-pages/man8/ip-rule.8.html</remarks>
internal sealed record PolicyRule
{
    public bool IsIPv6 { get; init; }

    /// <summary>Rules are tried in ascending order of it; of equal ones the older first.</summary>
    public uint Preference { get; init; }

    /// <summary>None: from all.</summary>
    public Prefix From { get; init; }

    /// <summary>None: to all.</summary>
    public Prefix To { get; init; }

    /// <summary>Empty: any. "lo" for what this host sends itself.</summary>
    public string InputInterface { get; init; } = "";

    /// <summary>Empty: any. Only sockets that are bound to the interface match.</summary>
    public string OutputInterface { get; init; } = "";

    public uint Mark { get; init; }

    public uint MarkMask { get; init; }

    /// <summary>IPPROTO_*; 0: any.</summary>
    public byte IpProtocol { get; init; }

    /// <summary>Null: any.</summary>
    public PortRange? SourcePorts { get; init; }

    /// <inheritdoc cref="SourcePorts"/>
    public PortRange? DestinationPorts { get; init; }

    /// <summary>Further selectors as `ip rule` writes them: user, type of service, tunnel; empty: none.</summary>
    public string Further { get; init; } = "";

    /// <summary>It matches what its selectors do not.</summary>
    public bool IsInverted { get; init; }

    public PolicyRuleAction Action { get; init; }

    public uint Table { get; init; }

    /// <summary>The preference at which a goto continues.</summary>
    public uint Target { get; init; }

    /// <summary>A route of this prefix length or a shorter one does not count; -1: all count.</summary>
    public int SuppressPrefixLength { get; init; } = -1;

    /// <summary>Routes over interfaces of a group do not count.</summary>
    public bool SuppressesGroup { get; init; }

    /// <summary>The rule finds the table of a VRF by the packet's interface.</summary>
    public bool IsVrf { get; init; }

    /// <summary>Who installed it: RTPROT_*.</summary>
    public byte Protocol { get; init; }

    /// <summary>It carries HostGw's protocol number and has the form of HostGw's rule.</summary>
    public bool IsOurs { get; init; }

    /// <summary>One of the rules that every host has: local, main and default.</summary>
    public bool IsDefault => IsPlain && From.IsNone && To.IsNone && SuppressPrefixLength < 0 && (Preference, Table) is
        (0, RoutingTables.Local) or (32766, RoutingTables.Main) or (32767, RoutingTables.Default);

    /// <summary>A lookup that no selector but addresses limits.</summary>
    public bool IsPlain => Action == PolicyRuleAction.Lookup && InputInterface.Length == 0 && OutputInterface.Length == 0 && !NeedsMark &&
        MarkMask == 0 && IpProtocol == 0 && SourcePorts is null && DestinationPorts is null && Further.Length == 0 && !IsInverted &&
        !IsVrf && !SuppressesGroup;

    /// <summary>It matches by a mark, user, type of service or tunnel, which are not known beforehand.</summary>
    public bool IsUndecidable => !IsInverted && (NeedsMark || Further.Length > 0);

    /// <summary>Probes are UDP datagrams from and to ports that no rule is about.</summary>
    public bool MayTakeProbes => IsInverted || (IpProtocol is 0 or IpProtocols.Udp && SourcePorts is null && DestinationPorts is null);

    public bool NeedsMark => (Mark & MarkMask) != 0;

    /// <summary>All are default rules, and each family that has rules has the one for table main.</summary>
    public static bool AreUsual(IReadOnlyCollection<PolicyRule> rules) =>
        rules.All(r => r.IsDefault) &&
        rules.Select(r => r.IsIPv6).Distinct().All(f => rules.Any(r => r.IsIPv6 == f && r.Table == RoutingTables.Main));

    /// <summary>Whether it matches an unmarked packet.</summary>
    public bool Matches(in PacketPath path)
    {
        bool matches = (From.IsNone || From.Contains(path.Source)) && (To.IsNone || To.Contains(path.Destination)) &&
            (InputInterface.Length == 0 || InputInterface == path.InterfaceName) && OutputInterface.Length == 0 &&
            (IpProtocol == 0 || IpProtocol == path.KernelProtocol) && SourcePorts?.Contains(path.SourcePort) != false &&
            DestinationPorts?.Contains(path.DestinationPort) != false && !NeedsMark && Further.Length == 0 && !IsVrf;
        return matches != IsInverted;
    }

    public bool Suppresses(int prefixLength) => prefixLength <= SuppressPrefixLength || SuppressesGroup;

    /// <summary>The command that deletes exactly this rule.</summary>
    public string DeleteCommand => $"ip {(IsIPv6 ? "-6 " : "")}rule del pref {Preference} {this}";

    /// <summary>The command that adds the rule which every host has for table main.</summary>
    public static string MainCommand(bool ipv6) => $"ip {(ipv6 ? "-6 " : "")}rule add pref 32766 lookup main";

    /// <summary>As `ip rule` writes it, without its preference.</summary>
    public override string ToString()
    {
        string[] words =
        [
            IsInverted ? "not" : "",
            $"from {(From.IsNone ? "all" : $"{From}")}",
            To.IsNone ? "" : $"to {To}",
            MarkMask == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"fwmark 0x{Mark:x}/0x{MarkMask:x}"),
            InputInterface.Length == 0 ? "" : $"iif {InputInterface}",
            OutputInterface.Length == 0 ? "" : $"oif {OutputInterface}",
            IpProtocol == 0 ? "" : $"ipproto {IpProtocols.Name(IpProtocol)}",
            SourcePorts is { } from ? $"sport {from}" : "",
            DestinationPorts is { } to ? $"dport {to}" : "",
            Further,
            Effect,
            SuppressPrefixLength < 0 ? "" : $"suppress_prefixlength {SuppressPrefixLength}",
        ];
        return string.Join(' ', words.Where(w => w.Length > 0));
    }

    private string Effect => Action switch
    {
        _ when IsVrf => "l3mdev",
        PolicyRuleAction.Lookup => $"lookup {RoutingTables.Name(Table)}",
        PolicyRuleAction.Goto => $"goto {Target}",
        PolicyRuleAction.None => "nop",
        PolicyRuleAction.Blackhole => "blackhole",
        PolicyRuleAction.Unreachable => "unreachable",
        _ => "prohibit",
    };
}

internal enum PolicyRuleAction
{
    Lookup,
    Goto,
    None,
    Blackhole,
    Unreachable,
    Prohibit,
}

internal readonly record struct PortRange(ushort First, ushort Last)
{
    public bool Contains(ushort port) => port >= First && port <= Last;

    public override string ToString() => First == Last
        ? First.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{First}-{Last}");
}

/// <summary>IPPROTO_* of linux/in.h and linux/in6.h.</summary>
internal static class IpProtocols
{
    public const byte Tcp = 6;
    public const byte Udp = 17;

    public static string Name(byte protocol) => protocol switch
    {
        1 => "icmp",
        Tcp => "tcp",
        Udp => "udp",
        58 => "ipv6-icmp",
        132 => "sctp",
        _ => protocol.ToString(CultureInfo.InvariantCulture),
    };
}

/// <summary>The tables that every host has.</summary>
internal static class RoutingTables
{
    public const uint Default = 253;
    public const uint Main = 254;
    public const uint Local = 255;

    public static string Name(uint table) => table switch
    {
        Main => "main",
        Local => "local",
        Default => "default",
        _ => $"{table}",
    };
}

/// <summary>A route for packets from certain sources only, which only IPv6 has (`ip -6 route add … from …`).</summary>
internal readonly record struct SourceRoute(Prefix Source, HostRoute Route);

/// <summary>Packets between pods, or from this host to pods, that do not take HostGw's route though it is installed.</summary>
/// <param name="Cause">What takes precedence: "policy rule 5270: from all lookup 52", or a route for certain sources.</param>
/// <param name="Traffic">Whose packets, in words.</param>
/// <param name="Instead">What they take: "table 52 (10.244.0.0/16 dev tun0)".</param>
/// <param name="Removal">The command that removes the cause.</param>
/// <param name="Affected">Destinations of desired routes.</param>
internal sealed record RouteOverride(string Cause, string Traffic, string Instead, string Removal, IReadOnlySet<Prefix> Affected)
{
    /// <summary>HostGw's own policy rule would put it right.</summary>
    public bool IsByRule { get; init; }

    /// <summary>The cause is a rule that is missing: the command adds it.</summary>
    public bool IsOmission { get; init; }

    /// <summary>No probe of a pod network is among the packets: TCP, certain ports or addresses, or the host's own alone.</summary>
    public bool SparesProbes { get; init; }
}

/// <summary>A packet of which the kernel is asked which route it takes.</summary>
/// <param name="Interface">On which it arrives; null: this host sends it.</param>
internal readonly record struct PacketPath(Ip Source, Ip Destination, HostInterface? Interface)
{
    public string InterfaceName => Interface?.Name ?? "lo";

    /// <summary>IPPROTO_*; 0: none is named, and the kernel assumes one.</summary>
    public byte Protocol { get; init; }

    public ushort SourcePort { get; init; }

    public ushort DestinationPort { get; init; }

    /// <summary>The one by which the kernel judges the packet.</summary>
    public byte KernelProtocol => Protocol == 0 ? IpProtocols.Udp : Protocol;
}

/// <summary>What the kernel answers about a packet.</summary>
/// <param name="Destination">Of the route.</param>
/// <param name="NextHop">None for an on-link route, and for a multipath one.</param>
/// <param name="Interface">0 for a multipath route.</param>
internal readonly record struct RouteAnswer(RouteAnswerKind Kind, uint Table, Prefix Destination, Ip NextHop, int Interface)
{
    /// <summary>The kernel does not say: it would drop the packet, and not why.</summary>
    public static RouteAnswer Refused { get; } = new(RouteAnswerKind.Refused, 0, default, default, 0);

    /// <summary>The route of a table that packets take; null: none, or a throw route: the lookup goes on with the next rule.</summary>
    public static RouteAnswer? LongestMatch(IEnumerable<RouteAnswer> table, Ip destination)
    {
        RouteAnswer? longest = null;
        foreach (RouteAnswer route in table)
        {
            if (route.Destination.Contains(destination) && (longest is not { } last || last.Destination.Length < route.Destination.Length))
                longest = route;
        }
        return longest is { Kind: RouteAnswerKind.Throw } ? null : longest;
    }
}

internal enum RouteAnswerKind
{
    Route,

    /// <summary>A blackhole, unreachable or prohibit route.</summary>
    Blocked,

    /// <summary>The lookup goes on with the next rule, as if the table had no route.</summary>
    Throw,
    Refused,
}

/// <summary>Asks the kernel which routes packets take.</summary>
internal interface IRouteLookup
{
    RouteAnswer Ask(in PacketPath path);

    /// <inheritdoc cref="RouteAnswer.LongestMatch"/>
    RouteAnswer? LongestMatch(uint table, Ip destination);
}
