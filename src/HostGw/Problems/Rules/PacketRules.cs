using HostGw.Planning;

namespace HostGw.Problems.Rules;

/// <summary>Whether something on the way drops or rewrites pods' packets.</summary>
internal static class PacketRules
{
    public static IEnumerable<Problem> ForwardDrop(Examination seen)
    {
        if (seen.ForwardChange.Length == 0)
            yield break;
        yield return new("forwardDrop",
            "chain FORWARD drops this node's pods' packets, " +
            $"and the accept for them is missing or not in its place ({seen.ForwardChange})",
            "start the agent with forwardAccept true; it adds one chain and touches no rule of others");
    }

    public static IEnumerable<Problem> Obstacles(Examination seen) => seen.Obstacles.Select(
        o => new Problem("foreignDrop", o, "change it where it is made: the agent touches nothing of others"));

    public static IEnumerable<Problem> Leftovers(Examination seen) => seen.Leftovers.Select(l => l.Remove is null
        ? new Problem("unreadable", l.What, "put right what keeps these rules from being read, then run the doctor again")
        : new("foreignMasquerade",
            $"{l.What}: pods see each other under their nodes' addresses",
            "stop what made it; if that is gone, hostgw adopt --rules removes it"));

    public static IEnumerable<Problem> Doubts(Examination seen) => seen.Doubts.Select(d => new Problem("foreignSet",
        d.What, $"{d.Check}; this finding remains until a rule before it accepts packets between pods"));

    public static IEnumerable<Problem> Masquerade(Examination seen)
    {
        if (seen.NatChange.Length == 0)
            yield break;
        yield return new("masquerade",
            $"the masquerade rule is not as it should be ({seen.NatChange}): pods may not reach what is outside of the cluster",
            "start the agent on this host, or see its log for what keeps it from that");
    }

    /// <summary>A pod's packet that is larger than the way out is cut into pieces, or lost where it may not be.</summary>
    public static IEnumerable<Problem> Mtu(Examination seen)
    {
        if (seen.Plan is not { } plan)
            return [];
        return from address in seen.Host.Addresses
               where plan.OwnPodCidrs.Any(p => p.Contains(address.Address))
               let inside = seen.Host.Interface(address.Interface)
               let uplink = (address.Address.IsIPv4 ? plan.InterfaceIPv4 : plan.InterfaceIPv6).Interface
               where inside is not null && uplink is not null && inside.Index != uplink.Index && inside.Mtu > uplink.Mtu
               group inside by (uplink.Name, uplink.Mtu) into found
               let links = found.Select(i => $"{i.Name} ({i.Mtu})").Distinct().Take(3)
               select new Problem("mtu",
                   $"{string.Join(", ", links)} of pods take larger packets than {found.Key.Name} ({found.Key.Mtu}): " +
                   "large packets are cut or lost",
                   $"set the MTU of the CNI configuration to {found.Key.Mtu} and restart the pods, " +
                   $"or raise that of {found.Key.Name} on all nodes");
    }
}

/// <summary>Whether other programs on this host work on the same things.</summary>
internal static class OwnerRules
{
    private static readonly string[] Agents =
        ["flanneld", "kindnetd", "kube-router", "calico-node", "cilium-agent", "antrea-agent", "weaver", "bird"];

    // How a program that runs in another container shows itself here.
    private static readonly (string Interface, string Agent)[] Interfaces =
    [
        ("flannel.", "flannel"), ("flannel-v6.", "flannel"), ("cilium_", "cilium"), ("vxlan.calico", "calico"),
        ("kube-bridge", "kube-router"), ("weave", "weave"), ("antrea-gw", "antrea"), ("ovn-k8s-", "ovn-kubernetes"),
    ];

    public static IEnumerable<Problem> OtherAgents(Examination seen) =>
        from agent in Agents
        where seen.Facts.Programs.Contains(agent)
        select new Problem("otherAgent",
            $"{agent} runs on this host, and may make routes and rules for the same pods",
            "keep one program that makes routes to pods (docs/migrate.md)");

    public static IEnumerable<Problem> LeftInterfaces(Examination seen) => LeftInterfaces(seen.Host, seen.Facts.Programs);

    /// <param name="programs">Those that are known to run: their interfaces are not left.</param>
    public static IEnumerable<Problem> LeftInterfaces(HostState host, IReadOnlyCollection<string> programs) =>
        from link in host.Interfaces
        from known in Interfaces
        where link.Name.StartsWith(known.Interface, StringComparison.Ordinal)
        where !programs.Any(p => p.StartsWith(known.Agent, StringComparison.Ordinal))
        select new Problem("otherAgent",
            $"the interface {link.Name} is {known.Agent}'s: it runs in a pod and may make routes and rules for the same pods, " +
            "or has left it behind",
            $"keep one program that makes routes to pods (docs/migrate.md); if {known.Agent} is gone: {Delete(link.Name, known.Agent)}");

    // A port of Open vSwitch is no link of its own, and `ip link delete` refuses it.
    private static string Delete(string link, string agent) =>
        agent is "antrea" or "ovn-kubernetes" ? $"ovs-vsctl del-port {link}" : $"ip link delete {link}";

    public static IEnumerable<Problem> Networkd(Examination seen)
    {
        if (!seen.Facts.NetworkdRemovesRoutes)
            yield break;
        yield return new("networkd",
            "systemd-networkd removes routes that it has not made whenever it restarts: traffic stops until the agent has put them back",
            "mkdir -p /etc/systemd/networkd.conf.d && " +
            "printf '[Network]\\nManageForeignRoutes=no\\nManageForeignRoutingPolicyRules=no\\n' > " +
            "/etc/systemd/networkd.conf.d/hostgw.conf && systemctl restart systemd-networkd");
    }

    public static IEnumerable<Problem> CniPlugins(Examination seen)
    {
        if (!seen.Policy.InstallCni || seen.Facts.MissingCniPlugins.Count == 0)
            yield break;
        yield return new("cniPlugins",
            $"the CNI plugins {string.Join(", ", seen.Facts.MissingCniPlugins)} are not installed: " +
            "pods cannot start, and no CNI configuration is written",
            "install kubernetes-cni (in /opt/cni/bin) or containernetworking-plugins (Debian: in /usr/lib/cni), " +
            "and name their directory in cni.binDirectory and in the configuration of the container runtime");
    }
}
