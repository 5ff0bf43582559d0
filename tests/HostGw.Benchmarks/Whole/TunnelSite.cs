using HostGw.FakeApi;
using HostGw.Planning;

namespace HostGw.Benchmarks.Whole;

/// <summary>
/// The machine of a node that reaches some peers through the tunnel. An agent keeps what it finds installed until probes say otherwise, and
/// these peers exist only as Node objects: nothing ever answers.
/// </summary>
internal static class TunnelSite
{
    public const string Link = TunnelPlan.LinkName;

    // Or all where there are fewer.
    private const int Peers = 20;

    private const int SourceIndex = 254;

    /// <summary>Of the agent that keeps them.</summary>
    public static readonly string[] Flags = ["--tunnel-mode", "auto", "--tunnel-source", $"{SourceIndex}", "--policy-rule", "on"];

    /// <summary>Of an agent that reaches all peers through the tunnel.</summary>
    public static readonly string[] WholeFlags = ["--tunnel-mode", "always", "--tunnel-source", $"{SourceIndex}"];

    /// <summary>SOURCE of the machine's node.</summary>
    public static Ip Source { get; } = Prefix.Parse(NodeFactory.Node(1).PodCidrs[0]).Address.Plus(SourceIndex);

    /// <summary>Makes the machine as an agent has left it, but for what every agent installs at its start.</summary>
    public static void Prepare(Site site)
    {
        site.Reset();
        site.Machine.Configure(
        [
            $"link add {Link} type vxlan external gpe vnifilter dstport 4790", $"link set {Link} alias hostgw addrgenmode none",
            $"address add {Source}/32 dev {Link}", $"link set {Link} up",
            .. Enumerable.Range(2, Math.Min(Peers, site.Size - 1)).Select(Route),
        ]);
        site.Machine.Exec("bridge", "vni", "add", "dev", Link, "vni", "157");
    }

    /// <summary>How many routes there are over the link.</summary>
    public static int CountRoutes(Site site) =>
        site.Machine.Exec("ip", "route", "show", "proto", $"{Site.Protocol}", "dev", Link).Count(letter => letter == '\n');

    private static string Route(int number)
    {
        NodeSpec node = NodeFactory.Node(number);
        return $"route add {node.PodCidrs[0]} encap ip id 157 dst {node.InternalIPs[0]} csum dev {Link} src {Source} mtu 1464 " +
            $"proto {Site.Protocol}";
    }
}
