using System.Collections.Immutable;
using HostGw.Lab.Chaos;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab;

/// <summary>A thing that people break on a node, and how the doctor names it.</summary>
/// <param name="Command">For sh, on the node. PEER and OTHER are the numbers of two other nodes.</param>
/// <param name="Rule">The rule by which `hostgw doctor` finds it.</param>
/// <param name="Cure">Of what the doctor prints, the command that makes the finding go; null: there is none so simple.</param>
public sealed record Breakage(string Name, string About, string Command, string Rule, string? Cure = null)
{
    private const string Plugins = $"{Box.Directory}/plugins";

    public static readonly ImmutableArray<Breakage> All =
    [
        new("route", "delete the route to a peer's pods", "ip route delete 192.168.PEER.0/24", "routes") { IsRepaired = true },
        new("conflict", "put another program's route in its place",
            "ip route replace 192.168.PEER.0/24 via 10.0.0.1OTHER dev eth0 proto 12", "conflict",
            "ip route del 192.168.PEER.0/24 proto 12") { IsRepaired = true },
        new("shadow", "take half of a peer's pods elsewhere",
            "ip route add 192.168.PEER.128/25 via 10.0.0.1OTHER dev eth0 proto 4", "shadowed", "ip route del 192.168.PEER.128/25 proto 4"),
        new("blackhole", "drop what goes to some of a peer's pods",
            "ip route add blackhole 192.168.PEER.0/28", "shadowed", "ip route del 192.168.PEER.0/28 proto 3"),
        new("detour", "send a peer's address to a gateway", "ip route add 10.0.0.1PEER/32 via 10.0.0.1 proto 4", "notAdjacent"),
        new("vpn", "send pod networks into a VPN's table", "ip link add vpn0 type veth peer name vpn0p && ip link set vpn0 up && ip link set vpn0p up && " +
            "ip route add 192.168.0.0/16 dev vpn0 table 52 && ip rule add pref 5270 lookup 52", "overridden",
            "ip rule del pref 5270 from all lookup 52"),
        new("rule", "a policy rule for what the uplink receives",
            "ip route add default via 10.0.0.1 table 100 && ip rule add pref 1000 iif eth0 lookup 100", "overridden",
            "ip rule del pref 1000 from all iif eth0 lookup 100"),
        new("prohibit", "a policy rule that forbids pods to speak to each other",
            "ip rule add pref 1000 from 192.168.NODE.0/24 to 192.168.0.0/16 prohibit", "overridden",
            "ip rule del pref 1000 from 192.168.NODE.0/24 to 192.168.0.0/16 prohibit"),
        new("tos-rule", "a policy rule on the type of service of packets",
            "ip route add default via 10.0.0.1 table 101 && ip rule add pref 1000 tos 0x10 lookup 101", "ruleNotJudged",
            "ip rule del pref 1000 from all tos 0x10 lookup 101"),
        new("source-route", "an IPv6 route for packets of this node's pods",
            "ip link add vpn6 type veth peer name vpn6p && ip link set vpn6 up && ip link set vpn6p up && " +
            "ip -6 route add fd00:192:168:PEER::/64 from fd00:192:168:NODE::/64 dev vpn6", "overridden",
            "ip -6 route del fd00:192:168:PEER::/64 from fd00:192:168:NODE::/64 proto 3"),
        new("probe-address", "drop what asks this node's pod network whether it is reached", "ip route replace blackhole 192.168.NODE.0 table local",
            "probeAddress", "ip route del blackhole 192.168.NODE.0 table local proto 3"),
        new("forwarding", "turn IPv4 forwarding off",
            "sysctl -qw net.ipv4.ip_forward=0", "forwarding", "sysctl -w net.ipv4.ip_forward=1") { IsRepaired = true },
        new("forwarding6", "turn IPv6 forwarding off",
            "sysctl -qw net.ipv6.conf.all.forwarding=0", "forwarding", "sysctl -w net.ipv6.conf.all.forwarding=1") { IsRepaired = true },
        new("forwarding-pods", "turn IPv4 forwarding off on the pods' bridge",
            "sysctl -qw net.ipv4.conf.cni0.forwarding=0", "forwarding", "sysctl -w net.ipv4.conf.cni0.forwarding=1") { IsRepaired = true },
        new("forwarding-new", "turn IPv4 forwarding off for interfaces that come",
            "sysctl -qw net.ipv4.conf.default.forwarding=0", "forwarding",
            "sysctl -w net.ipv4.conf.default.forwarding=1") { IsRepaired = true },
        new("pod-ra", "let a pod become the node's IPv6 router",
            "sysctl -qw net.ipv6.conf.cni0.accept_ra=2", "routerAdvertisements", "sysctl -w net.ipv6.conf.cni0.accept_ra=0"),
        new("rp-filter", "a second way to the nodes' segment, with a strict rp_filter",
            "ip link add eth1 type veth peer name eth1p && ip link set eth1p up && ip addr add 10.0.0.99/24 dev eth1 && ip link set eth1 up && " +
            "ip route del 10.0.0.0/24 dev eth1 && sysctl -qw net.ipv4.conf.eth1.rp_filter=1 net.ipv4.conf.all.rp_filter=1", "rpFilter",
            "sysctl -w net.ipv4.conf.eth1.rp_filter=2"),
        new("interface", "take the node's interface down", "ip link set eth0 down", "apiServer"),
        new("uplink", "take the node's interface down, and leave a way to the API server", "ip link add eth1 type veth peer name spareNODE netns lan && " +
            "ip -n lan link set spareNODE master lan0 up && ip addr add 10.0.0.9NODE/32 dev eth1 && ip link set eth1 up && " +
            "ip route add 10.0.0.2/32 dev eth1 src 10.0.0.9NODE && ip link set eth0 down", "interface"),
        new("masquerade", "delete the masquerade rule", "nft delete table inet hostgw", "masquerade") { IsRepaired = true },
        new("docker", "drop what is forwarded, as Docker does", "iptables-nft -P FORWARD DROP", "forwardDrop") { IsRepaired = true },
        new("firewall", "a firewall that drops what is forwarded",
            "nft add table inet f; nft add chain inet f drops '{ type filter hook forward priority 0; policy drop; }'", "foreignDrop",
            "nft 'add chain inet f drops { policy accept; }'"),
        new("rule-drop", "drop what is forwarded to a peer's pods, by a rule in a chain that accepts",
            Nft("inet", "forward", "filter hook forward priority 0; policy accept", "ip daddr 192.168.PEER.0/24 drop"), "foreignDrop",
            "nft insert rule inet f forward ip saddr 192.168.NODE.0/24 accept"),
        new("legacy", "drop a peer's pods in iptables-legacy, beside iptables-nft",
            "iptables-legacy -w -A FORWARD -s 192.168.PEER.0/24 -j DROP", "foreignDrop",
            "iptables-legacy -t filter -D FORWARD -s 192.168.PEER.0/24 -j DROP"),
        new("arp", "drop what asks for this node's MAC address",
            Nft("arp", "in", "filter hook input priority 0", "arp operation request drop"), "foreignDrop",
            "nft insert rule arp f in accept"),
        new("nd", "drop the same of IPv6",
            Nft("ip6", "in", "filter hook input priority 0", "icmpv6 type nd-neighbor-solicit drop"), "foreignDrop",
            "nft insert rule ip6 f in icmpv6 type '{ nd-neighbor-solicit, nd-neighbor-advert }' accept"),
        new("dnat", "send what is meant for a peer's pods to another node",
            Nft("ip", "in", "nat hook prerouting priority -100", "ip daddr 192.168.PEER.0/24 dnat to 10.0.0.1OTHER"), "foreignDrop",
            "nft delete rule ip f in handle 2"),
        new("snat", "masquerade pods towards pods, as another agent did",
            "iptables-nft -t nat -A POSTROUTING -s 192.168.0.0/16 -j MASQUERADE", "foreignMasquerade",
            "iptables-nft -t nat -D POSTROUTING -s 192.168.0.0/16 -j MASQUERADE"),
        new("raw", "drop a peer's pods before anything else sees their packets",
            Nft("inet", "early", "filter hook prerouting priority -300", "ip saddr 192.168.PEER.0/24 drop"), "foreignDrop",
            "nft insert rule inet f early ip daddr 192.168.NODE.0/24 accept"),
        new("ingress", "drop what arrives from pods at the interface",
            Nft("netdev", "arrival", "filter hook ingress device eth0 priority 0", "ip saddr 192.168.0.0/16 drop"), "foreignDrop",
            "nft insert rule netdev f arrival ip daddr 192.168.NODE.0/24 accept"),
        new("mangle", "drop a peer's pods in an iptables table that nobody looks at",
            "iptables-nft -t mangle -A FORWARD -d 192.168.PEER.0/24 -j DROP", "foreignDrop",
            "iptables-nft -t mangle -D FORWARD -d 192.168.PEER.0/24 -j DROP"),
        new("nft-snat", "masquerade pods towards pods in a table of nftables",
            Nft("ip", "out", "nat hook postrouting priority 90", "oifname eth0 masquerade"), "foreignMasquerade",
            "nft delete rule ip f out handle 2"),
        new("snat-to", "give pods the node's address towards pods",
            "iptables-nft -t nat -A POSTROUTING -s 192.168.0.0/16 -o eth0 -j SNAT --to-source 10.0.0.1NODE", "foreignMasquerade",
            "iptables-nft -t nat -D POSTROUTING -s 192.168.0.0/16 -o eth0 -j SNAT --to-source 10.0.0.1NODE"),
        new("ipset", "drop what a set of addresses holds", "ipset create banned hash:net && ipset add banned 192.168.PEER.0/24 && " +
            "iptables-nft -A FORWARD -m set --match-set banned dst -j DROP", "foreignSet"),
        new("unlisted", "a rule in a table of iptables that iptables cannot list",
            "nft 'add table ip nat; add chain ip nat POSTROUTING { type nat hook postrouting priority 100; }; " +
            "add rule ip nat POSTROUTING meta mark set jhash ip saddr mod 7'", "unreadable"),
        new("mtu", "give pods a larger MTU than the network has", "ip link set cni0 mtu 9000", "mtu"),
        new("former-pod", "leave a pod with an address of a former podCIDR", "ip link add veth0a1b2c3d type veth peer name formerpod && " +
            "ip addr add 192.168.77.1/32 dev veth0a1b2c3d && ip link set veth0a1b2c3d up && ip route add 192.168.77.5/32 dev veth0a1b2c3d", "formerPods"),
        new("neighbour", "write a wrong MAC address for a peer",
            "ip neigh replace 10.0.0.1PEER lladdr 02:00:00:00:00:99 dev eth0 nud permanent", "fixedNeighbour",
            "ip neigh del 10.0.0.1PEER dev eth0"),
        new("router", "put a router between the nodes, as their MAC addresses show it",
            "ip neigh replace 10.0.0.1PEER lladdr 02:00:00:00:00:98 dev eth0 nud reachable; " +
            "ip neigh replace 10.0.0.1OTHER lladdr 02:00:00:00:00:98 dev eth0 nud reachable", "sharedMac"),
        new("other-mac", "another machine with the pod gateway of a peer, such as one of another cluster",
            "ip neigh replace 192.168.PEER.1 lladdr 02:00:00:00:00:97 dev eth0 nud reachable; ping -q -c 1 10.0.0.1PEER > /dev/null",
            "otherMac") { NeedsPodGateway = true },
        new("arp-ignore", "keep the node from answering for its pod gateway, as kube-proxy's strictARP does",
            "sysctl -qw net.ipv4.conf.all.arp_ignore=1", "arpIgnore") { NeedsPodGateway = true },
        // An agent's probes have resolved the address, and the kernel believes that for a while.
        new("silence", "pull a peer's cable",
            "ip -n lan link set nodePEER down; ip neigh flush to 10.0.0.1PEER dev eth0; ping -q -c 1 -W 10 10.0.0.1PEER > /dev/null; true",
            "unanswered"),
        new("podtraffic", "let the segment drop packets with pods' addresses, as clouds do that check source and destination, for all nodes",
            "ip netns exec lan nft 'add table bridge check; add chain bridge check forward { type filter hook forward priority 0; }; " +
            "add rule bridge check forward ip saddr 192.168.0.0/16 drop; add rule bridge check forward ip6 saddr fd00:192:168::/48 drop'",
            "podTrafficDropped") { NeedsAgents = true },
        new("probe-port", "let a peer drop all that probes ask, also what its kernel would answer",
            $"ip netns exec nodePEER sh -c \"{Nft("inet", "in", "filter hook prerouting priority -150", "udp dport 9158 drop")}\"", "unreachable") { NeedsAgents = true },
        new("path-mtu", "let the segment drop large packets of a peer", "ip -n lan link set nodePEER mtu 1400", "pathMtu")
            { NeedsAgents = true, Flags = ["--probe"] },
        // The doctor's own settings: the agents of `up` point routes at pod gateways, where there is no tunnel.
        new("tunnel-link", "take the name of the tunnel's interface; for a doctor with the tunnel on and nextHop NodeAddress",
            "ip link add hostgw0 type bridge", "tunnelRefused") { NeedsNodeAddress = true, Flags = ["--tunnel-mode", "always"] },
        new("flannel", "leave flannel's interface behind",
            "ip link add flannel.1 type veth peer name flannel.1p", "otherAgent", "ip link delete flannel.1p"),
        new("networkd", "a systemd-networkd that removes foreign routes, for all nodes",
            "mountpoint -q /etc/systemd && mkdir -p /run/systemd/netif && touch /run/systemd/netif/state", "networkd",
            "mkdir -p /etc/systemd/networkd.conf.d && printf '[Network]\\nManageForeignRoutes=no\\nManageForeignRoutingPolicyRules=no\\n' > " +
            "/etc/systemd/networkd.conf.d/hostgw.conf"),
        new("plugins", "CNI plugins that are not where the settings say", $"mkdir -p {Plugins} && ln -sf /usr/lib/cni/host-local {Plugins}", "cniPlugins")
            { Flags = ["--cni-install", "true", "--cni-bin-directory", Plugins] },
        new("clock", "a clock two minutes ahead: the doctor's own, for all nodes have the machine's", "true", "clock")
            { Wrapper = ["env", $"LD_PRELOAD={HostFaults.FakeTime}", "FAKETIME=+120", "FAKETIME_DONT_FAKE_MONOTONIC=1"] },
        new("rights", "a doctor that may not change the network", "true", "rights")
            { Wrapper = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"] },
        new("api", "cut the node off from the API server", "ip route add unreachable 10.0.0.2/32 && ip -6 route add unreachable fd00:10::2/128 && ss -K dst 10.0.0.2 > /dev/null 2>&1; true", "apiServer"),
        new("token", "replace the token by one that is not accepted", $"sed -i 's/token: .*/token: not-this-one/' {Box.Directory}/kubeconfig", "apiServer"),
        // {"alg":"none"}, {"exp":1}
        new("expired-token", "replace the token by one that has expired", $"sed -i 's/token: .*/token: eyJhbGciOiJub25lIn0.eyJleHAiOjF9.x/' {Box.Directory}/kubeconfig", "credential"),
        new("own-node", "delete this node's Node", Api("DELETE", "/nodeNODE"), "ownNode"),
        new("own-address", "take the node's address from its interface, and leave a way to the API server",
            "ip addr add 10.0.0.99/32 dev eth0 && " +
            "ip addr del 10.0.0.1NODE/24 dev eth0 && ip route add 10.0.0.2/32 dev eth0 src 10.0.0.99", "waiting"),
        new("own-pod-cidr", "re-create this node's Node with a peer's podCIDR",
            $"{Api("DELETE", "/nodeNODE")} && {Create("nodeNODE", "192.168.PEER.0/24", "10.0.0.1NODE")}", "ownPodCidr"),
        new("pod-cidr", "a Node that claims a peer's podCIDR", Create("twin", "192.168.PEER.0/24", "10.0.0.99"), "rejected"),
        new("no-pod-cidr", "a Node without a podCIDR", Create("empty", "", "10.0.0.99"), "noPodCidr"),
        new("covered", "a Node with an address in the pods' network", Create("inside", "192.168.77.0/24", "192.168.99.7"), "clusterRoute")
            { NeedsPodGateway = true },
        new("addresses", "take a peer's addresses from its Node, as a cloud's controller did", Patch("nodePEER"), "nextHop"),
        new("shared-address", "give two peers one address", Patch("nodePEER", "10.0.0.1OTHER"), "nextHop"),
        new("far-address", "give a peer an address on another segment", Patch("nodePEER", "10.1.0.1PEER"), "notAdjacent"),
        new("annotation", "annotate a peer with what is no address",
            Api("PATCH", "/nodePEER", """{"metadata": {"annotations": {"hostgw.io/next-hop": "gateway.example"}}}"""), "noAddress"),
    ];

    /// <summary>Rules of the doctor that no node of a lab can break, and why.</summary>
    public static readonly ImmutableArray<(string Rule, string Why)> NotHere =
    [
        ("neighbourLimit", "the sizes of the neighbour table exist only in the machine's first network namespace, and nodes are namespaces of their own"),
        ("probesNotReceived", "the agent holds the port of probes for as long as it runs"),
        ("tunnelUnanswered",
            "only agents whose packets take the tunnel find it, and those of the cluster of `up` point routes at pod gateways, where there is none"),
        ("tunnelSourceAtRisk", "only a tunnel that runs has an address to lose, and in the cluster of `up` there is none"),
        ("digestShardRejected", "the agents of the cluster of `up` follow Nodes, and there is no node digest"),
        ("digestStale", "the agents of the cluster of `up` follow Nodes, and there is no node digest"),
        ("duplicateAddress", "another machine on the segment must have this node's address, and the machines here are nodes"),
        ("podsSilent", "only node1 plays Windows; other faults of packets between pods, such as raw, show it in addition"),
        ("noGateway", "a podCIDR with so little room is longer than /30, and therefore rejected before"),
    ];

    /// <summary>Words to put before the doctor: what is broken is how it runs.</summary>
    public ImmutableArray<string> Wrapper { get; private init; } = [];

    /// <summary>Further flags of the doctor.</summary>
    public ImmutableArray<string> Flags { get; private init; } = [];

    /// <summary>A running agent puts it right at once: `hostgw status` and the log tell of it, and the doctor only where no agent runs.</summary>
    public bool IsRepaired { get; private init; }

    /// <summary>The doctor finds it where agents run: its node's tells it what the probes found, within 15 s, or peers' answer it.</summary>
    public bool NeedsAgents { get; private init; }

    /// <summary>It matters only with nextHop PodGateway, which the cluster of `up` has.</summary>
    public bool NeedsPodGateway { get; private init; }

    /// <summary>The doctor finds it only with nextHop NodeAddress, which the agents of `up` do not have.</summary>
    public bool NeedsNodeAddress { get; private init; }

    public static Breakage Of(string name) => All.Single(b => b.Name == name);

    /// <summary>Breaks a node of this box.</summary>
    public void Break(Node node) => node.Network.Exec("sh", "-c", On(node.Number, Command));

    /// <summary>Breaks a node of a box that is entered by these words.</summary>
    public void Break(int node, IReadOnlyList<string> enter) =>
        Network.Command.Run(enter[0], [.. enter.Skip(1), "ip", "netns", "exec", $"node{node}", "sh", "-c", On(node, Command)]);

    /// <summary>The cure as it is printed on a node.</summary>
    public string CureOn(Node node) => On(node.Number, Cure!);

    private static string On(int node, string command)
    {
        int[] others = [.. Enumerable.Range(1, 3).Where(n => n != node)];
        return command.Replace("PEER", $"{others[0]}", StringComparison.Ordinal).Replace("OTHER", $"{others[1]}", StringComparison.Ordinal)
            .Replace("NODE", $"{node}", StringComparison.Ordinal);
    }

    private static string Nft(string family, string chain, string type, string rule) =>
        $"nft add table {family} f; nft add chain {family} f {chain} '{{ type {type}; }}'; nft add rule {family} f {chain} {rule}";

    // As kubectl would do it, which may not be there.
    private static string Api(string method, string path, string body = "") =>
        $"curl -ksSf -o /dev/null -X {method} -H \"Authorization: Bearer $(sed -n 's/ *token: //p' {Box.Directory}/kubeconfig)\" " +
        $"-H 'Content-Type: application/{(method == "PATCH" ? "merge-patch+" : "")}json' {(body.Length > 0 ? $"-d '{body}' " : "")}" +
        $"https://{Addressing.ApiServer[0]}:6443/api/v1/nodes{path}";

    private static string Patch(string node, params string[] internalIPs) =>
        Api("PATCH", $"/{node}/status", $$"""{"status": {{Status(node, internalIPs)}}}""");

    private static string Create(string node, string podCidr, string internalIP) =>
        Api("POST", "", $$"""{"metadata": {"name": "{{node}}"}, "spec": {"podCIDR": "{{podCidr}}"}, "status": {{Status(node, internalIP)}}}""");

    private static string Status(string node, params string[] internalIPs)
    {
        IEnumerable<string> addresses = [.. internalIPs.Select(ip => Address("InternalIP", ip)), Address("Hostname", node)];
        return $$"""{"addresses": [{{string.Join(", ", addresses)}}]}""";

        static string Address(string type, string address) => $$"""{"type": "{{type}}", "address": "{{address}}"}""";
    }
}
