using System.Diagnostics;
using System.Text.RegularExpressions;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Tests.Architecture;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Problems;

// Each cure: what is broken, words of what the doctor says to do, and the host or cluster after doing it, on which nothing is found.
// Commands are done by Obedience to the letter; what a person does otherwise (a setting, a cable, another Node) is given.
public partial class DoctorTests
{
    private const string Foreign = Given.Lan + "; br0 10.244.1.1/24; 10.244.2.0/24 via 10.0.0.9 dev eth0 proto 4; " +
        "10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157; 10.244.3.0/24 via 10.0.0.3 dev eth0 proto 157";

    private const string D = "d 10.244.4.0/24 10.0.0.4";

    private const string ToD = "; 10.244.4.0/24 via 10.0.0.4 dev eth0 proto 157";

    private static readonly Dictionary<string, (Func<Examination> Broken, string Cure, Func<Examination> Cured)> Cured = new()
    {
        ["another segment: an annotation for a router"] = (
            () => WithPeer("d 10.244.4.0/24 192.0.2.4"),
            "annotate it with hostgw.io/next-hop for a router on it",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 192.0.2.4 hop=10.0.0.4"])),
        ["former pods in the place of a peer's podCIDR: deleted"] = (
            () => Of(host: $"{Healthy}{ToD}; veth9 10.244.4.1/32; 10.244.4.5/32 dev veth9", nodes: [.. Nodes, D]),
            "delete the pods of this host that still have addresses of that podCIDR", () => Of(host: Healthy + ToD, nodes: [.. Nodes, D])),
        ["a former bridge in the place of a peer's podCIDR: removed"] = (
            () => Of("clusterCidrs=10.244.0.0/16", $"{Healthy}{ToD}; cni9 10.244.4.1/24", [.. Nodes, D]),
            "if that interface is the bridge of this host's pods", () => Of("clusterCidrs=10.244.0.0/16", Healthy + ToD, [.. Nodes, D])),
        ["another interface in the place of a peer's podCIDR: another network"] = (
            () => Of("clusterCidrs=10.244.0.0/16", $"{Healthy}{ToD}; docker0 10.244.4.1/24", [.. Nodes, D]),
            "if it is another interface, give it another network",
            () => Of("clusterCidrs=10.244.0.0/16", $"{Healthy}{ToD}; docker0 172.17.0.1/16", [.. Nodes, D])),
        ["a network that drops pods' packets: told of the pod networks"] = (
            () => Of() with { Reachability = Dropping },
            "if they have, an IPsec policy (`ip xfrm policy`) or the network between the nodes drops pods' packets: switch its check of " +
            "addresses off for every node, or name the pod networks to it",
            () => Of() with { Reachability = Reports.Of(("10.244.2.0/24", ReachKind.Reachable, 310u)) }),
        ["a network that drops pods' packets: the tunnel"] = (
            () => Of() with { Reachability = Dropping },
            "use the tunnel (tunnel.mode auto on all nodes), and let UDP to tunnel.port pass",
            () => WithTunnel(h => h, "10.244.2.0/24 Tunnel", ReachKind.Reachable)),
        ["a network that drops the tunnel's packets, too: it passes them"] = (
            () => WithTunnel(h => h, "10.244.2.0/24 Compared"),
            "let the firewalls on and between the nodes pass UDP to the port of the setting tunnel.port",
            () => WithTunnel(h => h, "10.244.2.0/24 Tunnel", ReachKind.Reachable)),
        ["another segment: the tunnel"] = (
            () => WithPeer("d 10.244.4.0/24 192.0.2.4"),
            "between Linux nodes, use the tunnel (tunnel.mode auto on all nodes)",
            () => WithTunnel(h => h, "10.244.2.0/24 Tunnel", ReachKind.Reachable)),
        ["a tunnel that a firewall blocks: it passes it"] = (
            () => WithTunnel(h => h, "10.244.2.0/24 Tunnel"),
            "let the firewalls on and between the nodes pass UDP to the port of the setting tunnel.port, and see that these nodes' agents " +
            "run with the same settings of the tunnel",
            () => WithTunnel(h => h, "10.244.2.0/24 Tunnel", ReachKind.Reachable)),
        ["a tunnel whose own address a pod may get: the other configuration goes"] = (
            () => WithTunnel(h => h with { SourceObstacle = "it is not known" }, "10.244.2.0/24 Tunnel", ReachKind.Reachable),
            "let HostGw's CNI configuration be the first in its directory again, or one with host-local for this node's podCIDR; before " +
            "this node restarts: then there would be no tunnel",
            () => WithTunnel(h => h, "10.244.2.0/24 Tunnel", ReachKind.Reachable)),
        ["a tunnel that cannot be: off"] = (
            () => WithTunnel(h => h with { GuardObstacle = "no nf_tables" }, "10.244.2.0/24 Compared"),
            "if that cannot be, set tunnel.mode to off on all nodes: peers keep their native routes, and those without one stay as they are",
            () => Of()),
        ["no policy rule for table main: it is added"] = (
            () => Of() with
            {
                Overrides =
                [
                    new("policy rules: none leads to table main", "from this node's pods to other nodes' pods", "no route",
                        PolicyRule.MainCommand(ipv6: false), new HashSet<Prefix> { Prefix.Parse("10.244.2.0/24") }) { IsOmission = true },
                ],
            },
            "stop what deletes or limits the rule for table main, then: ip rule add pref 32766 lookup main",
            () => Of()),
        ["an address that another machine has, too: that one gets another"] = (
            () => With(Of(), h => h with { DuplicateAddresses = [new(Ip.Parse("fd00:aaaa::1"), Prefix.Parse("fd00:aaaa::/64"), 2)] }),
            "give that machine another address (on another node, ip neigh show fd00:aaaa::1 has its MAC address), then: " +
            "ip addr del fd00:aaaa::1/64 dev eth0 && ip addr add fd00:aaaa::1/64 dev eth0",
            () => Of()),
        ["a peer that has no route to this node's pods: it has"] = (
            () => Of() with { Reachability = Dropping }, "see that these nodes have a route to this one's pods",
            () => Of() with { Reachability = Reports.Of(("10.244.2.0/24", ReachKind.Reachable, 310u)) }),
        ["a peer of which nothing is heard: it runs, or a firewall lets it"] = (
            () => Of() with { Reachability = Reports.Of(("10.244.2.0/24", ReachKind.Unreachable, 0u)) },
            "see that these nodes and their agents run; if they do, let the firewalls on and between the nodes pass UDP to the port of the " +
            "setting probe.port",
            () => Of() with { Reachability = Reports.Of(("10.244.2.0/24", ReachKind.Reachable, 310u)) }),
        ["pods that answer no more: the endpoint is there again, or a firewall lets them"] = (
            () => Of() with { Reachability = Reports.Silent("10.244.2.0/24") },
            "see that the agents run, and that the host endpoint (.2) of the Windows nodes is there (`hostgw doctor` on both nodes); if they " +
            "do, let the firewalls on and between the nodes pass UDP to the port of the setting probe.port, also between pod networks",
            () => Of() with { Reachability = Reports.Of(("10.244.2.0/24", ReachKind.Reachable, 310u)) }),
        ["large packets that are lost: the network carries them"] = (
            () => Of() with { SizeAnswers = [Sized("b", isLong: false)] },
            "let the network between the nodes carry 1500 bytes",
            () => Of() with { SizeAnswers = [Sized("b", isLong: true)] }),
        ["large packets that are lost: no node sends them any more"] = (
            () => Of() with { SizeAnswers = [Sized("b", isLong: false)] },
            "or lower the MTU of eth0 on all nodes, and that of pods with it (the CNI configuration; restart the pods)",
            () => Of() with { SizeAnswers = [Sized("b", isLong: true, mtu: 1400)] }),
        ["probes that are not received: the other program ends"] = (
            () => Of() with { Reachability = new([]) { Fault = "Address already in use" } },
            "stop the program that uses the UDP port of probes",
            () => Of() with { Reachability = new([]) }),
        ["probes that are not received: another port"] = (
            () => Of() with { Reachability = new([]) { Fault = "Address already in use" } },
            "set probe.port to another one on all nodes",
            () => Of() with { Reachability = new([]) }),
        ["a blackhole in the place of the probe address: removed"] = (
            () => Of() with { ProbeObstacles = [CatalogueCureTests.ProbeBlackhole] },
            $"if nothing needs it, stop what makes it, then: {CatalogueCureTests.ProbeBlackhole.Removal}",
            () => Of()),
        ["another segment: left out"] = (
            () => WithPeer("d 10.244.4.0/24 192.0.2.4"), "leave it out with hostgw.io/skip",
            () => WithPeer("d 10.244.4.0/24 192.0.2.4 skip")),
        ["another segment: an address on this one"] = (
            () => WithPeer("d 10.244.4.0/24 192.0.2.4"),
            "put the node's address on this host's segment",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["clusterCidrs over the addresses of nodes: narrower"] = (
            () => Of("clusterCidrs=10.0.0.0/8"), "narrow clusterCidrs to the pod networks", () => Of("clusterCidrs=10.244.0.0/16")),
        ["this node's address among pods: another one"] = (
            () => Of("clusterCidrs=10.244.0.0/16", nodes: ["self 10.244.1.0/24 10.244.9.9", .. Nodes[1..]]),
            "correct this node's address (kubelet --node-ip)",
            () => Of("clusterCidrs=10.244.0.0/16")),
        ["no address: an InternalIP"] = (
            () => WithPeer("d 10.244.4.0/24 -"), "give the node an InternalIP",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["no address: an annotation"] = (
            () => WithPeer("d 10.244.4.0/24 -"), "annotate it with hostgw.io/next-hop",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 - hop=10.0.0.4"])),
        ["a duplicate podCIDR: another one"] = (
            () => WithPeer("d 10.244.2.0/24 10.0.0.4"), "re-create the Node with a podCIDR of its own",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["a podCIDR outside of the cluster's: the setting"] = (
            () => Of("clusterCidrs=10.244.0.0/22", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"]), "correct clusterCidrs",
            () => Of("clusterCidrs=10.244.0.0/16", Healthy + ToD, [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["a podCIDR in a service network: the setting"] = (
            () => Of("serviceCidrs=10.244.4.0/22", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"]), "serviceCidrs",
            () => Of("serviceCidrs=10.96.0.0/16", Healthy + ToD, [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["a router's address: another one"] = (
            () => Of(host: Healthy + "; 10.244.4.0/24 via 10.0.0.254 dev eth0 proto 157", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.254"]),
            "correct the node's addresses",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["the interface is down: up again"] = (
            () => Of(host: Healthy.Replace("eth0 10", "eth0 down 10", StringComparison.Ordinal)), "bring the interface and its address up",
            () => Of()),
        ["a cluster route that would cover a resolver: narrower"] = (
            () => Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56 clusterRoute=on", Healthy + "; resolver 10.244.9.53"),
            "narrow clusterCidrs",
            () => Of("clusterCidrs=10.244.0.0/21,fd00:10:244::/56 clusterRoute=on",
                Healthy + "; resolver 10.244.9.53; 10.244.0.0/21 dev eth0 proto 157")),
        ["a cluster route that would cover a resolver: off"] = (
            () => Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56 clusterRoute=on", Healthy + "; resolver 10.244.9.53"),
            "clusterRoute to off",
            () => Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56 clusterRoute=off", Healthy + "; resolver 10.244.9.53")),
        ["gateways that do not answer: NodeAddress"] = (
            () => Knows("10.244.2.1 -", "PodGateway", HealthyByGateway), "set nextHop to NodeAddress", () => Of()),
        ["pods with a larger MTU: the uplink's"] = (
            () => Of(host: Healthy.Replace("br0 10.244.1.1/24", "br0 10.244.1.1/24 mtu=9000", StringComparison.Ordinal)),
            "set the MTU of the CNI configuration to 1500",
            () => Of(host: Healthy.Replace("br0 10.244.1.1/24", "br0 10.244.1.1/24 mtu=1500", StringComparison.Ordinal))),
        ["a foreign route: taken over"] = (
            () => Of(host: Healthy.Replace("10.0.0.2 dev eth0 proto 157", "10.0.0.9 dev eth0 proto 12", StringComparison.Ordinal)),
            "adopt=all", () => Of()),
        ["another segment: a route of this host that leads elsewhere"] = (
            () => Of(host: Healthy + "; 10.0.0.4/32 via 10.0.0.254 dev eth0", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"]),
            "correct the route or setting that the reason names",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["another segment: the setting interface leaves it out"] = (
            () => Of("interface=eth0", Healthy + "; eth1 10.7.0.1/24", [.. Nodes, "d 10.244.4.0/24 10.7.0.4"]),
            "correct the route or setting that the reason names",
            () => Of("interface=eth*", Healthy + "; eth1 10.7.0.1/24; 10.244.4.0/24 via 10.7.0.4 dev eth1 proto 157",
                [.. Nodes, "d 10.244.4.0/24 10.7.0.4"])),
        ["a podCIDR that overlaps a network of this host: another network"] = (
            () => Of(host: Healthy + "; eth1 10.244.4.1/24", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"]), "what it overlaps",
            () => Of(host: Healthy + ToD + "; eth1 10.9.4.1/24", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["a resolver inside a peer's podCIDR: another resolver"] = (
            () => Of(host: Healthy + "; resolver 10.244.4.53", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"]),
            "name a resolver outside of the pod networks",
            () => Of(host: Healthy + ToD + "; resolver 10.0.0.53", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["a resolver inside a peer's podCIDR: another podCIDR"] = (
            () => Of(host: Healthy + "; resolver 10.244.9.53", nodes: [.. Nodes, "d 10.244.9.0/24 10.0.0.4"]),
            "re-create the Node with another podCIDR",
            () => Of(host: Healthy + ToD + "; resolver 10.244.9.53", nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["a cluster route that would cover a resolver: another resolver"] = (
            () => Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56 clusterRoute=on", Healthy + "; resolver 10.244.9.53"), "name another one",
            () => Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56 clusterRoute=on",
                Healthy + "; resolver 10.0.0.53; 10.244.0.0/16 dev eth0 proto 157")),
        ["the on-link route is gone: back again"] = (
            () => Of(host: OffLink), "bring back the on-link route to that address (ip route replace PREFIX dev INTERFACE",
            () => Of(host: OffLink + "; 10.0.0.0/24 dev eth0 proto 4")),
        ["the API server: reachable"] = (
            () => new() { Policy = Policy(), ApiProblem = "No answer from https://192.0.2.1" }, "settings kubeconfig and apiServer",
            () => Of()),
        ["a token: renewed"] = (
            () => Of() with { Now = Noon, Credentials = [new("the token /t", Noon.AddHours(-2), Noon.AddHours(-1))] }, "renew it",
            () => Of() with { Now = Noon, Credentials = [new("the token /t", Noon.AddHours(-2), Noon.AddHours(1))] }),
        ["a certificate of tomorrow: the clock"] = (
            () => Of() with { Now = Noon, Credentials = [new("the certificate authority /c", Noon.AddHours(1), Noon.AddHours(2))] },
            "set the clock right",
            () => Of() with
            {
                Now = Noon.AddHours(1),
                Credentials = [new("the certificate authority /c", Noon.AddHours(1), Noon.AddHours(2))],
            }),
        ["a clock that is slow: set by a server"] = (
            () => Of() with { ServerClock = TimeSpan.FromSeconds(90) }, "timedatectl set-ntp true",
            () => Of() with { ServerClock = TimeSpan.Zero }),
        ["a clock that is slow: chrony"] = (
            () => Of() with { ServerClock = TimeSpan.FromSeconds(90) }, "see what keeps chrony",
            () => Of() with { ServerClock = TimeSpan.Zero }),
        ["no rights: root"] = (() => Facts(f => f with { MayChangeNetwork = false }), "run it as root", () => Of()),
        ["no rights: the capability"] = (() => Facts(f => f with { MayChangeNetwork = false }), "NET_ADMIN", () => Of()),
        ["rules that cannot be read: where the agent runs"] = (
            () => Of() with { Failures = ["list the nftables: EINVAL"] }, "run it where and as the agent runs", () => Of()),
        ["no Node of our own: its name"] = (
            () => Of(nodes: ["me" + Given.Self[4..], .. Nodes[1..]]), "(setting nodeName)",
            () => Examine(Policy() with { NodeName = "me" }, Host(), ["me" + Given.Self[4..], .. Nodes[1..]])),
        ["no Node of our own: registered"] = (() => Of(nodes: Nodes[1..]), "let its kubelet register it", () => Of()),
        ["no podCIDR of our own: given"] = (() => Of(nodes: ["self - 10.0.0.1", .. Nodes[1..]]), "--allocate-node-cidrs=true", () => Of()),
        ["a peer without podCIDR: given"] = (
            () => WithPeer("d - 10.0.0.4"), "--allocate-node-cidrs=true",
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4"])),
        ["a podCIDR of our own that an older Node holds: another one"] = (
            () => Of(host: OwnTaken, nodes: ["old 10.244.1.0/24 10.0.0.9", .. Nodes]), "kubectl delete node self",
            () => Of(host: OwnTaken.Replace("br0 10.244.1", "br0 10.244.7", StringComparison.Ordinal),
                nodes: ["old 10.244.1.0/24 10.0.0.9", Given.Self.Replace("10.244.1.0", "10.244.7.0", StringComparison.Ordinal),
                    .. Nodes[1..]])),
        ["a podCIDR of our own outside of the cluster's: another one"] = (
            () => Of("clusterCidrs=10.99.0.0/16", nodes: [Given.Self]), "re-create the Node with a podCIDR inside",
            () => Of("clusterCidrs=10.99.0.0/16", "eth0 10.0.0.1/24; br0 10.99.1.1/24", ["self 10.99.1.0/24 10.0.0.1"])),
        ["a podCIDR of our own outside of the cluster's: the setting"] = (
            () => Of("clusterCidrs=10.99.0.0/16", nodes: [Given.Self]), "correct clusterCidrs", () => Of("clusterCidrs=10.244.0.0/16")),
        ["a podCIDR of our own in a service network: the setting"] = (
            () => Of("serviceCidrs=10.244.0.0/20"), "or serviceCidrs", () => Of("serviceCidrs=10.96.0.0/16")),
        ["no interface: another name in the setting"] = (
            () => Of("interface=ens*"), "name another interface in the setting interface", () => Of("interface=eth*")),
        ["no interface with this node's address: correct it"] = (
            () => Of(host: "eth0 10.7.0.1/24"), "correct this node's address",
            () => Of(host: "eth0 10.7.0.1/24; 10.244.2.0/24 via 10.7.0.2 dev eth0 proto 157",
                nodes: ["self 10.244.1.0/24 10.7.0.1", "b 10.244.2.0/24 10.7.0.2"])),
        ["this node's address is on no interface: it comes"] = (
            () => Of(host: Healthy.Replace("eth0 10.0.0.1", "eth0 10.7.0.1", StringComparison.Ordinal)),
            "bring this host's interface or address back",
            () => Of()),
        ["this node's address is on no interface: correct it"] = (
            () => Of(host: Healthy.Replace("eth0 10.0.0.1", "eth0 10.7.0.1", StringComparison.Ordinal)),
            "correct this node's (kubelet --node-ip)",
            () => Of(host: "eth0 10.7.0.1/24; 10.244.2.0/24 via 10.7.0.2 dev eth0 proto 157",
                nodes: ["self 10.244.1.0/24 10.7.0.1", "b 10.244.2.0/24 10.7.0.2"])),
        ["this node's address is on no interface for good: the setting"] = (
            () => Of("PodGateway", HealthyByGateway.Replace("eth0 10.0.0.1", "eth0 10.7.0.1", StringComparison.Ordinal)),
            "name another interface in the setting interface",
            () => Of("PodGateway interface=eth0", HealthyByGateway.Replace("10.0.0.1/24", "10.0.0.7/24", StringComparison.Ordinal))),
        ["a next hop that does not answer: it does"] = (
            () => Knows("10.0.0.2 -"), "see that the node runs", () => Knows("10.0.0.2 02:00:00:00:00:02")),
        ["a gateway that does not answer: its bridge"] = (
            () => Knows("10.244.2.1 -", "PodGateway", HealthyByGateway), "see that the node runs, that its bridge holds that address",
            () => Knows("10.244.2.1 02:00:00:00:00:02", "PodGateway", HealthyByGateway)),
        ["a gateway that another answers for: it leaves"] = (
            () => Knows("10.244.2.1 02:00:00:00:00:99; 10.0.0.2 02:00:00:00:00:02", "PodGateway", HealthyByGateway),
            "find who has that MAC address",
            () => Knows("10.244.2.1 02:00:00:00:00:02; 10.0.0.2 02:00:00:00:00:02", "PodGateway", HealthyByGateway)),
        ["a gateway that another answers for: NodeAddress"] = (
            () => Knows("10.244.2.1 02:00:00:00:00:99; 10.0.0.2 02:00:00:00:00:02", "PodGateway", HealthyByGateway),
            "or set nextHop to NodeAddress on all nodes", () => Knows("10.0.0.2 02:00:00:00:00:02")),
        ["a router between the nodes: one segment"] = (
            () => Knows("10.0.0.2 02:00:00:00:00:fe; 10.0.0.3 02:00:00:00:00:fe"), "host-gateway routes need one L2 segment",
            () => Knows("10.0.0.2 02:00:00:00:00:02; 10.0.0.3 02:00:00:00:00:03")),
        ["forwarding that cannot be read: procSysNet"] = (
            () => Of() with { Host = Host() with { Forwarding = new(null, true) } }, "set procSysNet", () => Of()),
        ["forwarding that cannot be read: no podCIDR of that family"] = (
            () => Of() with { Host = Host() with { Forwarding = new(true, null) } }, "give this node no IPv6 podCIDR",
            () => Examine(Policy(), Host() with { Forwarding = new(true, null) }, ["self 10.244.1.0/24 10.0.0.1", .. Nodes[1..]])),
        ["forwarding that cannot be read: a kernel with IPv6"] = (
            () => Of() with { Host = Host() with { Forwarding = new(true, null) } }, "boot the kernel with it", () => Of()),
        ["forwarding off, and HostGw leaves it: the setting"] = (
            () => Of("forwarding=off") with { Host = Host() with { Forwarding = new(false, true) } }, "or set forwarding to true",
            () => Of()),
        ["a second way to the nodes' segment: one interface"] = (
            () => StrictOnSecondWay("eth1"), "keep one interface on the nodes' segment", () => Of()),
        ["arp_ignore: NodeAddress"] = (
            () => IgnoringArp("eth0"), "or set nextHop to NodeAddress on all nodes",
            () => Of() with { Facts = new() { ArpIgnore = new Dictionary<string, int> { ["eth0"] = 1 } } }),
        ["pods with a larger MTU: the uplink's raised"] = (
            () => Of(host: Healthy.Replace("br0 10.244.1.1/24", "br0 10.244.1.1/24 mtu=9000", StringComparison.Ordinal)),
            "raise that of eth0",
            () => Of(host: Healthy.Replace("/24; br0 10.244.1.1/24", "/24 mtu=9000; br0 10.244.1.1/24 mtu=9000", StringComparison.Ordinal)
                .Replace("eth0 10.0.0.1/24", "eth0 10.0.0.1/24 mtu=9000", StringComparison.Ordinal))),
        ["an interface with a network of pods: another network"] = (
            () => Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56", Healthy + "; eth1 10.244.9.1/24"),
            "if it is another interface, give it another network", () => Of(host: Healthy + "; eth1 192.168.9.1/24")),
        ["a route on Windows that comes back at boot: taken over"] = (
            () => Returning("10.244.2.0/24"), "adopt=all", () => Of()),
        ["pods with addresses of a former podCIDR: made again"] = (
            () => Of(host: Healthy + "; vethab12cd 10.244.9.1/32; 10.244.9.5/32 dev vethab12cd"), "delete these pods",
            () => Of(host: Healthy + "; vethab12ce 10.244.1.1/32; 10.244.1.5/32 dev vethab12ce")),
        ["flannel on the same host: stopped"] = (
            () => Facts(f => f with { Programs = new HashSet<string> { "flanneld", "bash" } }), "keep one program that makes routes to pods",
            () => Facts(f => f with { Programs = new HashSet<string> { "bash" } })),
        ["flannel in a pod: it was meant"] = (
            () => Of(host: Healthy + "; flannel.1 172.31.0.0/32"), "keep one program that makes routes to pods (docs/migrate.md)", () => Of()),
        ["CNI plugins that are missing: installed"] = (
            () => Of("cni=on") with { Facts = new() { MissingCniPlugins = ["ptp"] } }, "install kubernetes-cni", () => Of("cni=on")),
        ["CNI plugins that are missing: their directory"] = (
            () => Of("cni=on") with { Facts = new() { MissingCniPlugins = ["ptp"] } }, "name their directory in cni.binDirectory",
            () => Of("cni=on")),
        ["a masquerade rule that another left: its maker"] = (
            () => Of() with { Leftovers = [new("the rule of flannel", () => { })] }, "stop what made it", () => Of()),
        ["rules that iptables cannot list: listed again"] = (
            () => Of() with { Leftovers = [new("whether a rule drops is unknown (iptables-legacy-save: exit code 1)", null)] },
            "put right what keeps these rules from being read", () => Of()),
        ["a rule that an ipset decides: an accept before it"] = (
            () => Of() with { Doubts = [new("the rule of crowdsec", "ipset list crowdsec shows it")] },
            "until a rule before it accepts packets between pods", () => Of()),
    };

    private const string OffLink = "eth0 10.0.0.1/32; br0 10.244.1.1/24; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157; " +
        "10.244.3.0/24 via 10.0.0.3 dev eth0 proto 157";

    private static readonly string WithoutBridge = Healthy.Replace("br0 10.244.1.1/24; ", "", StringComparison.Ordinal);

    private const string OwnTaken = Healthy + "; 10.244.1.0/24 via 10.0.0.9 dev eth0 proto 157";

    /// <summary>What is broken, and the words with which the command begins that cures it.</summary>
    private static readonly Dictionary<string, (Func<Examination> Broken, string Command)> Commands = new()
    {
        ["an annotation next-hop that is no address: remove it"] = (
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4 hop=-"]),
            "kubectl annotate node d hostgw.io/next-hop-"),
        ["an annotation next-hop that is no address: correct it"] = (
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4 hop=-"]),
            "kubectl annotate node d --overwrite hostgw.io/next-hop=ADDRESS"),
        ["an annotation next-hop that is on another segment: remove it"] = (
            () => WithPeer("d 10.244.4.0/24 10.0.0.4 hop=192.0.2.9"), "kubectl annotate node d hostgw.io/next-hop-"),
        ["an annotation next-hop that is on another segment: correct it"] = (
            () => WithPeer("d 10.244.4.0/24 192.0.2.4 hop=192.0.2.9"), "kubectl annotate node d --overwrite hostgw.io/next-hop=ADDRESS"),
        ["an annotation next-hop that is this host: remove it"] = (
            () => WithPeer("d 10.244.4.0/24 10.0.0.4 hop=10.0.0.1"), "kubectl annotate node d hostgw.io/next-hop-"),
        ["an annotation skip that is neither: set it"] = (
            () => Of(nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4 skip=yes"]), "kubectl annotate node d --overwrite hostgw.io/skip=true"),
        ["an annotation skip that is neither: remove it"] = (
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 10.0.0.4 skip=yes"]),
            "kubectl annotate node d hostgw.io/skip-"),
        ["an annotation skip that is neither, beside a right next-hop"] = (
            () => Of(host: Healthy + ToD, nodes: [.. Nodes, "d 10.244.4.0/24 192.0.2.4 hop=10.0.0.4 skip=yes"]),
            "kubectl annotate node d hostgw.io/skip-"),
        ["a MAC address written by hand"] = (() => Knows("10.0.0.2 02:00:00:00:00:99 fixed"), "ip neigh del 10.0.0.2 dev eth0"),
        ["IPv4 forwarding off"] = (() => Of() with { Host = Host() with { Forwarding = new(false, true) } },
            "sysctl -w net.ipv4.ip_forward"),
        ["IPv4 forwarding off, and HostGw leaves it"] = (
            () => Of("forwarding=off") with { Host = Host() with { Forwarding = new(false, true) } }, "sysctl -w net.ipv4.ip_forward"),
        ["IPv6 forwarding off where router advertisements give the default route"] = (
            () => Of() with
            {
                Host = Learning(Host(Healthy + "; default6 via fd00:aaaa::fe dev eth0 proto 9")) with { Forwarding = new(true, false) },
            },
            "sysctl -w net.ipv6.conf.eth0.accept_ra=2"),
        ["forwarding off on an uplink with dots"] = (
            () => ForwardingOffOn("eth0.5.7", Healthy.Replace("eth0", "eth0.5.7", StringComparison.Ordinal)),
            "sysctl -w net.ipv4.conf.eth0/5/7.forwarding=1"),
        ["forwarding off on the bridge of pods"] = (() => ForwardingOffOn("br0", Healthy), "sysctl -w net.ipv4.conf.br0.forwarding=1"),
        ["forwarding off on Windows"] = (
            () => OnWindows(ForwardingOffOn("eth0", WithoutBridge)), "Set-NetIPInterface -InterfaceAlias 'eth0' -AddressFamily IPv4"),
        ["forwarding off on all of Windows"] = (
            () => OnWindows(Of(host: WithoutBridge)) with
            {
                Host = Host(WithoutBridge) with
                {
                    Windows = new(null, 0),
                    Forwarding = new(true, false)
                }
            },
            "Set-NetIPInterface -InterfaceAlias 'eth0' -AddressFamily IPv6"),
        ["forwarding off for new interfaces"] = (
            () => Of() with { Host = Host() with { NewInterfacesForwardIPv4 = false } }, "sysctl -w net.ipv4.conf.default.forwarding=1"),
        ["an uplink plugged in again whose default route does not come back"] = (
            () => Of() with { Host = AcceptRa("eth0", 1) }, "sysctl -w net.ipv6.conf.eth0.accept_ra=2"),
        ["pods whose router advertisements the host takes"] = (
            () => Of() with { Host = AcceptRa("br0", 2) }, "sysctl -w net.ipv6.conf.br0.accept_ra=0"),
        ["a pod that is the default gateway already"] = (
            () => Of() with { Host = AcceptRa("br0", 2, "; default6 via fd00:aaaa::66 dev br0 proto 9") },
            "sysctl -w net.ipv6.conf.br0.accept_ra=0 && ip -6 route del default dev br0 proto 9"),
        ["strict rp_filter on a second way to a peer"] = (() => StrictOnSecondWay("eth1"), "sysctl -w net.ipv4.conf.eth1.rp_filter=2"),
        ["strict rp_filter on a VLAN"] = (() => StrictOnSecondWay("eth1.100"), "sysctl -w net.ipv4.conf.eth1/100.rp_filter=2"),
        ["arp_ignore"] = (() => IgnoringArp("eth0"), "sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth0.arp_ignore=0"),
        ["arp_ignore on a VLAN"] = (() => IgnoringArp("eth0.7"),
            "sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth0/7.arp_ignore=0"),
        ["a small neighbour table for IPv4"] = (
            () => Facts(f => f with { NeighbourLimitIPv4 = 7, NeighbourLimitIPv6 = 1024 }),
            "sysctl -w net.ipv4.neigh.default.gc_thresh3=8"),
        ["a small neighbour table for IPv6"] = (
            () => Facts(f => f with { NeighbourLimitIPv4 = 1024, NeighbourLimitIPv6 = 7 }),
            "sysctl -w net.ipv6.neigh.default.gc_thresh3=8"),
        ["a bridge of pods with a former podCIDR"] = (
            () => Of("clusterCidrs=10.244.0.0/16,fd00:10:244::/56", Healthy + "; cni0 10.244.9.1/24"), "ip link delete cni0"),
        ["a foreign route in front of ours"] = (() => Of(host: Foreign), "ip route del 10.244.2.0/24 proto 4"),
        ["a foreign route in front of ours on Windows"] = (
            () => OnWindows(Of(
                host: Foreign.Replace("proto 4", "proto 268", StringComparison.Ordinal).Replace("br0 10.244.1.1/24; ", "",
                    StringComparison.Ordinal))),
            "Remove-NetRoute -DestinationPrefix 10.244.2.0/24 -InterfaceIndex 2 -NextHop 10.0.0.9"),
        ["a foreign route in the place of ours"] = (
            () => Of(host: Healthy.Replace("10.0.0.2 dev eth0 proto 157", "10.0.0.9 dev eth0 proto 12", StringComparison.Ordinal)),
            "ip route del 10.244.2.0/24 proto 12"),
        ["a foreign route that takes precedence by its metric"] = (
            () => Of(host: Dual + "; fd00:10:244:2::/64 via fd00:aaaa::9 dev eth0 proto 4 metric 100",
                nodes: [Given.Self, $"b {DualPodCidrs(2)} 10.0.0.9,fd00:aaaa::2", $"c {DualPodCidrs(3)} 10.0.0.9,fd00:aaaa::3"]),
            "ip route del fd00:10:244:2::/64 proto 4"),
        ["a foreign route inside a peer's"] = (
            () => Of(host: Healthy + "; 10.244.2.128/25 via 10.0.0.9 dev eth0 proto 4"), "ip route del 10.244.2.128/25 proto 4"),
        ["a foreign IPv6 route inside a peer's"] = (
            () => Of(host: Dual + "; fd00:10:244:2:8000::/65 via fd00:aaaa::9 dev eth0 proto 4 metric 1024",
                nodes: [Given.Self, $"b {DualPodCidrs(2)} 10.0.0.9,fd00:aaaa::2", $"c {DualPodCidrs(3)} 10.0.0.9,fd00:aaaa::3"]),
            "ip route del fd00:10:244:2:8000::/65 proto 4"),
        ["flannel that is gone"] = (() => Of(host: Healthy + "; flannel.1 172.31.0.0/32"), "ip link delete flannel.1"),
        ["antrea that is gone"] = (() => Of(host: Healthy + "; antrea-gw0"), "ovs-vsctl del-port antrea-gw0"),
    };

    public static TheoryData<string> Cures => [.. Cured.Keys];

    public static TheoryData<string> CommandNames => [.. Commands.Keys];

    [Theory]
    [MemberData(nameof(CommandNames))]
    public void Who_runs_the_command_of_a_cure_is_cured(string what)
    {
        (Func<Examination> broken, string command) = Commands[what];
        Examination seen = broken();
        Problem problem = Doctor.Examine(seen).First(p => p.Cure.Contains(command, StringComparison.Ordinal));

        Examination after = Obedience.Run(problem.Cure[problem.Cure.IndexOf(command, StringComparison.Ordinal)..], seen);

        Assert.Contains(problem, Doctor.Examine(Obedience.Again(seen)));
        Assert.DoesNotContain(problem.Rule, string.Join('\n', Doctor.Examine(after)), StringComparison.Ordinal);
        // What the agent adds at its next pass.
        Assert.Empty(Doctor.Examine(after).Where(p => p.Rule is not ("routes" or "nextHop")));
    }

    /// <summary>Parts of cures that no model can show, and the test that tries them, on a real kernel where that is what counts.</summary>
    private static readonly Dictionary<string, string> TriedElsewhere = new()
    {
        ["the agent does so"] = "What_the_agent_is_said_to_repair_it_repairs_and_the_rest_it_does_not",
        ["let the digest run"] = "Who_does_what_the_catalogue_says_is_cured",
        ["keep others from writing in that namespace"] = "Who_does_what_the_catalogue_says_is_cured",
        ["start the agent"] = "What_the_agent_is_said_to_repair_it_repairs_and_the_rest_it_does_not",
        ["if it runs, hostgw status and its log say"] = "Who_does_what_the_catalogue_says_is_cured",
        ["see its log for what keeps it from that"] = "Who_does_what_the_catalogue_says_is_cured",
        ["it adds one chain"] = "What_the_agent_is_said_to_repair_it_repairs_and_the_rest_it_does_not",
        ["change it where it is made"] = "The_commands_in_a_finding_cure_it",
        ["ipset list"] = "A_rule_that_an_ipset_decides_is_named_with_the_way_to_look",
        ["hostgw adopt --rules"] = "What_the_doctor_says_to_type_cures_a_node",
        ["set policyRule to on"] = "With_policyRule_packets_take_the_routes_though_such_a_rule_is_there",
        ["ip rule del"] = "A_policy_rule_that_takes_pods_packets_is_named_and_cured",
        ["Remove-NetRoute"] = "Who_runs_the_command_of_a_cure_is_cured",
        ["ManageForeignRoutes"] = "What_the_doctor_says_of_networkd_is_what_networkd_reads",
        ["sysctl -w"] = "Who_runs_the_command_of_a_cure_is_cured",
    };

    /// <summary>Parts that are nothing to do.</summary>
    private static readonly string[] Explanations =
    [
        "(docs/networks.md has the commands)", "This host is ", "libvirt: a filterref", "vSphere alone checks no addresses",
        "a plain switch checks no addresses", "nothing is to do: the probes of a running agent find out",
        "what it names is missing there", "hidden by a security module", "for a new cluster kubeadm init",
        "labels and taints that were set by hand",
        "A host that is meant to have one address family needs nothing", "the cloud's controller manager)", "a node that left the cluster",
        "this finding remains", "what makes it: DHCP", "existing routes are kept until then", "delete the pods of DaemonSets that remain",
    ];

    [GeneratedRegex(@"[;,.] or,? |; (?!ManageForeign)|\. ")]
    private static partial Regex BetweenAlternatives();

    // A new rule, or a new part of a cure, fails here until somebody does what it says.
    [Fact]
    public void Every_part_of_every_cure_is_tried()
    {
        var cases = Cured.Values.Select(c => (c.Broken, c.Cure)).Concat(Commands.Values.Select(c => (c.Broken, Cure: c.Command)));
        (string Rule, string Cure)[] tried =
        [
            .. from one in cases
               from problem in Doctor.Examine(one.Broken())
               where problem.Cure.Contains(one.Cure, StringComparison.Ordinal)
               select (problem.Rule, one.Cure),
        ];
        IEnumerable<string> untried =
            from problem in AllStates().SelectMany(seen => Doctor.Examine(seen()))
            from part in BetweenAlternatives().Split(problem.Cure)
            where !tried.Any(t => t.Rule == problem.Rule && CatalogueCureTests.Overlap(part, t.Cure))
            where !TriedElsewhere.Keys.Concat(Explanations).Any(t => part.Contains(t, StringComparison.Ordinal))
            select $"{problem.Rule}: {part}";
        Assert.True(!untried.Any(), string.Join('\n', untried.Distinct()));
    }

    internal static IEnumerable<Func<Examination>> AllStates() =>
        Broken.Values.Select(b => b.Seen).Concat(Cured.Values.Select(c => c.Broken)).Concat(Commands.Values.Select(c => c.Broken))
            .Concat(Enum.GetValues<MachinePlatform>().Select(p => (Func<Examination>)(() => On(p))));

    [Fact]
    public void The_tests_that_try_cures_elsewhere_exist()
    {
        string tests = string.Concat(Directory.EnumerateFiles(Repository.PathTo("tests"), "*Tests*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal)).Select(File.ReadAllText));
        Assert.All(
            TriedElsewhere.Values.Concat(CatalogueCureTests.TriedElsewhere.Values),
            name => Assert.Contains($" {name}(", tests, StringComparison.Ordinal));
    }

    [Fact]
    public void What_the_doctor_says_of_networkd_is_what_networkd_reads()
    {
        string cure = Assert.Single(Doctor.Examine(Facts(f => f with { NetworkdRemovesRoutes = true }))).Cure;
        string folder = Directory.CreateTempSubdirectory("hostgw-networkd-").FullName;
        try
        {
            string command = cure.Replace("/etc/systemd", folder, StringComparison.Ordinal)
                .Replace("systemctl", "echo systemctl", StringComparison.Ordinal);
            using Process shell = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardOutput = true })!;
            Assert.Equal("systemctl restart systemd-networkd\n", shell.StandardOutput.ReadToEnd());
            Assert.False(NetworkdConfiguration.RemovesForeignRoutes([File.ReadAllText($"{folder}/networkd.conf.d/hostgw.conf")]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Examination StrictOnSecondWay(string link) => Of(host: Healthy + $"; {link} 10.0.0.77/24") with
    {
        Facts = new() { ReversePathFilters = new Dictionary<string, int> { [link] = 1 } },
    };

    // Windows's persistent store: a route as HostGw would make it, and it comes back at boot.
    private static Examination Returning(string destination)
    {
        HostState host = Host(WithoutBridge);
        return Examine(Policy(), host with
        {
            Windows = new(null, 0),
            Routes =
            [
                .. host.Routes.Select(r => r.Destination != Prefix.Parse(destination) ? r
                    : r with { IsOurs = false, Protocol = 259, MayReturn = true }),
            ],
        }, Nodes);
    }

    private static Examination IgnoringArp(string link) =>
        Of("PodGateway", HealthyByGateway.Replace("eth0", link, StringComparison.Ordinal)) with
        {
            Facts = new() { ArpIgnore = new Dictionary<string, int> { [link] = 1 } },
        };

    [Theory]
    [MemberData(nameof(Cures))]
    public void Who_does_what_the_cure_says_is_cured(string what)
    {
        (Func<Examination> broken, string cure, Func<Examination> cured) = Cured[what];
        IReadOnlyList<Problem> problems = Doctor.Examine(broken());
        Assert.NotEmpty(problems);
        Assert.Contains(problems, p => p.Cure.Contains(cure, StringComparison.Ordinal));
        Assert.Empty(Doctor.Examine(cured()));
    }

    [Theory]
    [InlineData("d 10.244.4.0/24 10.0.0.4 hop=-")]
    [InlineData("d 10.244.4.0/24 10.0.0.4 hop=192.0.2.9")]
    [InlineData("d 10.244.4.0/24 10.0.0.4 skip=yes")]
    public void Where_an_annotation_is_wrong_no_other_object_is_blamed(string peer)
    {
        Examination seen = Of(host: Healthy + ToD, nodes: [.. Nodes, peer]);
        Assert.All(
            Doctor.Examine(seen).Where(p => p.Rule != "routes"),
            p => Assert.DoesNotMatch("re-create|InternalIP|put the node's address", p.Cure));
    }

    // It does not: a route that is installed beside ours would have to be removed, not replaced.
    [Fact]
    public void Adopt_is_not_advised_for_a_route_that_it_does_not_take_over()
    {
        Problem problem = Assert.Single(Doctor.Examine(Of(host: Foreign)));
        Assert.DoesNotContain("adopt", $"{problem.Text} {problem.Cure}", StringComparison.Ordinal);

        Plan plan = Planner.Plan(Given.Nodes(Nodes), Host(Foreign), Policy());
        RouteChanges all = HostDiff.Between(plan, Host(Foreign), new HashSet<RouteKey>(), AdoptMode.All).Routes;
        Assert.Single(all.Conflicts);
        Assert.True(all.IsEmpty);
    }
}
