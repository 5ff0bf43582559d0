using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>This node: what its Node object allows, and its interface in each family.</summary>
/// <param name="Node">Null: the API has none of this name.</param>
/// <param name="Faults">What is wrong with it, with the cure. Installed routes are kept.</param>
internal sealed record OwnNode(ClusterNode? Node, PlanScope Scope, ImmutableArray<string> Faults)
{
    /// <summary>The cure of <see cref="AddressFaults"/>, which their text contains.</summary>
    public const string AddressCure = "narrow clusterCidrs to the pod networks, or correct this node's address (kubelet --node-ip)";

    private const string NoPodCidr = "this node has no podCIDR: let the controller manager give it one " +
        "(kube-controller-manager --allocate-node-cidrs=true --cluster-cidr=…; for a new cluster kubeadm init --pod-network-cidr=…)";

    /// <summary>Empty unless everything is planned.</summary>
    public ImmutableArray<Prefix> PodCidrs => Scope == PlanScope.Everything ? Node!.PodCidrs : [];

    /// <summary>What is wrong with the addresses that it lists, with the cure. Everything is planned all the same.</summary>
    public ImmutableArray<string> AddressFaults { get; private init; } = [];

    /// <summary>The interface of this node's address; peers' routes may use others.</summary>
    public InterfaceChoice IPv4 { get; private init; }

    /// <inheritdoc cref="IPv4"/>
    public InterfaceChoice IPv6 { get; private init; }

    /// <summary>Without the second flag it stops at the first pod with such a volume.</summary>
    public static string Drain(string node) =>
        $"kubectl drain {node} --ignore-daemonsets --delete-emptydir-data (which deletes what pods keep in emptyDir volumes)";

    public static OwnNode Of(IReadOnlyList<ClusterNode> nodes, HostState host, Policy policy)
    {
        ClusterNode? self = Planner.Self(nodes, policy);
        return Check(self, policy) with
        {
            AddressFaults = [.. Covered(self, policy, isIPv4: true), .. Covered(self, policy, isIPv4: false)],
            IPv4 = InterfaceChoice.For(ipv6: false, policy, host, self),
            IPv6 = InterfaceChoice.For(ipv6: true, policy, host, self),
        };
    }

    /// <summary>
    /// The address by which peers would reach this node's pods of a family, if clusterCidrs covers all of them: then no node can use it,
    /// and it is the setting that is wrong, or this Node. None: some address is in order, or none is needed.
    /// </summary>
    public static Ip InsideClusterCidrs(ClusterNode? self, Policy policy, bool isIPv4)
    {
        bool isNeeded = self is not null && self.PodCidrs.Any(p => p.IsIPv4 == isIPv4) &&
            !(isIPv4 && policy.NextHop == NextHopMode.PodGateway);
        Ip[] own = isNeeded ? [.. NextHops.Candidates(self!, isIPv4).Where(ip => ip.IsIPv4 == isIPv4)] : [];
        return own.Length > 0 && own.All(ip => PodCidrGuard.Covers(policy.ClusterCidrs, Prefix.Host(ip))) ? own[0] : default;
    }

    private static IEnumerable<string> Covered(ClusterNode? self, Policy policy, bool isIPv4)
    {
        if (InsideClusterCidrs(self, policy, isIPv4) is not { IsNone: false } address)
            yield break;
        yield return $"this node's address {address} lies inside clusterCidrs ({string.Join(", ", policy.ClusterCidrs)}), where pods " +
            $"live, and no node routes to such an address: {AddressCure}; routes to peers inside clusterCidrs are kept until then";
    }

    /// <summary>Without the interfaces and the addresses.</summary>
    public static OwnNode Check(ClusterNode? self, Policy policy)
    {
        if (self is null)
        {
            return new(self, PlanScope.Nothing, [$"the API server has no Node named '{policy.NodeName}': check the setting nodeName, " +
                "or register the node; nothing is changed until then"]);
        }

        List<string> faults = [];
        foreach (string unreadable in self.UnreadablePodCidrs)
        {
            faults.Add($"this node's podCIDR '{PodCidrGuard.Printable(unreadable)}' is not a CIDR; " +
                "nothing is changed until the Node is re-created with a valid one");
        }
        foreach (Prefix podCidr in self.PodCidrs)
        {
            if (PodCidrGuard.RefuseShape(podCidr, policy) is { } reason)
                faults.Add($"this node's podCIDR {podCidr} {reason}; nothing is changed until the Node or the setting is corrected");
        }
        if (faults.Count > 0)
            return new(self, PlanScope.Nothing, [.. faults]);

        return self.PodCidrs.IsEmpty ? new(self, PlanScope.AddRoutes, [NoPodCidr]) : new(self, PlanScope.Everything, []);
    }
}

/// <summary>
/// Addresses of this node that another machine on the segment has, too. IPv6 alone detects that, and then does not use them: what is sent
/// to this node goes to the other machine.
/// </summary>
internal static class DuplicateAddresses
{
    /// <summary>Those that concern the cluster: the Node lists them, or they are in the network of this node's pods.</summary>
    public static IEnumerable<HostAddress> Of(Plan plan, HostState host) => host.DuplicateAddresses.IsEmpty ? [] :
        host.DuplicateAddresses.Where(a => Listed(plan).Contains(a.Address) || plan.OwnPodCidrs.Any(p => p.Contains(a.Address)));

    /// <summary>Whether this node's pods have no family in which an address of this node is left.</summary>
    public static bool LeaveNone(Plan plan, HostState host)
    {
        if (host.DuplicateAddresses.IsEmpty || plan.OwnPodCidrs.IsEmpty)
            return false;
        Ip[] duplicate = [.. host.DuplicateAddresses.Select(a => a.Address)];
        return Self(plan) is { } self && Listed(plan).Intersect(duplicate).Any() && plan.OwnPodCidrs.All(p =>
            NextHops.Candidates(self, p.IsIPv4).Where(a => a.IsIPv4 == p.IsIPv4).All(duplicate.Contains));
    }

    private static IEnumerable<Ip> Listed(Plan plan) => Self(plan) is { } self ? self.InternalIPs.Concat(self.ExternalIPs) : [];

    private static ClusterNode? Self(Plan plan) => plan.Verdicts.FirstOrDefault(v => v.Kind == VerdictKind.Self).Node;
}
