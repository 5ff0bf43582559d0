using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Problems;

/// <summary>
/// What a person should know of this host, or put right, for as long as it lasts. The same in the log, Events, status, page and doctor.
/// </summary>
/// <param name="Rule">What kind of problem, in a word that never changes: the reason of its Event, or the doctor's rule.</param>
/// <param name="Text">What is wrong, and what comes of it.</param>
/// <param name="Cure">What to do; empty where the text says it.</param>
internal sealed record Problem(string Rule, string Text, string Cure = "")
{
    /// <summary>What it concerns: with the rule it identifies the problem, though the text changes.</summary>
    public string Subject { get; init; } = "";

    /// <summary>It names several nodes, which come and go: the log reports its begin and its end, and not each change between.</summary>
    public bool IsOfMany { get; init; }

    public (string Rule, string Subject) Key => (Rule, Subject);
}

/// <summary>The cures of problems whose text names none.</summary>
internal static class Cures
{
    public const string ClusterRoute =
        "narrow clusterCidrs, or set clusterRoute to off; if it is a resolver, name another one in this host's /etc/resolv.conf";

    public const string CoveredNodes =
        "make clusterCidrs narrower: only the pod networks; or, if such an address is wrong, correct the node's (kubelet --node-ip)";

    public const string Contest = "keep one program for it: stop or reconfigure the other one";

    public const string PodTrafficDropped =
        "see that these nodes have a route to this one's pods (`hostgw status` there); if they have, an IPsec policy (`ip xfrm policy`) " +
        "or the network between the nodes drops pods' packets: switch its check of addresses off for every node, or name the pod " +
        "networks to it (docs/networks.md has the commands)";

    public const string LetTunnelPass =
        "let the firewalls on and between the nodes pass UDP to the port of the setting tunnel.port";

    public const string TunnelRefused =
        "if that cannot be, set tunnel.mode to off on all nodes: peers keep their native routes, and those without one stay as they are";

    public const string TunnelSourceAtRisk =
        "let HostGw's CNI configuration be the first in its directory again, or one with host-local for this node's podCIDR; before this " +
        "node restarts: then there would be no tunnel";

    /// <summary>For who looks while no agent runs.</summary>
    public const string RoutedByNetwork =
        "If routers between the nodes know the pod networks, nothing is to do: the probes of a running agent find out (`hostgw status`)";

    public const string Unreachable =
        "see that these nodes and their agents run; if they do, let the firewalls on and between the nodes pass UDP to the port of the " +
        "setting probe.port";

    public const string PodsSilent =
        "see that the agents run, and that the host endpoint (.2) of the Windows nodes is there (`hostgw doctor` on both nodes); if they " +
        "do, let the firewalls on and between the nodes pass UDP to the port of the setting probe.port, also between pod networks";

    public const string ProbesNotReceived =
        "stop the program that uses the UDP port of probes (ss -lunp shows it, on Windows Get-NetUDPEndpoint), or set probe.port to " +
        "another one on all nodes";

    public const string NoPodCidr =
        "let the controller manager give it one: kube-controller-manager --allocate-node-cidrs=true, and a --cluster-cidr with room " +
        "for it (with kubeadm in /etc/kubernetes/manifests; for a new cluster kubeadm init --pod-network-cidr=…)";

    public static string ForwardingUnknown(string family) =>
        "set procSysNet to where the host's /proc/sys/net is mounted" +
        (family == "IPv6" ? "; without IPv6 (ipv6.disable=1), boot the kernel with it, or give this node no IPv6 podCIDR" : "");

    /// <summary>The command that removes a foreign route.</summary>
    public static string Removal(HostRoute route) => route.Protocol < RouteProtocols.Windows
        ? $"ip route del {route.Destination}{TosText.Of(route.Tos)} proto {route.Protocol}"
        : BestRouteOverrides.Removal(route);

    private const string WriteProcSysNet = "let the agent write /proc/sys/net (SELinux or AppArmor may forbid it)";

    private const string Resolver =
        "name a resolver outside of the pod networks in this host's /etc/resolv.conf (or where systemd-resolved, NetworkManager or " +
        "the DHCP server gets it); if that one is right, re-create the Node with another podCIDR";

    private const string OnLinkRoute =
        "bring back the on-link route to that address (ip route replace PREFIX dev INTERFACE, or what makes it: DHCP, router " +
        "advertisements, the host's network configuration)";

    private const string FormerPods =
        "delete the pods of this host that still have addresses of that podCIDR, which this host's Node had before it was re-created, so " +
        "that their controllers make them again (hostgw doctor on this host lists the addresses: formerPods)";

    private const string DisplacingInterface =
        "if that interface is the bridge of this host's pods, from a podCIDR that its Node had before it was re-created: drain this " +
        "host's node, remove it (ip link delete, on Windows Remove-HnsNetwork), kubectl uncordon the node, and delete the pods of " +
        "DaemonSets that remain: the plugin makes it again; if it is another interface, give it another network: this one is for pods " +
        "(clusterCidrs)";

    /// <summary>A second way, after what would make the first one work; empty: the tunnel is on.</summary>
    /// <param name="policy">Null: the usual settings.</param>
    public static string UseTunnel(Policy? policy)
    {
        if (policy is { Tunnel.Mode: not TunnelMode.Off })
            return "";
        string nextHop = policy is { NextHop: NextHopMode.PodGateway } ? "nextHop NodeAddress and " : "";
        string mode = policy is { Probe: false } ? "tunnel.mode always, or auto and probe.enabled" : "tunnel.mode auto";
        return $"use the tunnel ({nextHop}{mode} on all nodes)";
    }

    /// <param name="policy">Null: the usual settings.</param>
    public static string Of(Verdict verdict, Policy? policy) => verdict.Fault switch
    {
        VerdictFault.Resolver => Resolver,
        VerdictFault.Host => OnLinkRoute,
        VerdictFault.FormerPods => FormerPods,
        VerdictFault.Interface => DisplacingInterface,
        _ => OfNode(verdict, policy),
    };

    private static string OfNode(Verdict verdict, Policy? policy)
    {
        ClusterNode node = verdict.Node;
        // The text names the annotation skip, and perhaps more: that is left when the annotation is right.
        bool isMistyped = verdict.Kind == VerdictKind.Routed && node.Skip is null;
        bool mayBeAnnotated = verdict.Kind is VerdictKind.NoAddress or VerdictKind.NotAdjacent || (!isMistyped && verdict is
        { Kind: VerdictKind.Routed, NextHop: var nextHop } && node.NextHopOverride?.Contains(nextHop) == true);
        if (mayBeAnnotated && IsAnnotated(node, verdict.PodCidr))
            return $"correct the annotation ({Annotate(node)} --overwrite hostgw.io/next-hop=ADDRESS), " +
                $"or remove it ({Annotate(node)} hostgw.io/next-hop-)";
        return isMistyped
            ? $"set the annotation to true or false ({Annotate(node)} --overwrite hostgw.io/skip=true), " +
                $"or remove it ({Annotate(node)} hostgw.io/skip-)"
            : Of(verdict.Kind, policy);
    }

    // An unreadable annotation concerns both families.
    private static bool IsAnnotated(ClusterNode node, Prefix podCidr) =>
        node.NextHopOverride is { } addresses && (addresses.IsEmpty || addresses.Any(a => a.IsIPv4 == podCidr.IsIPv4));

    private static string Annotate(ClusterNode node) => $"kubectl annotate node {node.Name}";

    private static string Of(VerdictKind kind, Policy? policy) => kind switch
    {
        VerdictKind.Routed => "if that is an accident, correct the node's addresses (kubelet --node-ip, or the cloud's controller manager)",
        VerdictKind.NoPodCidr => NoPodCidr,
        VerdictKind.Waiting =>
            "bring this host's interface or address back; existing routes are kept until then. " +
            "If it never has that address, correct this node's (kubelet --node-ip) or name the interface in the setting interface",
        VerdictKind.NoAddress =>
            "give the node an InternalIP of that family outside of the pod networks (kubelet --node-ip), " +
            "or annotate it with hostgw.io/next-hop",
        VerdictKind.NoGateway => "give the node a podCIDR of /30 or shorter, or set nextHop to NodeAddress",
        VerdictKind.NotAdjacent =>
            "host-gateway routes need one L2 segment: correct the route or setting that the reason names, " +
            "or put the node's address on this host's segment, annotate it with hostgw.io/next-hop for a router on it, " +
            $"or leave it out with hostgw.io/skip{OrTunnel(policy)}. " +
            "A host that is meant to have one address family needs nothing",
        _ =>
            "re-create the Node with a podCIDR of its own inside clusterCidrs; " +
            "if the podCIDR is right, correct clusterCidrs, serviceCidrs or what it overlaps",
    };

    private static string OrTunnel(Policy? policy) => policy?.Tunnel.Mode switch
    {
        TunnelMode.Auto => ", or, between Linux nodes, let UDP to probe.port and tunnel.port pass (tunnel.mode auto there, too)",
        TunnelMode.Always => "",
        _ => $", or, between Linux nodes, {UseTunnel(policy)}",
    };

    public static string Of(HostPart part) => part switch
    {
        HostPart.Nat => "hostgw doctor on this node looks for the cause; nat.backend chooses another way (nftables, iptables)",
        HostPart.Forward =>
            "install iptables where the agent runs, or set forwardAccept to false and accept the pod networks yourself",
        HostPart.Cni => "docs/troubleshoot.md lists the causes; where another plugin gives pods their network, set cni.install to false",
        HostPart.ForwardingIPv4 => Forwarding("net.ipv4.ip_forward=1"),
        HostPart.ForwardingIPv6 => Forwarding("net.ipv6.conf.all.forwarding=1"),
        HostPart.NeighbourThresholds => $"{WriteProcSysNet}, or raise gc_thresh3, gc_thresh2 and gc_thresh1 of " +
            "net.ipv4.neigh.default and net.ipv6.neigh.default yourself",
        HostPart.Ownership =>
            "make the state directory writable (setting stateDirectory): " +
            "without the list, HostGw's routes are foreign to it after a restart",
        HostPart.PodNetwork => "docs/windows.md says what it needs; or set windows.createNetwork to false and make that network yourself",
        HostPart.Tunnel => "where the UDP port is taken, stop what holds it or set tunnel.port to another one, the same on all nodes; " +
            $"where a setting cannot be written, {WriteProcSysNet}; otherwise give the agent NET_ADMIN. The agent tries again, and " +
            "nothing else waits for it",
        HostPart.State => "run the agent in the host's network, with NET_ADMIN",
        _ => "give the agent NET_ADMIN if that is not permitted; otherwise the kernel refuses it to ip as well, for the reason that " +
            "it gives. The agent tries again, and nothing else waits for it",
    };

    private static string Forwarding(string setting) =>
        $"{WriteProcSysNet}, or sysctl -w {setting} yourself (and in a file of /etc/sysctl.d) and set forwarding to false";
}
