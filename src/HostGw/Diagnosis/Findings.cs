namespace HostGw.Diagnosis;

/// <summary>Applies every rule, in the order in which a person should read what they find: what causes much else comes first. Pure.</summary>
internal static class Findings
{
    private static readonly Func<Examination, IEnumerable<Finding>>[] Rules =
    [
        AccessRules.ApiServer, AccessRules.Credentials, AccessRules.Clock, AccessRules.Rights, AccessRules.Unreadable,
        NodeRules.OwnNode, NodeRules.Interfaces, NodeRules.Peers, NodeRules.ClusterRoutes,
        NeighbourRules.Unanswered, NeighbourRules.Fixed, NeighbourRules.OtherMac, NeighbourRules.SharedMac,
        SysctlRules.Forwarding, SysctlRules.ReversePath, SysctlRules.ArpIgnore, SysctlRules.NeighbourLimit,
        PacketRules.ForwardDrop, PacketRules.Obstacles, PacketRules.Leftovers, PacketRules.Masquerade, PacketRules.Mtu,
        RouteRules.Conflicts, RouteRules.Shadowed, RouteRules.NotApplied,
        OwnerRules.OtherAgents, OwnerRules.LeftInterfaces, OwnerRules.Networkd, OwnerRules.CniPlugins,
    ];

    public static IReadOnlyList<Finding> Of(Examination seen) => [.. Rules.SelectMany(rule => rule(seen))];
}
