namespace HostGw.Planning;

/// <summary>What became of one podCIDR of one node (or of a node that has none), and why.</summary>
/// <param name="PodCidr">None where the node has none that can be read.</param>
/// <param name="Reason">For a person; empty where nothing needs saying.</param>
internal readonly record struct Verdict(ClusterNode Node, Prefix PodCidr, VerdictKind Kind, string Reason, Ip NextHop = default);

/// <summary>Ordered by how much a person should care.</summary>
internal enum VerdictKind
{
    /// <summary>This host's own podCIDR: no route, its pods are here.</summary>
    Self,

    Routed,

    /// <summary>Left out on request: annotation or node selector.</summary>
    Skipped,

    /// <summary>The node has no podCIDR yet.</summary>
    NoPodCidr,

    /// <summary>This host lacks an interface or address for it at the moment; what stands stays.</summary>
    Waiting,

    /// <summary>The node has no address of the podCIDR's family that may be a next hop.</summary>
    NoAddress,

    /// <summary>The podCIDR has no room for a gateway.</summary>
    NoGateway,

    /// <summary>The next hop is not on this host's segment.</summary>
    NotAdjacent,

    /// <summary>A guard refuses the podCIDR.</summary>
    Rejected,
}
