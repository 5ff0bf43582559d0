using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>What a podCIDR must satisfy before this host routes to it, whichever node claims it.</summary>
internal sealed class PodCidrGuard
{
    private static readonly Dictionary<Prefix, string> Special = new()
    {
        [Prefix.Parse("0.0.0.0/8")] = "the 'this network' range",
        [Prefix.Parse("127.0.0.0/8")] = "the loopback range",
        [Prefix.Parse("169.254.0.0/16")] = "the link-local range",
        [Prefix.Parse("224.0.0.0/4")] = "the multicast range",
        [Prefix.Parse("255.255.255.255/32")] = "the limited broadcast range",
        [Prefix.Parse("::/96")] = "the loopback and IPv4-compatible range",
        [Prefix.Parse("::ffff:0:0/96")] = "the IPv4-mapped range",
        [Prefix.Parse("fe80::/10")] = "the link-local range",
        [Prefix.Parse("ff00::/8")] = "the multicast range",
    };

    private static readonly PrefixForest SpecialRanges = new(Special.Keys);

    private static readonly ImmutableArray<Prefix> Private =
    [
        Prefix.Parse("10.0.0.0/8"), Prefix.Parse("172.16.0.0/12"), Prefix.Parse("192.168.0.0/16"), // RFC 1918
        Prefix.Parse("100.64.0.0/10"), // RFC 6598
        Prefix.Parse("fc00::/7"), // RFC 4193
    ];

    private readonly Policy _policy;
    private readonly HostState _host;
    private readonly ImmutableArray<Ip> _own;
    private readonly PrefixForest _taken;

    /// <param name="own">This node: addresses of its own bridge or veths are inside its podCIDRs, which is allowed.</param>
    public PodCidrGuard(Policy policy, HostState host, OwnNode own)
    {
        _policy = policy;
        _host = host;
        _own = own.Node is { } node ? [.. node.InternalIPs, .. node.ExternalIPs] : [];
        // On a point-to-point link this host's own address lies outside the connected prefix.
        IEnumerable<Prefix> taken = host.Addresses.Select(a => a.Connected).Concat(host.Addresses.Select(a => Prefix.Host(a.Address)));
        _taken = new(taken.Where(t => !own.PodCidrs.Any(o => o.Contains(t))));
    }

    /// <summary>Why the podCIDR is refused on this host, or null.</summary>
    /// <param name="fault">What must be changed; the peer's Node also where it is not refused.</param>
    public string? Refuse(Prefix podCidr, out VerdictFault fault)
    {
        fault = VerdictFault.Peer;
        return RefuseShape(podCidr, _policy) ?? RefuseConnected(podCidr, ref fault) ?? RefuseProtected(podCidr, ref fault);
    }

    /// <summary>Why the podCIDR is refused on any host of this cluster, or null.</summary>
    public static string? RefuseShape(Prefix podCidr, Policy policy)
    {
        if (!podCidr.IsAligned)
            return $"is not aligned: {podCidr.Aligned} would be";

        (int shortest, int longest) = podCidr.IsIPv4 ? (16, 30) : (48, 126);
        if (podCidr.Length < shortest || podCidr.Length > longest)
            return $"has a prefix length outside /{shortest} to /{longest}";

        if (SpecialRanges.Overlapping(podCidr) is >= 0 and int special)
            return $"lies in {Special[SpecialRanges[special]]} {SpecialRanges[special]}";
        return RefuseOutside(podCidr, policy.ClusterCidrs) ?? RefuseService(podCidr, policy.ServiceCidrs);
    }

    /// <summary>Text from the API with control characters replaced, so that it cannot move a terminal's cursor.</summary>
    public static string Printable(string text) => new([.. text.Select(c => char.IsControl(c) ? '?' : c)]);

    /// <summary>RFC 1918, RFC 6598 or RFC 4193 space.</summary>
    public static bool IsPrivate(Prefix prefix) => Covers(Private, prefix);

    /// <summary>Whether one prefix of <paramref name="outer"/> contains all of <paramref name="inner"/>.</summary>
    public static bool Covers(ImmutableArray<Prefix> outer, Prefix inner)
    {
        foreach (Prefix prefix in outer)
        {
            if (prefix.Contains(inner))
                return true;
        }
        return false;
    }

    // clusterCidrs of one family do not restrict the other: adding IPv6 podCIDRs later must not break the cluster.
    private static string? RefuseOutside(Prefix podCidr, ImmutableArray<Prefix> clusterCidrs)
    {
        if (Covers(clusterCidrs, podCidr))
            return null;
        bool saysWhich = clusterCidrs.Any(c => c.IsIPv4 == podCidr.IsIPv4);
        if (saysWhich)
            return $"lies outside clusterCidrs ({string.Join(", ", clusterCidrs)})";
        return IsPrivate(podCidr) ? null : "is not private address space, and clusterCidrs, which would allow it, is not set";
    }

    private static string? RefuseService(Prefix podCidr, ImmutableArray<Prefix> serviceCidrs)
    {
        foreach (Prefix service in serviceCidrs)
        {
            if (service.Overlaps(podCidr))
                return $"overlaps the service CIDR {service}";
        }
        return null;
    }

    private string? RefuseConnected(Prefix podCidr, ref VerdictFault fault)
    {
        int index = _taken.Overlapping(podCidr);
        if (index < 0)
            return null;

        Prefix taken = _taken[index];
        foreach (HostAddress address in _host.Addresses)
        {
            bool isConnected = address.Connected == taken;
            if (!isConnected && Prefix.Host(address.Address) != taken)
                continue;
            HostInterface? link = _host.Interface(address.Interface);
            fault = FaultOf(podCidr, address, link);
            return isConnected
                ? $"overlaps {taken}, which is connected to this host's interface {link?.Name}"
                : $"overlaps {taken}, an address of this host's interface {link?.Name}";
        }
        return null;
    }

    // ptp names the host's end veth1a2b3c4d, and gives it the gateway's address alone. Without clusterCidrs nothing says that the network
    // is for pods: a Node may claim any.
    private VerdictFault FaultOf(Prefix podCidr, HostAddress address, HostInterface? link) =>
        link is null || LeadsElsewhere(link) ? VerdictFault.Peer
        : link.Name.StartsWith("veth", StringComparison.Ordinal) && address.Connected.Length == address.Address.Bits
            ? VerdictFault.FormerPods
        : Covers(_policy.ClusterCidrs, podCidr) ? VerdictFault.Interface
        : VerdictFault.Peer;

    // To other hosts: a node's address is there, or a route with a gateway.
    private bool LeadsElsewhere(HostInterface link) =>
        _host.Routes.Any(r => r.Interface == link.Index && !r.NextHop.IsNone) ||
        _host.Addresses.Any(a => a.Interface == link.Index && _own.Contains(a.Address));

    private string? RefuseProtected(Prefix podCidr, ref VerdictFault fault)
    {
        foreach (ProtectedAddress guarded in _host.Protected)
        {
            if (!podCidr.Contains(guarded.Address))
                continue;
            if (guarded.Role == ProtectedRole.Resolver)
                fault = VerdictFault.Resolver;
            return $"covers {guarded.Address}, {Describe(guarded.Role)}";
        }
        return null;
    }

    public static string Describe(ProtectedRole role) => role switch
    {
        ProtectedRole.Gateway => "a gateway of this host",
        ProtectedRole.Resolver => "a DNS resolver of this host",
        _ => "the API server's address",
    };
}
