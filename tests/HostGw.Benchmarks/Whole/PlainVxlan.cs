using HostGw.Lab.Topology;

namespace HostGw.Benchmarks.Whole;

/// <summary>
/// What overlay plugins make of a VXLAN link: every node's link has a known MAC address, and a forwarding entry, a neighbour and a route
/// for each peer. It is there beside what HostGw makes, with pod addresses of its own.
/// </summary>
internal static class PlainVxlan
{
    private const string Link = "plain0", AllPods = "10.200.0.0/16";
    private const int Mtu = 1450; // of 1500, less Ethernet, IPv4, UDP and VXLAN

    public static IPAddress PodAddress(Node node) => IPAddress.Parse($"10.200.{node.Number}.11");

    /// <summary>Connects the first pod of each node with those of the others.</summary>
    public static void Connect(params Node[] nodes)
    {
        foreach (Node node in nodes)
        {
            node.Network.Configure(
            [
                $"link add {Link} address {Mac(node)} mtu {Mtu} type vxlan id 1 dev eth0 local {node.Addresses[0]} dstport 8472 nolearning",
                $"link set {Link} up", $"address add {Gateway(node)} dev {Node.Bridge}", $"address add {LinkAddress(node)}/32 dev {Link}",
                .. nodes.Where(peer => peer != node).SelectMany(peer => (string[])
                [
                    $"neighbour add {LinkAddress(peer)} lladdr {Mac(peer)} dev {Link} nud permanent",
                    $"route add 10.200.{peer.Number}.0/24 via {LinkAddress(peer)} dev {Link} onlink",
                ]),
            ]);
            foreach (Node peer in nodes.Where(peer => peer != node))
                node.Network.Exec("bridge", "fdb", "append", Mac(peer), "dev", Link, "dst", $"{peer.Addresses[0]}");
            node.Pods[0].Network.Configure(
                [$"address add {PodAddress(node)}/24 dev eth0", $"route add {AllPods} via {Gateway(node)[..^"/24".Length]} mtu {Mtu}"]);
        }
    }

    private static string Mac(Node node) => $"02:00:00:00:00:{node.Number:x2}";

    private static string Gateway(Node node) => $"10.200.{node.Number}.1/24";

    private static string LinkAddress(Node node) => $"10.200.{node.Number}.0";
}
