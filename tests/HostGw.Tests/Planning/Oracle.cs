using System.Numerics;
using HostGw.Planning;

namespace HostGw.Tests.Planning;

/// <summary>
/// The guards once more, as plainly as the design says them: ranges of whole numbers, every pair compared.
/// Shares no code with the planner beyond its records.
/// </summary>
internal sealed class Oracle
{
    private static readonly Range[] Private = [.. new[] { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
        "fc00::/7" }.Select(Range.Of)];

    private static readonly Range[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32", "::/96", "::ffff:0:0/96", "fe80::/10",
                "ff00::/8",
        }.Select(Range.Of),
    ];

    private readonly Policy _policy;
    private readonly HostState _host;
    private readonly Range[] _own;
    private readonly IReadOnlyList<ClusterNode> _nodes;

    public Oracle(IReadOnlyList<ClusterNode> nodes, HostState host, Policy policy)
    {
        (_nodes, _host, _policy) = (nodes, host, policy);
        Self = nodes.SingleOrDefault(n => n.Name == policy.NodeName);
        _own = [.. Self?.PodCidrs.Select(Range.Of) ?? []];
        Accepted = Settle();
    }

    public ClusterNode? Self { get; }

    /// <summary>Every podCIDR of a peer that may stand, and whose it is.</summary>
    public List<(ClusterNode Node, Prefix PodCidr)> Accepted { get; }

    public bool OverlapsOwn(Prefix prefix) => _own.Any(Range.Of(prefix).Overlaps);

    private List<(ClusterNode, Prefix)> Settle()
    {
        List<(ClusterNode Node, Prefix PodCidr)> accepted = [];
        foreach (ClusterNode node in _nodes.Where(n => n != Self).OrderBy(n => n.CreatedAt).ThenBy(n => n.Uid.ToString(), StringComparer.Ordinal)
            .ThenBy(n => n.Name, StringComparer.Ordinal))
        {
            foreach (Prefix podCidr in node.PodCidrs)
            {
                Range range = Range.Of(podCidr);
                if (Passes(podCidr, range) && !CoversOlderNode(range, node) && !OverlapsOwn(podCidr) &&
                    !accepted.Any(a => Range.Of(a.PodCidr).Overlaps(range)))
                    accepted.Add((node, podCidr));
            }
        }
        return accepted;
    }

    private bool Passes(Prefix podCidr, Range range)
    {
        bool v4 = podCidr.ToString().Contains('.') && !podCidr.ToString().Contains(':');
        if (range.First != Number(podCidr.Address) || podCidr.Length < (v4 ? 16 : 48) || podCidr.Length > (v4 ? 30 : 126))
            return false;
        Prefix[] named = [.. _policy.ClusterCidrs.Where(c => c.IsIPv4 == v4)];
        Range[] allowed = named.Length == 0 ? Private : [.. named.Select(Range.Of)];
        return allowed.Any(a => a.Contains(range)) && !Special.Any(range.Overlaps) &&
            !_policy.ServiceCidrs.Select(Range.Of).Any(range.Overlaps) &&
            !Taken().Any(range.Overlaps) && !_host.Protected.Any(p => range.Contains(Range.Of(Prefix.Host(p.Address))));
    }

    // Connected prefixes and addresses of this host, but for what lies inside a podCIDR of ours that is in order.
    private IEnumerable<Range> Taken()
    {
        Range[] own = OwnNode.Check(Self, _policy).Scope == PlanScope.Everything ? _own : [];
        return _host.Addresses.SelectMany(a => new[] { Range.Of(a.Connected), Range.Of(Prefix.Host(a.Address)) })
            .Where(taken => !own.Any(o => o.Contains(taken)));
    }

    private bool CoversOlderNode(Range range, ClusterNode claimant) => _nodes.Any(other =>
        (other.CreatedAt, other.Uid, other.Name).CompareTo((claimant.CreatedAt, claimant.Uid, claimant.Name)) < 0 &&
        Primary(other).Any(ip => range.Contains(Range.Of(Prefix.Host(ip))) &&
            !_policy.ClusterCidrs.Any(c => Range.Of(c).Contains(Range.Of(Prefix.Host(ip))))));

    private static IEnumerable<Ip> Primary(ClusterNode node) =>
        node.InternalIPs.Concat(node.ExternalIPs).GroupBy(ip => ip.IsIPv4).Select(g => g.First());

    private static BigInteger Number(Ip ip) => new(ip.ToIPAddress().GetAddressBytes(), isUnsigned: true, isBigEndian: true);

    /// <summary>From the first to the last address of a prefix, both included.</summary>
    public readonly record struct Range(bool V6, BigInteger First, BigInteger Last)
    {
        public static Range Of(string prefix) => Of(Prefix.Parse(prefix));

        public static Range Of(Prefix prefix)
        {
            byte[] bytes = prefix.Address.ToIPAddress().GetAddressBytes();
            BigInteger size = BigInteger.Pow(2, (bytes.Length * 8) - prefix.Length);
            BigInteger address = Number(prefix.Address);
            BigInteger first = address - (address % size);
            return new(bytes.Length == 16, first, first + size - 1);
        }

        public bool Overlaps(Range other) => V6 == other.V6 && First <= other.Last && other.First <= Last;

        public bool Contains(Range other) => V6 == other.V6 && First <= other.First && other.Last <= Last;
    }
}
