using HostGw.FakeApi;
using HostGw.Planning;
using Ip = HostGw.Net.Ip;

namespace HostGw.Benchmarks.Whole;

/// <summary>
/// The machine of a node that reaches some peers through the tunnel. An agent keeps what it finds installed until probes say otherwise, and
/// these peers exist only as Node objects: nothing ever answers.
/// </summary>
internal static class TunnelSite
{
    public const string Link = TunnelPlan.LinkName;

    /// <summary>How many peers the tunnel carries, or all where there are fewer.</summary>
    public const int Peers = 20;

    private const int SourceIndex = 254;

    /// <summary>Of the agent that keeps them.</summary>
    public static readonly string[] Flags = ["--tunnel-mode", "auto", "--tunnel-source", $"{SourceIndex}", "--policy-rule", "on"];

    /// <summary>SOURCE of the machine's node.</summary>
    public static Ip Source { get; } = SourceOf(1);

    /// <summary>How many peers of a cluster of that size the tunnel carries.</summary>
    public static int PeersOf(Site site) => Math.Min(Peers, site.Size - 1);

    /// <summary>Makes the machine as an agent has left it, but for what every agent installs at its start.</summary>
    public static void Prepare(Site site)
    {
        site.Reset();
        site.Machine.Configure(
        [
            $"link add {Link} type vxlan external gpe vnifilter dstport 4790", $"link set {Link} alias hostgw addrgenmode none",
            $"address add {Source}/32 dev {Link}", $"link set {Link} up",
            .. Enumerable.Range(2, PeersOf(site)).Select(Route),
        ]);
        site.Machine.Exec("bridge", "vni", "add", "dev", Link, "vni", "157");
    }

    private static string Route(int number)
    {
        NodeSpec node = NodeFactory.Node(number);
        return $"route add {node.PodCidrs[0]} encap ip id 157 dst {node.InternalIPs[0]} csum dev {Link} src {Source} mtu 1464 " +
            $"proto {Site.Protocol}";
    }

    private static Ip SourceOf(int number) => Prefix.Parse(NodeFactory.Node(number).PodCidrs[0]).Address.Plus(SourceIndex);
}
