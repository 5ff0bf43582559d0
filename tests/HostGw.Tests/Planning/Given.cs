using System.Collections.Immutable;
using System.Globalization;
using HostGw.Planning;

namespace HostGw.Tests.Planning;

/// <summary>Nodes, hosts and policies as one reads them: "peer 10.244.2.0/24 10.0.0.2 windows".</summary>
internal static class Given
{
    public const string Lan = "eth0 10.0.0.1/24 fd00:aaaa::1/64; default via 10.0.0.254 dev eth0";
    public const string Self = "self 10.244.1.0/24,fd00:10:244:1::/64 10.0.0.1,fd00:aaaa::1";

    /// <summary>"NAME PODCIDRS ADDRESSES [windows] [skip] [external=IP] [hop=IPS] [age=N] [uid=U] [labels=K:V]"; earlier nodes
    /// are older.</summary>
    public static ImmutableArray<ClusterNode> Nodes(params IEnumerable<string> lines) =>
        [.. lines.Select(Node).OrderBy(n => n.Name, StringComparer.Ordinal)];

    public static ClusterNode Node(string line, int position)
    {
        string[] words = line.Split(' ');
        string Option(string name, string otherwise) =>
            words.FirstOrDefault(w => w.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..] ?? otherwise;

        ILookup<bool, string> podCidrs = List(words[1]).ToLookup(text => Prefix.TryParse(text, out _));
        return new()
        {
            Name = words[0],
            Uid = Option("uid", "uid-" + words[0]),
            CreatedAt = 1000 + int.Parse(Option("age", position.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture),
            OperatingSystem = words.Contains("windows") ? "windows" : "linux",
            PodCidrs = [.. podCidrs[true].Select(Prefix.Parse)],
            UnreadablePodCidrs = [.. podCidrs[false]],
            InternalIPs = Ips(words[2]),
            ExternalIPs = Ips(Option("external", "-")),
            NextHopOverride = words.Any(w => w.StartsWith("hop=", StringComparison.Ordinal)) ? Ips(Option("hop", "-")) : null,
            Skip = words.Contains("skip=yes") ? null : words.Contains("skip"),
            Labels = [.. List(Option("labels", "-")).Select(l => KeyValuePair.Create(l.Split(':')[0], l.Split(':')[1]))],
        };
    }

    /// <summary>"eth0 10.0.0.1/24 [down] [mtu=9000] [noarp] [p2p]; DESTINATION|default via IP dev eth0 [proto N] [metric N] [tos N]; resolver IP; api
    /// IP; hostgw0 SOURCE/32 [down] [foreign] [port=N]; DESTINATION encap NODE src SOURCE mtu N dev hostgw0".</summary>
    public static HostState Host(string text)
    {
        HostDraft draft = new();
        foreach (string line in text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            draft.Read(line.Split(' '));
        return draft.Finish();
    }

    /// <summary>"PodGateway clusterCidrs=… serviceCidrs=… clusterRoute=on interface=eth* selector=a=b nat=off nat.any nat.exempt=…
    /// …".</summary>
    public static Policy Policy(string text)
    {
        Policy policy = new() { NodeName = "self" };
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string value = word[(word.IndexOf('=') + 1)..];
            policy = word.Split('=')[0] switch
            {
                "PodGateway" => policy with { NextHop = NextHopMode.PodGateway },
                "clusterCidrs" => policy with { ClusterCidrs = Prefixes(value) },
                "serviceCidrs" => policy with { ServiceCidrs = Prefixes(value), FindsServiceCidrs = false },
                "clusterRoute" => policy with { ClusterRoute = Enum.Parse<ClusterRouteMode>(value, ignoreCase: true) },
                "interface" => policy with { Interface = value },
                "selector" => policy with { NodeSelector = NodeSelector.Parse(value) },
                "policyRule" => policy with { PolicyRule = value == "on" },
                "probe" => policy with { Probe = value == "on" },
                "tunnel" => policy with { Tunnel = policy.Tunnel with { Mode = Enum.Parse<TunnelMode>(value, ignoreCase: true) } },
                "tunnel.source" => policy with
                {
                    Tunnel = policy.Tunnel with { Source = int.Parse(value, CultureInfo.InvariantCulture) },
                },
                "cni" => policy with { InstallCni = value == "on" },
                "forwarding" => policy with { Forwarding = value == "on" },
                "forwardAccept" => policy with { ForwardAccept = value == "on" },
                "windows.api" => policy with { Windows = policy.Windows with { ApiServerAddress = Ip.Parse(value) } },
                "windows.gateway" => policy with { Windows = policy.Windows with { Gateway = Ip.Parse(value) } },
                _ => policy with { Nat = Nat(policy.Nat, word, value) },
            };
        }
        return policy;
    }

    /// <summary>
    /// "PREFERENCE [not] [from P] [to P] [iif N] [oif N] [fwmark M] [ipproto P] [sport N-N] [dport N-N] [tos T] lookup T [suppress N]|goto N|nop|prohibit|unreachable|blackhole [ours];
    /// …" of the family of the first prefix, IPv4 without one, and those of every host; "no main" leaves out that of table main.
    /// </summary>
    public static ImmutableArray<PolicyRule> PolicyRules(string text)
    {
        string[] lines = text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        PolicyRule[] rules = [.. lines.Where(l => l != "no main").Select(PolicyRule)];
        IEnumerable<PolicyRule> usual = DefaultRules.Where(d => !rules.Any(r => (r.Preference, r.Table) == (d.Preference, d.Table)))
            .Where(d => d.Table != RoutingTables.Main || !lines.Contains("no main"));
        return lines.Length == 0 ? [] : [.. usual.Concat(rules).OrderBy(r => r.Preference)];
    }

    private static readonly PolicyRule[] DefaultRules =
    [
        new() { Preference = 0, Table = 255 }, new() { Preference = 32766, Table = 254 }, new() { Preference = 32767, Table = 253 },
    ];

    private static PolicyRule PolicyRule(string text)
    {
        string[] words = text.Split(' ');
        string After(string word, string otherwise = "") => words.Contains(word) ? words[Array.IndexOf(words, word) + 1] : otherwise;
        Prefix PrefixAfter(string word) =>
            !words.Contains(word) ? default : Prefix.TryParse(After(word), out Prefix prefix) ? prefix : Prefix.Host(Ip.Parse(After(word)));
        uint mark = words.Contains("fwmark") ? Convert.ToUInt32(After("fwmark"), 16) : 0;
        return new()
        {
            IsIPv6 = PrefixAfter("from").IsIPv6 || PrefixAfter("to").IsIPv6,
            Preference = uint.Parse(words[0], CultureInfo.InvariantCulture),
            From = PrefixAfter("from"),
            To = PrefixAfter("to"),
            InputInterface = After("iif"),
            OutputInterface = After("oif"),
            Mark = mark,
            MarkMask = mark == 0 ? 0 : uint.MaxValue,
            IpProtocol = After("ipproto") switch { "tcp" => 6, "udp" => 17, "sctp" => 132, _ => 0 },
            SourcePorts = Ports(After("sport")),
            DestinationPorts = Ports(After("dport")),
            Further = words.Contains("tos") ? $"tos {After("tos")}" : "",
            IsInverted = words.Contains("not"),
            Action = words.Contains("lookup") ? PolicyRuleAction.Lookup : words.Contains("goto") ? PolicyRuleAction.Goto
                : words.Contains("nop") ? PolicyRuleAction.None : words.Contains("prohibit") ? PolicyRuleAction.Prohibit
                : words.Contains("unreachable") ? PolicyRuleAction.Unreachable : PolicyRuleAction.Blackhole,
            Table = After("lookup", "0") switch { "main" => 254, "local" => 255, var t => uint.Parse(t, CultureInfo.InvariantCulture) },
            Target = uint.Parse(After("goto", "0"), CultureInfo.InvariantCulture),
            SuppressPrefixLength = int.Parse(After("suppress", "-1"), CultureInfo.InvariantCulture),
            IsOurs = words.Contains("ours"),
        };
    }

    private static PortRange? Ports(string text) => text.Split('-') is [{ Length: > 0 } first, ..] ports
        ? new(ushort.Parse(first, CultureInfo.InvariantCulture), ushort.Parse(ports[^1], CultureInfo.InvariantCulture)) : null;

    private static NatPolicy Nat(NatPolicy nat, string word, string value) => word.Split('=')[0] switch
    {
        "nat" => nat with { Enabled = value == "on" },
        "nat.any" => nat with { Source = NatSource.Any },
        "nat.exempt" => nat with { Exempt = Prefixes(value) },
        "nat.exemptNodes" => nat with { ExemptNodes = true },
        "nat.ipv6" => nat with { IPv6 = value == "on" },
        _ => throw new ArgumentException($"what is '{word}'?"),
    };

    /// <summary>What probes say: "PODCIDR PATH" each, such as "10.244.2.0/24 Tunnel".</summary>
    public static Reachability Paths(params IEnumerable<string> lines) => new(
        from line in lines
        let words = line.Split(' ')
        select (Prefix.Parse(words[0]), new Reach(ReachKind.PodTrafficDropped, 1, 0) { Path = Enum.Parse<PeerPath>(words[1]) }));

    public static ImmutableArray<Prefix> Prefixes(string text) => [.. List(text).Select(Prefix.Parse)];

    private static ImmutableArray<Ip> Ips(string text) => [.. List(text).Select(Ip.Parse)];

    private static string[] List(string text) => text == "-" ? [] : text.Split(',');
}

/// <summary>A host while its description is being read; interface numbers follow the order of the lines, from 2 on (1 is lo).</summary>
internal sealed class HostDraft
{
    private readonly List<HostInterface> _interfaces = [new(1, "lo", IsUp: true, IsLoopback: true)];
    private readonly List<HostAddress> _addresses =
    [
        new(Ip.Parse("127.0.0.1"), Prefix.Parse("127.0.0.0/8"), 1), new(Ip.Parse("::1"), Prefix.Parse("::1/128"), 1),
    ];
    private readonly List<HostRoute> _routes = [];
    private readonly List<ProtectedAddress> _protected = [];
    private readonly List<int> _multipath = [];
    private TunnelLink? _tunnel;

    public void Read(string[] words)
    {
        if (words.Length > 1 && words[1] is "via" or "dev" or "blackhole" or "encap")
            ReadRoute(words);
        else if (words[0] == "resolver")
            _protected.Add(new(Ip.Parse(words[1]), ProtectedRole.Resolver));
        else if (words[0] == "api")
            _protected.Add(new(Ip.Parse(words[1]), ProtectedRole.ApiServer));
        else
            ReadInterface(words);
    }

    public HostState Finish() => new()
    {
        Interfaces = [.. _interfaces],
        Addresses = [.. _addresses],
        Routes = [.. _routes.Concat(Connected(_interfaces, _addresses)).OrderBy(r => r.Key)],
        Protected = [.. _protected],
        MultipathInterfaces = [.. _multipath],
        Tunnel = _tunnel,
    };

    /// <summary>The routes that the kernel makes for addresses: none for a host address, nor while the interface is down.</summary>
    public static IEnumerable<HostRoute> Connected(IEnumerable<HostInterface> interfaces, IEnumerable<HostAddress> addresses) =>
        from address in addresses
        from link in interfaces
        where link.Index == address.Interface && link is { IsUp: true, IsLoopback: false }
        where address.Connected != Prefix.Host(address.Address) || address.Address.IsIPv6
        select new HostRoute
        {
            Destination = address.Connected,
            Metric = address.Address.IsIPv4 ? 0u : 256u,
            Interface = link.Index,
            NextHopCount = 1,
            IsUnicast = true,
            Protocol = 2,
            IsConnected = true,
        };

    private void ReadInterface(string[] words)
    {
        int index = words[0] == "lo" ? 1 : _interfaces.Count + 1;
        if (index > 1)
            _interfaces.Add(new(index, words[0], IsUp: !words.Contains("down"), IsLoopback: false)
            {
                Mtu = Number("mtu=", words, 1500),
                HasNeighbours = !words.Contains("noarp"),
                IsPointToPoint = words.Contains("p2p"),
            });
        if (words[0] == TunnelPlan.LinkName)
        {
            _tunnel = new(index)
            {
                IsOurs = !words.Contains("foreign"),
                IsUp = !words.Contains("down"),
                IsVxlanGpe = !words.Contains("foreign"),
                Port = Number("port=", words, 4790),
            };
        }
        foreach (string word in words[1..])
        {
            // "10.8.0.2>10.8.0.1/32": our end of a point-to-point link, and the other.
            string[] ends = word.Split('>');
            if (Prefix.TryParse(ends[^1], out Prefix connected))
                _addresses.Add(new(ends.Length > 1 ? Ip.Parse(ends[0]) : connected.Address, connected.Aligned, index));
        }
    }

    private static int Number(string name, string[] words, int otherwise) =>
        words.FirstOrDefault(w => w.StartsWith(name, StringComparison.Ordinal)) is { } given
            ? int.Parse(given[name.Length..], CultureInfo.InvariantCulture) : otherwise;

    private void ReadRoute(string[] words)
    {
        string After(string word, string otherwise) => words.Contains(word) ? words[Array.IndexOf(words, word) + 1] : otherwise;
        Encapsulation? tunnel = !words.Contains("encap") ? null
            : new(157, Ip.Parse(After("encap", "")), Ip.Parse(After("src", "")), int.Parse(After("mtu", ""), CultureInfo.InvariantCulture));
        Ip nextHop = words.Contains("via") ? Ip.Parse(After("via", "")) : tunnel?.Node ?? default;
        int[] others = [.. _interfaces.Where(i => After("also", "").Split(',').Contains(i.Name)).Select(i => i.Index)];
        _multipath.AddRange(others);
        bool isDefault = words[0] is "default" or "default6";
        ushort protocol = ushort.Parse(After("proto", tunnel is null ? "3" : "157"), CultureInfo.InvariantCulture);
        _routes.Add(new()
        {
            Destination = Prefix.Parse(words[0] switch { "default" => "0.0.0.0/0", "default6" => "::/0", _ => words[0] }),
            NextHop = nextHop,
            Interface = _interfaces.Single(i => i.Name == After("dev", "")).Index,
            Metric = uint.Parse(After("metric", "0"), CultureInfo.InvariantCulture),
            Tos = byte.Parse(After("tos", "0"), CultureInfo.InvariantCulture),
            Tunnel = tunnel,
            NextHopCount = (ushort)(1 + others.Length),
            IsUnicast = !words.Contains("blackhole"),
            Protocol = protocol,
            IsOurs = protocol == 157,
        });
        if (isDefault && !nextHop.IsNone)
            _protected.Add(new(nextHop, ProtectedRole.Gateway));
    }
}

/// <summary>Plans as short texts.</summary>
internal static class Shown
{
    public static string[] Routes(Plan plan, HostState host) =>
        [.. plan.Routes.Select(r => $"{r.Destination}{Way(r)} dev {host.Interface(r.Interface)?.Name}")];

    private static string Way(PodRoute route) => route switch
    {
        { Tunnel: { } tunnel } => $" encap {tunnel.Node} src {tunnel.Source} mtu {tunnel.Mtu}",
        { NextHop.IsNone: true } => "",
        _ => $" via {route.NextHop}",
    };

    /// <summary>"peer 10.244.2.0/24 routed: reason".</summary>
    public static string Verdict(Verdict verdict) =>
        $"{verdict.Node.Name} {(verdict.PodCidr.IsNone ? "-" : verdict.PodCidr.ToString())} {VerdictNames.Of(verdict.Kind)}" +
        (verdict.Reason.Length == 0 ? "" : $": {verdict.Reason}");

    public static string[] Verdicts(Plan plan) => [.. plan.Verdicts.Select(Verdict)];
}
