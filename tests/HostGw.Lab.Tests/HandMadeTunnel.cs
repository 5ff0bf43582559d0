using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>The link and the routes that agents would make, made by hand: without agents, guards and probes.</summary>
internal static class HandMadeTunnel
{
    /// <param name="peers">Whose pods the node reaches through it.</param>
    /// <param name="isIPv6Outside">The family of the outer header; null: that of the pods.</param>
    /// <param name="mtu">Of packets inside; null: what fits into 1,500 bytes.</param>
    public static void Make(Node node, IEnumerable<Node> peers, bool? isIPv6Outside = null, int? mtu = null)
    {
        node.Network.Configure([
            "link add hostgw0 type vxlan external gpe dstport 4790", "link set hostgw0 addrgenmode none",
            .. node.PodGateways.Select(source => $"address add {source}/{(source.IsV6() ? "128 nodad" : "32")} dev hostgw0"),
            "link set hostgw0 up",
            .. from peer in peers
               from family in Enumerable.Range(0, 2)
               let isIPv6 = isIPv6Outside ?? family == 1
               let gateway = family == 1 ? "via fe80::9d " : ""
               let outside = isIPv6 ? $"ip6 id 157 dst {peer.Addresses[1]} hoplimit 64 csum" : $"ip id 157 dst {peer.Addresses[0]} csum"
               let metrics = $"src {node.PodGateways[family]} mtu {mtu ?? (isIPv6 ? 1444 : 1464)}"
               select $"route add {peer.PodCidrs[family]} encap {outside} {gateway}dev hostgw0 {metrics} proto 157",
        ]);
        node.Network.Sysctl("ipv4/conf/hostgw0/rp_filter", "2");
    }
}
