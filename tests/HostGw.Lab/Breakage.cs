using System.Collections.Immutable;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab;

/// <summary>A thing that people break on a node, and how the doctor names it.</summary>
/// <param name="Command">For sh, on the node. PEER and OTHER are the numbers of two other nodes.</param>
/// <param name="Rule">The rule by which `hostgw doctor` finds it.</param>
public sealed record Breakage(string Name, string About, string Command, string Rule)
{
    public static readonly ImmutableArray<Breakage> All =
    [
        new("route", "delete the route to a peer's pods", "ip route delete 192.168.PEER.0/24", "routes") { IsRepaired = true },
        new("conflict", "put another program's route in its place", "ip route replace 192.168.PEER.0/24 via 10.0.0.1OTHER dev eth0 proto 12", "conflict") { IsRepaired = true },
        new("shadow", "take half of a peer's pods elsewhere", "ip route add 192.168.PEER.128/25 via 10.0.0.1OTHER dev eth0 proto 4", "shadowed"),
        new("detour", "send a peer's address to a gateway", "ip route add 10.0.0.1PEER/32 via 10.0.0.1 proto 4", "notAdjacent"),
        new("vpn", "send pod networks into a VPN's table", "ip link add vpn0 type veth peer name vpn0p && ip link set vpn0 up && ip link set vpn0p up && " +
            "ip route add 192.168.0.0/16 dev vpn0 table 52 && ip rule add pref 5270 lookup 52", "overridden"),
        new("forwarding", "turn IPv4 forwarding off", "sysctl -qw net.ipv4.ip_forward=0", "forwarding") { IsRepaired = true },
        new("forwarding6", "turn IPv6 forwarding off", "sysctl -qw net.ipv6.conf.all.forwarding=0", "forwarding") { IsRepaired = true },
        new("rp-filter", "a second way to the nodes' segment, with a strict rp_filter",
            "ip link add eth1 type veth peer name eth1p && ip link set eth1p up && ip addr add 10.0.0.99/24 dev eth1 && ip link set eth1 up && " +
            "ip route del 10.0.0.0/24 dev eth1 && sysctl -qw net.ipv4.conf.eth1.rp_filter=1 net.ipv4.conf.all.rp_filter=1", "rpFilter"),
        new("interface", "take the node's interface down", "ip link set eth0 down", "apiServer"),
        new("masquerade", "delete the masquerade rule", "nft delete table inet hostgw", "masquerade") { IsRepaired = true },
        new("docker", "drop what is forwarded, as Docker does", "iptables-nft -P FORWARD DROP", "forwardDrop") { IsRepaired = true },
        new("firewall", "a firewall that drops what is forwarded", "nft add table inet f; nft add chain inet f drops '{ type filter hook forward priority 0; policy drop; }'", "foreignDrop"),
        new("snat", "masquerade pods towards pods, as another agent did", "iptables-nft -t nat -A POSTROUTING -s 192.168.0.0/16 -j MASQUERADE", "foreignMasquerade"),
        new("raw", "drop a peer's pods before anything else sees their packets", "nft add table inet f; nft add chain inet f early '{ type filter hook prerouting priority -300; }'; nft add rule inet f early ip saddr 192.168.PEER.0/24 drop", "foreignDrop"),
        new("ingress", "drop what arrives from pods at the interface", "nft add table netdev f; nft add chain netdev f arrival '{ type filter hook ingress device eth0 priority 0; }'; nft add rule netdev f arrival ip saddr 192.168.0.0/16 drop", "foreignDrop"),
        new("mangle", "drop a peer's pods in an iptables table that nobody looks at", "iptables-nft -t mangle -A FORWARD -d 192.168.PEER.0/24 -j DROP", "foreignDrop"),
        new("nft-snat", "masquerade pods towards pods in a table of nftables", "nft add table ip f; nft add chain ip f out '{ type nat hook postrouting priority 90; }'; nft add rule ip f out oifname eth0 masquerade", "foreignMasquerade"),
        new("mtu", "give pods a larger MTU than the network has", "ip link set cni0 mtu 9000", "mtu"),
        new("former-pod", "leave a pod with an address of a former podCIDR", "ip link add veth0a1b2c3d type veth peer name formerpod && " +
            "ip addr add 192.168.77.1/32 dev veth0a1b2c3d && ip link set veth0a1b2c3d up && ip route add 192.168.77.5/32 dev veth0a1b2c3d", "formerPods"),
        new("neighbour", "write a wrong MAC address for a peer", "ip neigh replace 10.0.0.1PEER lladdr 02:00:00:00:00:99 dev eth0 nud permanent", "fixedNeighbour"),
        new("silence", "pull a peer's cable", "ip -n lan link set nodePEER down; ping -q -c 1 -W 10 10.0.0.1PEER > /dev/null; true", "unanswered"),
        new("flannel", "leave flannel's interface behind", "ip link add flannel.1 type veth peer name flannel.1p", "otherAgent"),
        new("api", "cut the node off from the API server", "ip route add unreachable 10.0.0.2/32 && ip -6 route add unreachable fd00:10::2/128 && ss -K dst 10.0.0.2 > /dev/null 2>&1; true", "apiServer"),
        new("token", "replace the token by one that is not accepted", $"sed -i 's/token: .*/token: not-this-one/' {Box.Directory}/kubeconfig", "apiServer"),
    ];

    /// <summary>A running agent puts it right at once: `hostgw status` and the log tell of it, and the doctor only where no agent runs.</summary>
    public bool IsRepaired { get; private init; }

    public static Breakage Of(string name) => All.Single(b => b.Name == name);

    /// <summary>Breaks a node of this box.</summary>
    public void Break(Node node) => node.Network.Exec("sh", "-c", CommandFor(node.Number));

    /// <summary>Breaks a node of a box that is entered by these words.</summary>
    public void Break(int node, IReadOnlyList<string> enter) =>
        Network.Command.Run(enter[0], [.. enter.Skip(1), "ip", "netns", "exec", $"node{node}", "sh", "-c", CommandFor(node)]);

    private string CommandFor(int node)
    {
        int[] others = [.. Enumerable.Range(1, 3).Where(n => n != node)];
        return Command.Replace("PEER", $"{others[0]}", StringComparison.Ordinal).Replace("OTHER", $"{others[1]}", StringComparison.Ordinal);
    }
}
