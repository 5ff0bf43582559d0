using System.Collections.Immutable;
using System.Globalization;
using HostGw.Planning;

namespace HostGw.Tests.Planning;

/// <summary>Nodes, hosts and policies as one reads them: "peer 10.244.2.0/24 10.0.0.2 windows".</summary>
internal static class Given
{
    public const string Lan = "eth0 10.0.0.1/24 fd00:aaaa::1/64; default via 10.0.0.254 dev eth0";
    public const string Self = "self 10.244.1.0/24,fd00:10:244:1::/64 10.0.0.1,fd00:aaaa::1";

    /// <summary>"NAME PODCIDRS ADDRESSES [windows] [skip] [external=IP] [hop=IPS] [age=N] [uid=U] [labels=K:V]"; nodes are as old as they stand early.</summary>
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

    /// <summary>"eth0 10.0.0.1/24 [down] [mtu=9000]; DESTINATION|default via IP dev eth0 [proto N] [metric N]; resolver IP; api IP".</summary>
    public static HostState Host(string text)
    {
        HostDraft draft = new();
        foreach (string line in text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            draft.Read(line.Split(' '));
        return draft.Finish();
    }

    /// <summary>"PodGateway clusterCidrs=… serviceCidrs=… clusterRoute=on interface=eth* selector=a=b nat=off nat.any nat.exempt=… …".</summary>
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
                "serviceCidrs" => policy with { ServiceCidrs = Prefixes(value) },
                "clusterRoute" => policy with { ClusterRoute = Enum.Parse<ClusterRouteMode>(value, ignoreCase: true) },
                "interface" => policy with { Interface = value },
                "selector" => policy with { NodeSelector = NodeSelector.Parse(value) },
                "cni" => policy with { InstallCni = value == "on" },
                "forwarding" => policy with { Forwarding = value == "on" },
                "windows.api" => policy with { Windows = policy.Windows with { ApiServerAddress = Ip.Parse(value) } },
                "windows.gateway" => policy with { Windows = policy.Windows with { Gateway = Ip.Parse(value) } },
                _ => policy with { Nat = Nat(policy.Nat, word, value) },
            };
        }
        return policy;
    }

    private static NatPolicy Nat(NatPolicy nat, string word, string value) => word.Split('=')[0] switch
    {
        "nat" => nat with { Enabled = value == "on" },
        "nat.any" => nat with { Source = NatSource.Any },
        "nat.exempt" => nat with { Exempt = Prefixes(value) },
        "nat.exemptNodes" => nat with { ExemptNodes = true },
        "nat.ipv6" => nat with { IPv6 = value == "on" },
        _ => throw new ArgumentException($"what is '{word}'?"),
    };

    public static ImmutableArray<Prefix> Prefixes(string text) => [.. List(text).Select(Prefix.Parse)];

    private static ImmutableArray<Ip> Ips(string text) => [.. List(text).Select(Ip.Parse)];

    private static string[] List(string text) => text == "-" ? [] : text.Split(',');
}
