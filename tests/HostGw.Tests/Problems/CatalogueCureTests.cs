using System.Text.RegularExpressions;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Tests.Architecture;
using HostGw.Tests.Cli;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;
using Agent = HostGw.Tests.Reconciliation.Agent;

namespace HostGw.Tests.Problems;

/// <summary>Each problem of status, page, log and Events, as an agent sees it: it comes, somebody does what it says, it goes.</summary>
public partial class CatalogueCureTests
{
    private const string ClusterCidrs = "clusterCidrs=10.244.0.0/16,fd00:10:244::/56";
    private const string Foreign = "10.244.2.0/24 via 10.0.0.9 dev eth0 proto 4";

    /// <summary>Until it is refused no more.</summary>
    private static readonly HostRefusal NotPermitted = new("Operation not permitted");

    private static readonly RouteOverride VpnRule = new(
        "policy rule 5270: from all lookup 52", "from this node's pods to other nodes' pods", "table 52 (10.244.0.0/16 dev vpn0)",
        "ip rule del pref 5270 from all lookup 52", new HashSet<Prefix> { Prefix.Parse("10.244.2.0/24") })
    {
        IsByRule = true,
    };

    internal static readonly ProbeObstacle ProbeBlackhole = new(
        Ip.Parse("10.244.1.0"), "the blackhole route 10.244.1.0/32 of protocol static in table local",
        "ip route del blackhole 10.244.1.0 table local proto 4");

    private static readonly DigestHealth FullDigest = new([], IsPartial: false, Source: 42);

    private static readonly string[] Six = [Given.Self, .. Enumerable.Range(2, 5).Select(n => $"n{n} 10.244.{n}.0/24 10.0.0.{n}")];

    /// <summary>What is broken by the first action and cured by the second one; the rule, and words of what it says to do.</summary>
    private static readonly Dictionary<string, Case> Cured = new()
    {
        ["no Node of our own: registered"] = new(
            () => new(), a => a.Nodes = Agent.ThreeNodes[1..], "NodeNotInOrder", "or register the node", a => a.Nodes = Agent.ThreeNodes),
        ["no podCIDR of our own: given"] = new(
            () => new(), a => a.Nodes = ["self - 10.0.0.1", .. Agent.ThreeNodes[1..]], "NodeNotInOrder",
            "let the controller manager give it one",
            a => a.Nodes = Agent.ThreeNodes),
        ["a podCIDR of our own of rubbish: re-created"] = new(
            () => new(), a => a.Nodes = ["self rubbish 10.0.0.1", .. Agent.ThreeNodes[1..]], "NodeNotInOrder",
            "until the Node is re-created",
            a => a.Nodes = Agent.ThreeNodes),
        ["a podCIDR of our own that an older Node holds: re-created"] = new(
            () => new(), a => a.Nodes = ["old 10.244.1.0/24 10.0.0.9", .. Agent.ThreeNodes], "NodeNotInOrder", "kubectl delete node self",
            a => a.Nodes = ["old 10.244.1.0/24 10.0.0.9", Given.Self.Replace("10.244.1.0", "10.244.7.0", StringComparison.Ordinal),
                .. Agent.ThreeNodes[1..]]),
        ["the uplink is down: up"] = new(
            () => new(), a => SetUp(a, false), "InterfaceUnusable", "bring this host's interface or address back", a => SetUp(a, true)),
        ["a podCIDR of rubbish: another one"] = new(
            () => new(), a => a.Nodes = [.. Agent.ThreeNodes, "d rubbish 10.0.0.4"], "PodCIDRRejected",
            "re-create the Node with a podCIDR of its own",
            a => a.Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 10.0.0.4"]),
        ["a router's address: the node's own"] = new(
            () => new(), a => a.Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 10.0.0.254"], "NextHopDoubtful",
            "correct the node's addresses",
            a => a.Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 10.0.0.4"]),
        ["another segment: left out"] = new(
            () => new(), a => a.Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 192.0.2.4"], "NextHopUnreachable",
            "leave it out with hostgw.io/skip",
            a => a.Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 192.0.2.4 skip"]),
        ["another segment: the network routes pods"] = new(
            () => new() { Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 192.0.2.4"] }, _ => { }, "NextHopUnreachable",
            "host-gateway routes need one L2 segment",
            a => a.Reachability = Reports.Of(("10.244.4.0/24", ReachKind.RoutedByNetwork, 310u))),
        ["an address that another machine has, too: that one gets another"] = new(
            () => new(), a => a.Host.State = a.Host.State with
            {
                DuplicateAddresses = [new(Ip.Parse("fd00:aaaa::1"), Prefix.Parse("fd00:aaaa::/64"), 2)],
            },
            "DuplicateAddress",
            "give that machine another address (on another node, ip neigh show fd00:aaaa::1 has its MAC address), then: " +
            "ip addr del fd00:aaaa::1/64 dev eth0 && ip addr add fd00:aaaa::1/64 dev eth0",
            a => a.Host.State = a.Host.State with { DuplicateAddresses = [] }),
        ["a network that drops pods' packets: told of the pod networks"] = new(
            () => new(), a => a.Reachability = Reports.Of(("10.244.2.0/24", ReachKind.PodTrafficDropped, 0u)), "PodTrafficDropped",
            "if they have, an IPsec policy (`ip xfrm policy`) or the network between the nodes drops pods\' packets: switch its check of " +
            "addresses off for every node, or name the pod networks to it (docs/networks.md has the commands)",
            Reached),
        ["a network that drops pods' packets: the peer had no route"] = new(
            () => new(), a => a.Reachability = Reports.Of(("10.244.2.0/24", ReachKind.PodTrafficDropped, 0u)), "PodTrafficDropped",
            "see that these nodes have a route to this one's pods", Reached),
        ["another segment: the tunnel"] = new(
            () => new() { Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 192.0.2.4"] }, _ => { }, "NextHopUnreachable",
            "between Linux nodes, use the tunnel (tunnel.mode auto on all nodes)",
            a => Tunnel(a, "10.244.4.0/24")),
        ["another segment, with gateways in podCIDRs: the tunnel"] = new(
            () => new("PodGateway") { Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 192.0.2.4"] }, _ => { }, "NextHopUnreachable",
            "between Linux nodes, use the tunnel (nextHop NodeAddress and tunnel.mode auto on all nodes)",
            a => Tunnel(a, "10.244.4.0/24")),
        ["another segment, without probes: the tunnel"] = new(
            () => new("probe=off") { Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 192.0.2.4"] }, _ => { }, "NextHopUnreachable",
            "between Linux nodes, use the tunnel (tunnel.mode always, or auto and probe.enabled on all nodes)",
            a => Tunnel(a, "10.244.4.0/24")),
        ["another segment, and the tunnel is on: its packets pass"] = new(
            () => new("tunnel=auto") { Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 192.0.2.4"] }, _ => { }, "NextHopUnreachable",
            "between Linux nodes, let UDP to probe.port and tunnel.port pass (tunnel.mode auto there, too)",
            a => Tunnel(a, "10.244.4.0/24")),
        ["a network that drops pods' packets: the tunnel"] = new(
            () => new(), a => a.Reachability = Reports.Of(("10.244.2.0/24", ReachKind.PodTrafficDropped, 0u)), "PodTrafficDropped",
            "use the tunnel (tunnel.mode auto on all nodes), and let UDP to tunnel.port pass",
            a => Tunnel(a, "10.244.2.0/24")),
        ["a network that drops the tunnel's packets, too: it passes them"] = new(
            () => new("tunnel=auto", Tunnelled), a => a.Reachability = Given.Paths("10.244.2.0/24 Compared"), "PodTrafficDropped",
            "let the firewalls on and between the nodes pass UDP to the port of the setting tunnel.port", a => Tunnel(a, "10.244.2.0/24")),
        ["a tunnel that a firewall blocks: it passes it"] = new(
            () => new("tunnel=auto", Tunnelled), a => SendInto(a, "10.244.2.0/24"), "TunnelUnanswered",
            "let the firewalls on and between the nodes pass UDP to the port of the setting tunnel.port, and see that these nodes' agents " +
            "run with the same settings of the tunnel",
            a => Tunnel(a, "10.244.2.0/24")),
        ["a tunnel that this kernel cannot guard: it can"] = new(
            () => new("tunnel=auto"), a => Needs(a, h => h with { GuardObstacle = "no nf_tables" }), "TunnelRefused", "no nf_tables",
            a => a.Host.State = a.Host.State with { GuardObstacle = "" }),
        ["a foreign interface hostgw0: renamed"] = new(
            () => new("tunnel=auto"), a => Needs(a, h => h with { Tunnel = new(9) }), "TunnelRefused",
            "`ip link set hostgw0 down` and `ip link set hostgw0 name NEWNAME` rename it",
            a => a.Host.State = a.Host.State with { Tunnel = null }),
        ["a plugin that may give the source to a pod: an index"] = new(
            () => new("tunnel=auto"), a => Needs(a, h => h with { SourceObstacle = "it is not known" }), "TunnelRefused",
            "if pods never get a certain address of each podCIDR, set tunnel.source to its index, such as 254",
            a => a.Restart("tunnel=auto tunnel.source=254")),
        ["a plugin that comes later and may give the source to a pod: it goes"] = new(
            () => new("tunnel=auto"), Endanger, "TunnelSourceAtRisk",
            "let HostGw's CNI configuration be the first in its directory again, or one with host-local for this node's podCIDR; before " +
            "this node restarts: then there would be no tunnel",
            a => a.Host.State = a.Host.State with { SourceObstacle = "" }),
        ["a plugin with another network: its own"] = new(
            () => new("tunnel=auto"), a => Needs(a, h => h with { ReservedSubnets = [Prefix.Parse("10.88.0.0/16")] }), "TunnelRefused",
            "the CNI configuration in use gives pods addresses of 10.88.0.0/16, not of this node's podCIDR 10.244.1.0/24",
            a => a.Host.State = a.Host.State with
            {
                ReservedSubnets = [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("fd00:10:244:1::/64")],
            }),
        ["an index outside the podCIDR: a lower one"] = new(
            () => new("tunnel=auto tunnel.source=300"), a => Needs(a, h => h), "TunnelRefused",
            "lies outside this node's podCIDR 10.244.1.0/24: set it to a lower index that no pod gets, or to auto",
            a => a.Restart("tunnel=auto")),
        ["a tunnel that cannot be: off"] = new(
            () => new("tunnel=auto"), a => Needs(a, h => h with { GuardObstacle = "no nf_tables" }), "TunnelRefused",
            "if that cannot be, set tunnel.mode to off on all nodes: peers keep their native routes, and those without one stay as they are",
            a => a.Restart("tunnel=off")),
        ["peers of which nothing is heard any more: they run"] = new(
            () => new(), a => a.Reachability = Reports.Of(("10.244.2.0/24", ReachKind.Unreachable, 0u)), "PeersUnreachable",
            "see that these nodes and their agents run", Reached),
        ["peers of which nothing is heard any more: the firewall"] = new(
            () => new(), a => a.Reachability = Reports.Of(("10.244.2.0/24", ReachKind.Unreachable, 0u)), "PeersUnreachable",
            "let the firewalls on and between the nodes pass UDP to the port of the setting probe.port", Reached),
        ["pods that answer no more: the endpoint is there again"] = new(
            () => new(), a => a.Reachability = Reports.Silent("10.244.2.0/24"), "PodsSilent",
            "see that the agents run, and that the host endpoint (.2) of the Windows nodes is there (`hostgw doctor` on both nodes)", Reached),
        ["pods that answer no more: the firewall"] = new(
            () => new(), a => a.Reachability = Reports.Silent("10.244.2.0/24"), "PodsSilent",
            "let the firewalls on and between the nodes pass UDP to the port of the setting probe.port, also between pod networks", Reached),
        ["a cluster route that would cover a resolver: off"] = new(
            () => new($"{ClusterCidrs} clusterRoute=on", Given.Lan + "; resolver 10.244.9.53"), _ => { }, "ClusterRouteRefused",
            "set clusterRoute to off", a => a.Restart($"{ClusterCidrs} clusterRoute=off")),
        ["a cluster route that covers a Node elsewhere: narrower"] = new(
            Covering, _ => { }, "ClusterRouteCoversNodes", "make clusterCidrs narrower: only the pod networks",
            a => a.Restart("PodGateway clusterCidrs=10.244.0.0/16")),
        ["a cluster route that covers an address that is wrong: the right one"] = new(
            Covering, _ => { }, "ClusterRouteCoversNodes", "if such an address is wrong, correct the node's (kubelet --node-ip)",
            a => a.Nodes = ["self 10.244.1.0/24 192.168.7.1", "far 10.244.9.0/24 192.168.7.9"]),
        ["a foreign route in our place: removed"] = new(
            () => new(host: Given.Lan + "; " + Foreign), _ => { }, "RouteConflict", "remove it", a => a.Host.Remove("10.244.2.0/24")),
        ["a foreign route in our place: taken over"] = new(
            () => new(host: Given.Lan + "; " + Foreign), _ => { }, "RouteConflict", "or set adopt to all",
            a => a.Restart(adopt: AdoptMode.All)),
        ["a foreign route inside a peer's: removed"] = new(
            () => new(), a => a.Host.Overwrite("10.244.2.128/25 via 10.0.0.9 dev eth0 proto 4"), "RouteShadowed",
            "ip route del 10.244.2.128/25 proto 4", a => a.Host.Remove("10.244.2.128/25")),
        ["a VPN's policy rule: removed"] = new(
            () => new(), a => a.Host.Overrides = [VpnRule], "RouteOverridden", VpnRule.Removal, a => a.Host.Overrides = []),
        ["forwarding that cannot be read: procSysNet"] = new(
            () => new(), a => a.Host.State = a.Host.State with { Forwarding = new(null, true) }, "ForwardingUnknown", "set procSysNet",
            a => a.Host.State = a.Host.State with { Forwarding = new(false, true) }),
        ["forwarding that cannot be read: no podCIDR of that family"] = new(
            () => new(), a => a.Host.State = a.Host.State with { Forwarding = new(true, null) }, "ForwardingUnknown",
            "give this node no IPv6 podCIDR",
            a => a.Nodes = ["self 10.244.1.0/24 10.0.0.1", .. Agent.ThreeNodes[1..]]),
        ["routes that would be removed: the Nodes are there again"] = new(
            () => new() { Nodes = Six }, a => a.Nodes = [Given.Self], "RemovalsHeld", "find what deleted them", a => a.Nodes = Six),
        ["routes that would be removed: the Nodes are gone for good"] = new(
            () => new() { Nodes = Six }, a => a.Nodes = [Given.Self], "RemovalsHeld", "nothing if these Nodes are gone for good",
            a => a.QuorumReads++),
        ["routes that would be removed one after the other: the Nodes are gone for good"] = new(
            () => new() { Nodes = Six }, OneByOne, "RemovalsHeld", "within 10 minutes", a => a.QuorumReads++),
        ["shards of the digest that are rejected: written again"] = new(
            () => new() { Digest = FullDigest }, a => a.Digest = FullDigest with { Rejected = [new("hostgw-nodes-007", "it was edited")] },
            "DigestShardRejected", "let the digest run, which writes them again", a => a.Digest = FullDigest),
        ["shards of the digest without a label: carried"] = new(
            () => new() { Digest = FullDigest }, a => a.Digest = FullDigest with { Rejected = [new("hostgw-nodes-007", "without zone")] },
            "DigestShardRejected", "with the labels that nodeSelector names", a => a.Digest = FullDigest),
        ["shards of the digest that others edit: kept from it"] = new(
            () => new() { Digest = FullDigest }, a => a.Digest = FullDigest with { Rejected = [new("hostgw-nodes-007", "it was edited")] },
            "DigestShardRejected", "keep others from writing in that namespace", a => a.Digest = FullDigest),
        ["a digest that is not renewed: it runs"] = new(
            () => new() { Digest = FullDigest }, a => a.Digest = FullDigest with { Stale = "its Lease is old" },
            "DigestStale", "let the digest run", a => a.Digest = FullDigest),
        ["routes that a digest in part does not list: the shards are read"] = new(
            () => new() { Nodes = Six, Digest = FullDigest },
            a => (a.Nodes, a.Digest) = ([Given.Self, .. Six[2..]], FullDigest with { IsPartial = true }),
            "RemovalsHeld", "correct the shards that are rejected", a => (a.Nodes, a.Digest) = (Six, FullDigest)),
        ["a VPN's policy rule at the front: later"] = new(
            () => new($"{ClusterCidrs} policyRule=on"), a => a.Host.Overrides = [VpnRule], "RouteOverridden",
            "there is no room for HostGw's rule before that one, which is at the front: give it a greater preference",
                a => a.Host.Overrides = []),
        ["a VPN's policy rule for IPv6: clusterCidrs"] = new(
            () => new("clusterCidrs=10.244.0.0/16 policyRule=on"),
            a => a.Host.Overrides = [VpnRule with { Affected = new HashSet<Prefix> { Prefix.Parse("fd00:10:244:2::/64") } }],
            "RouteOverridden",
            "add the pods' IPv6 network to clusterCidrs, so that HostGw's rule is for this family, too", ForBothFamilies),
        ["rules that another program undoes: stopped"] = new(
            () => new(), a => Fight(a, () => a.Host.LoseNat()), "RulesContested", "stop or reconfigure the other one", Stop),
        ["a policy rule that another program undoes: stopped"] = new(
            () => new($"{ClusterCidrs} policyRule=on"),
            a => Fight(a, () => a.Host.SetRules(a.Host.State.PolicyRules.Where(r => !r.IsOurs))),
            "PolicyRuleContested", "stop or reconfigure the other one", Stop),
        ["a probe address that another program undoes: stopped"] = new(
            () => new(), a => Fight(a, () => a.Host.SetProbeRoutes([])), "ProbeAddressContested", "stop or reconfigure the other one", Stop),
        ["a route in the place of a probe address: removed"] = new(
            () => new(), a => a.Host.ProbeObstacles = [ProbeBlackhole], "ProbeAddressConflict", ProbeBlackhole.Removal,
            a => a.Host.ProbeObstacles = []),
        ["a probe address that is refused: the right"] = new(
            () => new(), a => Refuse(a, "add probe"), "ProbeAddressNotApplied", "give the agent NET_ADMIN", Permit),
        ["a link hostgw0 that another program makes: stopped"] = new(
            () => new(), a => Fight(a, () => a.Host.SetTunnel(new(7) { IsOurs = true })), "TunnelContested", "stop or reconfigure the other one",
            Stop),
        ["a link hostgw0 whose port is taken: another port"] = new(
            () => new(), a => Refuse(a, "tunnel"), "TunnelNotApplied", "set tunnel.port to another one", Permit),
        ["a link hostgw0 whose settings cannot be written: writable"] = new(
            () => new(), a => Refuse(a, "tunnel"), "TunnelNotApplied", "let the agent write /proc/sys/net", Permit),
        ["a link hostgw0 that is refused: the right"] = new(
            () => new(), a => Refuse(a, "tunnel"), "TunnelNotApplied", "give the agent NET_ADMIN", Permit),
        ["a CNI configuration that another program undoes: stopped"] = new(
            () => new("cni=on"), a => Fight(a, () => a.Host.LoseCni()), "CNIContested", "stop or reconfigure the other one", Stop),
        ["a CNI configuration that is left in a read-only directory: removed"] = new(
            InstalledCni, LeaveCni, "CNIConfigurationLeft",
            "unless pods need it, on the host: rm /etc/cni/net.d/10-hostgw.conflist", a => a.Host.LoseCni()),
        ["forwarding that another program turns off: stopped"] = new(
            () => new(), a => Fight(a, () => a.Host.Turn("all", off: true)), "ForwardingContested", "stop or reconfigure the other one", Stop),
        ["a route that another program changes: stopped"] = new(
            () => new(), a => Fight(a, () => a.Host.Overwrite(Foreign.Replace("proto 4", "proto 12", StringComparison.Ordinal))),
            "RouteContested", "stop or reconfigure the other one", Stop),
        ["a host that cannot be read: the right"] = new(
            () => new(), a => a.Host.ReadRefusal = NotPermitted, "HostUnreadable", "NET_ADMIN", a => a.Host.ReadRefusal = null),
        ["forwarding that cannot be written: writable"] = new(
            () => new(), a => Refuse(a, "forward ipv4"), "ForwardingNotApplied", "let the agent write /proc/sys/net", Permit),
        ["IPv4 forwarding that cannot be written: by hand"] = new(
            () => new(), a => Refuse(a, "forward ipv4"), "ForwardingNotApplied", "sysctl -w net.ipv4.ip_forward=1 yourself", ForwardByHand),
        ["IPv6 forwarding that cannot be written: by hand"] = new(
            () => new(), a => Refuse(a, "forward ipv6"), "ForwardingNotApplied", "sysctl -w net.ipv6.conf.all.forwarding=1 yourself",
            ForwardByHand),
        ["a neighbour that cannot be forgotten: the right"] = new(
            () => new($"PodGateway {ClusterCidrs}") { Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2 uid=one"] },
            a =>
            {
                a.Host.Refusal = w => w.StartsWith("forget", StringComparison.Ordinal) ? NotPermitted : null;
                a.Nodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2 uid=two"];
            },
            "NeighboursNotApplied", "give the agent NET_ADMIN", Permit),
        ["a masquerade rule that is refused: the cause"] = new(
            () => new(), a => Refuse(a, "nat"), "NATNotApplied", "hostgw doctor on this node looks for the cause", Permit),
        ["chain FORWARD that cannot be changed: iptables"] = new(
            Dropping, a => Refuse(a, "accept"), "ForwardAcceptNotApplied", "install iptables where the agent runs", Permit),
        ["chain FORWARD that cannot be changed: the setting"] = new(
            Dropping, a => Refuse(a, "accept"), "ForwardAcceptNotApplied", "set forwardAccept to false",
            a => a.Restart("forwardAccept=off")),
        ["a route that is refused: the right"] = new(
            () => new(), a => Refuse(a, "add 10.244.2.0"), "RoutesNotApplied", "give the agent NET_ADMIN", Permit),
        ["a policy rule that is refused: the right"] = new(
            () => new($"{ClusterCidrs} policyRule=on"), a => Refuse(a, "add rule"), "PolicyRuleNotApplied", "give the agent NET_ADMIN",
            Permit),
        ["a CNI configuration that cannot be written: the cause"] = new(
            () => new("cni=on"), a => Refuse(a, "wrote"), "CNINotApplied", "docs/troubleshoot.md lists the causes", Permit),
        ["a CNI configuration that cannot be written: another plugin's"] = new(
            () => new("cni=on"), a => Refuse(a, "wrote"), "CNINotApplied", "set cni.install to false", a => a.Restart("cni=off")),
    };

    /// <summary>Rules, or words of cures, and the test that tries them; empty: nobody can here, with the reason.</summary>
    public static readonly Dictionary<string, string> TriedElsewhere = new()
    {
        ["ProbesNotReceived"] = "A_taken_port_is_reported_and_tried_again_and_the_others_are_probed_meanwhile",
        ["GuardsContested"] = "A_fight_over_the_guards_is_slowed_down_and_the_masquerade_rule_is_not",
        ["GuardsNotApplied"] = "The_cure_of_every_part_of_the_host_names_what_the_agent_uses",
        ["PodTrafficBlocked"] = "The_commands_in_a_finding_cure_it",
        ["NodesFromDisk"] = "Saved_nodes_are_named_until_the_API_server_answers",
        ["OwnershipNotRecorded"] = "The_cure_of_every_part_of_the_host_names_what_the_agent_uses",
        ["PodNetworkNotApplied"] = "The_cure_of_every_part_of_the_host_names_what_the_agent_uses",
        ["existing routes are kept until then"] = "Who_does_what_the_cure_says_is_cured",
        ["the cloud's controller manager"] = "Who_does_what_the_cure_says_is_cured",
        ["boot the kernel with it"] = "Who_does_what_the_cure_says_is_cured",
        ["nat.backend chooses another way"] = "Another_backend_takes_over_in_one_pass",
        ["if it is a resolver"] = "Who_does_what_the_cure_says_is_cured",
        ["narrow clusterCidrs"] = "Who_does_what_the_cure_says_is_cured",
        ["raise gc_thresh3, gc_thresh2 and gc_thresh1 of net.ipv4.neigh.default and net.ipv6.neigh.default"] =
            "Neighbour_thresholds_are_only_raised",
        ["set policyRule to on"] = "With_policyRule_packets_take_the_routes_though_such_a_rule_is_there",
        ["correct the route or setting that the reason names"] = "Who_does_what_the_cure_says_is_cured",
        ["annotate it with hostgw.io/next-hop"] = "Who_does_what_the_cure_says_is_cured",
        ["if the podCIDR is right, correct clusterCidrs, serviceCidrs"] = "Who_does_what_the_cure_says_is_cured",
        ["A host that is meant to have one address family"] = "Who_does_what_the_cure_says_is_cured",
        ["If it never has that address"] = "Who_does_what_the_cure_says_is_cured",
        ["The agent tries again"] = "A_route_that_is_refused_blocks_no_other_and_is_tried_again",
        ["otherwise the kernel refuses it to ip as well"] = "A_route_that_is_refused_blocks_no_other_and_is_tried_again",
    };

    public static TheoryData<string> Names => [.. Cured.Keys];

    /// <summary>What only an agent that runs for a while can know, or that wrote.</summary>
    private static readonly string[] OfRunningAgents = ["RemovalsHeld", "Contested", "NotApplied"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Whoever_asks_for_the_plan_is_told_of_every_problem_that_the_agent_reports_with_its_cure(string what)
    {
        (Func<Agent> make, Action<Agent> breaks, _, _, _) = Cured[what];
        Agent agent = make();
        agent.Pass();
        breaks(agent);
        Problem[] reported =
        [
            .. ProblemCatalog.All(agent.Pass()).Where(p => !OfRunningAgents.Any(o => p.Rule.EndsWith(o, StringComparison.Ordinal))),
        ];
        if (reported.Length == 0)
            return;

        string plan = PlanCommandTests.Text(new(agent.DryPass()));

        Assert.All(reported, p => Assert.Contains($"! {p.Text}\n", plan, StringComparison.Ordinal));
        Assert.All(reported.Where(p => p.Cure.Length > 0), p => Assert.Contains($"\n    {p.Cure}\n", plan, StringComparison.Ordinal));
        Assert.DoesNotContain("this host is as it should be", plan, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Who_does_what_the_catalogue_says_is_cured(string what)
    {
        (Func<Agent> make, Action<Agent> breaks, string rule, string cure, Action<Agent> cures) = Cured[what];
        Agent agent = make();
        agent.Pass();
        breaks(agent);
        Problem? problem = Problems(agent.Pass()).FirstOrDefault(p => p.Rule == rule && Says(p, cure));
        Assert.NotNull(problem);
        Assert.Contains(Problems(agent.Pass(WakeCauses.Resync)), p => p.Key == problem.Key);

        cures(agent);

        agent.Pass();
        Assert.DoesNotContain(Problems(agent.Pass(WakeCauses.Resync)), p => p.Rule == rule);
    }

    [Fact]
    public void Every_problem_of_the_catalogue_and_every_part_of_its_cure_is_tried()
    {
        string sources = string.Concat(Repository.Sources()
            .Where(f => f.Path is "Problems/ProblemCatalog.cs" or "Problems/ReachabilityProblems.cs").Select(f => f.Text));
        IEnumerable<string> rules = RuleName().Matches(sources).Select(m => m.Groups[1].Value).Distinct();
        Assert.Empty(rules.Where(r => !TriedElsewhere.ContainsKey(r)).Except(Cured.Values.Select(c => c.Rule)));

        IEnumerable<string> untried =
            from problem in Found()
            from part in BetweenAlternatives().Split(problem.Cure)
            where !Cured.Values.Any(c => c.Rule == problem.Rule && Overlap(part, c.Cure))
            where !TriedElsewhere.Keys.Any(t => part.Contains(t, StringComparison.Ordinal))
            select $"{problem.Rule}: {part}";
        Assert.True(!untried.Any(), string.Join('\n', untried.Distinct()));
    }

    internal static IEnumerable<Problem> Found() => Cured.Values.SelectMany(c =>
    {
        Agent agent = c.Agent();
        agent.Pass();
        c.Break(agent);
        return Problems(agent.Pass()).Where(p => p.Rule == c.Rule);
    });

    // What no host of these tests refuses: the state directory, the pods' network of Windows, the neighbour table's thresholds.
    [Theory]
    [MemberData(nameof(Parts))]
    public void The_cure_of_every_part_of_the_host_names_what_the_agent_uses(string name)
    {
        HostPart part = Enum.Parse<HostPart>(name);
        Problem problem = Refused(part);
        Assert.Contains("Operation not permitted", problem.Text, StringComparison.Ordinal);
        Assert.NotEqual("", problem.Cure);
        string settings = File.ReadAllText(Repository.PathTo("docs/settings.md"));
        Assert.All(SettingName().Matches(problem.Cure).Select(m => m.Value).Where(w => !w.StartsWith("net.", StringComparison.Ordinal)),
            w => Assert.Contains($"`{w}`", settings, StringComparison.Ordinal));
        Assert.All(Page().Matches(problem.Cure).Select(m => m.Value), p => Assert.True(File.Exists(Repository.PathTo(p)), p));
    }

    internal static Problem Refused(HostPart part) => Assert.Single(ProblemCatalog.Failures(Reports.InOrder() with
    {
        Result = new() { Failures = [new(part, "do it", null, NotPermitted)] },
    }));

    public static TheoryData<string> Parts => [.. Enum.GetNames<HostPart>()];

    [Fact]
    public void Probes_that_are_not_received_are_a_problem_until_they_are()
    {
        PassReport report = NotReceived();
        Problem problem = Assert.Single(ProblemCatalog.All(report), p => p.Rule == "ProbesNotReceived");
        Assert.Contains("Address already in use", problem.Text, StringComparison.Ordinal);
        Assert.Contains("set probe.port to another one", problem.Cure, StringComparison.Ordinal);
        Assert.Empty(ProblemCatalog.All(report with { Reachability = new([]) }));
    }

    internal static PassReport NotReceived() => Reports.InOrder() with { Reachability = new([]) { Fault = "Address already in use" } };

    internal static PassReport GuardsUndone() =>
        Reports.InOrder() with { Contests = Contests.None with { Guards = "the table is missing" } };

    [Fact]
    public void Saved_nodes_are_named_until_the_API_server_answers()
    {
        PassReport report = Saved();
        Problem problem = Assert.Single(ProblemCatalog.All(report), p => p.Rule == "NodesFromDisk");
        Assert.StartsWith("make it reachable, or correct the settings apiServer and kubeconfig", problem.Cure, StringComparison.Ordinal);
        string log = Repository.Sources().Single(f => f.Path == "Log.cs").Text;
        Assert.Contains("Cannot watch {What}", log, StringComparison.Ordinal);
        Assert.Empty(ProblemCatalog.All(report with { NodesSavedAt = null, HeldRemovals = null }));
    }

    // No shard is rejected then.
    [Fact]
    public void What_waits_for_shards_waits_for_the_API_server_while_saved_nodes_are_used()
    {
        static string Cure(PassReport report) => Assert.Single(ProblemCatalog.All(report), p => p.Rule == "RemovalsHeld").Cure;
        Assert.Equal("they are read once the API server can be reached", Cure(Saved()));
        Assert.Equal("correct the shards that are rejected", Cure(Saved() with { NodesSavedAt = null }));
    }

    internal static PassReport Saved() => Reports.InOrder() with
    {
        NodesSavedAt = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
        HeldRemovals = new(1, 2) { IsPartial = true },
    };

    private sealed record Case(Func<Agent> Agent, Action<Agent> Break, string Rule, string Cure, Action<Agent> Do);

    private static IEnumerable<Problem> Problems(PassReport report) => ProblemCatalog.All(report).Concat(ProblemCatalog.Failures(report));

    private static bool Says(Problem problem, string words) => $"{problem.Text}\n{problem.Cure}".Contains(words, StringComparison.Ordinal);

    private static void SetUp(Agent agent, bool isUp) => agent.Host.State = agent.Host.State with
    {
        Interfaces = [.. agent.Host.State.Interfaces.Select(i => i.Name == "eth0" ? i with { IsUp = isUp } : i)],
    };

    private static Agent InstalledCni()
    {
        Agent agent = new();
        agent.Restart("cni=on");
        return agent;
    }

    // As the chart does with config.cni.install=false.
    private static void LeaveCni(Agent agent)
    {
        agent.Host.CniIsReadOnly = true;
        agent.Restart("");
    }

    private static void OneByOne(Agent agent)
    {
        for (int left = Six.Length - 1; left > 0; left--)
        {
            agent.Nodes = Six[..left];
            agent.Pass();
        }
    }

    // What the kernel then does is tried on a real one: OverriddenTests.
    private static void ForBothFamilies(Agent agent)
    {
        agent.Restart($"{ClusterCidrs} policyRule=on");
        PassReport report = agent.Pass();
        Assert.Contains(report.Plan!.PolicyRules, p => p.IsIPv6);
        agent.Host.Overrides = [];
    }

    private static void Refuse(Agent agent, string what)
    {
        agent.Host.Refusal = w => w.StartsWith(what, StringComparison.Ordinal) ? NotPermitted : null;
        // As after a boot: everything is to be done.
        agent.Host.State = agent.Host.State with { Forwarding = new(false, false) };
        agent.Host.LoseNat();
        agent.Host.LoseCni();
        agent.Host.LoseForwardAccept();
        agent.Host.SetRules([]);
        agent.Host.SetProbeRoutes([]);
        agent.Host.SetTunnel(new(7) { IsOurs = true });
        agent.Host.Remove("10.244.2.0/24");
        agent.Restart();
    }

    private static void Permit(Agent agent) => agent.Host.Refusal = _ => null;

    // The command of the text, and the setting.
    private static void ForwardByHand(Agent agent)
    {
        Problem problem = ProblemCatalog.Failures(agent.Pass()).Single();
        HostState host = agent.Host.State;
        Examination after = Obedience.Run(
            problem.Cure[problem.Cure.IndexOf("sysctl", StringComparison.Ordinal)..],
            new() { Policy = Given.Policy(""), Host = host, Nodes = Given.Nodes(Agent.ThreeNodes) });
        Assert.NotEqual(host.Forwarding, after.Host.Forwarding);
        agent.Host.State = after.Host;
        Assert.Contains("set forwarding to false", problem.Cure, StringComparison.Ordinal);
        agent.Restart("forwarding=off");
    }

    private const string Tunnelled = $"{Given.Lan}; hostgw0 10.244.1.1/32 fd00:10:244:1::1/128 noarp";

    private static void Needs(Agent agent, Func<HostState, HostState> change)
    {
        agent.Host.State = change(agent.Host.State);
        agent.Reachability = Given.Paths("10.244.2.0/24 Compared");
    }

    // The tunnel runs when the other configuration comes.
    private static void Endanger(Agent agent)
    {
        SendInto(agent, "10.244.2.0/24");
        agent.Host.State = agent.Host.State with { SourceObstacle = "it is not known" };
    }

    // The first pass makes the link, the next one the routes.
    private static void SendInto(Agent agent, string podCidr)
    {
        agent.Reachability = Given.Paths($"{podCidr} Tunnel");
        agent.Pass();
    }

    // What the platform then makes is tried on a real kernel.
    private static void Tunnel(Agent agent, string podCidr)
    {
        agent.Restart("tunnel=auto");
        agent.Reachability = new([(Prefix.Parse(podCidr), new(ReachKind.Reachable, 1, 310) { Path = PeerPath.Tunnel })]);
    }

    private static void Reached(Agent agent) => agent.Reachability = Reports.Of(("10.244.2.0/24", ReachKind.Reachable, 310u));

    private static Agent Covering() => new("PodGateway clusterCidrs=10.0.0.0/8", "eth0 192.168.7.1/24; default via 192.168.7.254 dev eth0")
    {
        Nodes = ["self 10.244.1.0/24 192.168.7.1", "far 10.244.9.0/24 10.9.9.9"],
    };

    private static Agent Dropping()
    {
        Agent agent = new();
        agent.Host.DropsForwarded = true;
        return agent;
    }

    private static void Fight(Agent agent, Action undo)
    {
        for (int i = 0; i < 6; i++)
        {
            undo();
            agent.Pass(WakeCauses.Routes);
        }
    }

    private static void Stop(Agent agent) => agent.Time.Advance(TimeSpan.FromSeconds(61));

    /// <summary>One is a part of the other.</summary>
    internal static bool Overlap(string part, string cure) =>
        part.Contains(cure, StringComparison.Ordinal) || cure.Contains(part, StringComparison.Ordinal);

    [GeneratedRegex(@"(?:new(?: Problem)?\(|=> )""([A-Z]\w+)""")]
    private static partial Regex RuleName();

    [GeneratedRegex(@"[;,.] or,? |; |\. ")]
    private static partial Regex BetweenAlternatives();

    [GeneratedRegex(@"\b(?:cni|nat|windows|networkUnavailable)\.(?!md)[a-z]\w+|\b(?:stateDirectory|forwardAccept|forwarding(?= to))\b")]
    private static partial Regex SettingName();

    [GeneratedRegex(@"docs/\w+\.md")]
    private static partial Regex Page();
}
