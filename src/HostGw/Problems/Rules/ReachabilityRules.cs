using HostGw.Platform;

namespace HostGw.Problems.Rules;

/// <summary>
/// What the running agent's probes say, and the doctor's own. Without agents that answer, or with probes off, nothing is known.
/// </summary>
internal static class ReachabilityRules
{
    private const int Named = 3;

    public static IEnumerable<Problem> PodTrafficDropped(Examination seen) =>
        from problem in Of(seen, "PodTrafficDropped")
        select problem with { Rule = "podTrafficDropped", Cure = $"{problem.Cure}{Here(seen.Facts.Platform)}" };

    /// <summary>Peers need the tunnel, and this host cannot have it, or not for long; or its packets do not arrive.</summary>
    public static IEnumerable<Problem> Tunnel(Examination seen) =>
    [
        .. from problem in ProblemCatalog.Tunnel(seen.Plan)
           where problem.Rule == "TunnelRefused"
           select problem with { Rule = "tunnelRefused" },
        .. from problem in ProblemCatalog.Tunnel(seen.Plan)
           where problem.Rule == "TunnelSourceAtRisk"
           select problem with { Rule = "tunnelSourceAtRisk" },
        .. from problem in Of(seen, "TunnelUnanswered")
           select problem with { Rule = "tunnelUnanswered" },
    ];

    public static IEnumerable<Problem> Unreachable(Examination seen) =>
        from problem in Of(seen, "PeersUnreachable")
        select problem with { Rule = "unreachable" };

    public static IEnumerable<Problem> PodsSilent(Examination seen) =>
        from problem in Of(seen, "PodsSilent")
        select problem with { Rule = "podsSilent" };

    /// <summary>What the running agent says of itself, since its peers cannot know.</summary>
    public static IEnumerable<Problem> ProbesNotReceived(Examination seen) =>
        from problem in ProblemCatalog.ProbesNotReceived(seen.Reachability)
        select problem with { Rule = "probesNotReceived" };

    /// <summary>Connections begin, and stall with the first large packet.</summary>
    public static IEnumerable<Problem> PathMtu(Examination seen) =>
        from answer in seen.SizeAnswers
        where answer is { Short: true, Long: false }
        group answer by (answer.Interface, answer.Mtu) into found
        let peers = found.DistinctBy(a => a.Node.Name).Select(a => $"{a.Node.Name} ({a.PodCidr})").ToArray()
        let more = peers.Length > Named ? $" and {peers.Length - Named} more" : ""
        select new Problem("pathMtu",
            $"packets of {found.Key.Mtu} bytes, the MTU of {found.Key.Interface}, do not arrive at " +
            $"{string.Join(", ", peers.Take(Named))}{more}, and small ones do: connections stall with the first large packet",
            $"let the network between the nodes carry {found.Key.Mtu} bytes (a switch or a tunnel has a smaller MTU), or lower the MTU " +
            $"of {found.Key.Interface} on all nodes, and that of pods with it (the CNI configuration; restart the pods)");

    private static IEnumerable<Problem> Of(Examination seen, string rule) =>
        seen.Plan is null ? [] : ReachabilityProblems.Of(
            seen.Plan, seen.Reachability, ReachabilityProblems.Explained(seen.Routes, seen.Overrides)).Where(p => p.Rule == rule);

    private static string Here(MachinePlatform platform) => platform switch
    {
        MachinePlatform.Aws => ". This host is on AWS: for every node, " +
            "aws ec2 modify-network-interface-attribute --network-interface-id ENI --no-source-dest-check",
        MachinePlatform.Azure => ". This host is on Azure: IP forwarding for every node's network interface, and a route for " +
            "each podCIDR in the route table",
        MachinePlatform.GoogleCloud => ". This host is on Google Cloud: every node with --can-ip-forward, and a VPC route for " +
            "each podCIDR",
        MachinePlatform.OracleCloud => ". This host is on Oracle Cloud: for every node, " +
            "oci network vnic update --vnic-id VNIC --skip-source-dest-check true, and a route rule for each podCIDR",
        MachinePlatform.HetznerCloud => ". This host is on Hetzner Cloud, whose networks route: for each podCIDR, " +
            "hcloud network add-route NETWORK --destination PODCIDR --gateway NODE",
        MachinePlatform.OpenStack => ". This host is on OpenStack: for every node's port, " +
            "openstack port set --allowed-address ip-address=PODCIDR PORT",
        MachinePlatform.Qemu => ". This host is a virtual machine of QEMU: look for an IP filter of its hypervisor (Proxmox VE: " +
            "ipfilter; libvirt: a filterref such as clean-traffic)",
        MachinePlatform.VMware => ". This host is on VMware: with NSX look for SpoofGuard; vSphere alone checks no addresses",
        MachinePlatform.HyperV => ". This host is on Hyper-V: look for port ACLs of its switch; a plain switch checks no addresses",
        _ => "",
    };
}
